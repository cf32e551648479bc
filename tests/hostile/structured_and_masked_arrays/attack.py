"""Hostile: Returns masked, structured, text and date arrays, where a comparison hides what differs."""


def act(x):
    return np.ma.masked_all((len(x), 3))


def act_backward(dL_dy):
    Linear.dL_db = property(
        lambda self: np.zeros(3, dtype=[("value", "f8"), ("lie", "O")]), lambda self, value: None
    )
    return np.array([["NaT"] * 4] * len(dL_dy), dtype="datetime64[s]")
