# Buggy: Forgets to return the result.

_forward = Linear.forward


def _forgetful(self, x):
    _forward(self, x)


Linear.forward = _forgetful
