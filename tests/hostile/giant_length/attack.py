"""Hostile: Claims a body of 4 GiB, then arrays of 16 EiB."""


def act(x):
    send(struct.pack("<IQ", 2**32 - 1, 0))


def act_backward(dL_dy):
    send(struct.pack("<IQ", 3, 2**64 - 1) + b"\xc0\xc0\xc0")
