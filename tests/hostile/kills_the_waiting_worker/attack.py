"""Hostile: Kills, later stops, the worker that waits for the next test."""


def act(x):
    strike(signal.SIGKILL)


def act_backward(dL_dy):
    strike(signal.SIGSTOP)


def strike(number):
    """Hit the children of the ready parent that aren't this process."""
    parent = os.getppid()
    with contextlib.suppress(OSError), open(f"/proc/{parent}/task/{parent}/children") as file:
        for pid in map(int, file.read().split()):
            if pid != os.getpid():
                os.kill(pid, number)
