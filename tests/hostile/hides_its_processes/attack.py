"""Hostile: Renames its processes, leaves session and group, and ignores the parent's death."""


def hide():
    """Look like something else."""
    os.setsid()
    libc = ctypes.CDLL(None)
    libc.prctl(1, 0)  # no signal when the parent dies
    libc.prctl(36, 1)  # adopt orphans
    libc.prctl(4, 0)  # not to be looked into
    child(lambda: time.sleep(25), 25)
    time.sleep(25)


def act(x):
    child(hide)
