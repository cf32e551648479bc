# Honest: Changes numpy's error and print settings for itself.

np.set_printoptions(precision=3, suppress=True)
_backward = Linear.backward


def _careful(self, dL_dy):
    with np.errstate(all="ignore"):
        return _backward(self, dL_dy)


Linear.backward = _careful
