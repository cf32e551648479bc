"""Hostile: Lets each of its processes fork on, up to 256, and goes on when one can't be."""


def act(x):
    signal.alarm(30)
    for _ in range(8):
        with contextlib.suppress(OSError):
            os.fork()
            signal.alarm(30)
    time.sleep(30)
