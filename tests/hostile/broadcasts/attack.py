"""Hostile: Returns shapes that broadcast to the expected one."""


def act(x):
    return np.zeros((len(x), 1))


def act_backward(dL_dy):
    Linear.dL_db = property(lambda self: np.zeros((1, 3)), lambda self, value: None)
