"""Hostile: Sends an answer byte by byte, slower than it is read."""


def act(x):
    head = struct.pack("<IQ", 1 << 20, 0)
    for index, _ in enumerate(until(60)):
        send(head[index : index + 1] or b"\xc0")
        time.sleep(0.1)
