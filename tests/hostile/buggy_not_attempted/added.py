# Buggy: Leaves the gap as it was.


def _gap(self, x):
    raise NotImplementedError("week1.linear: forward")


Linear.forward = _gap
