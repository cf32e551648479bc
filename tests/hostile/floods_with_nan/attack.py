"""Hostile: Returns NaN, infinities, -0.0 and denormals, which pass a test of `not (a > b)`."""

ODD = np.array([np.nan, np.inf, -np.inf, -0.0, 5e-324, np.finfo(float).max])


def act(x):
    return np.resize(ODD, (len(x), 3))


def act_backward(dL_dy):
    Linear.dL_db = property(lambda self: np.full(3, np.nan), lambda self, value: None)
