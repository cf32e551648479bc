"""Hidden tests beyond the texts: BatchNorm1d in float32, unusual batches, errors that explain.

Those that compare numbers are blocked where the part that they go through is at fault.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.warned import no_warnings

from ..suite_tools.rows import (
    NEAR,
    batch,
    expect_gradient,
    expect_row,
    get,
    make,
    normalised,
    parameters,
    put,
)
from .backward_of_rows import TINY, formula, gradient, input_gradient, ready

pytestmark = pytest.mark.item("week3.batch_norm_robustness")
after_forward = pytest.mark.needs("week3.batch_norm_forward")
after_backward = pytest.mark.needs("week3.batch_norm_forward", "week3.batch_norm_backward")
after_all = pytest.mark.needs(
    "week3.batch_norm_forward", "week3.batch_norm_backward", "week3.batch_norm_modes"
)


def expect_work(label, received, given, *more):
    """What comes out is, in each feature or example, a number times what went in, plus another.

    With `more` than one array given, a number times each of them. The numbers differ; whether they
    are right is a matter of other items.
    """
    received = expect.array(label, received, given.shape).astype(np.float64)
    known = [given, *more]
    done = _rest(received, known[:1], True) > 1e-3
    expect.that(label, done, "nothing is done with it, or the same with each feature.")
    turned = _rest(received.T, [array.T for array in known], False)
    goes_by = min(_rest(received, known, False), turned) < 1e-3
    expect.that(label, goes_by, "it does not go by what the layer was given.")


def _rest(received, known, whole):
    """Return how far columns are from sums of those `known` and a constant, relative to the size.

    With `whole`, the factors are the same for all columns.
    """
    size = np.abs(received).max()
    parts = [received.ravel()] if whole else received.T
    sources = [[k.ravel() for k in known]] if whole else zip(*(k.T for k in known), strict=True)
    rests = []
    for part, those in zip(parts, sources, strict=True):
        terms = np.column_stack([*those, np.ones(len(part))])
        rests.append(np.abs(part - terms @ np.linalg.lstsq(terms, part, rcond=None)[0]).max())
    return max(rests) / size if size > 0 else 0.0


# Numbers


@after_forward
@pytest.mark.weight(2)
def test_forward_of_large_numbers_that_vary_little(student, rng):
    """Features of 100,000,000 give or take 1 are normalised like any others, in float64."""
    x = rng.normal(size=(8, 3)) + np.array([1e8, -1e8, 0.0])
    expect.close("forward output", make(student, 3).forward(x), normalised(x), **NEAR)


@after_backward
def test_float32(student, rng):
    """A batch in float32 comes out in float32, and so does the gradient."""
    layer, x = make(student, 4), batch(rng).astype(np.float32)
    y = layer.forward(x)
    expect.dtype("forward output for float32", y, np.float32)
    expect_work("forward output for float32", y, x)
    dL_dy = rng.normal(size=x.shape).astype(np.float32)
    dL_dx = layer.backward(dL_dy)
    expect.dtype("dL_dx for float32", dL_dx, np.float32)
    expect_work("dL_dx for float32", dL_dx, dL_dy, x)


@after_forward
def test_no_warning(student, rng):
    """A feature that does not vary gives no warning."""
    layer, x = make(student, 4), batch(rng)
    x[:, 2] = 3.0
    expect_work("forward output", layer.forward(x), x)
    no_warnings(student)


# Arrays that are not the layer's own


@after_forward
def test_forward_keeps_what_it_is_given(student, rng):
    """forward changes neither x nor gamma nor beta, in neither mode."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    for mode, switch in (("training", layer.train), ("evaluation", layer.eval)):
        switch()
        kept = student.keep(x)
        y = expect.array("forward output", layer.forward(kept), x.shape)
        if mode == "training":
            expect_work("forward output", y, x)
        expect.unchanged("x", x, student.fetch(kept))
        expect_row(layer, "gamma", gamma)
        expect_row(layer, "beta", beta)


@after_backward
def test_backward_keeps_what_it_is_given(student, rng):
    """backward changes neither dL_dy nor x, neither gamma nor beta."""
    layer, x = make(student, 4, eps=TINY), batch(rng)
    gamma, beta = parameters(layer, rng)
    dL_dy = rng.normal(size=x.shape)
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    layer.forward(kept_x)
    before = student.fetch(kept_x)
    expect_work("dL_dx", layer.backward(kept_upstream), dL_dy, x)
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
    # What forward does to x is asked above; here, that backward does nothing more to it.
    expect.repeated("x after backward", before, student.fetch(kept_x), rtol=0, atol=0)
    expect_row(layer, "gamma", gamma)
    expect_row(layer, "beta", beta)


# backward, more than once and in the other mode


@after_backward
def test_backward_again(student, rng):
    """A second backward gives the same: dL_dgamma and dL_dbeta are replaced, not added to."""
    layer, x, gamma, beta, dL_dy = ready(student, rng)
    layer.backward(dL_dy)
    dL_dx = layer.backward(dL_dy)
    expect.close("second dL_dx", dL_dx, input_gradient(x, gamma, dL_dy), **NEAR)
    expected = gradient(lambda moved: formula(x, moved, beta), gamma, dL_dy)
    expect_gradient(layer, "gamma", expected, "dL_dgamma after two backwards")
    expect_gradient(layer, "beta", dL_dy.sum(axis=0), "dL_dbeta after two backwards")


@after_all
@pytest.mark.weight(2)
def test_backward_in_evaluation_mode(student, rng):
    """After a forward in evaluation mode the statistics are constants: dL/dx = g / deviation.

    The running statistics are those of the batch, so that it makes no difference here which of
    them the forward pass took.
    """
    layer, _, gamma, _, _ = ready(student, rng, 9)
    x, dL_dy = batch(rng), rng.normal(size=(6, 4))
    put(layer, running_mean=x.mean(axis=0), running_var=x.var(axis=0))
    layer.eval()
    layer.forward(x)
    dL_dx = layer.backward(dL_dy)
    expect.close("dL_dx in evaluation mode", dL_dx, dL_dy * gamma / x.std(axis=0), **NEAR)
    expected = (dL_dy * formula(x)).sum(axis=0)
    expect_gradient(layer, "gamma", expected, "dL_dgamma in evaluation mode")
    expect_gradient(layer, "beta", dL_dy.sum(axis=0), "dL_dbeta in evaluation mode")


@after_all
def test_backward_goes_by_the_mode_of_forward(student, rng):
    """Whatever mode the layer is in now, backward belongs to the one that forward ran in."""
    layer, x, gamma, _, dL_dy = ready(student, rng)
    before = input_gradient(x, gamma, dL_dy)
    layer.eval()
    label = "dL_dx after a forward in training mode, and then eval()"
    expect.close(label, layer.backward(dL_dy), before, **NEAR)
    x, dL_dy = batch(rng), rng.normal(size=(6, 4))
    put(layer, running_mean=x.mean(axis=0), running_var=x.var(axis=0))
    layer.forward(x)
    layer.train()
    label = "dL_dx after a forward in evaluation mode, and then train()"
    expect.close(label, layer.backward(dL_dy), dL_dy * gamma / x.std(axis=0), **NEAR)


# What is refused


@after_forward
def test_forward_refuses_other_shapes(student, rng):
    """x of a shape other than (N, num_features) raises a ValueError; (N, num_features) does not."""
    layer, x = make(student, 3), rng.normal(size=(5, 3))
    expect_work("forward output", layer.forward(x), x)
    for shape in ((5, 1), (5, 4), (3,), (2, 5, 3)):
        label = f"forward of x {shape} with 3 features"
        expect.raises(label, layer.forward, "ValueError", rng.normal(size=shape))


@after_forward
@pytest.mark.weight(2)
def test_a_batch_of_one(student, rng):
    """A batch of one example raises a ValueError in training mode, and leaves no trace."""
    layer, x, more = student.batch_norm.BatchNorm1d(4), batch(rng, 1), batch(rng, 6)
    expect_work("forward output of six examples", layer.forward(more), more)
    before = get(layer, "running_mean", 4)
    label = "forward of one example in training mode"
    expect.raises(label, layer.forward, "ValueError", x)
    after = get(layer, "running_mean", 4)
    # What six examples make of it is asked by another test; here, that one makes nothing of it.
    expect.repeated("running_mean after the refused batch", before, after, **NEAR)
