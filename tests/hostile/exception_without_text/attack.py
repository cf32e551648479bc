"""Hostile: Raises an exception whose __str__ raises."""


class Mute(Exception):
    """Can't be printed."""

    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


def act(x):
    raise Mute
