"""Hostile: Calls itself until the stack is full, with Python's limit taken away."""

sys.setrecursionlimit(4_000_000)


def act(x):
    return act([act, x])
