"""Hostile: Takes 3 GB of memory, a little at a time."""


def act(x):
    return [np.ones(2 << 20) for _ in range(3 * 64)]
