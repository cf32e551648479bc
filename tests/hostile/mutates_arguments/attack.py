"""Hostile: Zeroes the arrays that it was given, so that whatever is computed from them later is zero."""


def act(x):
    x[:] = 0
    x.resize((0,), refcheck=False) if x.flags.owndata else None


def act_backward(dL_dy):
    dL_dy[:] = 0
