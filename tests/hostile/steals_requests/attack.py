"""Hostile: Reads the channel in a process of its own, so that the worker never gets a request."""


def act(x):
    def read():
        for _ in until(30):
            for fd in sockets():
                with contextlib.suppress(OSError):
                    os.set_blocking(fd, False)
                    os.read(fd, 1 << 16)

    child(read)
    time.sleep(0.05)
