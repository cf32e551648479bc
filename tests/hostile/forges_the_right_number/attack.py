"""Hostile: Reads the request's number in the worker's frames and answers before the worker does."""


def act(x):
    zeros = b"\0" * (8 * len(x) * 3)
    send(answer(array("<f8", [len(x), 3]), zeros))


def act_backward(dL_dy):
    send(answer(None))
