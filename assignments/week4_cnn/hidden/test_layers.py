"""Hidden tests of Conv2d, MaxPool2d and Flatten in cnn_layers.py.

While a layer runs, the functions of conv.py are the examiner's: a layer is judged by itself.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor

from . import formulas
from .stand_ins import Layer

pytestmark = pytest.mark.item("week4.layers")

CONVOLUTIONS = [pytest.param((1, 0), id="stride 1"), pytest.param((2, 1), id="stride 2, padding 1")]
POOLINGS = [pytest.param((2, None, 0), id="windows of 2"), pytest.param((3, 2, 1), id="padding 1")]


class Convolution:
    """A Conv2d of the student's with weights of ours, images, and an upstream gradient."""

    def __init__(self, student, rng, stride=1, padding=0):
        own = student.cnn_layers.Conv2d(3, 4, 3, stride, padding)
        self.W, self.b = rng.normal(size=(3, 3, 3, 4)), rng.normal(size=4)
        own.W, own.b = self.W, self.b
        self.own, self.layer, self.settings = own, Layer(student, own), (stride, padding)
        self.rng = rng
        self.x = self.dL_dy = None
        self.draw(2)

    def draw(self, count):
        """Draw another batch."""
        self.x = self.rng.normal(size=(count, 5, 6, 3))
        self.dL_dy = self.rng.normal(size=self.output().shape)

    def output(self):
        """Return the right output."""
        return formulas.conv2d(self.x, self.W, *self.settings) + self.b

    def gradients(self):
        """Return the right dL/dx and dL/dW."""
        return formulas.conv2d_backward(self.dL_dy, self.x, self.W, *self.settings)


# Conv2d


@pytest.mark.weight(2)
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_conv_forward(student, rng, settings):
    """Conv2d.forward is the convolution with W, plus b."""
    at = Convolution(student, rng, *settings)
    expect.close("forward output", at.layer.forward(at.x), at.output())


@pytest.mark.weight(2)
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_conv_input_gradient(student, rng, settings):
    """Conv2d.backward returns dL/dx."""
    at = Convolution(student, rng, *settings)
    at.layer.forward(at.x)
    expect.close("dL_dx", at.layer.backward(at.dL_dy), at.gradients()[0])


@pytest.mark.weight(2)
@pytest.mark.parametrize("settings", CONVOLUTIONS)
def test_conv_weight_gradient(student, rng, settings):
    """Conv2d.backward stores dL_dW, of the shape of W."""
    at = Convolution(student, rng, *settings)
    at.layer.forward(at.x)
    at.layer.backward(at.dL_dy)
    expect.close("dL_dW", at.own.dL_dW, at.gradients()[1])


@pytest.mark.weight(2)
def test_conv_bias_gradient(student, rng):
    """Conv2d.backward stores dL_db: one number for each output channel."""
    at = Convolution(student, rng)
    at.layer.forward(at.x)
    at.layer.backward(at.dL_dy)
    expect.close("dL_db", at.own.dL_db, at.dL_dy.sum(axis=(0, 1, 2)))


@pytest.mark.parametrize("name", ["dL_dW", "dL_db"])
def test_conv_nothing_accumulates(student, rng, name):
    """After another forward and backward, gradients belong to the latest batch alone."""
    at = Convolution(student, rng)
    for count in (3, 2):
        at.draw(count)
        at.layer.forward(at.x)
        at.layer.backward(at.dL_dy)
    wanted = {"dL_dW": at.gradients()[1], "dL_db": at.dL_dy.sum(axis=(0, 1, 2))}
    right_but_for_a_factor(name, getattr(at.own, name), wanted[name])


def test_conv_uses_the_present_weights(student, rng):
    """W and b that were replaced are what forward and backward use."""
    at = Convolution(student, rng)
    at.layer.forward(at.x)
    at.W, at.b = rng.normal(size=at.W.shape), rng.normal(size=4)
    at.own.W, at.own.b = at.W, at.b
    received = at.layer.forward(at.x)
    expect.close("forward output", received, at.output())
    expect.close("dL_dx", at.layer.backward(at.dL_dy), at.gradients()[0])


@pytest.mark.weight(2)
def test_conv_initial_weights(student):
    """W starts with mean 0 and variance 2 / n, for n terms in each output."""
    layer = student.cnn_layers.Conv2d(20, 40, 5)
    W = expect.array("W", layer.W, (5, 5, 20, 40)).astype(np.float64)
    expect.close("variance of W", float(W.var()), 2.0 / 500, rtol=0.08)
    expect.close("mean of W", float(W.mean()), 0.0, rtol=0, atol=0.003)


def test_conv_initial_biases(student):
    """b starts at zero, one for each output channel, beside weights that are not zero."""
    layer = student.cnn_layers.Conv2d(2, 5, 3)
    expect.differ("W", layer.W, 0, "all weights start at 0.")
    expect.close("b", layer.b, np.zeros(5))


def test_conv_weights_come_from_the_generator(student):
    """The same generator gives the same weights, another one others."""
    make, generator = student.cnn_layers.Conv2d, student.probe("generator")
    first, again, other = (make(2, 3, 3, rng=generator(seed)).W for seed in (5, 5, 6))
    expect.differ("W", first, 0, "all weights start at 0.")
    # Which weights a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("W from the same seed", first, again)
    expect.differ("W from another seed", first, other, "two seeds gave the same weights.")


def test_conv_keeps_its_arguments(student, rng):
    """forward and backward change no array that they are given."""
    at = Convolution(student, rng)
    kept_x, kept_dL_dy = student.keep(at.x), student.keep(at.dL_dy)
    received = at.layer.forward(kept_x)
    right_but_for_a_factor("forward output", received, at.output())
    at.layer.backward(kept_dL_dy)
    expect.unchanged("x", at.x, student.fetch(kept_x))
    expect.unchanged("dL_dy", at.dL_dy, student.fetch(kept_dL_dy))


# MaxPool2d


def pooling(student, rng, settings):
    """Return a layer, its images, and an upstream gradient."""
    layer = Layer(student, student.cnn_layers.MaxPool2d(*settings))
    x = rng.permutation(np.arange(2.0 * 7 * 6 * 3)).reshape(2, 7, 6, 3) - 500.0
    return layer, x, rng.normal(size=formulas.max_pool2d(x, *settings).shape)


@pytest.mark.parametrize("settings", POOLINGS)
def test_pool_forward(student, rng, settings):
    """MaxPool2d.forward is max_pool2d with the layer's size, stride and padding."""
    layer, x, _ = pooling(student, rng, settings)
    expect.close("forward output", layer.forward(x), formulas.max_pool2d(x, *settings))


@pytest.mark.parametrize("settings", POOLINGS)
def test_pool_backward(student, rng, settings):
    """MaxPool2d.backward returns dL/dx."""
    layer, x, dL_dy = pooling(student, rng, settings)
    layer.forward(x)
    wanted = formulas.max_pool2d_backward(dL_dy, x, *settings)
    expect.close("dL_dx", layer.backward(dL_dy), wanted)


def test_pool_belongs_to_the_latest_forward(student, rng):
    """After two batches, MaxPool2d.backward gives the gradient of the second one."""
    layer, x, dL_dy = pooling(student, rng, (2, None, 0))
    layer.forward(x[:1, :, ::-1])
    layer.forward(x)
    wanted = formulas.max_pool2d_backward(dL_dy, x, 2)
    expect.close("dL_dx", layer.backward(dL_dy), wanted)


# Flatten


def test_flatten_forward(student, rng):
    """Flatten.forward writes each image as one row."""
    x = rng.normal(size=(2, 3, 4, 5))
    received = student.cnn_layers.Flatten().forward(x)
    expect.close("forward output", received, x.reshape(2, 60))


def test_flatten_backward(student, rng):
    """Flatten.backward gives the gradient the shape of the images again."""
    layer, dL_dy = student.cnn_layers.Flatten(), rng.normal(size=(2, 60))
    layer.forward(rng.normal(size=(2, 3, 4, 5)))
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy.reshape(2, 3, 4, 5))


def test_flatten_belongs_to_the_latest_forward(student, rng):
    """After two batches of other sizes, Flatten.backward gives the shape of the second one."""
    layer, dL_dy = student.cnn_layers.Flatten(), rng.normal(size=(2, 60))
    for shape in ((3, 5, 2, 4), (2, 3, 4, 5)):
        layer.forward(rng.normal(size=shape))
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy.reshape(2, 3, 4, 5))
