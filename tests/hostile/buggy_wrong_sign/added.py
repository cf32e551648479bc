# Buggy: Has the wrong sign in the bias gradient.

_backward = Linear.backward


def _negative(self, dL_dy):
    result = _backward(self, dL_dy)
    self.dL_db = -self.dL_db
    return result


Linear.backward = _negative
