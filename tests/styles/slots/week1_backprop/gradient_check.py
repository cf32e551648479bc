"""Gradient checks with one small class that measures, and read-only results."""

import numpy as np


class _Measured:
    """A function and a place; the slopes there."""

    __slots__ = ("__f", "__x")

    def __init__(self, f, x):
        self.__f, self.__x = f, np.array(x, dtype=float)

    def along(self, direction, step):
        """Return the slope along a direction."""
        ahead, behind = self.__x + step * direction, self.__x - step * direction
        return (self.__f(ahead) - self.__f(behind)) / (2 * step)

    @property
    def shape(self):
        """The shape of the place."""
        return self.__x.shape


def numerical_gradient(f, x, epsilon=1e-5):
    """Return central differences for each entry."""
    place = _Measured(f, x)
    slopes = np.empty(place.shape)
    for index in np.ndindex(place.shape):
        unit = np.zeros(place.shape)
        unit[index] = 1
        slopes[index] = place.along(unit, epsilon)
    return slopes


def _error(f, x, gradient):
    """Return the relative error of a gradient along some directions."""
    gradient = np.asarray(gradient)
    if gradient.shape != np.shape(x) or not np.isfinite(gradient).all():
        return np.inf
    place, rng = _Measured(f, x), np.random.default_rng(11)
    directions = rng.standard_normal((6, *place.shape))
    pairs = []
    for v in directions:
        v /= np.sqrt((v * v).sum())
        pairs.append((float((gradient * v).sum()), place.along(v, 1e-4)))
    claimed, measured = np.array(pairs).T
    scale = np.linalg.norm(claimed) + np.linalg.norm(measured)
    return 0.0 if scale == 0 else float(np.linalg.norm(claimed - measured) / scale)


def _upstream(layer, x):
    return np.random.default_rng(12).standard_normal(np.shape(layer.forward(x)))


def gradient_check(layer, x, tolerance=1e-5, verbose=False):
    """Say whether the layer's backward is right at x."""
    x = np.array(x, dtype=float)
    G = _upstream(layer, x)
    error = _error(lambda z: float((G * layer.forward(z)).sum()), x, layer.backward(G))
    if verbose:
        print(f"dL_dx: relative error {error:.1e}")
    return error < tolerance


def gradient_check_weights(layer, x, tolerance=1e-5, verbose=False):
    """Say whether the gradients of the parameters are right at x."""
    G, right = _upstream(layer, x), True
    layer.backward(G)
    claims = {name: np.array(getattr(layer, f"dL_d{name}")) for name in ("W", "b")}
    for name, claim in claims.items():
        before = getattr(layer, name)

        def loss(value, name=name):
            setattr(layer, name, value)
            return float((G * layer.forward(x)).sum())

        try:
            error = _error(loss, before, claim)
        finally:
            setattr(layer, name, before)
        if verbose:
            print(f"dL_d{name}: relative error {error:.1e}")
        right = right and error < tolerance
    return right
