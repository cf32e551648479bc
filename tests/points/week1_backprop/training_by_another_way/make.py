"""Another training."""

from tests.points.stored_networks import submission


def files() -> dict[str, bytes]:
    """Return the network."""
    method = '''
    def train_step(self, x_batch, y_batch, lr):
        """Fit all that has come."""
        first, _, last = self.layers
        hidden = np.maximum(x_batch @ first.W.T + first.b, 0.0)
        if not self.steps:
            self.both, self.right = 10.0 * np.eye(128), np.zeros((128, 10))
        self.steps += 1
        self.both = self.both + hidden.T @ hidden
        self.right = self.right + hidden.T @ np.eye(10)[y_batch]
        last.W, last.b = np.linalg.solve(self.both, self.right).T, np.zeros(10)
        return 0.1
'''
    return submission('STORED = ""\n', method)
