"""Hostile: Answers with structured, void, text and big-endian arrays, and dtypes that aren't text."""


def act(x):
    send(answer(array("|V8", [8]), b"\0" * 64))


def act_backward(dL_dy):
    send(answer(extension(1, packed([["f8", "O"], [1]])), b"\0" * 8))
