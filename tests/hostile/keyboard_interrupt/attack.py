"""Hostile: Raises KeyboardInterrupt, as if a person had stopped the run."""


def act(x):
    raise KeyboardInterrupt
