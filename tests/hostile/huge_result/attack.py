"""Hostile: Returns an array of 300 MB where 15 numbers are asked for."""


def act(x):
    return np.zeros((300 << 17, 1))
