"""Hidden tests of batch_norm.BatchNorm1d: forward in training mode, and the two modes.

In the tests of forward, layers have momentum 0, so that the running statistics have no part in
them. Those of the modes compare with no output of the training mode. Where forward, the gathering
of running statistics or the evaluation by them is wrong, the tests of something else hold it to
its own way.
"""

from dataclasses import replace

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.rows import NEAR, batch, expect_row, get, make, normalised, parameters, put
from .batch_norm_forms import LEGAL, form_of, legal_way
from .own_rows import Own, plain, slopes_of
from .running_sides import (
    evaluates_rightly,
    expect_as_by_hand,
    expect_each_alone,
    expect_goes_on,
    gathered,
)

forward = pytest.mark.item("week3.batch_norm_forward")
modes = pytest.mark.item("week3.batch_norm_modes")


# forward


@forward
@pytest.mark.weight(4)
def test_forward_normalises_each_feature(student, rng):
    """In training mode each feature comes out with mean 0 and (biased) variance 1."""
    x = batch(rng)
    expect.close("forward output", make(student, 4).forward(x), normalised(x), **NEAR)


@forward
@pytest.mark.weight(2)
def test_forward_scales_and_shifts(student, rng):
    """The output is gamma * x_hat + beta, with the gamma and beta that the layer has now."""
    layer, x = make(student, 4), batch(rng)
    layer.forward(x)
    gamma, beta = parameters(layer, rng)
    form = but(form_of(student), scales=True, shifts=True)
    expect.close("forward output", layer.forward(x), form.normalised(x, gamma, beta), **NEAR)
    expect_row(layer, "gamma", gamma, "gamma, read back")
    expect_row(layer, "beta", beta, "beta, read back")


@forward
@pytest.mark.weight(2)
def test_forward_adds_eps_to_the_variance(student, rng):
    """eps is added to the variance, inside the root; the default is 1e-5."""
    x, form = batch(rng), but(form_of(student), outside=False)
    if isinstance(form, Own):
        expect_eps_counts(student, x)
        return
    for eps in (0.5, 2.0):
        received, wanted = make(student, 4, eps=eps).forward(x), form.normalised(x, eps=eps)
        expect.close(f"forward output, eps {eps}", received, wanted, **NEAR)
    x = 0.003 * x
    expect.close("forward output, small x", make(student, 4).forward(x), form.normalised(x), **NEAR)


@forward
def test_forward_of_a_feature_that_does_not_vary(student, rng):
    """A feature that is the same in the whole batch comes out as beta."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    x[:, 2] = 3.0
    form, received = form_of(student), layer.forward(x)
    if isinstance(form, Own):
        column = expect.array("forward output", received, x.shape)[:, 2]
        expect.close("forward output of feature 2", column, np.full(len(x), beta[2]), **NEAR)
        return
    expect.close("forward output", received, form.normalised(x, gamma, beta), **NEAR)


@forward
def test_forward_of_batches_of_other_sizes(student, rng):
    """Batches of 2 and of 40 examples work, with one layer, and so does a single feature."""
    layer, form = make(student, 4), but(form_of(student), axis=0)
    for n in (40, 2):
        x, label = batch(rng, n), f"forward output, {n} examples"
        expect_normalised(student, form, label, layer.forward(x), x)
    x = batch(rng, 5, 1)
    received = make(student, 1).forward(x)
    expect_normalised(student, form, "forward output, 1 feature", received, x)


@forward
def test_forward_of_as_many_examples_as_features(student, rng):
    """In a square batch too, statistics are taken over the examples and not over the features."""
    layer, x = make(student, 5), batch(rng, 5, 5)
    gamma, beta = parameters(layer, rng, 5)
    form = but(form_of(student), axis=0)
    expect_normalised(student, form, "forward output", layer.forward(x), x, gamma, beta)


@forward
def test_forward_again(student, rng):
    """The same batch gives the same output again, also after another one in between."""
    layer, x = make(student, 4), batch(rng)
    wanted = form_of(student).normalised(x)
    expect.close("forward output", layer.forward(x), wanted, **NEAR)
    layer.forward(batch(rng, 9))
    expect.close("forward output, the second time", layer.forward(x), wanted, **NEAR)


def but(form, **right):
    """Return a form with these sides as they should be; a layer's own way has no such sides."""
    return form if isinstance(form, Own) else replace(form, **right)


def expect_eps_counts(student, x):
    """The square of what a layer of its own way divides by grows by eps."""
    slopes = [slopes_of(x, plain(student, x, eps))[0] for eps in (1e-12, 0.5, 2.0)]
    least, *others = (1 / np.where(one == 0, 1e-9, one) ** 2 for one in slopes)
    for eps, square in zip((0.5, 2.0), others, strict=True):
        label = f"growth of the square of the divisor, eps {eps} instead of 1e-12"
        expect.close(label, square - least, np.full(x.shape[1], eps), rtol=1e-3)


def expect_normalised(student, form, label, received, x, *scaled):
    """Rows are normalised in that form; by a layer's own way, each feature along a line."""
    if not isinstance(form, Own):
        expect.close(label, received, form.normalised(x, *scaled), **NEAR)
        return
    slopes, rest = slopes_of(x, expect.array(label, received, x.shape))
    each = rest < 1e-4 and bool(np.abs(slopes).min() > 1e-4)
    expect.that(label, each, "an example's feature goes by more than that feature's numbers.")


# Training and evaluation mode, running statistics


def expect_running(layer, way, *began, after=""):
    """Compare the running statistics; `began`: batches, momentum, and with what they began."""
    mean, variance = way.after(*began)
    expect_row(layer, "running_mean", mean, f"running_mean{after}")
    expect_row(layer, "running_var", variance, f"running_var{after}")


@modes
@pytest.mark.weight(2)
def test_running_statistics_after_one_batch(student, rng):
    """One batch moves the running statistics a tenth of the way from 0 and 1 to its own."""
    layer, x = student.batch_norm.BatchNorm1d(4), batch(rng)
    layer.forward(x)
    expect_running(layer, legal(student), [x], 0.1, np.zeros(4), np.ones(4))


@modes
@pytest.mark.weight(2)
def test_running_statistics_over_several_batches(student, rng):
    """Over batches of several sizes: running <- (1 - momentum) running + momentum batch."""
    for momentum in (0.3, 0.75):
        layer = student.batch_norm.BatchNorm1d(3, momentum=momentum)
        batches = [batch(rng, n, 3) for n in (5, 8, 2, 6)]
        for x in batches:
            layer.forward(x)
        expect_running(layer, legal(student), batches, momentum, np.zeros(3), np.ones(3))


def legal(student):
    """Return the way in which the layer gathers, if it is a legal one, else the usual one."""
    return legal_way(student) or LEGAL[0]


@modes
def test_running_statistics_go_on_from_where_they_are(student, rng):
    """Running statistics that were assigned are what the next batch is let into."""
    layer, x = student.batch_norm.BatchNorm1d(4, momentum=0.2), batch(rng)
    mean, variance = rng.normal(size=4), rng.uniform(1, 3, size=4)
    put(layer, running_mean=mean, running_var=variance)
    layer.forward(x)
    if way := legal_way(student):
        expect_running(layer, way, [x], 0.2, mean, variance)
    else:
        expect_goes_on(student, layer, x, 0.2, mean, variance)


@modes
def test_running_statistics_at_the_ends_of_momentum(student, rng):
    """With momentum 1 the latest batch counts alone, with momentum 0 none does."""
    batches = [batch(rng), batch(rng, 9)]
    for momentum in (1.0, 0.0):
        layer = student.batch_norm.BatchNorm1d(4, momentum=momentum)
        layer.train()
        for x in batches:
            layer.forward(x)
        expect_running(layer, legal(student), batches, momentum, np.zeros(4), np.ones(4))


@modes
@pytest.mark.weight(2)
def test_evaluation_uses_the_running_statistics(student, rng):
    """In evaluation mode running_mean and running_var normalise, with gamma and beta as ever."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    put(layer, running_mean=mean, running_var=variance)
    layer.eval()
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    expect.close("forward output in evaluation mode", layer.forward(x), expected, **NEAR)


@modes
@pytest.mark.weight(2)
def test_evaluation_leaves_the_running_statistics(student, rng):
    """In evaluation mode no batch moves the running statistics, in training mode each does."""
    layer, x = student.batch_norm.BatchNorm1d(4), batch(rng)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    put(layer, running_mean=mean, running_var=variance)
    layer.forward(x)
    before = gathered(layer, mean, variance)
    layer.eval()
    for n in (6, 9):
        expect.array("forward output in evaluation mode", layer.forward(batch(rng, n)), (n, 4))
    if way := legal_way(student):
        expect_running(layer, way, [x], 0.1, mean, variance, after=" after evaluation")
    else:
        expect_still(layer, before, " after evaluation")


def expect_still(layer, before, after=""):
    """The running statistics are what they were."""
    for name, one in zip(("running_mean", "running_var"), before, strict=True):
        # What training makes of them is asked by other tests; here, that nothing more is done.
        expect.repeated(f"{name}{after}", one, get(layer, name, len(one)), **NEAR)


@modes
def test_evaluation_adds_eps_to_the_running_variance(student, rng):
    """eps is added to the running variance too, inside the root, also where that is 0."""
    x, variance = batch(rng), np.array([1.0, 2.0, 1e-4, 0.0])
    for eps in (0.5, 1e-5):
        layer = make(student, 4, eps=eps)
        put(layer, running_var=variance.copy())
        layer.eval()
        label = f"forward output in evaluation mode, eps {eps}"
        expect.close(label, layer.forward(x), x / np.sqrt(variance + eps), **NEAR)


@modes
def test_evaluation_of_one_example_at_a_time(student, rng):
    """In evaluation mode an example comes out the same, alone or with others."""
    layer, x = make(student, 4), batch(rng)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    put(layer, running_mean=mean, running_var=variance)
    layer.eval()
    if not evaluates_rightly(student):
        expect_each_alone(layer, x)
        return
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    for n in range(len(x)):
        label = f"forward output of example {n} alone"
        expect.close(label, layer.forward(x[n : n + 1]), expected[n : n + 1], **NEAR)


@modes
@pytest.mark.weight(2)
def test_evaluation_after_training(student, rng):
    """After some batches of training, evaluation mode uses what they have gathered."""
    layer = student.batch_norm.BatchNorm1d(4, momentum=0.4)
    batches = [batch(rng, n) for n in (7, 5, 9)]
    for given in batches:
        layer.forward(given)
    own = gathered(layer, np.zeros(4), np.ones(4))
    layer.eval()
    x, way = batch(rng), legal_way(student)
    if not way or not evaluates_rightly(student):
        expect_as_by_hand(student, layer, x, *own)
        return
    mean, variance = way.after(batches, 0.4, np.zeros(4), np.ones(4))
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    expect.close("forward output in evaluation mode", layer.forward(x), expected, **NEAR)


@modes
@pytest.mark.weight(2)
def test_there_and_back(student, rng):
    """eval() and train() switch what forward does, as often as they are called."""
    layer, trained = student.batch_norm.BatchNorm1d(4, momentum=0.3), []
    way, own = legal_way(student), (np.zeros(4), np.ones(4))
    for turn in ("first", "second"):
        trained.append(batch(rng))
        layer.train()
        layer.forward(trained[-1])
        began = (trained, 0.3, np.zeros(4), np.ones(4))
        own = gathered(layer, *own)
        if way:
            expect_running(layer, way, *began, after=f", {turn} time in training mode")
        layer.eval()
        x = batch(rng)
        if not way or not evaluates_rightly(student):
            expect_as_by_hand(student, layer, x, *own)
            continue
        mean, variance = way.after(*began)
        expected = (x - mean) / np.sqrt(variance + 1e-5)
        expect.close(f"forward output after the {turn} eval()", layer.forward(x), expected, **NEAR)


@modes
def test_switching_leaves_the_running_statistics(student, rng):
    """eval() and train() switch the mode, and leave what has been gathered as it is."""
    layer, batches = student.batch_norm.BatchNorm1d(4), [batch(rng, n) for n in (6, 8)]
    for given in batches:
        layer.forward(given)
    own, way = gathered(layer, np.zeros(4), np.ones(4)), legal_way(student)
    for name, switch in (("eval()", layer.eval), ("train()", layer.train)):
        switch()
        began = (batches, 0.1, np.zeros(4), np.ones(4))
        if way:
            expect_running(layer, way, *began, after=f" after {name}")
        else:
            expect_still(layer, own, f" after {name}")
