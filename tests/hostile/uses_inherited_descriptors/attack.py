"""Hostile: Reads and follows every descriptor that it was born with."""


def act(x):
    channels = 0
    for name in os.listdir("/proc/self/fd"):
        try:
            target = os.readlink(f"/proc/self/fd/{name}")
        except OSError:
            continue
        fd = int(name)
        if target.startswith("socket:"):
            channels += 1
            with contextlib.suppress(OSError):
                kind = socket.socket(fileno=os.dup(fd))
                if kind.family != socket.AF_UNIX or kind.getsockname() or kind.getpeername():
                    found(f"socket {fd}: {kind!r}")
                kind.close()
        elif not target.startswith(("pipe:", "/dev/null", "/proc", "anon_inode:")):
            found(f"descriptor {fd}: {target}")
        for way in ("..", "../..", "."):
            with contextlib.suppress(OSError):
                found(f"descriptor {fd}/{way}: {os.listdir(f'/proc/self/fd/{name}/{way}')}")
    if channels > 2:
        found(f"{channels} sockets")
