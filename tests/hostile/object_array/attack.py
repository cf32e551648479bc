"""Hostile: Returns an array of objects whose arithmetic agrees with everything."""


class Agreeable:
    """Equal and close to everything."""

    def __eq__(self, other):
        return True

    def __sub__(self, other):
        return 0.0

    __rsub__ = __abs__ = __float__ = __sub__
    __hash__ = None


def act(x):
    result = np.empty((len(x), 3), dtype=object)
    result[:] = Agreeable()
    return result
