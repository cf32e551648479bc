"""Hostile: Reads and follows every descriptor that it was born with."""

import stat


def act(x):
    channels = 0
    for fd in range(1024):
        try:
            mode = os.fstat(fd).st_mode
        except OSError:
            continue
        target = "?"
        with contextlib.suppress(OSError):
            target = os.readlink(f"/proc/self/fd/{fd}")
        if stat.S_ISSOCK(mode):
            channels += 1
            with contextlib.suppress(OSError):
                kind = socket.socket(fileno=os.dup(fd))
                if kind.family != socket.AF_UNIX or kind.getsockname() or kind.getpeername():
                    found(f"socket {fd}: {kind!r}")
                kind.close()
        elif stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISBLK(mode):
            found(f"descriptor {fd}: {target}")
        for way in ("..", "../..", "."):
            with contextlib.suppress(OSError):
                found(f"descriptor {fd}/{way}: {os.listdir(f'/proc/self/fd/{fd}/{way}')}")
            with contextlib.suppress(OSError):
                os.close(os.open(way, os.O_RDONLY, dir_fd=fd))
                found(f"a folder by way of descriptor {fd}")
    if channels > 2:
        found(f"{channels} sockets")
