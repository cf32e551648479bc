# Honest: Keeps single-precision copies for a picture beside the exact ones.

_forward = Linear.forward


def _copying(self, x):
    self.picture = x.astype(np.float32).astype(np.float16)
    return _forward(self, x)


Linear.forward = _copying
