"""Hidden tests of neural_net.Linear.

Every test but those of the initial values sets W and b itself, so that a mistake in the
initialisation shows there and nowhere else. W may be (out, in) or (in, out), and b (out,) or
(1, out): a new layer shows which, and that holds in all tests.
"""

from functools import partial

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.suite import expect
from autograder.suite.expect import Wrong
from autograder.suite.hidden.sides import proportional, something_right

from ..suite_tools.layout import layout_of, linear

pytestmark = pytest.mark.item("week1.linear")


def make(student, rng, n_in, n_out):
    """Return a layer with known parameters, its form, and W of shape (n_out, n_in) and b."""
    W, b = rng.normal(size=(n_out, n_in)), rng.normal(size=n_out)
    return *linear(student, W, b), W, b


def compare_with_alone(student, layer, form, W, b, x, dL_dy):
    """Run a batch; expect what a layer gives that has seen no other, and something to be right."""
    alone, _ = linear(student, W, b)
    expected = {"forward output": x @ W.T + b, "dL_dx": dL_dy @ W}
    expected["dL_dW"] = form.weights(dL_dy.T @ x)
    expected["dL_db"] = form.biases(dL_dy.sum(axis=0))
    received, before = (
        {
            "forward output": one.forward(x),
            "dL_dx": one.backward(dL_dy),
            "dL_dW": one.dL_dW,
            "dL_db": one.dL_db,
        }
        for one in (layer, alone)
    )

    def is_right(label):
        return lambda: proportional(label, before[label], expected[label])

    something_right(*map(is_right, expected))
    for label, first in before.items():
        # What it should be is asked by other tests; here, only whether the first batch matters.
        expect.repeated(f"{label} of a second batch", first, received[label])


def test_initial_biases(student):
    """A new layer has one bias of zero for each output."""
    biases = layout_of(student).biases(np.zeros(3))
    expect.close("b", student.neural_net.Linear(4, 3).b, biases)


@pytest.mark.weight(2)
def test_initial_weights_have_the_variance_of_he(student):
    """The initial weights have mean 0 and variance 2 / in_features."""
    shape = layout_of(student).weights(np.zeros((150, 400))).shape
    W = expect.array("W", student.neural_net.Linear(400, 150).W, shape)
    expect.close("variance of W", float(np.var(W)), 2 / 400, rtol=0.05)
    expect.close("mean of W", float(np.mean(W)), 0.0, rtol=0, atol=0.003)


def test_two_new_layers_differ(student):
    """Two new layers start with different weights."""
    first, second = (student.neural_net.Linear(4, 3).W for _ in range(2))
    expect.differ("W of a new layer", first, 0, "all weights start at zero")
    message = "both layers started with exactly the same weights"
    expect.differ("W of two layers", first, second, message)


@pytest.mark.weight(4)
def test_forward(student, rng):
    """forward is x W^T + b."""
    layer, _, W, b = make(student, rng, 4, 3)
    x = rng.normal(size=(5, 4))
    expect.close("forward output", layer.forward(x), x @ W.T + b)


def test_forward_uses_the_present_parameters(student, rng):
    """forward uses the W and b that the layer has now, not the ones it was created with."""
    layer, form, _, _ = make(student, rng, 4, 3)
    x = rng.normal(size=(5, 4))
    layer.forward(x)
    W, b = rng.normal(size=(3, 4)), rng.normal(size=3)
    layer.W, layer.b = form.weights(W), form.biases(b)
    y, dL_dy = layer.forward(x), rng.normal(size=(5, 3))
    something_right(
        lambda: proportional("forward output", y, x @ W.T + b),
        lambda: proportional("dL_dx", layer.backward(dL_dy), dL_dy @ W),
    )
    alone, _ = linear(student, W, b)
    # What it should be is asked by another test; here, only which parameters it comes from.
    expect.repeated("forward output with other parameters", alone.forward(x), y)
    expect.close("W, read back", layer.W, form.weights(W))
    expect.close("b, read back", layer.b, form.biases(b))


@pytest.mark.weight(4)
def test_input_gradient(student, rng):
    """backward returns dL/dx, of the shape of x."""
    layer, _, W, _ = make(student, rng, 4, 3)
    dL_dy = rng.normal(size=(5, 3))
    layer.forward(rng.normal(size=(5, 4)))
    expect.close("dL_dx", layer.backward(dL_dy), dL_dy @ W)


def test_square_layer(student, rng):
    """In a layer with as many outputs as inputs W and its transpose are still two things."""

    def compare(quantity, outputs, inputs):
        layer, form, W, b = make(student, rng, inputs, outputs)
        x, dL_dy = rng.normal(size=(4, inputs)), rng.normal(size=(4, outputs))
        y = layer.forward(x)
        if quantity == "forward output":
            return expect.close(quantity, y, x @ W.T + b)
        dL_dx = layer.backward(dL_dy)
        if quantity == "dL_dx":
            return expect.close(quantity, dL_dx, dL_dy @ W)
        return expect.close(quantity, layer.dL_dW, form.weights(dL_dy.T @ x))

    def is_wrong_anyway(quantity):
        try:
            compare(quantity, 3, 4)
        except Fault:
            return True
        return False

    quantities = ("forward output", "dL_dx", "dL_dW")
    something_right(*(partial(compare, one, 3, 3) for one in quantities))
    for quantity in quantities:
        try:
            compare(quantity, 3, 3)
        except Wrong:
            if not is_wrong_anyway(quantity):
                raise


@pytest.mark.weight(4)
def test_weight_gradient(student, rng):
    """backward stores dL_dW, of the shape of W."""
    layer, form, _, _ = make(student, rng, 4, 3)
    x, dL_dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    layer.forward(x)
    layer.backward(dL_dy)
    expect.close("dL_dW", layer.dL_dW, form.weights(dL_dy.T @ x))


@pytest.mark.weight(3)
def test_bias_gradient(student, rng):
    """backward stores dL_db, of the shape of b, for a batch of several examples."""
    layer, form, _, _ = make(student, rng, 4, 3)
    dL_dy = rng.normal(size=(5, 3))
    layer.forward(rng.normal(size=(5, 4)))
    layer.backward(dL_dy)
    expect.close("dL_db", layer.dL_db, form.biases(dL_dy.sum(axis=0)))


def test_batches_of_different_sizes(student, rng):
    """After batches of 6 and 1 examples, backward belongs to the second."""
    layer, form, W, b = make(student, rng, 4, 3)
    layer.forward(rng.normal(size=(6, 4)))
    layer.backward(rng.normal(size=(6, 3)))
    x, dL_dy = rng.normal(size=(1, 4)), rng.normal(size=(1, 3))
    compare_with_alone(student, layer, form, W, b, x, dL_dy)


@pytest.mark.weight(2)
def test_gradients_do_not_accumulate(student, rng):
    """The next batch's backward replaces dL_dW and dL_db; it adds nothing to them."""
    layer, form, W, b = make(student, rng, 4, 3)
    layer.forward(rng.normal(size=(5, 4)))
    layer.backward(rng.normal(size=(5, 3)))
    x, dL_dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    compare_with_alone(student, layer, form, W, b, x, dL_dy)


def test_arguments_stay_as_they_were(student, rng):
    """forward and backward change neither x nor dL_dy, and neither W nor b."""
    layer, form, W, b = make(student, rng, 4, 3)
    x, dL_dy = rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    y = layer.forward(kept_x)
    expect.unchanged("x", x, student.fetch(kept_x))
    dL_dx = layer.backward(kept_upstream)
    something_right(  # what computes nothing keeps everything
        lambda: proportional("forward output", y, x @ W.T + b),
        lambda: proportional("dL_dx", dL_dx, dL_dy @ W),
    )
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
    expect.unchanged("W", form.weights(W), layer.W)
    expect.unchanged("b", form.biases(b), layer.b)
