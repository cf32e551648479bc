"""Hostile: Mounts, unshares, enters namespaces, changes its root, becomes root in a user namespace."""

CALLS = (
    ("mount", b"none", b"/scratch", b"tmpfs", 0, None),
    ("mount", b"/", b"/scratch", None, 4096, None),
    ("umount2", b"/proc", 2),
    ("pivot_root", b"/scratch", b"/scratch"),
    ("chroot", b"/"),
    ("open_tree", -100, b"/", 1),
    ("fsopen", b"tmpfs", 0),
    ("unshare", 0x10000000),  # a user namespace
    ("unshare", 0x00020000),
    ("unshare", 0x40000000),
    ("unshare", 0x10000000 | 0x00020000 | 0x20000000),
)


def act(x):
    for name, *arguments in CALLS:
        # EINVAL, ENOSPC and such would say that somebody was let in as far as the arguments.
        result = syscall(name, *arguments)
        if result >= 0:
            found(f"{name}{tuple(arguments)} = {result}")
    pid = syscall("clone", 0x10000000 | signal.SIGCHLD, 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid > 0:
        found("a process in a user namespace of its own")
    with contextlib.suppress(OSError):
        handle = os.open("/proc/1/ns/mnt", os.O_RDONLY)
        if syscall("setns", handle, 0) == 0:
            found("the namespace of the first process")
