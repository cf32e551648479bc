"""Hostile: Sends a request of its own and waits for the grader to carry it out."""


def act(x):
    send(frame(packed([7, "call", ["os.system", [f"touch {OPEN_FOLDER}/{MARK}-called"]]])))
    for fd in sockets():
        with contextlib.suppress(OSError):
            os.read(fd, 100)
