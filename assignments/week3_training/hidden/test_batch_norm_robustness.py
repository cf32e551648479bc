"""Hidden tests beyond the texts: BatchNorm1d in float32, unusual batches, errors that explain.

Each test looks at its own side alone: what comes out is compared with the layer's own plain answer,
and the layer has to do something. Those of a layer that does something unknown are blocked.
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
    parameters,
    put,
)
from .backward_of_rows import TINY, expect_input_gradient, formula, input_gradient, ready
from .batch_norm_forms import RIGHT, form_of
from .own_rows import Own, plain

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


def expect_output(student, label, received, x, gamma=1.0, beta=0.0):
    """What comes out shows work, or is what one of the known ways to normalise gives."""
    form = form_of(student)

    def known():
        expect.close(label, received, form.normalised(x, gamma, beta), rtol=1e-3, atol=1e-3)

    expect.any_of(lambda: expect_work(label, received, x), *([] if form == RIGHT else [known]))


def expect_pulled(student, received, dL_dy, x, gamma, eps):
    """dL_dx shows work, or belongs to one of the known ways to normalise."""
    form = form_of(student)

    def known():
        expect_input_gradient(form, received, x.astype(np.float64), gamma, dL_dy, eps)

    ways = [lambda: expect_work("dL_dx", received, dL_dy, x)]
    expect.any_of(*ways, *([] if form == RIGHT else [known]))


# Numbers


@after_forward
@pytest.mark.weight(2)
def test_forward_of_large_numbers_that_vary_little(student, rng):
    """Features of 100,000,000 give or take 1 are normalised like any others, in float64."""
    rows, form = rng.normal(size=(8, 3)), form_of(student)
    x = rows + np.array([1e8, -1e8, 0.0])
    received = make(student, 3).forward(x)
    if isinstance(form, Own):
        first = plain(student, x - np.array([1e8, -1e8, 0.0]))
        # What small numbers should give is asked by the tests of forward.
        expect.repeated(
            "forward output, compared with that for small numbers", first, received, **NEAR
        )
        return
    expect.close("forward output", received, form.normalised(x), **NEAR)


@after_backward
def test_float32(student, rng):
    """A batch in float32 comes out in float32, one in float64 in float64; the gradients as well."""
    for precision in (np.float32, np.float64):
        kind = np.dtype(precision).name
        layer, x = make(student, 4), batch(rng).astype(precision)
        y = layer.forward(x)
        expect.dtype(f"forward output for {kind}", y, precision)
        expect_output(student, f"forward output for {kind}", y, x)
        dL_dy = rng.normal(size=x.shape).astype(precision)
        dL_dx = layer.backward(dL_dy)
        expect.dtype(f"dL_dx for {kind}", dL_dx, precision)
        expect_pulled(student, dL_dx, dL_dy, x, 1.0, 1e-5)


@after_forward
def test_no_warning(student, rng):
    """A feature that does not vary gives no warning."""
    layer, x = make(student, 4), batch(rng)
    x[:, 2] = 3.0
    expect_output(student, "forward output", layer.forward(x), x)
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
            expect_output(student, "forward output", y, x, gamma, beta)
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
    expect_pulled(student, layer.backward(kept_upstream), dL_dy, x, gamma, TINY)
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
    # What forward does to x is asked above; here, that backward does nothing more to it.
    expect.repeated("x after backward", before, student.fetch(kept_x), rtol=0, atol=0)
    expect_row(layer, "gamma", gamma)
    expect_row(layer, "beta", beta)


# backward, more than once and in the other mode


@after_backward
def test_backward_again(student, rng):
    """A second backward gives the same dL/dx."""
    layer, x, gamma, _, dL_dy = ready(student, rng)
    first = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
    expect_pulled(student, first, dL_dy, x, gamma, TINY)
    # Which gradient it should be is asked by the tests of backward.
    expect.repeated("second dL_dx", first, layer.backward(dL_dy), **NEAR)


def in_evaluation_mode(layer, x):
    """Run forward in evaluation mode, by running statistics that are those of the batch.

    So it makes no difference which of them the forward pass takes.
    """
    put(layer, running_mean=x.mean(axis=0), running_var=x.var(axis=0))
    layer.eval()
    return expect.array("forward output", layer.forward(x), x.shape)


def all_is_right(student, rng):
    """Tell whether forward in evaluation mode, and backward in training mode, are right."""
    layer, x, gamma, beta, dL_dy = ready(student, rng, 9)
    dL_dx = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
    try:
        expect_gradient(layer, "gamma", (dL_dy * formula(x)).sum(axis=0))
        expect_gradient(layer, "beta", dL_dy.sum(axis=0))
    except expect.Wrong:
        return False
    y, wanted = in_evaluation_mode(layer, x), formula(x, gamma, beta)
    exact = input_gradient(x, gamma, dL_dy)
    return np.allclose(y, wanted, **NEAR) and np.allclose(dL_dx, exact, **NEAR)


def expect_constant(received, dL_dy):
    """In each feature dL_dx is a number times dL_dy; the numbers differ, and none is 0."""
    received = expect.array("dL_dx in evaluation mode", received, dL_dy.shape)
    factors = received / dL_dy
    even = np.allclose(factors, factors[0], rtol=1e-3, atol=1e-6)
    message = "in evaluation mode mean and variance are constants: no gradient goes through them."
    expect.that("dL_dx in evaluation mode", even, message)
    differ = bool((factors[0] != 0).all()) and np.ptp(factors[0]) > 1e-3
    expect.that("dL_dx in evaluation mode", differ, "it is dL_dy, or nothing.")


@after_all
@pytest.mark.weight(2)
def test_backward_in_evaluation_mode(student, rng):
    """After a forward in evaluation mode the statistics are constants, and backward knows it."""
    right = all_is_right(student, rng)
    layer, _, gamma, _, _ = ready(student, rng, 9)
    x, dL_dy = batch(rng), rng.uniform(0.5, 2.0, size=(6, 4))
    in_evaluation_mode(layer, x)
    dL_dx = layer.backward(dL_dy)
    if not right:
        expect_constant(dL_dx, dL_dy)
        return
    expect.close("dL_dx in evaluation mode", dL_dx, dL_dy * gamma / x.std(axis=0), **NEAR)
    expected = (dL_dy * formula(x)).sum(axis=0)
    expect_gradient(layer, "gamma", expected, "dL_dgamma in evaluation mode")
    expect_gradient(layer, "beta", dL_dy.sum(axis=0), "dL_dbeta in evaluation mode")


@after_all
def test_backward_goes_by_the_mode_of_forward(student, rng):
    """Whatever mode the layer is in now, backward belongs to the one that forward ran in."""
    layer, x, gamma, _, dL_dy = ready(student, rng)
    trained = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
    expect_pulled(student, trained, dL_dy, x, gamma, TINY)
    layer.forward(x)
    layer.eval()
    label = "dL_dx after a forward in training mode, and then eval()"
    # Which gradients these should be, without a change of mode, is asked by other tests.
    expect.repeated(label, trained, layer.backward(dL_dy), **NEAR)
    in_evaluation_mode(layer, x)
    plain = expect.array("dL_dx", layer.backward(dL_dy), x.shape)
    expect.that("dL_dx in evaluation mode", bool(plain.any()), "it is 0 everywhere.")
    layer.forward(x)
    layer.train()
    label = "dL_dx after a forward in evaluation mode, and then train()"
    # As above.
    expect.repeated(label, plain, layer.backward(dL_dy), **NEAR)
    layer.forward(x)
    label = "dL_dx after another forward in training mode"
    # As above.
    expect.repeated(label, trained, layer.backward(dL_dy), **NEAR)


@after_all
@pytest.mark.parametrize("name", ["float32", "float64"])
def test_dtype_in_evaluation_mode(student, rng, name):
    """The gradient keeps its dtype in evaluation mode as well."""
    layer, _, gamma, _, _ = ready(student, rng)
    x, dL_dy = batch(rng).astype(name), rng.uniform(0.5, 2.0, size=(6, 4)).astype(name)
    in_evaluation_mode(layer, x)
    dL_dx = layer.backward(dL_dy)
    # Which gradient it is, is asked by other tests; here, that it is one in either mode's way.
    expect.any_of(
        lambda: expect_constant(dL_dx, dL_dy),
        lambda: expect_pulled(student, dL_dx, dL_dy, x, gamma, TINY),
    )
    expect.dtype("dL_dx in evaluation mode", dL_dx, np.dtype(name))


# What is refused


@after_forward
def test_forward_refuses_other_shapes(student, rng):
    """x of a shape other than (N, num_features) raises a ValueError; (N, num_features) does not."""
    layer, x = make(student, 3), rng.normal(size=(5, 3))
    expect_output(student, "forward output", layer.forward(x), x)
    for shape in ((5, 1), (5, 4), (3,), (2, 5, 3)):
        label = f"forward of x {shape} with 3 features"
        expect.raises(label, layer.forward, "ValueError", rng.normal(size=shape))


@after_forward
@pytest.mark.weight(2)
def test_a_batch_of_one(student, rng):
    """A batch of one example raises a ValueError in training mode, and leaves no trace."""
    layer, x, more = student.batch_norm.BatchNorm1d(4), batch(rng, 1), batch(rng, 6)
    expect_output(student, "forward output of six examples", layer.forward(more), more)
    before = get(layer, "running_mean", 4)
    label = "forward of one example in training mode"
    expect.raises(label, layer.forward, "ValueError", x)
    after = get(layer, "running_mean", 4)
    # What six examples make of it is asked by another test; here, that one makes nothing of it.
    expect.repeated("running_mean after the refused batch", before, after, **NEAR)
