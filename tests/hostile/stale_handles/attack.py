"""Hostile: Answers with handles of objects that don't exist, of huge numbers, of other objects."""


def act(x):
    send(answer(extension(3, packed([10**9, "ndarray"]))))


def act_backward(dL_dy):
    send(answer(extension(3, packed([-1, "ndarray"]))))
