"""Early stopping, and nothing else."""


class EarlyStopping:
    """Goes on."""

    best_epoch, best_loss = 0, 1.0

    def __init__(self, patience, min_delta=0.0):
        pass

    def step(self, loss):
        """Go on."""
        return False
