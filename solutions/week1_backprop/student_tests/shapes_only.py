"""Tests that only look at shapes: true of the reference, and of most wrong gradients too."""

import numpy as np
from losses import CrossEntropyLoss, MSELoss
from neural_net import Linear, Network, ReLU, Sigmoid, Tanh


def test_linear_shapes():
    """The gradients of Linear have the shapes of x, W and b."""
    layer = Linear(4, 3)
    x = np.random.default_rng(0).normal(size=(5, 4))
    y = layer.forward(x)
    dL_dx = layer.backward(np.ones_like(y))
    assert dL_dx.shape == x.shape
    assert layer.dL_dW.shape == layer.W.shape
    assert layer.dL_db.shape == layer.b.shape


def test_activation_shapes():
    """The gradient of an activation has the shape of its input."""
    x = np.random.default_rng(1).normal(size=(5, 4))
    for layer in (ReLU(), Sigmoid(), Tanh()):
        y = layer.forward(x)
        assert layer.backward(np.ones_like(y)).shape == x.shape


def test_loss_shapes():
    """The gradient of a loss has the shape of the predictions."""
    pred = np.random.default_rng(2).normal(size=(5, 3))
    mse, cross_entropy = MSELoss(), CrossEntropyLoss()
    mse.forward(pred, np.zeros((5, 3)))
    assert mse.backward().shape == pred.shape
    cross_entropy.forward(pred, np.array([0, 1, 2, 1, 0]))
    assert cross_entropy.backward().shape == pred.shape


def test_network_shapes():
    """The gradient of Linear-ReLU-Linear has the shape of its input."""
    network = Network([Linear(4, 6), ReLU(), Linear(6, 2)])
    x = np.random.default_rng(3).normal(size=(5, 4))
    y = network.forward(x)
    assert network.backward(np.ones_like(y)).shape == x.shape
