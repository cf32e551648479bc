"""Hostile: Answers with 100,000 lists in each other, then with tuples in tuples."""


def act(x):
    send(frame(b"\x91" * 100_000 + b"\xc0"))


def act_backward(dL_dy):
    value = packed([])
    for _ in range(40):
        value = extension(2, b"\x91" + value)
    send(answer(value))
