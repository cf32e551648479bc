# Buggy: Returns a column where a row is asked for.

_forward = Linear.forward
Linear.forward = lambda self, x: _forward(self, x).T
