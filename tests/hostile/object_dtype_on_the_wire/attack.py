"""Hostile: Answers with an array of Python objects: pointers of its choice."""


def act(x):
    send(answer(array("|O", [8]), b"A" * 64))


def act_backward(dL_dy):
    act(dL_dy)
