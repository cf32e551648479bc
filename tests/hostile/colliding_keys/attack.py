"""Hostile: Returns dictionaries whose keys collide, to keep the reader busy."""


def act(x):
    return {key * (2**61 - 1): 0 for key in range(4)}


def act_backward(dL_dy):
    return {key * (2**61 - 1) % 2**63: 0 for key in range(100_000)}
