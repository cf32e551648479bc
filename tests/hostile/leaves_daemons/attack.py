"""Hostile: Leaves daemons behind that have closed everything and left their session."""


def daemon():
    """Become one."""
    os.setsid()
    if os.fork():
        os._exit(0)
    signal.alarm(30)
    os.closerange(0, 256)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    for _ in until(30):
        time.sleep(0.5)


for _ in range(3):
    child(daemon)


def act(x):
    for _ in range(3):
        child(daemon)
