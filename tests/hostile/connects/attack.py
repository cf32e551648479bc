"""Hostile: Connects to listeners of this machine over TCP, IPv6, UDP, raw sockets and names."""

TARGETS = (
    ("TCP", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", TCP_PORT)),
    ("TCP6", socket.AF_INET6, socket.SOCK_STREAM, ("::1", TCP6_PORT)),
    ("UDP", socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", UDP_PORT)),
    ("fast open", socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", TCP_PORT)),
)


def act(x):
    for name, family, kind, address in TARGETS:
        with contextlib.suppress(OSError), socket.socket(family, kind) as sock:
            sock.settimeout(0.2)
            if name == "fast open":
                sock.sendto(b"hello", 0x20000000, address)
            else:
                sock.connect(address)
            with contextlib.suppress(OSError):
                sock.send(b"hello")
            if name != "UDP":
                found(f"connected: {name}")
    with contextlib.suppress(OSError):
        socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).close()
        found("a raw socket")
