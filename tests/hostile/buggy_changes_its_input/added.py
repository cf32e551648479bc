# Buggy: Works in place on the array that it was given.

_forward = Linear.forward


def _in_place(self, x):
    result = _forward(self, x)
    x *= 0.0
    return result


Linear.forward = _in_place
