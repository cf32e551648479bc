"""Hostile: Opens the machine's devices and makes new ones."""

HARMLESS = {"null", "zero", "full", "random", "urandom", "tty", "fd", "stdin", "stdout", "stderr"}
HARMLESS |= {"ptmx", "pts", "shm", "core", "console", "mqueue", "log", "initctl", "char", "block"}


def act(x):
    with contextlib.suppress(OSError):
        for name in os.listdir("/dev"):
            if name in HARMLESS:
                continue
            for flags in (os.O_RDONLY, os.O_RDWR):
                with contextlib.suppress(OSError):
                    os.close(os.open(f"/dev/{name}", flags | os.O_NONBLOCK))
                    found(f"/dev/{name} can be opened")
    for kind in (0o020000, 0o060000):
        with contextlib.suppress(OSError):
            os.mknod(os.path.join(os.environ.get("TMPDIR", "."), "device"), kind | 0o600, 0x103)
            found("a device was made")
    with contextlib.suppress(OSError), open("/proc/sys/kernel/core_pattern", "r+"):
        found("the core pattern can be written")
    with contextlib.suppress(OSError), open("/proc/sysrq-trigger", "w"):
        found("sysrq can be written")
