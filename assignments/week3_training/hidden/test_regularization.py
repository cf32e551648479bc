"""Hidden tests of regularization.py: dropout and the L2 penalty."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.dropping import expect_scaled
from .dropout_passes import NEAR, Pass, dropped_by, expect_pulled, expect_some_dropped, forward

dropout = pytest.mark.item("week3.dropout")
l2 = pytest.mark.item("week3.l2")


# Dropout
#
# Where the entries come from that are dropped is left open: what a pass has dropped is read off its
# output. Numbers of entries are such that chance alone fails no right layer in a thousand years.


def inputs(rng, shape=(16, 20)):
    """Return random numbers, none of them near 0, so that what is 0 has been dropped."""
    return rng.uniform(0.5, 2, size=shape) * rng.choice([-1.0, 1.0], size=shape)


@dropout
@pytest.mark.weight(2)
def test_dropout_drops_the_share_p(student):
    """About the share p of the entries is dropped, not the share 1 - p; p is 0.5 by default."""
    for p in ((0.2,), (0.7,), ()):
        layer, wanted = student.regularization.Dropout(*p), p[0] if p else 0.5
        # So many columns that a mask which is the same in all rows drops this share as well.
        share = float(np.mean(dropped_by(layer, np.ones((25, 2400)))))
        expect.close(f"share dropped with p = {wanted}", share, wanted, rtol=0, atol=0.04)


@dropout
@pytest.mark.weight(5)
def test_dropout_enlarges_what_it_keeps(student, rng):
    """In training an entry x comes out as 0 or as x / (1 - p)."""
    for p in (0.3, 0.8):
        layer, x = student.regularization.Dropout(p=p), inputs(rng)
        y = layer.forward(x)
        expect_scaled(f"forward output with p = {p}", y, x / (1 - p), **NEAR)
        expect_some_dropped(f"forward output with p = {p}", dropped_by(layer, x))


@dropout
def test_dropout_draws_for_each_entry(student):
    """Every entry is drawn by itself: no two examples, and no two features, share their mask."""
    dropped = dropped_by(student.regularization.Dropout(0.5), np.ones((200, 200)))
    for axis, name in ((0, "feature"), (1, "example")):
        shares = dropped.mean(axis=axis)
        low, high = float(shares.min()), float(shares.max())
        message = f"the shares dropped in one {name} go from {low:.0%} to {high:.0%}; p is 50%."
        expect.that(f"share dropped in each {name}", low > 0.2 and high < 0.8, message)


@dropout
@pytest.mark.weight(2)
def test_dropout_backward_uses_the_mask_of_forward(student, rng):
    """backward returns dL/dx for the entries that were dropped, and for those that were kept."""
    layer, grad = student.regularization.Dropout(0.4), inputs(rng)
    done = forward(layer, inputs(rng))
    expect_some_dropped("forward output", ~done.kept)
    expect_pulled(layer.backward(grad), grad, done, 0.4)


@dropout
def test_dropout_backward_belongs_to_the_latest_forward(student, rng):
    """After several forward passes in training, backward uses the mask of the last one."""
    layer = student.regularization.Dropout(0.6)
    layer.forward(inputs(rng, (5, 4)))
    layer.forward(inputs(rng))
    grad, done = inputs(rng), forward(layer, inputs(rng))
    expect_some_dropped("forward output", ~done.kept)
    expect_pulled(layer.backward(grad), grad, done, 0.6)


@dropout
def test_dropout_backward_where_inputs_are_zero(student, rng):
    """An input that is 0 anyway was not dropped for that: a gradient arrives there too."""
    layer, grad = student.regularization.Dropout(0.4), inputs(rng)
    done = forward(layer, inputs(rng))
    layer.forward(np.zeros(grad.shape))
    dL_dx = expect.array("dL_dx", layer.backward(grad), grad.shape)
    arrives = dL_dx != 0
    message = "the gradient of every entry is 0, although only some were dropped."
    expect.that("dL_dx of inputs that are all 0", bool(arrives.any()), message)
    message = "a gradient arrives at every entry, although some were dropped."
    expect.that("dL_dx of inputs that are all 0", not arrives.all(), message)
    expect_pulled(dL_dx, grad, Pass(done.y, arrives, done.factor), 0.4)


@dropout
@pytest.mark.weight(2)
def test_dropout_does_nothing_for_predictions(student, rng):
    """With training=False (or False) x comes out as it is; with True entries are dropped."""
    layer, x = student.regularization.Dropout(0.4), inputs(rng)
    for when in ("before any training", "after training"):
        received = layer.forward(x, training=False)
        expect.close(f"forward output with training=False, {when}", received, x, **NEAR)
        received = layer.forward(x, False)
        expect.close(f"forward output with False as second argument, {when}", received, x, **NEAR)
        label = "forward output with training=True"
        expect_some_dropped(label, ~forward(layer, x, label, training=True).kept)


@dropout
def test_dropout_of_nothing(student, rng):
    """With p = 0 x comes out as it is, in training too; with p = 0.25 entries are dropped."""
    layer, x = student.regularization.Dropout(0.0), inputs(rng)
    expect.close("forward output with p = 0", layer.forward(x), x, **NEAR)
    dropped = dropped_by(student.regularization.Dropout(0.25), x)
    expect_some_dropped("forward output with p = 0.25", dropped)


@dropout
def test_dropout_draws_anew_in_each_forward(student):
    """Two forward passes of one layer drop different entries."""
    x = np.ones((20, 20))
    layer = student.regularization.Dropout(0.5)
    first, second = dropped_by(layer, x), dropped_by(layer, x)
    differ = not np.array_equal(first, second)
    expect.that("second forward output", differ, "two forward passes dropped the same entries.")


@dropout
def test_dropout_does_not_count(student):
    """As every entry is drawn by itself, some passes drop a few more of them than others."""
    layer = student.regularization.Dropout(0.3)
    masks = [dropped_by(layer, np.ones((10, 10))) for _ in range(12)]
    differ = any(not np.array_equal(mask, masks[0]) for mask in masks)
    expect.that("12 forward outputs", differ, "12 forward passes dropped the same entries.")
    counts = sorted({int(mask.sum()) for mask in masks})
    message = f"each of 12 forward passes dropped exactly {counts[0]} of 100 entries."
    expect.that("number of entries dropped", len(counts) > 1, message)


# L2


def squares(arrays):
    """Return the sum of the squares of all entries."""
    return sum(float(np.sum(W * W)) for W in arrays)


def expect_gradients(received, weights, strength):
    """`received` is a list with strength * W for each of the weights, in order."""
    listed = type(received) in (list, tuple)
    expect.that("gradients", listed, "it must return a list with one array for each W.")
    expect.equal("number of gradients", len(received), len(weights))
    for number, (gradient, W) in enumerate(zip(received, weights, strict=True)):
        expect.close(f"gradient of array {number}", gradient, strength * W, **NEAR)


def arrays_of(rng):
    """Return three arrays of different shapes and sizes."""
    return [rng.normal(size=(4, 3)), 2 * rng.normal(size=(2, 5, 2)), rng.normal(size=6)]


@l2
@pytest.mark.weight(2)
def test_l2_penalty(student, rng):
    """The penalty of one array is strength / 2 times the sum of the squares."""
    weights = [rng.normal(size=(4, 3))]
    received = student.regularization.L2(0.3).penalty(weights)
    expect.close("penalty", received, 0.3 / 2 * squares(weights), **NEAR)


@l2
@pytest.mark.weight(2)
def test_l2_gradient(student, rng):
    """The gradient of the penalty of one array, of its shape."""
    W = rng.normal(size=(4, 3))
    expect_gradients(student.regularization.L2(0.3).gradients([W]), [W], 0.3)


@l2
def test_l2_of_several_arrays(student, rng):
    """The penalty is summed over all arrays, and each array has its gradient, in order."""
    weights, penalty = arrays_of(rng), student.regularization.L2(0.02)
    expect.close("penalty", penalty.penalty(weights), 0.01 * squares(weights), **NEAR)
    expect_gradients(penalty.gradients(weights), weights, 0.02)


@l2
def test_l2_of_nothing(student, rng):
    """Without arrays, or with strength 0, the penalty is 0."""
    weights = arrays_of(rng)
    expect.close("penalty of an array", student.regularization.L2(2.0).penalty([np.ones(3)]), 3.0)
    expect.close("penalty of no arrays", student.regularization.L2(0.5).penalty([]), 0.0)
    expect.close("penalty with strength 0", student.regularization.L2(0.0).penalty(weights), 0.0)
