"""Hidden tests of layers without memory: linear, activations, convolution, pooling, embedding."""

import numpy as np
import pytest

from autograder.suite import expect

from . import oracle
from .asking import built, check_backward, check_forward, drawn, drive, entry

LINEAR = pytest.mark.item("framework.linear")
CONV = pytest.mark.item("framework.conv_layers")
EMBEDDING = pytest.mark.item("framework.embedding")
OPS = pytest.mark.needs("framework.backward", "framework.arithmetic", "framework.matmul")
IMAGES = pytest.mark.needs("framework.backward", "framework.arithmetic", "framework.convolution")
ROWS = pytest.mark.needs("framework.backward", "framework.shapes")


def linear(x, weight, bias):
    """Return what a linear layer gives."""
    return x @ weight + bias


def shaped(student, sizes, shapes):
    """Compare the names and shapes of a layer's parameters."""
    found = drive(student, "weights", built(student, sizes))
    for name, shape in shapes.items():
        expect.array(f"the parameter {name}", entry("the parameters", found, name), shape)
    expect.that("the parameters", len(found) == len(shapes), "there are more than there should.")
    return found


@LINEAR
@OPS
@pytest.mark.parametrize("batch", [(4,), (3, 2)])
def test_linear(student, rng, batch):
    """A linear layer: values over the last axis."""
    layer = built(student, {"name": "linear", "in_features": 3, "out_features": 5})
    given = drawn(rng, {"weight": (3, 5), "bias": (5,)})
    check_forward(student, layer, rng.normal(size=(*batch, 3)), given, linear)


@LINEAR
@OPS
@pytest.mark.parametrize("batch", [(4,), (3, 2)])
def test_linear_backward(student, rng, batch):
    """A linear layer: the gradients of input, weights and biases."""
    layer = built(student, {"name": "linear", "in_features": 3, "out_features": 5})
    given = drawn(rng, {"weight": (3, 5), "bias": (5,)})
    check_backward(student, layer, rng.normal(size=(*batch, 3)), given, linear, rng)


@LINEAR
def test_linear_begins(student, rng):
    """Initial weights of a linear layer: their deviation, zeros, and what seeds decide."""
    found = {}
    for seed in (3, 4, 3):
        spec = {"name": "linear", "in_features": 60, "out_features": 80, "seed": seed}
        one = shaped(student, spec, {"weight": (60, 80), "bias": (80,)})
        known = found.setdefault(seed, one["weight"])
        expect.that("weights of one seed", bool((known == one["weight"]).all()), "they differ.")
        expect.close("biases", one["bias"], np.zeros(80))
        deviation = float(one["weight"].std())
        near = abs(deviation * np.sqrt(60 / 2) - 1) < 0.08
        expect.that("the deviation of weights", near, f"it is {deviation:.3f}.")
        centre = abs(float(one["weight"].mean())) < 0.02
        expect.that("the mean of weights", centre, "it is not near 0.")
    expect.differ("weights of other seeds", found[3], found[4], "they are the same.")


@LINEAR
@OPS
@pytest.mark.parametrize("name", ["relu", "tanh", "sigmoid"])
def test_activations(student, rng, name):
    """Activations as layers: values, and the gradient of the input."""
    formula = {"relu": oracle.relu, "tanh": np.tanh, "sigmoid": oracle.sigmoid}[name]
    x = rng.normal(size=(3, 4, 2))
    check_forward(student, built(student, {"name": name}), x, {}, formula)
    check_backward(student, built(student, {"name": name}), x, {}, formula, rng)


@LINEAR
@pytest.mark.parametrize("name", ["flatten", "time_first", "last"])
@pytest.mark.needs("framework.backward", "framework.shapes")
def test_forms(student, rng, name):
    """Layers that only change the form: flatten, time_first, last."""
    formula = {
        "flatten": lambda x: x.reshape(len(x), -1),
        "time_first": lambda x: x.transpose(1, 0, 2),
        "last": lambda x: x[-1],
    }[name]
    x = rng.normal(size=(3, 4, 2))
    check_forward(student, built(student, {"name": name}), x, {}, formula)
    check_backward(student, built(student, {"name": name}), x, {}, formula, rng)


def conv_of(stride, padding):
    """Return what a layer of convolution gives."""
    return lambda x, weight, bias: oracle.conv2d(x, weight, stride, padding) + bias


@CONV
@IMAGES
@pytest.mark.weight(2)
@pytest.mark.parametrize(("stride", "padding"), [(1, 1), (2, 0), (2, 1)])
def test_conv2d(student, rng, stride, padding):
    """A layer of convolution: values and gradients."""
    spec = {"name": "conv2d", "in_channels": 2, "out_channels": 4, "size": 3}
    spec |= {"stride": stride, "padding": padding}
    given = drawn(rng, {"weight": (3, 3, 2, 4), "bias": (4,)})
    x, formula = rng.normal(size=(2, 6, 5, 2)), conv_of(stride, padding)
    check_forward(student, built(student, spec), x, given, formula)
    check_backward(student, built(student, spec), x, given, formula, rng)


@CONV
@IMAGES
def test_conv2d_as_it_comes(student, rng):
    """Without stride and padding, a window moves by 1 and nothing is added."""
    spec = {"name": "conv2d", "in_channels": 2, "out_channels": 3, "size": 2}
    given = drawn(rng, {"weight": (2, 2, 2, 3), "bias": (3,)})
    check_forward(
        student, built(student, spec), rng.normal(size=(2, 4, 5, 2)), given, conv_of(1, 0)
    )


@CONV
def test_conv2d_begins(student):
    """Initial kernels: their deviation, zeros, shapes."""
    spec = {"name": "conv2d", "in_channels": 8, "out_channels": 24, "size": 5, "seed": 2}
    found = shaped(student, spec, {"weight": (5, 5, 8, 24), "bias": (24,)})
    deviation = float(found["weight"].std()) * np.sqrt(200 / 2)
    expect.that("the deviation of kernels", abs(deviation - 1) < 0.08, "it is another one.")
    expect.close("biases", found["bias"], np.zeros(24))


@CONV
@IMAGES
@pytest.mark.parametrize("stride", [None, 1])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pooling(student, rng, kind, stride):
    """Pooling as a layer: values, and the gradient of the images."""
    pool = {"max": oracle.max_pool2d, "avg": oracle.avg_pool2d}[kind]
    x = rng.permutation(2 * 5 * 6 * 3).reshape(2, 5, 6, 3) / 7.0

    def formula(x):
        return pool(x, 2, stride)

    spec = {"name": f"{kind}_pool2d", "size": 2}
    spec |= {} if stride is None else {"stride": stride}
    check_forward(student, built(student, spec), x, {}, formula)
    check_backward(student, built(student, spec), x, {}, formula, rng)


IDS = np.array([[4, 1, 1], [0, 4, 4]])


@EMBEDDING
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_embedding(student, rng, shape):
    """An embedding looks up the vector of each number."""
    layer = built(student, {"name": "embedding", "count": 6, "features": 4})
    given = drawn(rng, {"weight": (6, 4)})
    check_forward(student, layer, IDS.reshape(shape), given, lambda x, weight: weight[x])


@EMBEDDING
@ROWS
@pytest.mark.parametrize("shape", [(6,), (2, 3)])
def test_embedding_backward(student, rng, shape):
    """Numbers that come several times: their vectors get all the gradients."""
    layer = built(student, {"name": "embedding", "count": 6, "features": 4})
    given = drawn(rng, {"weight": (6, 4)})
    formula = lambda x, weight: weight[x]  # noqa: E731
    check_backward(student, layer, IDS.reshape(shape), given, formula, rng)
