"""Hostile: Ends the process inside forward."""


def act(x):
    os._exit(0)
