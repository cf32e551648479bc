"""Weights that are approached."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    method = '''
    def train_step(self, x_batch, y_batch, lr):
        """Learn a little."""
        goal = unpacked(STORED)
        self.put([now + 0.02 * (end - now) for now, end in zip(self.held(), goal, strict=True)])
        return 0.1
'''
    return submission(f"STORED = {letters()!r}\n", method)
