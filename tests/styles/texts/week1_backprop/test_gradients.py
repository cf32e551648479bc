"""Tests of all gradients."""

import numpy as np
from gradient_check import gradient_check, numerical_gradient
from losses import CrossEntropyLoss, MSELoss
from neural_net import Linear, ReLU, Sigmoid, Tanh

TOLERANCE = 1e-5


def relative_error(a, b):
    """Return the largest relative error of two arrays."""
    return np.max(np.abs(a - b) / np.maximum(1e-8, np.abs(a) + np.abs(b)))


def make_linear():
    """Return a layer, inputs and an upstream gradient."""
    np.random.seed(0)
    layer = Linear(4, 3)
    layer.b = np.random.randn(3)
    return layer, np.random.randn(5, 4), np.random.randn(5, 3)


def test_linear_forward():
    """The forward pass of the linear layer."""
    layer, x, _ = make_linear()
    expected = np.zeros((5, 3))
    for n in range(5):
        for j in range(3):
            expected[n, j] = np.sum(x[n] * layer.W[j]) + layer.b[j]
    assert np.allclose(layer.forward(x), expected)


def test_linear_input_gradient():
    """The gradient with respect to the input."""
    layer, x, g = make_linear()
    layer.forward(x)
    analytical = layer.backward(g)
    numerical = numerical_gradient(lambda z: np.sum(g * layer.forward(z)), x)
    assert relative_error(analytical, numerical) < TOLERANCE


def test_linear_weight_gradient():
    """The gradient with respect to the weights."""
    layer, x, g = make_linear()
    layer.forward(x)
    layer.backward(g)

    def loss(W):
        layer.W = W
        return np.sum(g * layer.forward(x))

    analytical = layer.dL_dW.copy()
    assert analytical.shape == layer.W.shape
    assert relative_error(analytical, numerical_gradient(loss, layer.W.copy())) < TOLERANCE


def test_linear_bias_gradient():
    """The gradient with respect to the biases."""
    layer, x, g = make_linear()
    layer.forward(x)
    layer.backward(g)

    def loss(b):
        layer.b = b
        return np.sum(g * layer.forward(x))

    analytical = layer.dL_db.copy()
    assert analytical.shape == layer.b.shape
    assert relative_error(analytical, numerical_gradient(loss, layer.b.copy())) < TOLERANCE


def check_activation(layer, x):
    """Compare the gradient of an activation with the numerical one."""
    g = np.random.randn(*x.shape)
    layer.forward(x)
    analytical = layer.backward(g)
    numerical = numerical_gradient(lambda z: np.sum(g * layer.forward(z)), x.copy())
    assert relative_error(analytical, numerical) < TOLERANCE


def inputs():
    """Return inputs away from zero."""
    np.random.seed(1)
    x = np.random.randn(4, 5)
    x[np.abs(x) < 0.1] = 0.5
    return x


def test_relu():
    """ReLU, away from zero and at zero."""
    check_activation(ReLU(), inputs())
    layer = ReLU()
    layer.forward(np.array([[0.0, 1.0, -1.0]]))
    assert np.allclose(layer.backward(np.array([[2.0, 3.0, 4.0]])), [[0.0, 3.0, 0.0]])


def test_relu_forward_leaves_its_input_alone():
    """ReLU does not change x."""
    x = inputs()
    before = x.copy()
    assert np.allclose(ReLU().forward(x), np.where(before > 0, before, 0))
    assert np.array_equal(x, before)


def test_sigmoid():
    """Sigmoid."""
    check_activation(Sigmoid(), inputs())
    assert gradient_check(Sigmoid(), inputs())


def test_tanh():
    """Tanh."""
    check_activation(Tanh(), inputs())
    assert gradient_check(Tanh(), inputs())


def test_mse():
    """MSE loss: value and gradient."""
    np.random.seed(2)
    loss, p, t = MSELoss(), np.random.randn(4, 3), np.random.randn(4, 3)
    assert np.isclose(loss.forward(p, t), np.mean((p - t) ** 2))
    analytical = loss.backward()
    numerical = numerical_gradient(lambda z: loss.forward(z, t), p.copy())
    assert relative_error(analytical, numerical) < TOLERANCE


def test_cross_entropy():
    """Cross-entropy loss: value and gradient, for both forms of targets."""
    np.random.seed(3)
    z, t = np.random.randn(4, 3), np.array([0, 2, 1, 1])
    p = np.exp(z) / np.sum(np.exp(z), axis=1, keepdims=True)
    for targets in (t, np.eye(3)[t]):
        loss = CrossEntropyLoss()
        assert np.isclose(loss.forward(z, targets), -np.mean(np.log(p[np.arange(4), t])))
        analytical = loss.backward()
        numerical = numerical_gradient(
            lambda v, c=targets: CrossEntropyLoss().forward(v, c), z.copy()
        )
        assert relative_error(analytical, numerical) < TOLERANCE


def test_linear_relu_linear():
    """A combination of layers."""
    np.random.seed(4)
    layers, x, g = (
        [Linear(4, 6), ReLU(), Linear(6, 3)],
        np.random.randn(5, 4),
        np.random.randn(5, 3),
    )

    def loss(z):
        for layer in layers:
            z = layer.forward(z)
        return np.sum(g * z)

    loss(x)
    grad = g
    for layer in reversed(layers):
        grad = layer.backward(grad)
    assert relative_error(grad, numerical_gradient(loss, x)) < TOLERANCE
