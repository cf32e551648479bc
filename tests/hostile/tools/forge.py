"""What forgers of answers use: the descriptors of the channel, the request's number, frames."""

import stat


def sockets():
    """Return the descriptors of this process that are sockets: the channel is among them."""
    return [fd for fd in range(256) if _is_socket(fd)]


def _is_socket(fd):
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def request_number():
    """Return the number of the request that is being answered, from the worker's own frames."""
    frame = sys._getframe()
    while frame is not None:
        if frame.f_code.co_name == "until_other":
            return frame.f_locals["self"]._number
        frame = frame.f_back
    return 1  # at import: no request has come yet


def packed(value):
    """Return a value in msgpack; bytes stand for something packed already."""
    if type(value) is bytes:
        return value
    if value is None or type(value) is bool:
        return {None: b"\xc0", True: b"\xc3", False: b"\xc2"}[value]
    if type(value) is int:
        return b"\xd3" + struct.pack(">q", value)
    if type(value) is float:
        return b"\xcb" + struct.pack(">d", value)
    if type(value) is str:
        return b"\xdb" + struct.pack(">I", len(value)) + value.encode()
    if type(value) is list:
        return b"\xdd" + struct.pack(">I", len(value)) + b"".join(map(packed, value))
    return (
        b"\xdf"
        + struct.pack(">I", len(value))
        + b"".join(packed(k) + packed(value[k]) for k in value)
    )


def extension(code, data):
    """Return an extension of the format: 1 an array, 2 a tuple, 3 a handle."""
    return b"\xc9" + struct.pack(">Ib", len(data), code) + data


def array(dtype, shape):
    """Return the head of an array."""
    return extension(1, packed([dtype, shape]))


def frame(body, buffers=b""):
    """Return a whole frame."""
    return struct.pack("<IQ", len(body), len(buffers)) + body + buffers


def answer(value, buffers=b""):
    """Return a frame that answers the present request."""
    return frame(packed([request_number(), True, value]), buffers)


def send(data):
    """Write to every socket that this process has."""
    for fd in sockets():
        with contextlib.suppress(OSError):
            os.write(fd, data)
