"""Hostile: Stops every process that it can see: ready parent, waiting worker, itself."""


def act(x):
    # Only if it can't hit anything outside: this must be safe to run anywhere.
    try:
        os.kill(CANARY, signal.SIGKILL)
    except OSError:
        if os.getuid() != 0:
            for pid in sorted(pids(), reverse=True):
                if pid != os.getpid():
                    with contextlib.suppress(OSError):
                        os.kill(pid, signal.SIGSTOP)
            os.kill(os.getpid(), signal.SIGSTOP)
