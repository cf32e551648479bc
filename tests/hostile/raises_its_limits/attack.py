"""Hostile: Raises its own limits, priority and memory protection from being killed."""

import resource

KINDS = ("RLIMIT_NPROC", "RLIMIT_FSIZE", "RLIMIT_NOFILE", "RLIMIT_CORE", "RLIMIT_CPU", "RLIMIT_AS")


def act(x):
    for name in KINDS:
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        if hard == resource.RLIM_INFINITY:
            continue
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (hard + 1, hard + 1))
            found(f"{name} was raised")
    with contextlib.suppress(OSError):
        os.nice(-5)
        found("its priority was raised")
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("-500")
        file.flush()
        found("it is killed last when memory is short")
