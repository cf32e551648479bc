"""Hostile: Takes 3 GB of memory, a little at a time."""


def act(x):
    kept = [np.empty(24 << 20)]
    return kept + [np.ones(2 << 20) for _ in range(3 * 64 - 12)]
