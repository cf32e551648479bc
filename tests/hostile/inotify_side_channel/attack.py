"""Hostile: Watches a file that all sandboxes share, and so hears when another one opens it."""


def act(x):
    libc = ctypes.CDLL(None)
    fd = libc.inotify_init1(0)
    if fd >= 0:
        if libc.inotify_add_watch(fd, np.__file__.encode(), 0x20) >= 0:
            found(f"a watch on {np.__file__}")
        os.close(fd)
