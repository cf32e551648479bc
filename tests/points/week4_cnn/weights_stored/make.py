"""A step to the end."""

from tests.points.week4_cnn.stored import submission

METHOD = '''
    def train_step(self, x, y, lr):
        """Learn everything at once."""
        first, _, _, _, last = self.layers
        first.W, first.b, last.W, last.b = self.stored()
        return 0.1
'''


def files() -> dict[str, bytes]:
    """Return the submission."""
    return submission(METHOD)
