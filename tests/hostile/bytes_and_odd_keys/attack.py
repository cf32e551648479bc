"""Hostile: Answers with bytes and with a dict whose keys are lists."""


def act(x):
    send(answer(b"\xc4\x04evil"))


def act_backward(dL_dy):
    send(answer(b"\x81\x91\x01\x01"))
