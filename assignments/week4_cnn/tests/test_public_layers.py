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
def test_weights_from_a_generator(student):
    """Conv2d draws its weights from the rng that it is given: the same seed, the same weights."""
    made = [student.cnn_layers.Conv2d(2, 3, 3, rng=student.probe("generator")(1)) for _ in range(2)]
    # Which weights a seed gives is up to the student.
    expect.repeated("W from the same seed", made[0].W, made[1].W)


DIGITS = np.array([[3.0, 1.0, 4.0, 1.0, 5.0], [9.0, 2.0, 6.0, 5.0, 3.0]]).reshape(1, 2, 5, 1)
TENS = np.array([1.0, 10.0, 100.0]).reshape(1, 1, 3, 1)
"""Upstream gradients: the place of a digit in a result says which of the outputs it belongs to."""


@layers
@after_conv
def test_stride_and_padding_of_a_convolution(student):
    """Stride 2 and padding 1 hold forward and backward: 2 x 5 pixels give 1 x 3 outputs."""
    layer = student.cnn_layers.Conv2d(1, 1, 3, 2, 1)
    layer.W, layer.b = np.arange(1.0, 10.0).reshape(3, 3, 1, 1), np.array([0.5])
    wanted = np.array([111.5, 137.5, 88.5]).reshape(1, 1, 3, 1)
    expect.close("forward output", layer.forward(DIGITS), wanted)
    rows = [[5.0, 46.0, 50.0, 460.0, 500.0], [8.0, 79.0, 80.0, 790.0, 800.0]]
    expect.close("dL_dx", layer.backward(TENS), np.reshape(rows, (1, 2, 5, 1)))
    dW = [[0.0, 0.0, 0.0], [110.0, 543.0, 11.0], [520.0, 369.0, 52.0]]
    expect.close("dL_dW", layer.dL_dW, np.reshape(dW, (3, 3, 1, 1)))


@layers
@after_conv
def test_the_latest_batch(student):
    """After two batches of other sizes, backward belongs to the second: nothing is added up."""
    layer = student.cnn_layers.Conv2d(1, 1, 1)
    layer.W, layer.b = np.array([[[[2.0]]]]), np.array([0.0])
    for x in (np.full((3, 2, 2, 1), 7.0), np.array([1.0, 2.0, 3.0]).reshape(1, 1, 3, 1)):
        layer.forward(x)
        dx = layer.backward(np.ones(x.shape))
    expect.close("dL_dx", dx, np.full((1, 1, 3, 1), 2.0))
    expect.close("dL_dW", layer.dL_dW, [[[[6.0]]]])
    expect.close("dL_db", layer.dL_db, [3.0])


@layers
@after_pooling
def test_stride_and_padding_of_pooling(student):
    """Stride 2 and padding 1 hold forward and backward."""
    layer = student.cnn_layers.MaxPool2d(3, 2, 1)
    wanted = np.array([9.0, 6.0, 5.0]).reshape(1, 1, 3, 1)
    expect.close("forward output", layer.forward(DIGITS), wanted)
    rows = [[0.0, 0.0, 0.0, 0.0, 100.0], [1.0, 0.0, 10.0, 0.0, 0.0]]
    expect.close("dL_dx", layer.backward(TENS), np.reshape(rows, (1, 2, 5, 1)))


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
def test_images_that_are_not_square(student):
    """Images of 8 x 6 leave 3 x 2 after the pooling, and two images give two rows of logits."""
    model = student.cnn_layers.ConvNet(8, 6, 1, 2, 3)
    expect.array("layers[4].W", model.layers[4].W, (12, 3))
    expect.array("logits", model.forward(np.ones((2, 8, 6, 1))), (2, 3))


@network
@after_all
def test_a_generator_for_both_layers(student):
    """ConvNet hands its generator to both layers with weights: the same seed, the same weights."""
    models = [
        student.cnn_layers.ConvNet(6, 6, 1, 2, 3, rng=student.probe("generator")(1))
        for _ in range(2)
    ]
    for number in (0, 4):
        first, again = (model.layers[number].W for model in models)
        # Which weights a seed gives is up to the student.
        expect.repeated(f"layers[{number}].W from the same seed", first, again)


@network
@after_all
def test_backward_to_the_pixels(student):
    """backward goes through all layers: one logit leads back to the pixel that its maximum saw."""
    model = student.cnn_layers.ConvNet(4, 4, 1, 1, 2)
    W = np.zeros((3, 3, 1, 1))
    W[1, 2, 0, 0] = 5.0
    model.layers[0].W, model.layers[0].b = W, np.zeros(1)
    model.layers[4].W, model.layers[4].b = np.array([[2.0, 3.0]]), np.zeros(2)
    x = np.arange(16.0).reshape(1, 4, 4, 1)
    expect.close("logits", model.forward(x), [[110.0, 165.0]])
    wanted = np.zeros((1, 4, 4, 1))
    wanted[0, 2, 3, 0] = 5.0 * (2.0 * 1.0 + 3.0 * 10.0)
    expect.close("dL/dx", model.backward(np.array([[1.0, 10.0]])), wanted)


@network
@after_all
def test_every_parameter_takes_the_step(student):
    """train_step moves W and b of both layers, each by lr times its gradient, downhill."""
    model = student.cnn_layers.ConvNet(6, 6, 1, 2, 3)
    shapes = {0: ((3, 3, 1, 2), (2,)), 4: ((8, 3), (3,))}
    before = {}
    for number, (of_W, of_b) in shapes.items():
        W, b = np.cos(np.arange(float(np.prod(of_W)))).reshape(of_W), np.full(of_b, 0.25)
        model.layers[number].W, model.layers[number].b = before[number] = W, b
    x = np.sin(np.arange(4.0 * 36)).reshape(4, 6, 6, 1)
    model.train_step(x, np.array([0, 1, 2, 1]), 0.1)
    for number, (of_W, of_b) in shapes.items():
        layer, (W, b) = model.layers[number], before[number]
        dW = expect.array(f"layers[{number}].dL_dW", layer.dL_dW, of_W)
        db = expect.array(f"layers[{number}].dL_db", layer.dL_db, of_b)
        # Which gradients these are is tested above; here, that the step is lr times them.
        expect.repeated(f"layers[{number}].W after the step", W - 0.1 * dW, layer.W)
        # As for W.
        expect.repeated(f"layers[{number}].b after the step", b - 0.1 * db, layer.b)


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
