"""Hostile: Signals a process outside whose number it knows, by all the calls there are."""


def act(x):
    for number in (0, signal.SIGCONT, signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(OSError):
            os.kill(CANARY, number)
            found(f"signal {number} was sent")
    with contextlib.suppress(OSError):
        os.killpg(CANARY, signal.SIGKILL)
        found("its group was signalled")
    with contextlib.suppress(OSError):
        os.sched_setaffinity(CANARY, {0})
        found("its processors were chosen")
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, CANARY, 19)
        found("its priority was lowered")
    with contextlib.suppress(OSError):
        import resource

        resource.prlimit(CANARY, resource.RLIMIT_CPU, (1, 1))
        found("its limits were set")
