"""Everything is written into arrays that were made before, position by position."""

import numpy as np


def _span(offset, stride, count):
    return slice(offset, offset + (count - 1) * stride + 1, stride)


def _count(length, window, stride, padding):
    return (length - window + 2 * padding + stride) // stride


def _canvas(x, padding, fill):
    n, h, w, c = x.shape
    canvas = np.empty((n, h + 2 * padding, w + 2 * padding, c), x.dtype)
    canvas.fill(fill)
    np.copyto(canvas[:, padding : padding + h, padding : padding + w], x)
    return canvas


def conv2d(x, kernel, stride=1, padding=0):
    """Add products into the output."""
    kh, kw, _, co = kernel.shape
    n, h, w, _ = x.shape
    ho, wo = _count(h, kh, stride, padding), _count(w, kw, stride, padding)
    canvas = _canvas(x, padding, 0)
    out = np.zeros((n, ho, wo, co), np.promote_types(x.dtype, kernel.dtype))
    product = np.empty_like(out)
    for i in range(kh):
        for j in range(kw):
            np.matmul(
                canvas[:, _span(i, stride, ho), _span(j, stride, wo)], kernel[i, j], out=product
            )
            np.add(out, product, out=out)
    return out


def conv2d_backward(grad, x, kernel, stride=1, padding=0):
    """Fill both gradients in one pass over the window."""
    kh, kw = kernel.shape[:2]
    _, ho, wo, co = grad.shape
    canvas = _canvas(x, padding, 0)
    dcanvas, dkernel = np.zeros_like(canvas), np.empty_like(kernel)
    flat = grad.reshape(-1, co)
    for i in reversed(range(kh)):
        for j in reversed(range(kw)):
            place = (slice(None), _span(i, stride, ho), _span(j, stride, wo))
            np.dot(canvas[place].reshape(-1, x.shape[3]).T, flat, out=dkernel[i, j])
            dcanvas[place] += np.dot(flat, kernel[i, j].T).reshape(dcanvas[place].shape)
    n, h, w, c = x.shape
    dx = np.empty((n, h, w, c), x.dtype)
    dx[...] = dcanvas[:, padding : padding + h, padding : padding + w]
    return dx, dkernel


def im2col(x, kh, kw, stride=1, padding=0):
    """Write each position's column block."""
    n, h, w, c = x.shape
    ho, wo = _count(h, kh, stride, padding), _count(w, kw, stride, padding)
    canvas, rows = _canvas(x, padding, 0), np.empty((n * ho * wo, kh * kw * c), x.dtype)
    blocks = rows.reshape(n, ho, wo, kh * kw, c)
    for k in range(kh * kw):
        i, j = divmod(k, kw)
        blocks[:, :, :, k] = canvas[:, _span(i, stride, ho), _span(j, stride, wo)]
    return rows


def col2im(columns, shape, kh, kw, stride=1, padding=0):
    """Add each position's column block."""
    n, h, w, c = shape
    ho, wo = _count(h, kh, stride, padding), _count(w, kw, stride, padding)
    canvas = _canvas(np.zeros(shape, columns.dtype), padding, 0)
    blocks = columns.reshape(n, ho, wo, kh * kw, c)
    for k in range(kh * kw):
        i, j = divmod(k, kw)
        canvas[:, _span(i, stride, ho), _span(j, stride, wo)] += blocks[:, :, :, k]
    return np.ascontiguousarray(canvas[:, padding : padding + h, padding : padding + w])


def max_pool2d(x, size, stride=None, padding=0):
    """Keep the larger one."""
    stride = stride or size
    _, h, w, _ = x.shape
    ho, wo = _count(h, size, stride, padding), _count(w, size, stride, padding)
    canvas, best = _canvas(x, padding, -np.inf), None
    for i in range(size):
        for j in range(size):
            seen = canvas[:, _span(i, stride, ho), _span(j, stride, wo)]
            if best is None:
                best = seen.copy()
            else:
                np.maximum(best, seen, out=best)
    return best


def max_pool2d_backward(grad, x, size, stride=None, padding=0):
    """Divide among the largest: count them first."""
    stride = stride or size
    _, ho, wo, _ = grad.shape
    _, h, w, _ = x.shape
    canvas, best = _canvas(x, padding, -np.inf), max_pool2d(x, size, stride, padding)
    count, dcanvas = np.zeros_like(best), np.zeros_like(canvas)
    places = [
        (slice(None), _span(i, stride, ho), _span(j, stride, wo))
        for i in range(size)
        for j in range(size)
    ]
    for place in places:
        count += canvas[place] == best
    share = grad / count
    for place in places:
        np.add(dcanvas[place], share, out=dcanvas[place], where=canvas[place] == best)
    return dcanvas[:, padding : padding + h, padding : padding + w]
