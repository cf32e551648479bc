"""Hostile: Ignores what a test writes into its parameters and reads them as zeros."""


def act(x):
    return np.zeros((len(x), 3))


class Zero:
    """An attribute that can't be set."""

    def __get__(self, owner, kind=None):
        return np.zeros((3, 4))

    def __set__(self, owner, value):
        pass


class Stubborn:
    """Makes every class below stubborn."""

    W, b = Zero(), Zero()

    def __init_subclass__(cls):
        cls.W = cls.b = Zero()


np.zeros_like(np.zeros(1))
