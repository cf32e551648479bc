"""Hostile: Opens ports on which others could call it."""


def act(x):
    with contextlib.suppress(OSError):
        server = socket.create_server(("0.0.0.0", 0))
        port = server.getsockname()[1]
        with open("/proc/net/dev") as file:
            names = {line.split(":")[0].strip() for line in file.readlines()[2:]}
        if names - {"lo"}:
            found(f"listens at {port}")
        server.close()
