"""Hostile: Returns an object that is another thing at every look, and attributes that change."""


class Shifter:
    """An array, a list or a number, as it pleases."""

    looks = 0

    def __getattribute__(self, name):
        type(self).looks += 1
        return np.zeros(type(self).looks % 7) if name != "__class__" else np.ndarray

    def __array__(self, *args, **kwargs):
        return np.zeros((5, 3))

    def __len__(self):
        return 5


def act(x):
    return Shifter()


def act_backward(dL_dy):
    Linear.dL_db = property(lambda self: Shifter(), lambda self, value: None)
