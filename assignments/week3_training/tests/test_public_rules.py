"""Public tests of the rules that hold for every layer and optimizer of this week.

Layers are used one after the other, and twice, with batches of different sizes: what is kept in the
wrong place, or from the wrong call, shows there.
"""

import numpy as np
import pytest

from autograder.suite import derivatives, expect, whole_arrays

from ..suite_tools.dropping import expect_scaled, where_kept
from ..suite_tools.rows import NEAR, batch, expect_gradient, make, normalised, parameters

backward = pytest.mark.item("week3.batch_norm_backward")
beyond = pytest.mark.item("week3.batch_norm_robustness")
forward = pytest.mark.item("week3.batch_norm_forward")
dropout = pytest.mark.item("week3.dropout")
layer_norm = pytest.mark.item("week3.layer_norm")
robustness = pytest.mark.item("week3.robustness")
needs_forward = pytest.mark.needs("week3.batch_norm_forward")
needs_backward = pytest.mark.needs("week3.batch_norm_forward", "week3.batch_norm_backward")


# Batch norm


@backward
@needs_forward
def test_two_batch_norms_of_other_batches(student, rng):
    """Two layers one after the other: backward belongs to the latest forward, of another size."""
    first, last = make(student, 4), make(student, 4)
    (one, shift), (other, offset) = parameters(first, rng), parameters(last, rng)
    for count in (6, 3):
        x, dL_dy = batch(rng, count), rng.normal(size=(count, 4))
        between = normalised(x, one, shift)
        y = last.forward(first.forward(x))
        label = f"output of both, {count} examples"
        expect.close(label, y, normalised(between, other, offset), **NEAR)
        [upstream] = derivatives.vjp(lambda x: normalised(x, other, offset), [between], dL_dy)
        arrays = x, one, shift
        dL_dx, dL_dgamma, dL_dbeta = derivatives.vjp(normalised, arrays, upstream)
        received = first.backward(last.backward(dL_dy))
        expect.close(f"dL_dx of both, {count} examples", received, dL_dx, **NEAR)
        expect_gradient(first, "gamma", dL_dgamma, f"dL_dgamma of the first, {count} examples")
        expect_gradient(first, "beta", dL_dbeta, f"dL_dbeta of the first, {count} examples")


@forward
def test_batch_norm_of_whole_batches(student, rng):
    """No Python loop runs over the examples or the features."""

    def lines(examples, features):
        layer, x = make(student, features), batch(rng, examples, features)
        y, count = whole_arrays.run(student, layer.forward, x)
        expect.close("forward output", y, normalised(x), **NEAR)
        return count

    whole_arrays.no_loop("forward", lines)


@beyond
@needs_backward
def test_batch_norm_changes_no_argument(student, rng):
    """Beyond the texts: neither forward nor backward changes the array that it is given."""
    layer, x, dL_dy = make(student, 4), batch(rng), rng.normal(size=(6, 4))
    gamma, beta = parameters(layer, rng)
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    expect.close("forward output", layer.forward(kept_x), normalised(x, gamma, beta), **NEAR)
    [dL_dx] = derivatives.vjp(lambda x: normalised(x, gamma, beta), [x], dL_dy)
    expect.close("dL_dx", layer.backward(kept_upstream), dL_dx, **NEAR)
    expect.close("dL_dx, asked for again", layer.backward(kept_upstream), dL_dx, **NEAR)
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))


@beyond
@needs_backward
def test_batch_norm_keeps_float32(student, rng):
    """Beyond the texts: float32 in, float32 out, forward and backward."""
    layer, x, dL_dy = make(student, 4), batch(rng), rng.normal(size=(6, 4))
    y = layer.forward(x.astype(np.float32))
    expect.dtype("forward output", y, np.float32)
    expect.dtype("dL_dx", layer.backward(dL_dy.astype(np.float32)), np.float32)
    expect.close("forward output", y, normalised(x), **NEAR)


# Dropout and layer norm


@dropout
def test_dropout_of_another_batch(student, rng):
    """Dropout.backward uses the mask of the latest forward, of another size than the first."""
    layer = student.regularization.Dropout(0.4)
    for count in (9, 5):
        x, grad = rng.uniform(1, 2, size=(count, 8)), rng.uniform(1, 2, size=(count, 8))
        kept = where_kept("forward output", layer.forward(x), x.shape)
        both = 0 < kept.sum() < kept.size
        expect.that("forward output", both, "it drops nothing, or everything.")
        label, received = f"backward of {count} examples", layer.backward(grad)
        expect_scaled(label, received, grad / 0.6)
        alike = np.array_equal(where_kept(label, received, x.shape), kept)
        expect.that(label, alike, "it drops other entries than the latest forward did.")


def rows_normalised(x, gamma, beta, eps=1e-5):
    """Return the output of layer norm; x may be complex."""
    away = x - x.mean(axis=1, keepdims=True)
    return gamma * away / np.sqrt((away**2).mean(axis=1, keepdims=True) + eps) + beta


@layer_norm
def test_layer_norm_of_other_batches(student, rng):
    """LayerNorm.backward belongs to the latest forward, of another size; no argument changes."""
    layer, gamma, beta = student.extra_credit.LayerNorm(4), rng.normal(size=4), rng.normal(size=4)
    layer.gamma, layer.beta = gamma, beta
    for count in (6, 2):
        x, dL_dy = rng.normal(size=(count, 4)), rng.normal(size=(count, 4))
        kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
        label = f"forward output, {count} examples"
        expect.close(label, layer.forward(kept_x), rows_normalised(x, gamma, beta))
        dL_dx, dL_dgamma, _ = derivatives.vjp(rows_normalised, [x, gamma, beta], dL_dy)
        expect.close(f"dL_dx, {count} examples", layer.backward(kept_upstream), dL_dx)
        expect.close(f"dL_dgamma, {count} examples", layer.dL_dgamma, dL_dgamma)
        expect.unchanged("x", x, student.fetch(kept_x))
        expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))


# Optimizers


@robustness
@pytest.mark.parametrize("kind", ["SGD", "SGDMomentum", "RMSprop", "Adam"])
def test_next_gradient_in_the_same_array(student, rng, kind):
    """The next gradient may be written into the same array: nobody holds on to the last one."""
    changes, start = [], rng.normal(size=3)
    first, second = rng.normal(size=(2, 3))
    for same_array in (True, False):
        parameter = student.probe("parameter")(start)
        optimizer = getattr(student.optimizers, kind)([parameter], 0.1)
        parameter.grad = first
        optimizer.step()
        if same_array:
            parameter.overwrite(second)
        else:
            parameter.grad = second
        optimizer.step()
        changes.append(expect.array("data", parameter.data, (3,)) - start)
    expect.that("data", bool(np.all(changes[1] != 0)), "it has a gradient, and has not moved.")
    # How far it should move is asked of each optimizer by itself.
    expect.repeated("change of the data by two gradients in one array", *reversed(changes))
