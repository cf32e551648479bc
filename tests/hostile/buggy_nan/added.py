# Buggy: Divides zero by zero.

_forward = Linear.forward
Linear.forward = lambda self, x: _forward(self, x) * (np.zeros(1) / np.zeros(1))
