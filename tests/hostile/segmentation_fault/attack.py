"""Hostile: Reads the address 0."""


def act(x):
    return ctypes.string_at(0)
