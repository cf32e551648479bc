# Buggy: Computes entry by entry, with a pause at each.

import time

_forward = Linear.forward


def _slow(self, x):
    for _ in range(200):
        time.sleep(0.1)
    return _forward(self, x)


Linear.forward = _slow
