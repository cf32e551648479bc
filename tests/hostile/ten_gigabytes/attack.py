"""Hostile: Asks for 10 GB at once."""


def act(x):
    return np.empty(10 << 27)
