"""Hidden tests of regularization.py: dropout, the L2 penalty, and early stopping."""

import numpy as np
import pytest

from autograder.suite import expect

dropout = pytest.mark.item("week3.dropout")
l2 = pytest.mark.item("week3.l2")
early_stopping = pytest.mark.item("week3.early_stopping")

NEAR = {"rtol": 1e-4, "atol": 1e-6}
"""Near enough also where somebody works in float32."""

NAN = float("nan")


# Dropout


def inputs(rng, shape=(8, 10)):
    """Return random numbers, none of them near 0, so that what is 0 has been dropped."""
    return rng.uniform(0.5, 2, size=shape) * rng.choice([-1.0, 1.0], size=shape)


def make(student, p, seed=0):
    """Return a Dropout layer with a seeded generator."""
    return student.regularization.Dropout(p, rng=student.probe("generator")(seed))


def dropped_by(layer, x, label="forward output"):
    """Return where the layer's output for `x`, which has no zeros, is 0."""
    return expect.array(label, layer.forward(x), x.shape) == 0


def factor_of(layer, x, p):
    """Return what a forward pass multiplies `x` with: 0 or 1 / (1 - p), and both of them occur."""
    y = expect.array("forward output", layer.forward(x), x.shape)
    kept = y != 0
    expect.that("forward output", bool(kept.any()), "every entry was dropped.")
    expect.that("forward output", not kept.all(), "no entry was dropped.")
    expect.close(f"forward output with p = {p}", y, np.where(kept, x / (1 - p), 0.0), **NEAR)
    return kept / (1 - p)


@dropout
@pytest.mark.weight(2)
def test_dropout_drops_the_share_p(student):
    """About the share p of the entries is dropped, not the share 1 - p."""
    for p in (0.2, 0.7):
        share = float(np.mean(dropped_by(make(student, p), np.ones((120, 250)))))
        expect.close(f"share dropped with p = {p}", share, p, rtol=0, atol=0.02)


@dropout
@pytest.mark.weight(2)
def test_dropout_enlarges_what_it_keeps(student, rng):
    """In training mode an entry x comes out as 0 or as x / (1 - p)."""
    for p in (0.3, 0.8):
        factor_of(make(student, p), inputs(rng), p)


@dropout
def test_dropout_draws_for_each_entry(student):
    """Every entry is drawn by itself: no two examples, and no two features, share their mask."""
    dropped = dropped_by(make(student, 0.5), np.ones((100, 100)))
    for axis, name in ((0, "feature"), (1, "example")):
        shares = dropped.mean(axis=axis)
        low, high = float(shares.min()), float(shares.max())
        message = f"the shares dropped in one {name} go from {low:.0%} to {high:.0%}; p is 50%."
        expect.that(f"share dropped in each {name}", low > 0.2 and high < 0.8, message)


@dropout
@pytest.mark.weight(2)
def test_dropout_backward_uses_the_mask_of_forward(student, rng):
    """backward multiplies dL/dy by what forward multiplied x with, entry by entry."""
    layer, x, dL_dy = make(student, 0.4), inputs(rng), inputs(rng)
    expected = dL_dy * factor_of(layer, x, 0.4)
    expect.close("dL_dx", layer.backward(dL_dy), expected, **NEAR)
    expect.close("dL_dx, asked for again", layer.backward(dL_dy), expected, **NEAR)


@dropout
def test_dropout_backward_belongs_to_the_latest_forward(student, rng):
    """After several forward passes, backward uses the mask of the last one."""
    layer = make(student, 0.6)
    layer.forward(inputs(rng, (5, 4)))
    layer.forward(inputs(rng))
    x, dL_dy = inputs(rng), inputs(rng)
    expected = dL_dy * factor_of(layer, x, 0.6)
    expect.close("dL_dx", layer.backward(dL_dy), expected, **NEAR)


@dropout
@pytest.mark.weight(2)
def test_dropout_does_nothing_in_evaluation_mode(student, rng):
    """In evaluation mode, before and after training, outputs are inputs and gradients too."""
    layer, x, dL_dy = make(student, 0.4), inputs(rng), inputs(rng)
    for when in ("before any training", "after training"):
        layer.eval()
        expect.close(f"forward output in evaluation mode, {when}", layer.forward(x), x, **NEAR)
        expect.close(f"dL_dx in evaluation mode, {when}", layer.backward(dL_dy), dL_dy, **NEAR)
        layer.train()
        dropped = dropped_by(layer, x)
        expect.that("forward output after train()", bool(dropped.any()), "no entry was dropped.")


@dropout
def test_dropout_of_nothing(student, rng):
    """With p = 0 nothing is dropped and nothing enlarged, in training mode too."""
    layer, x, dL_dy = make(student, 0.0), inputs(rng), inputs(rng)
    expect.close("forward output with p = 0", layer.forward(x), x, **NEAR)
    expect.close("dL_dx with p = 0", layer.backward(dL_dy), dL_dy, **NEAR)


@dropout
def test_dropout_draws_anew_in_each_forward(student):
    """Two forward passes of one layer drop different entries, and so do two new layers."""
    x = np.ones((20, 20))
    layer = make(student, 0.5)
    first, second = dropped_by(layer, x), dropped_by(layer, x)
    differ = not np.array_equal(first, second)
    expect.that("second forward output", differ, "two forward passes dropped the same entries.")
    one, other = (dropped_by(student.regularization.Dropout(), x) for _ in range(2))
    differ = not np.array_equal(one, other)
    expect.that("another layer's output", differ, "two new layers dropped the same entries.")


@dropout
def test_dropout_draws_from_its_generator(student):
    """Layers with equally seeded generators drop the same entries, others do not."""
    x = np.ones((20, 20))
    first, again, other = (dropped_by(make(student, 0.5, seed), x) for seed in (5, 5, 6))
    expect.that("forward output", bool(first.any()), "no entry was dropped.")
    same = np.array_equal(first, again)
    expect.that("forward output, same seed", same, "two equal generators gave different masks.")
    differ = not np.array_equal(first, other)
    expect.that("forward output, other seed", differ, "two seeds gave exactly the same mask.")


@dropout
def test_dropout_of_images(student, rng):
    """Arrays with four axes work like those with two."""
    layer, x, dL_dy = make(student, 0.25), inputs(rng, (3, 2, 5, 4)), inputs(rng, (3, 2, 5, 4))
    expected = dL_dy * factor_of(layer, x, 0.25)
    expect.close("dL_dx", layer.backward(dL_dy), expected, **NEAR)


@dropout
def test_dropout_keeps_what_it_is_given(student, rng):
    """Neither x nor dL_dy is changed, in either mode."""
    x, dL_dy = inputs(rng), inputs(rng)
    layer = make(student, 0.5)
    for switch, mode in ((layer.train, "training"), (layer.eval, "evaluation")):
        switch()
        kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
        expect.array("forward output", layer.forward(kept_x), x.shape)
        expect.array("dL_dx", layer.backward(kept_upstream), x.shape)
        expect.unchanged(f"x in {mode} mode", x, student.fetch(kept_x))
        expect.unchanged(f"dL_dy in {mode} mode", dL_dy, student.fetch(kept_upstream))


@dropout
def test_dropout_refuses_impossible_probabilities(student):
    """A p below 0, of 1 or above raises a ValueError; 0 and 0.99 do not."""

    def kept(p):
        return student.regularization.Dropout(p).p

    for p in (0.0, 0.99):
        expect.close(f"p of Dropout({p})", kept(p), p)
    for p in (-0.1, 1.0, 1.5):
        expect.raises(f"p of Dropout({p})", kept, "ValueError", p)


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
    """The gradient of the penalty is strength * W."""
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


@l2
def test_l2_keeps_the_weights(student, rng):
    """Neither penalty nor gradients changes the arrays."""
    weights, penalty = arrays_of(rng), student.regularization.L2(0.3)
    kept = [student.keep(W) for W in weights]
    expect.close("penalty", penalty.penalty(kept), 0.15 * squares(weights), **NEAR)
    expect_gradients(penalty.gradients(kept), weights, 0.3)
    for number, (W, handle) in enumerate(zip(weights, kept, strict=True)):
        expect.unchanged(f"array {number}", W, student.fetch(handle))


# EarlyStopping


def stopped_at(stopping, losses):
    """Return the number of the first loss after which `step` says stop, or None."""
    for epoch, loss in enumerate(losses):
        answer = stopping.step(loss)
        if type(answer) is not bool:
            expect.equal("step", answer, False)
        if answer:
            return epoch
    return None


def expect_stop(student, losses, expected, patience, **settings):
    """Compare the epoch of the first True with the expected one; return the object."""
    stopping = student.regularization.EarlyStopping(patience, **settings)
    received = stopped_at(stopping, losses)
    expect.equal(f"epoch at which step says stop, patience {patience}", received, expected)
    return stopping


@early_stopping
@pytest.mark.weight(2)
def test_early_stopping_waits_for_patience_epochs(student):
    """With patience 3, step is True at the third epoch in a row without an improvement."""
    expect_stop(student, [5, 4, 3, 3.5, 3.6, 3.4, 3.7], 5, 3)
    expect_stop(student, [5, 4, 4.5, 4.6], 2, 1)
    expect_stop(student, [2.0, 2.5, 2.6, 2.7, 2.8, 2.9], 4, patience=4)


@early_stopping
def test_early_stopping_counts_in_a_row(student):
    """An improvement starts the count anew."""
    expect_stop(student, [5, 5.1, 4, 4.1, 3, 3.1, 2, 2.1, 2.2, 2.3], 9, 3)
    expect_stop(student, [5, 5.1, 5.2, 4, 4.1, 4.2, 3, 3.1, 3.2], None, 3)


@early_stopping
def test_early_stopping_compares_with_the_best(student):
    """An epoch better than the one before, but not better than the best, is no improvement."""
    expect_stop(student, [3.0, 5.0, 4.5, 4.0, 3.5, 3.2], 4, 4)


@early_stopping
def test_early_stopping_takes_equal_for_no_improvement(student):
    """A loss that stays exactly the same does not improve."""
    stopping = student.regularization.EarlyStopping(3)
    for epoch in range(3):
        expect.equal(f"step in epoch {epoch}", stopping.step(1.0), False)
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, 0)
    expect.equal("step in epoch 3", stopping.step(1.0), True)


@early_stopping
@pytest.mark.weight(2)
def test_early_stopping_min_delta(student):
    """Improvements on the best loss of min_delta or less do not count."""
    stopping = expect_stop(student, [1.0, 0.95, 0.97, 0.96, 0.98], 3, 3, min_delta=0.1)
    expect.close("best_loss", stopping.best_loss, 1.0)
    stopping = expect_stop(student, [1.0, 0.75, 0.7, 0.9, 0.6], None, 3, min_delta=0.25)
    expect.close("best_loss", stopping.best_loss, 0.7)
    expect.equal("best_epoch", stopping.best_epoch, 2)


@early_stopping
def test_early_stopping_min_delta_is_no_tolerance(student):
    """A loss that is a little worse is no improvement, however large min_delta is."""
    stopping = expect_stop(student, [1.0, 1.05, 1.1, 1.15, 1.2], 3, 3, min_delta=0.5)
    expect.close("best_loss", stopping.best_loss, 1.0)


@early_stopping
def test_early_stopping_adds_up_small_improvements(student):
    """With min_delta the best loss counts, not the latest: small steps add up to a large one."""
    stopping = expect_stop(student, [1.0, 0.95, 0.9, 0.85, 0.8, 0.81], None, 3, min_delta=0.12)
    expect.close("best_loss", stopping.best_loss, 0.85)
    expect.equal("best_epoch", stopping.best_epoch, 3)


@early_stopping
def test_early_stopping_never_takes_nan_for_an_improvement(student):
    """NaN is no improvement, and later losses are compared with the best from before."""
    stopping = expect_stop(student, [1.0, NAN, NAN, NAN, NAN], 3, 3)
    expect.close("best_loss", stopping.best_loss, 1.0)
    expect.equal("best_epoch", stopping.best_epoch, 0)
    expect_stop(student, [1.0, NAN, 0.9, 0.95, NAN, 0.92], 5, 3)


@early_stopping
def test_early_stopping_when_the_first_loss_is_nan(student):
    """A first loss of NaN is no improvement either: the first number after it is one."""
    expect_stop(student, [NAN, NAN, NAN], 1, 2)
    stopping = expect_stop(student, [NAN, NAN, 7.0, 7.5, 7.5], None, 3)
    expect.close("best_loss", stopping.best_loss, 7.0)
    expect.equal("best_epoch", stopping.best_epoch, 2)


@early_stopping
def test_early_stopping_knows_the_best_epoch(student):
    """best_loss and best_epoch, counted from 0, belong to the latest improvement."""
    stopping = student.regularization.EarlyStopping(patience=5)
    best = 0
    for epoch, loss in enumerate([4.0, 5.0, 3.0, 2.5, 2.6, 2.55]):
        expect.equal(f"step in epoch {epoch}", stopping.step(loss), False)
        best = epoch if epoch in (0, 2, 3) else best
        expect.equal(f"best_epoch after epoch {epoch}", stopping.best_epoch, best)
    expect.close("best_loss", stopping.best_loss, 2.5)


@early_stopping
def test_early_stopping_can_go_on(student):
    """Whoever goes on hears True again, until an improvement starts the count anew."""
    stopping = student.regularization.EarlyStopping(2)
    losses = [1.0, 1.1, 1.2, 1.3, 0.9, 1.0, 1.0]
    answers = [False, False, True, True, False, False, True]
    for epoch, (loss, answer) in enumerate(zip(losses, answers, strict=True)):
        expect.equal(f"step in epoch {epoch}", stopping.step(loss), answer)
