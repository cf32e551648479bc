"""Hidden tests of batch_norm.BatchNorm1d: forward in training mode, and the two modes.

In the tests of forward, layers have momentum 0, so that the running statistics have no part in
them. Those of the modes compare with no output of the training mode but the layer's own.
"""

import numpy as np
import pytest

from autograder.suite import expect

forward = pytest.mark.item("week3.batch_norm_forward")
modes = pytest.mark.item("week3.batch_norm_modes")

NEAR = {"rtol": 1e-4, "atol": 1e-5}
"""Near enough also where somebody works in float32."""


def make(student, features, **settings):
    """Return a layer whose running statistics stay as they are."""
    return student.batch_norm.BatchNorm1d(features, **{"momentum": 0.0, **settings})


def batch(rng, n=6, features=4):
    """Return rows whose columns have means and deviations of their own."""
    deviations, means = rng.uniform(0.5, 3, size=features), rng.normal(size=features)
    return means + deviations * rng.normal(size=(n, features))


def parameters(layer, rng, features=4):
    """Give the layer a gamma of both signs and a beta, and return these."""
    signs = np.where(np.arange(features) % 2, -1.0, 1.0)
    gamma, beta = signs * rng.uniform(0.5, 2, size=features), rng.normal(size=features)
    layer.gamma, layer.beta = gamma, beta
    return gamma, beta


def normalised(x, gamma=1.0, beta=0.0, eps=1e-5):
    """Return the output in training mode."""
    centred = x - x.mean(axis=0)
    return gamma * centred / np.sqrt((centred * centred).mean(axis=0) + eps) + beta


# forward


@forward
@pytest.mark.weight(3)
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
    expect.close("forward output", layer.forward(x), normalised(x, gamma, beta), **NEAR)
    expect.close("gamma, read back", layer.gamma, gamma, **NEAR)
    expect.close("beta, read back", layer.beta, beta, **NEAR)


@forward
@pytest.mark.weight(2)
def test_forward_adds_eps_to_the_variance(student, rng):
    """eps is added to the variance, inside the root; the default is 1e-5."""
    x = batch(rng)
    for eps in (0.5, 2.0):
        received = make(student, 4, eps=eps).forward(x)
        expect.close(f"forward output, eps {eps}", received, normalised(x, eps=eps), **NEAR)
    x = 0.003 * x
    expect.close("forward output, small x", make(student, 4).forward(x), normalised(x), **NEAR)


@forward
def test_forward_of_a_feature_that_does_not_vary(student, rng):
    """A feature that is the same in the whole batch comes out as beta, without a warning."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    x[:, 2] = 3.0
    expect.close("forward output", layer.forward(x), normalised(x, gamma, beta), **NEAR)
    warned = [text for text in student.warnings() if "RuntimeWarning" in text]
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


@forward
@pytest.mark.weight(2)
def test_forward_of_large_numbers_that_vary_little(student, rng):
    """Features of 100,000,000 give or take 1 are normalised like any others, in float64."""
    x = rng.normal(size=(8, 3)) + np.array([1e8, -1e8, 0.0])
    expect.close("forward output", make(student, 3).forward(x), normalised(x), **NEAR)


@forward
def test_forward_of_batches_of_other_sizes(student, rng):
    """Batches of 2 and of 40 examples work, with one layer, and so does a single feature."""
    layer = make(student, 4)
    for n in (40, 2):
        x = batch(rng, n)
        expect.close(f"forward output, {n} examples", layer.forward(x), normalised(x), **NEAR)
    x = batch(rng, 5, 1)
    expect.close("forward output, 1 feature", make(student, 1).forward(x), normalised(x), **NEAR)


@forward
def test_forward_of_as_many_examples_as_features(student, rng):
    """In a square batch too, statistics are taken over the examples and not over the features."""
    layer, x = make(student, 5), batch(rng, 5, 5)
    gamma, beta = parameters(layer, rng, 5)
    expect.close("forward output", layer.forward(x), normalised(x, gamma, beta), **NEAR)


@forward
def test_forward_again(student, rng):
    """The same batch gives the same output again, also after another one in between."""
    layer, x = make(student, 4), batch(rng)
    expect.close("forward output", layer.forward(x), normalised(x), **NEAR)
    layer.forward(batch(rng, 9))
    expect.close("forward output, the second time", layer.forward(x), normalised(x), **NEAR)


@forward
def test_forward_keeps_what_it_is_given(student, rng):
    """forward changes neither x nor gamma nor beta."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    kept = student.keep(x)
    expect.array("forward output", layer.forward(kept), x.shape)
    expect.unchanged("x", x, student.fetch(kept))
    expect.close("gamma", layer.gamma, gamma, **NEAR)
    expect.close("beta", layer.beta, beta, **NEAR)


@forward
def test_forward_refuses_other_shapes(student, rng):
    """x of a shape other than (N, num_features) raises a ValueError; (N, num_features) does not."""
    layer = make(student, 3)
    expect.array("forward output", layer.forward(rng.normal(size=(5, 3))), (5, 3))
    for shape in ((5, 1), (5, 4), (3,), (2, 5, 3)):
        label = f"forward of x {shape} with 3 features"
        expect.raises(label, layer.forward, "ValueError", rng.normal(size=shape))


# Training and evaluation mode, running statistics


def gathered(batches, momentum, statistic, start):
    """Return what is left of `start` after the statistics of the batches have been let in."""
    for x in batches:
        start = (1 - momentum) * start + momentum * statistic(x)
    return start


def expect_running(layer, batches, momentum, mean, variance):
    """Compare the running statistics, which began with `mean` and `variance`.

    The variances of the batches may be the biased ones or the unbiased ones, all of them.
    """
    wanted = gathered(batches, momentum, lambda x: x.mean(axis=0), mean)
    expect.close("running_mean", layer.running_mean, wanted, **NEAR)
    received = expect.array("running_var", layer.running_var, variance.shape)
    biased = gathered(batches, momentum, lambda x: x.var(axis=0), variance)
    if not np.allclose(received, biased, **NEAR):
        unbiased = gathered(batches, momentum, lambda x: x.var(axis=0, ddof=1), variance)
        expect.close("running_var", received, unbiased, **NEAR)


@modes
@pytest.mark.weight(2)
def test_running_statistics_after_one_batch(student, rng):
    """One batch moves the running statistics a tenth of the way from 0 and 1 to its own."""
    layer, x = student.batch_norm.BatchNorm1d(4), batch(rng)
    layer.forward(x)
    expect_running(layer, [x], 0.1, np.zeros(4), np.ones(4))


@modes
@pytest.mark.weight(2)
def test_running_statistics_over_several_batches(student, rng):
    """Over batches of several sizes: running <- (1 - momentum) running + momentum batch."""
    for momentum in (0.3, 0.75):
        layer = student.batch_norm.BatchNorm1d(3, momentum=momentum)
        batches = [batch(rng, n, 3) for n in (5, 8, 2, 6)]
        for x in batches:
            layer.forward(x)
        expect_running(layer, batches, momentum, np.zeros(3), np.ones(3))


@modes
def test_running_statistics_go_on_from_where_they_are(student, rng):
    """Running statistics that were assigned are what the next batch is let into."""
    layer, x = student.batch_norm.BatchNorm1d(4, momentum=0.2), batch(rng)
    mean, variance = rng.normal(size=4), rng.uniform(1, 3, size=4)
    layer.running_mean, layer.running_var = mean, variance
    layer.forward(x)
    expect_running(layer, [x], 0.2, mean, variance)


@modes
def test_running_statistics_at_the_ends_of_momentum(student, rng):
    """With momentum 1 the latest batch counts alone, with momentum 0 none does."""
    batches = [batch(rng), batch(rng, 9)]
    for momentum in (1.0, 0.0):
        layer = student.batch_norm.BatchNorm1d(4, momentum=momentum)
        layer.train()
        for x in batches:
            layer.forward(x)
        expect_running(layer, batches, momentum, np.zeros(4), np.ones(4))


@modes
@pytest.mark.weight(2)
def test_evaluation_uses_the_running_statistics(student, rng):
    """In evaluation mode running_mean and running_var normalise, with gamma and beta as ever."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    layer.running_mean, layer.running_var = mean, variance
    layer.eval()
    expected = gamma * (x - mean) / np.sqrt(variance + 1e-5) + beta
    expect.close("forward output in evaluation mode", layer.forward(x), expected, **NEAR)


@modes
@pytest.mark.weight(2)
def test_evaluation_after_training(student, rng):
    """After some batches of training, evaluation mode uses what they have gathered."""
    layer = student.batch_norm.BatchNorm1d(4, momentum=0.4)
    for n in (7, 5, 9):
        layer.forward(batch(rng, n))
    layer.eval()
    x = batch(rng)
    mean = expect.array("running_mean", layer.running_mean, (4,))
    variance = expect.array("running_var", layer.running_var, (4,))
    expected = (x - mean) / np.sqrt(variance + 1e-5)
    expect.close("forward output in evaluation mode", layer.forward(x), expected, **NEAR)


@modes
@pytest.mark.weight(2)
def test_evaluation_leaves_the_running_statistics(student, rng):
    """In evaluation mode no batch moves the running statistics."""
    layer = student.batch_norm.BatchNorm1d(4)
    mean, variance = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    layer.running_mean, layer.running_var = mean, variance
    layer.eval()
    for n in (6, 9):
        expect.array("forward output in evaluation mode", layer.forward(batch(rng, n)), (n, 4))
    expect.close("running_mean after evaluation", layer.running_mean, mean, **NEAR)
    expect.close("running_var after evaluation", layer.running_var, variance, **NEAR)


@modes
def test_evaluation_adds_eps_to_the_running_variance(student, rng):
    """eps is added to the running variance too, inside the root, also where that is 0."""
    x, variance = batch(rng), np.array([1.0, 2.0, 1e-4, 0.0])
    for eps in (0.5, 1e-5):
        layer = make(student, 4, eps=eps)
        layer.running_var = variance.copy()
        layer.eval()
        label = f"forward output in evaluation mode, eps {eps}"
        expect.close(label, layer.forward(x), x / np.sqrt(variance + eps), **NEAR)


@modes
def test_evaluation_of_one_example_at_a_time(student, rng):
    """In evaluation mode an example comes out the same, alone or with others."""
    layer, x = make(student, 4), batch(rng)
    layer.running_mean, layer.running_var = rng.normal(size=4), rng.uniform(0.5, 3, size=4)
    layer.eval()
    together = expect.array("forward output in evaluation mode", layer.forward(x), x.shape)
    for n in range(len(x)):
        label = f"forward output of example {n} alone"
        expect.close(label, layer.forward(x[n : n + 1]), together[n : n + 1], **NEAR)


@modes
@pytest.mark.weight(2)
def test_there_and_back(student, rng):
    """eval() and train() switch `training` and what forward does, as often as they are called."""
    layer, x = make(student, 4), batch(rng)
    first = expect.array("forward output in training mode", layer.forward(x), x.shape)
    for turn in ("first", "second"):
        layer.eval()
        expect.equal("training after eval()", layer.training, False)
        evaluated = layer.forward(x)
        expected = x / np.sqrt(1 + 1e-5)
        expect.close(f"forward output after the {turn} eval()", evaluated, expected, **NEAR)
        layer.train()
        expect.equal("training after train()", layer.training, True)
        expect.close(f"forward output after the {turn} train()", layer.forward(x), first, **NEAR)


@modes
def test_switching_leaves_the_running_statistics(student, rng):
    """eval() and train() switch the mode, and leave what has been gathered as it is."""
    layer = student.batch_norm.BatchNorm1d(4)
    for n in (6, 8):
        layer.forward(batch(rng, n))
    mean = expect.array("running_mean", layer.running_mean, (4,))
    variance = expect.array("running_var", layer.running_var, (4,))
    for name, switch in (("eval()", layer.eval), ("train()", layer.train)):
        switch()
        expect.equal(f"training after {name}", layer.training, name == "train()")
        expect.close(f"running_mean after {name}", layer.running_mean, mean, **NEAR)
        expect.close(f"running_var after {name}", layer.running_var, variance, **NEAR)


@modes
@pytest.mark.weight(2)
def test_a_batch_of_one(student, rng):
    """A batch of one example raises a ValueError in training mode, and works in evaluation mode."""
    layer, x = student.batch_norm.BatchNorm1d(4), batch(rng, 1)
    expect.array("forward output of two examples", layer.forward(batch(rng, 2)), (2, 4))
    mean = expect.array("running_mean", layer.running_mean, (4,))
    label = "forward of one example in training mode"
    expect.raises(label, layer.forward, "ValueError", x)
    expect.close("running_mean after the refused batch", layer.running_mean, mean, **NEAR)
    layer.running_mean, layer.running_var = np.ones(4), np.full(4, 4.0)
    layer.eval()
    expected = (x - 1) / np.sqrt(4 + 1e-5)
    expect.close("forward output of one example, evaluated", layer.forward(x), expected, **NEAR)


@modes
def test_evaluation_keeps_what_it_is_given(student, rng):
    """In evaluation mode forward changes neither x nor gamma nor beta."""
    layer, x = make(student, 4), batch(rng)
    gamma, beta = parameters(layer, rng)
    layer.eval()
    kept = student.keep(x)
    expect.array("forward output in evaluation mode", layer.forward(kept), x.shape)
    expect.unchanged("x", x, student.fetch(kept))
    expect.close("gamma", layer.gamma, gamma, **NEAR)
    expect.close("beta", layer.beta, beta, **NEAR)
