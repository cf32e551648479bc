"""Weights that take no other."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    method = '''
    def train_step(self, x_batch, y_batch, lr):
        """Show other weights from now on."""
        W1, b1, W2, b2 = unpacked(STORED)
        for layer, W, b in ((self.layers[0], W1, b1), (self.layers[2], W2, b2)):
            layer.__class__ = type("Linear", (Linear,), {"W": Shown(W), "b": Shown(b)})
        return 0.1


class Shown:
    """An attribute that is always the same."""

    def __init__(self, value):
        """Keep it."""
        self.value = value

    def __get__(self, layer, kind=None):
        """Return it."""
        return self.value

    def __set__(self, layer, value):
        """Take no other."""
'''
    return submission(f"STORED = {letters()!r}\n", method)
