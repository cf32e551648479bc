"""The derivation's functions as somebody might write them who works with lists of rows."""

import numpy as np


def rnn_dh(direct, h, Wh):
    """Return dL/dh_1 ... dL/dh_T, a list of rows."""
    found, from_later = [], np.zeros(len(Wh))
    for own, state in zip(direct[::-1], h[::-1], strict=True):
        whole = own + from_later
        found.insert(0, whole)
        from_later = Wh.dot(whole * (1 - state * state))
    return found


def rnn_dWh(dh, h, h0):
    """Return dL/dWh as a list of lists."""
    total, before = np.zeros((len(h0), len(h0))), h0
    for gradient, state in zip(dh, h, strict=True):
        total = total + np.outer(before, gradient - gradient * state * state)
        before = state
    return total.tolist()


def rnn_jacobian(h, Wh):
    """Return dh_T/dh_0, multiplied from the last step on."""
    product = np.eye(len(Wh))
    for state in h[::-1]:
        product = product @ np.diag(1 - state**2) @ np.transpose(Wh)
    return product


def lstm_dc(dh, o, f, c):
    """Return dL/dc_1 ... dL/dc_T, a tuple of rows."""
    found, from_later = [], 0.0
    for t in range(len(c) - 1, -1, -1):
        gradient = dh[t] * o[t] / np.cosh(c[t]) ** 2 + from_later
        found.append(gradient)
        from_later = gradient * f[t]
    return tuple(found[::-1])
