"""Hostile: Shuts its sockets down in one direction, then swaps them for a pipe."""


def act(x):
    for fd in sockets():
        with contextlib.suppress(OSError):
            socket.socket(fileno=os.dup(fd)).shutdown(socket.SHUT_WR)


def act_backward(dL_dy):
    read_end, write_end = os.pipe()
    for fd in sockets():
        os.dup2(write_end, fd)
