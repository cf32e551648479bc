"""Hostile: Returns lists of a million parts, and objects of which each needs a handle."""


def act(x):
    return [[0] * 1000] * 1000


def act_backward(dL_dy):
    return [object() for _ in range(300_000)]
