"""Hostile: Answers with an array larger than the bytes that it sends."""


def act(x):
    send(answer(array("<f8", [5, 3]), b"\0" * 8))


def act_backward(dL_dy):
    act(dL_dy)
