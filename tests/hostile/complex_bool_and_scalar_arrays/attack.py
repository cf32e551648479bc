"""Hostile: Returns complex, boolean and 0-d arrays for real ones."""


def act(x):
    return np.zeros((len(x), 3), complex)


def act_backward(dL_dy):
    Linear.dL_db = property(lambda self: np.array(0.0), lambda self, value: None)
    return np.ones((len(dL_dy), 4), bool)
