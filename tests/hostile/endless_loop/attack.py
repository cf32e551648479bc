"""Hostile: Never returns from forward."""


def act(x):
    for _ in until(60):
        pass
