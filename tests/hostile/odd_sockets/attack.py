"""Hostile: Opens sockets that a network namespace doesn't cover: vsock, netlink, packet, crypto ..."""

FAMILIES = {
    "netlink": 16,
    "packet": 17,
    "bluetooth": 31,
    "alg": 38,
    "vsock": 40,
    "qipcrtr": 42,
    "smc": 43,
    "xdp": 44,
    "rds": 21,
    "can": 29,
    "tipc": 30,
    "kcm": 41,
}


def act(x):
    for name, family in FAMILIES.items():
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_RAW, 5):
            with contextlib.suppress(OSError):
                socket.socket(family, kind).close()
                found(f"a socket of the family {name}")
