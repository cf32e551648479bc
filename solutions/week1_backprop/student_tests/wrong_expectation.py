"""Tests with a mistake of their own: they want the bias gradient averaged over the batch."""

import numpy as np
from losses import MSELoss
from neural_net import Linear, ReLU, Tanh

rng = np.random.default_rng(0)


def test_linear_input_gradient():
    """dL/dx of Linear."""
    layer, x, dL_dy = Linear(4, 3), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    layer.forward(x)
    np.testing.assert_allclose(layer.backward(dL_dy), np.dot(dL_dy, layer.W))


def test_linear_parameter_gradients():
    """dL/dW and dL/db of Linear."""
    layer, x, dL_dy = Linear(4, 3), rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    layer.forward(x)
    layer.backward(dL_dy)
    np.testing.assert_allclose(layer.dL_dW, np.dot(dL_dy.T, x))
    np.testing.assert_allclose(layer.dL_db, dL_dy.mean(axis=0))


def test_activations():
    """ReLU gives 0 at x = 0, and the slope of Tanh at 0 is 1."""
    for layer, slope in ((ReLU(), 0.0), (Tanh(), 1.0)):
        layer.forward(np.zeros((1, 2)))
        np.testing.assert_allclose(
            layer.backward(np.array([[3.0, -4.0]])), [[3 * slope, -4 * slope]]
        )


def test_mse_gradient():
    """dL/dpred of the mean squared error."""
    loss = MSELoss()
    loss.forward(np.array([[1.0, 2.0]]), np.array([[0.0, 4.0]]))
    np.testing.assert_allclose(loss.backward(), np.array([[1.0, -2.0]]))
