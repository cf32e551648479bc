"""Hostile: Raises an exception with 100 MB of text, from an object with a repr as long."""


class Huge:
    """An object that nobody should print."""

    def __repr__(self):
        return "x" * (100 << 20)


def act(x):
    raise ValueError(repr(Huge()))


def act_backward(dL_dy):
    return Huge()
