# Buggy: Has a loop whose condition never changes.


def _looping(self, x):
    count = 0
    while count < len(x):
        count += 0
    return x


Linear.forward = _looping
