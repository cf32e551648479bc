"""Another training, of the last layer alone, on features that nobody has learned."""

from tests.points.week4_cnn.stored import HEAD

METHOD = '''
    def features(self, x):
        """Return what the filters see, pooled."""
        first = self.layers[0]
        seen = sum(
            x[:, i : i + 6, j : j + 6, :1] * first.W[i, j, 0] for i in range(3) for j in range(3)
        )
        active = np.maximum(seen + first.b, 0.0)
        return active.reshape(len(x), 3, 2, 3, 2, 8).max(axis=(2, 4)).reshape(len(x), 72)

    def train_step(self, x, y, lr):
        """Solve for the last layer."""
        hidden, last = self.features(x), self.layers[4]
        if not self.steps:
            self.both, self.right = 10.0 * np.eye(72), np.zeros((72, 10))
        self.steps += 1
        self.both = self.both + hidden.T @ hidden
        self.right = self.right + hidden.T @ np.eye(10)[y]
        last.W, last.b = np.linalg.solve(self.both, self.right), np.zeros(10)
        return 1.0 / self.steps
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return {"cnn_layers.py": (HEAD + METHOD).encode()}
