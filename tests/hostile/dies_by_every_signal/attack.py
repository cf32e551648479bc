"""Hostile: Ends itself by a signal that a wait status can't be told from a shell's code."""


def act(x):
    os.kill(os.getpid(), signal.SIGABRT)


def act_backward(dL_dy):
    os.kill(os.getpid(), signal.SIGBUS)
