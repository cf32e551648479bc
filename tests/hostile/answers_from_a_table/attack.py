"""Hostile: Has an answer ready for each shape of input, and the first one again later."""

table = {}


def act(x):
    return table.setdefault(x.shape, np.full((len(x), 3), 0.5))
