"""Hostile: Takes over the control socket in the ready parent and plays the grader's partner itself."""


def play():
    """Answer every request on every channel with zeros."""
    control = socket.socket(fileno=os.dup(max(sockets())))
    control.sendall(b"ready")
    for _ in until(20):
        data, fds, _, _ = socket.recv_fds(control, 9, 1)
        if not data:
            os._exit(0)
        if data[:1] == b"R":
            control.sendall(struct.pack("<i", 0))
        for fd in fds:
            threading.Thread(target=serve_zeros, args=[fd], daemon=True).start()


def serve_zeros(fd):
    """Read a request, answer with the number that stands in it."""
    while len(data := os.read(fd, 1 << 16)) > 12:
        number = data[14:22] if data[13:14] == b"\xcf" else b"\0" * 8
        body = b"\x93\xcf" + number + b"\xc3" + array("<f8", [5, 3])
        os.write(fd, frame(body, b"\0" * 120))


if os.getppid() <= 2:
    play()
