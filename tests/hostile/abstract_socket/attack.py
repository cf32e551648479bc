"""Hostile: Calls a listener on an abstract socket, which lies in no folder."""


def act(x):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as sock:
            sock.settimeout(0.2)
            sock.connect("\0" + ABSTRACT)
            sock.send(b"hello")
            found(f"connected to an abstract socket, {kind!r}")
