# Honest: Uses a lot of memory, less than is allowed.

_forward = Linear.forward


def _large(self, x):
    block = np.ones(12 << 20)  # 96 MB
    return _forward(self, x) if block[0] else x


Linear.forward = _large
