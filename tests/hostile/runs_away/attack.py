"""Hostile: Forks and ends again and again, so that each process is gone before it is killed."""


def act(x):
    child(run, 10)


def run():
    """Live on in the child, 10 seconds in all."""
    os.setsid()
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            if os.fork():
                os._exit(0)
        except OSError:
            continue
        signal.alarm(10)
