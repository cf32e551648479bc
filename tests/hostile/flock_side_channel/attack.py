"""Hostile: Sees by a lock on a shared file that somebody outside is there."""

import fcntl


def act(x):
    with open(np.__file__) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            found("a lock that somebody outside holds")
        except OSError:
            return
