"""Hostile: Prints 100 MB in forward."""


def act(x):
    for _ in range(100):
        print("x" * 2**20)
