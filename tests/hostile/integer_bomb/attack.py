"""Hostile: Computes an integer with a billion digits."""


def act(x):
    return len(str(9**9**9))
