"""Hostile: Answers with an array whose size overflows 64 bits to something small."""


def act(x):
    send(answer(array("<f8", [2**32, 2**32, 4]), b"\0" * 64))


def act_backward(dL_dy):
    act(dL_dy)
