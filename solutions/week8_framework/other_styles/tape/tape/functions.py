"""Functions of nodes."""

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tape.nodes import node


def squeeze_to(g, shape):
    """Sum a gradient down to a shape."""
    while g.ndim > len(shape):
        g = g.sum(0)
    for axis in range(len(shape)):
        if shape[axis] == 1 and g.shape[axis] != 1:
            g = g.sum(axis, keepdims=True)
    return g


def both(value, a, b, by_a, by_b):
    """Make the node of two operands that broadcast."""

    def back(g):
        return squeeze_to(by_a(g), a["v"].shape), squeeze_to(by_b(g), b["v"].shape)

    return node(value, (a, b), back)


def add(a, b):
    """a + b."""
    return both(a["v"] + b["v"], a, b, lambda g: g, lambda g: g)


def subtract(a, b):
    """a - b."""
    return both(a["v"] - b["v"], a, b, lambda g: g, lambda g: -g)


def multiply(a, b):
    """a * b."""
    return both(a["v"] * b["v"], a, b, lambda g: g * b["v"], lambda g: a["v"] * g)


def divide(a, b):
    """a / b."""
    q = a["v"] / b["v"]
    return both(q, a, b, lambda g: g / b["v"], lambda g: -(g * q) / b["v"])


def one(f, slope):
    """Make a function of entries from a function and its slope, given x and y."""

    def function(x):
        y = f(x["v"])
        return node(y, (x,), lambda g: (g * slope(x["v"], y),))

    return function


def logistic(x):
    """The logistic function, from the side that does not overflow."""
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1 / (1 + small), small / (1 + small))


exp = one(np.exp, lambda x, y: y)
log = one(np.log, lambda x, y: 1 / x)
tanh = one(np.tanh, lambda x, y: (1 - y) * (1 + y))
sigmoid = one(logistic, lambda x, y: y * (1 - y))
relu = one(lambda x: np.where(x > 0, x, 0 * x), lambda x, y: (x > 0).astype(x.dtype))


def power(x, exponent):
    """x to a power."""
    return one(lambda v: v**exponent, lambda v, y: exponent * v ** (exponent - 1))(x)


def matmul(a, b):
    """A @ b."""

    def turn(m):
        return np.swapaxes(m, -1, -2)

    value = a["v"] @ b["v"]
    return both(value, a, b, lambda g: g @ turn(b["v"]), lambda g: turn(a["v"]) @ g)


def axes_of(x, axis):
    """The axes that a reduction takes."""
    if axis is None:
        return tuple(range(x.ndim))
    return tuple(n % x.ndim for n in ((axis,) if isinstance(axis, int) else axis))


def total(x, axis=None, keepdims=False, share=1.0):
    """Sum over axes, times a share."""
    axes = axes_of(x["v"], axis)
    shape = [1 if n in axes else size for n, size in enumerate(x["v"].shape)]
    value = np.asarray(x["v"].sum(axis=axes, keepdims=keepdims) * x["v"].dtype.type(share))

    def back(g):
        return (np.ones_like(x["v"]) * (g * g.dtype.type(share)).reshape(shape),)

    return node(value, (x,), back)


def mean(x, axis=None, keepdims=False):
    """Mean over axes."""
    count = 1
    for n in axes_of(x["v"], axis):
        count *= x["v"].shape[n]
    return total(x, axis, keepdims, 1.0 / count)


def largest(x, axis=None, keepdims=False):
    """The largest along axes; the first of several has the gradient."""
    axes = axes_of(x["v"], axis)
    rest = [n for n in range(x["v"].ndim) if n not in axes]
    turned = x["v"].transpose(*rest, *axes)
    kept = turned.shape[: len(rest)]
    flat = turned.reshape(*kept, -1)
    at = flat.argmax(-1)[..., None]
    value = np.take_along_axis(flat, at, -1)[..., 0]
    if keepdims:
        value = np.expand_dims(value, axes)

    def back(g):
        out = np.zeros_like(flat)
        np.put_along_axis(out, at, g.reshape(*kept, 1), -1)
        return (out.reshape(turned.shape).transpose(np.argsort([*rest, *axes])),)

    return node(value, (x,), back)


def reshape(x, shape):
    """Another form."""
    return node(np.reshape(x["v"], shape), (x,), lambda g: (np.reshape(g, x["v"].shape),))


def transpose(x, axes=None):
    """Axes in another order."""
    axes = list(range(x["v"].ndim))[::-1] if axes is None else list(axes)
    back = [axes.index(n) for n in range(len(axes))]
    return node(np.transpose(x["v"], axes), (x,), lambda g: (np.transpose(g, back),))


def index(x, at):
    """Entries."""

    def back(g):
        out = np.zeros(x["v"].shape, x["v"].dtype)
        np.add.at(out, at, g)
        return (out,)

    return node(x["v"][at], (x,), back)


def concatenate(*parts, axis=0):
    """One after the other."""
    bounds = [0]
    for part in parts:
        bounds.append(bounds[-1] + part["v"].shape[axis])

    def back(g):
        pairs = pairwise(bounds)
        return tuple(np.take(g, range(low, high), axis) for low, high in pairs)

    return node(np.concatenate([part["v"] for part in parts], axis), parts, back)


def views(x, size, stride):
    """All windows as a view: (N, Ho, Wo, C, Kh, Kw)."""
    return sliding_window_view(x, size, (1, 2))[:, ::stride, ::stride]


def scatter(parts, shape, size, stride):
    """Add windows (N, Ho, Wo, C, Kh, Kw) back into images."""
    out = np.zeros(shape, parts.dtype)
    for r in range(parts.shape[1]):
        for c in range(parts.shape[2]):
            block = parts[:, r, c].transpose(0, 2, 3, 1)
            out[:, r * stride : r * stride + size[0], c * stride : c * stride + size[1]] += block
    return out


def conv2d(x, kernel, stride=1, padding=0):
    """Cross-correlation by one product of all windows."""
    edge = ((0, 0), (padding, padding), (padding, padding), (0, 0))
    image, k = np.pad(x["v"], edge), kernel["v"]
    size = k.shape[:2]
    seen = views(image, size, stride)
    n, h, w = seen.shape[:3]
    rows = seen.reshape(n * h * w, -1)
    flat = k.transpose(2, 0, 1, 3).reshape(rows.shape[1], -1)
    value = (rows @ flat).reshape(n, h, w, -1)

    def back(g):
        lines = g.reshape(n * h * w, -1)
        by_kernel = (rows.T @ lines).reshape(k.shape[2], *size, -1).transpose(1, 2, 0, 3)
        parts = (lines @ flat.T).reshape(n, h, w, k.shape[2], *size)
        whole = scatter(parts, image.shape, size, stride)
        height, width = x["v"].shape[1:3]
        return whole[:, padding : padding + height, padding : padding + width], by_kernel

    return node(value, (x, kernel), back)


def max_pool2d(x, size, stride=None):
    """The first largest pixel of each window."""
    step = stride or size
    seen = views(x["v"], (size, size), step)
    flat = seen.reshape(*seen.shape[:4], -1)
    at = flat.argmax(-1)[..., None]

    def back(g):
        parts = np.zeros_like(flat)
        np.put_along_axis(parts, at, g[..., None], -1)
        return (scatter(parts.reshape(seen.shape), x["v"].shape, (size, size), step),)

    return node(np.take_along_axis(flat, at, -1)[..., 0], (x,), back)


def avg_pool2d(x, size, stride=None):
    """The mean of each window."""
    step = stride or size
    seen = views(x["v"], (size, size), step)

    def back(g):
        parts = np.broadcast_to((g / size**2)[..., None, None], seen.shape)
        return (scatter(parts, x["v"].shape, (size, size), step),)

    return node(seen.mean((4, 5)), (x,), back)


def rnn(x, wx, wh, b):
    """A whole recurrence as one node, with backpropagation through time by hand."""
    states = [np.zeros((x["v"].shape[1], len(wh["v"])))]
    for step in x["v"]:
        states.append(np.tanh(step @ wx["v"] + states[-1] @ wh["v"] + b["v"]))
    h = np.array(states)

    def back(g):
        later, dz = np.zeros_like(h[0]), np.zeros_like(h[1:])
        for t in range(len(dz))[::-1]:
            dz[t] = (g[t] + later) * (1 - h[t + 1] ** 2)
            later = dz[t] @ wh["v"].T
        by_wx = np.einsum("tnd,tnh->dh", x["v"], dz)
        by_wh = np.einsum("tnd,tnh->dh", h[:-1], dz)
        return dz @ wx["v"].T, by_wx, by_wh, dz.sum((0, 1))

    return node(h[1:], (x, wx, wh, b), back)


def lstm(x, wx, wh, b):
    """A whole LSTM as one node, with backpropagation through time by hand."""
    size = len(wh["v"])
    h = c = np.zeros((x["v"].shape[1], size))
    hs, cs, gates = [h], [c], []
    for step in x["v"]:
        z = step @ wx["v"] + h @ wh["v"] + b["v"]
        i, f, o = (logistic(z[:, n * size : (n + 1) * size]) for n in range(3))
        g = np.tanh(z[:, 3 * size :])
        c = f * c + i * g
        h = o * np.tanh(c)
        hs.append(h)
        cs.append(c)
        gates.append((i, f, o, g))

    def back(up):
        dh, dc = np.zeros_like(h), np.zeros_like(c)
        dz = np.zeros((len(gates), len(h), 4 * size))
        for t in range(len(gates))[::-1]:
            i, f, o, g = gates[t]
            dh, t_c = dh + up[t], np.tanh(cs[t + 1])
            dc = dc + dh * o * (1 - t_c * t_c)
            parts = (
                dc * g * i * (1 - i),
                dc * cs[t] * f * (1 - f),
                dh * t_c * o * (1 - o),
                dc * i * (1 - g * g),
            )
            dz[t] = np.hstack(parts)
            dh, dc = dz[t] @ wh["v"].T, dc * f
        by_wx = np.einsum("tnd,tnh->dh", x["v"], dz)
        by_wh = np.einsum("tnd,tnh->dh", np.array(hs[:-1]), dz)
        return dz @ wx["v"].T, by_wx, by_wh, dz.sum((0, 1))

    return node(np.array(hs[1:]), (x, wx, wh, b), back)


def norm(x, gamma, beta, axes, eps):
    """Normalise over axes, as one node with its gradient by hand."""
    v = x["v"]
    inverse = 1 / np.sqrt(v.var(axes, keepdims=True) + eps)
    plain = (v - v.mean(axes, keepdims=True)) * inverse
    others = tuple(range(v.ndim - 1))

    def back(g):
        d = g * gamma["v"]
        inner = d - d.mean(axes, keepdims=True) - plain * (d * plain).mean(axes, keepdims=True)
        return inner * inverse, (g * plain).sum(others), g.sum(others)

    return node(plain * gamma["v"] + beta["v"], (x, gamma, beta), back)
