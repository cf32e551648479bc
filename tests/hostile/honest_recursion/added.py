# Honest: Recurses a few hundred levels deep.

_forward = Linear.forward


def _deep(self, x, levels=500):
    return _deep(self, x, levels - 1) if levels else _forward(self, x)


Linear.forward = _deep
