"""Tests of layers and losses: one table of cases, one function that measures, small tests."""

import numpy as np
from losses import CrossEntropyLoss, MSELoss
from neural_net import Linear, ReLU, Sigmoid, Tanh

RNG = np.random.default_rng(77)
X, G = RNG.uniform(-2, 2, (7, 3)), RNG.uniform(-2, 2, (7, 4))
SAFE = np.where(np.abs(X) < 0.05, 0.3, X)


def slopes(f, x, h=1e-5):
    """Return all central differences of a function with one number as result."""
    result = np.zeros(x.shape)
    for place in np.ndindex(*x.shape):
        up, down = x.copy(), x.copy()
        up[place] += h
        down[place] -= h
        result[place] = (f(up) - f(down)) / (2 * h)
    return result


def near(a, b):
    """Assert the same shape and, up to rounding, the same numbers."""
    assert np.shape(a) == np.shape(b)
    np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-7)


def linear():
    """Return a layer with weights and biases that are not 0."""
    layer = Linear(3, 4)
    layer.W = RNG.normal(size=layer.W.shape)
    layer.b = RNG.normal(size=layer.b.shape)
    return layer


def weighted(layer, upstream):
    """Return the number whose gradient backward(upstream) is."""
    return lambda x: float(np.sum(upstream * layer.forward(x)))


def stored(name):
    """Check a stored gradient against slopes in the parameter."""
    layer = linear()
    before = getattr(layer, name)

    def loss(value):
        setattr(layer, name, value)
        return weighted(layer, G)(X)

    measured = slopes(loss, before)
    setattr(layer, name, before)
    layer.forward(X)
    layer.backward(G)
    near(getattr(layer, "dL_d" + name), measured)


def test_linear_weights():
    """dL_dW."""
    stored("W")


def test_linear_biases():
    """dL_db."""
    stored("b")


def test_linear_input():
    """dL_dx."""
    layer = linear()
    layer.forward(X)
    near(layer.backward(G), slopes(weighted(layer, G), X))


def test_linear_value():
    """The formula, whichever way round the weights are."""
    layer = linear()
    W = layer.W if layer.W.shape == (3, 4) else layer.W.T
    near(layer.forward(X), X @ W + np.ravel(layer.b))


def test_linear_starts_with_he():
    """Mean 0, variance 2 / inputs, no biases, other weights each time."""
    first, second = Linear(200, 300), Linear(200, 300)
    assert abs(first.W.mean()) < 0.01
    assert abs(first.W.var() * 100 - 1) < 0.05
    assert not np.any(first.b)
    assert not np.array_equal(first.W, second.W)


def test_linear_accumulates_nothing():
    """Another batch, another size: only the latest counts."""
    layer = linear()
    layer.forward(2 * X)
    layer.backward(G)
    layer.forward(X[:2])
    layer.backward(G[:2])
    W, b = np.array(layer.dL_dW), np.array(layer.dL_db)
    fresh = Linear(3, 4)
    fresh.W, fresh.b = layer.W, layer.b
    fresh.forward(X[:2])
    fresh.backward(G[:2])
    near(W, fresh.dL_dW)
    near(b, fresh.dL_db)


def elementwise(layer, values):
    """Check value and gradient of an activation, and that nothing given is changed."""
    x, upstream = SAFE.copy(), G[:, :3].copy()
    near(layer.forward(x), values)
    near(layer.backward(upstream), slopes(weighted(layer, upstream), SAFE))
    assert np.array_equal(x, SAFE)
    assert np.array_equal(upstream, G[:, :3])


def test_relu():
    """max(0, x)."""
    elementwise(ReLU(), np.maximum(SAFE, 0))


def test_relu_at_the_kink():
    """No gradient at 0, whatever comes from above."""
    layer = ReLU()
    near(layer.forward(np.zeros((2, 2))), np.zeros((2, 2)))
    near(layer.backward(np.array([[1.0, -2.0], [3.0, 4.0]])), np.zeros((2, 2)))


def test_sigmoid():
    """The logistic function."""
    elementwise(Sigmoid(), 1 / (1 + np.exp(-SAFE)))


def test_tanh():
    """The hyperbolic tangent."""
    elementwise(Tanh(), np.tanh(SAFE))


def test_large_numbers():
    """1000 is an ordinary number."""
    big = np.array([[1000.0, -1000.0]])
    near(Sigmoid().forward(big), np.array([[1.0, 0.0]]))
    near(Tanh().forward(big), np.array([[1.0, -1.0]]))
    loss = CrossEntropyLoss()
    assert abs(loss.forward(big, np.array([1])) - 2000) < 1e-6
    assert abs(loss.forward(big, np.array([0]))) < 1e-6
    assert np.all(np.isfinite(loss.backward()))


def of_loss(loss, prediction, target):
    """Check that backward is the gradient of forward."""
    measured = slopes(lambda p: loss.forward(p, target), prediction)
    loss.forward(prediction, target)
    near(loss.backward(), measured)


def test_mse():
    """A mean over the batch at least; over the features as well, or their sum."""
    p, t = RNG.normal(size=(2, 5, 3))
    value = MSELoss().forward(p, t)
    assert np.isclose(value, np.mean((p - t) ** 2)) or np.isclose(value, np.sum((p - t) ** 2) / 5)
    of_loss(MSELoss(), p, t)


def test_cross_entropy():
    """The mean over the batch of -log p; indices and rows mean the same."""
    z, t = RNG.normal(size=(6, 4)), np.array([0, 3, 1, 1, 2, 0])
    p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    for target in (t, np.eye(4)[t]):
        assert np.isclose(CrossEntropyLoss().forward(z, target), -np.log(p[range(6), t]).mean())
        of_loss(CrossEntropyLoss(), z, target)


def test_layers_in_a_row():
    """Linear, tanh, linear."""
    first, middle, last = linear(), Tanh(), Linear(4, 2)
    run = lambda x: last.forward(middle.forward(first.forward(x)))  # noqa: E731
    upstream = G[:, :2]
    run(X)
    gradient = first.backward(middle.backward(last.backward(upstream)))
    near(gradient, slopes(lambda x: float(np.sum(upstream * run(x))), X))
