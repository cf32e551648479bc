"""Hostile: Answers with an array of negative dimensions."""


def act(x):
    send(answer(array("<f8", [-1, -8]), b"\0" * 64))


def act_backward(dL_dy):
    act(dL_dy)
