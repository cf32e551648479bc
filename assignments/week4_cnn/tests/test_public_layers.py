"""Public tests of cnn_layers.py. They run your layers on top of your own conv.py."""

import numpy as np
import pytest

from autograder.suite import expect

layers = pytest.mark.item("week4.layers")
network = pytest.mark.item("week4.network")
after_conv = pytest.mark.needs("week4.conv2d", "week4.conv2d_backward")
after_pooling = pytest.mark.needs("week4.max_pool2d")
after_all = pytest.mark.needs(
    "week4.conv2d", "week4.conv2d_backward", "week4.max_pool2d", "week4.layers"
)

X = np.arange(18.0).reshape(1, 3, 3, 2)
UPSTREAM = np.array([[[[1.0], [-2.0]], [[3.0], [0.5]]]])


def small_layer(student):
    """Return a Conv2d from two channels to one, windows of 2 x 2, with known parameters."""
    layer = student.cnn_layers.Conv2d(2, 1, 2)
    W = np.zeros((2, 2, 2, 1))
    W[0, 0, 0, 0], W[1, 1, 1, 0] = 1.0, -2.0
    layer.W, layer.b = W, np.array([10.0])
    return layer


@layers
def test_initial_weights(student):
    """W has mean 0 and variance 2 / n, n = 3 * 3 * 50 terms in an output; b is zero."""
    layer = student.cnn_layers.Conv2d(50, 60, 3)
    W = expect.array("W", layer.W, (3, 3, 50, 60))
    expect.close("variance of W", float(W.var()), 2.0 / 450, rtol=0.1)
    expect.close("b", layer.b, np.zeros(60))


@layers
@after_conv
def test_convolution_and_bias(student):
    """forward is conv2d with W, plus b."""
    wanted = X[:, :2, :2, :1] - 2.0 * X[:, 1:, 1:, 1:] + 10.0
    expect.close("forward output", small_layer(student).forward(X), wanted)


@layers
@after_conv
def test_gradients_of_a_convolution(student):
    """backward stores dL_dW and dL_db, and returns dL/dx."""
    layer = small_layer(student)
    layer.forward(X)
    dx = layer.backward(UPSTREAM)
    wanted = np.zeros_like(X)
    wanted[:, :2, :2, :1] += UPSTREAM
    wanted[:, 1:, 1:, 1:] -= 2.0 * UPSTREAM
    expect.close("dL_dx", dx, wanted)
    dW = [
        float(np.sum(UPSTREAM * X[:, i : i + 2, j : j + 2, k : k + 1]))
        for i, j, k in np.ndindex(2, 2, 2)
    ]
    expect.close("dL_dW", layer.dL_dW, np.reshape(dW, (2, 2, 2, 1)))
    expect.close("dL_db", layer.dL_db, [2.5])


@layers
@after_conv
def test_gradients_do_not_add_up(student):
    """A second backward stores its gradients in place of the first one's."""
    layer = small_layer(student)
    for factor in (5.0, 1.0):
        layer.forward(X)
        layer.backward(factor * UPSTREAM)
    expect.close("dL_db", layer.dL_db, [2.5])


@layers
@after_pooling
def test_pooling_layer(student):
    """MaxPool2d pools, and its backward gives the gradient to what won."""
    layer = student.cnn_layers.MaxPool2d(2)
    expect.close("forward output", layer.forward(X), X[:, 1:2, 1:2, :])
    wanted = np.zeros_like(X)
    wanted[0, 1, 1] = [3.0, -1.0]
    expect.close("dL_dx", layer.backward(np.array([[[[3.0, -1.0]]]])), wanted)


@layers
def test_flatten(student):
    """Flatten makes one row of each image, and its backward an image of each row."""
    layer = student.cnn_layers.Flatten()
    expect.close("forward output", layer.forward(X), np.arange(18.0)[np.newaxis])
    expect.close("dL_dx", layer.backward(2.0 * np.arange(18.0)[np.newaxis]), 2.0 * X)


@network
@after_all
def test_sizes(student):
    """For images of 8 x 8, 6 x 6 are left after the convolution and 3 x 3 after the pooling."""
    parts = student.cnn_layers.ConvNet().layers
    expect.equal("length of layers", len(parts), 5)
    expect.array("layers[0].W", parts[0].W, (3, 3, 1, 8))
    expect.array("layers[4].W", parts[4].W, (72, 10))


@network
@after_all
def test_one_step(student):
    """train_step returns the loss before the step, and lowers it: here by about lr |gradient|^2."""
    model = student.cnn_layers.ConvNet(6, 6, 1, 2, 3)
    x = np.sin(np.arange(4.0 * 36)).reshape(4, 6, 6, 1)
    y, lr = np.array([0, 1, 2, 1]), 1e-3
    parts = model.layers
    rows = np.linspace(-0.5, 0.5, 24).reshape(8, 3)
    parts[0].W, parts[4].W = np.cos(np.arange(18.0)).reshape(3, 3, 1, 2), rows
    loss = model.train_step(x, y, lr)
    squares = [
        np.sum(np.square(expect.array("a gradient", g, shape)))
        for g, shape in (
            (parts[0].dL_dW, (3, 3, 1, 2)),
            (parts[0].dL_db, (2,)),
            (parts[4].dL_dW, (8, 3)),
            (parts[4].dL_db, (3,)),
        )
    ]
    again = model.train_step(x, y, 0.0)
    fall = expect.array("loss", loss, ()) - expect.array("loss", again, ())
    told = float(fall / (lr * sum(squares)))
    expect.close("fall of the loss in one step, over what the gradients say", told, 1.0, rtol=0.05)


@network
@after_all
def test_loss_of_an_undecided_network(student):
    """Where all logits are equal, the loss is the logarithm of the number of classes."""
    model = student.cnn_layers.ConvNet(6, 6, 1, 2, 3)
    model.layers[4].W = np.zeros((8, 3))
    x, y = np.ones((2, 6, 6, 1)), np.array([0, 2])
    expect.close("loss", model.train_step(x, y, 0.1), float(np.log(3.0)))
