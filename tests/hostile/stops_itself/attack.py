"""Hostile: Stops its own process: no answer, and no end of the connection either."""


def act(x):
    os.kill(os.getpid(), signal.SIGSTOP)
