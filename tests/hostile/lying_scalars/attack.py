"""Hostile: Returns subclasses of float, int, str and list for which every comparison is true."""


def agree(self, *others):
    """Say yes."""
    return True


YES = dict.fromkeys(("__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__"), agree)
Float, Int, Str, List = (
    type(kind.__name__, (kind,), dict(YES)) for kind in (float, int, str, list)
)


def act(x):
    return List([List([Float(0.5), Int(1), Str("0.5")]) for _ in x])


def act_backward(dL_dy):
    return Float(0.5)
