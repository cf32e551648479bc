"""Hidden tests of models/layers.py: BatchNorm2d.

Expected values are worked out in NumPy, in float64, and gradients by complex steps. Where what is
gathered, or an output, is wrong already, tests of something else look at that alone.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from .channels import AXES, expect_flat, flat, normalised, spread

pytestmark = pytest.mark.item("project.batch_norm")

NEAR = {"rtol": 2e-5, "atol": 2e-5}
"""Near enough for float32 at activations of size 1."""


def layer_of(student, channels, **settings):
    """Return a new layer."""
    return student.module("models.layers").BatchNorm2d(channels, **settings)


def images(rng, shape=(4, 3, 5, 6)):
    """Return float32 images whose channels have means and deviations of their own."""
    per_channel = (1, shape[1], 1, 1)
    scale, mean = rng.uniform(0.5, 3, per_channel), 2 * rng.normal(size=per_channel)
    return (mean + scale * rng.normal(size=shape)).astype(np.float32)


def apply(student, layer, x, training, layout=""):
    """Return the layer's output for x in one of the two modes, with the shape of x for certain."""
    output = student.drive("run", layer, student.prepare("tensor", x, layout), training)
    mode = "training" if training else "evaluation"
    return expect.array(f"output in {mode} mode", output, x.shape)


def parameters(student, layer, rng, channels=3):
    """Give the layer a weight of both signs and a bias, and return these."""
    signs = np.where(np.arange(channels) % 2, -1.0, 1.0)
    weight = (signs * rng.uniform(0.5, 2, channels)).astype(np.float32)
    bias = rng.normal(size=channels).astype(np.float32)
    student.drive("fill", layer, {"weight": weight, "bias": bias})
    return weight, bias


def buffers(student, layer, rng, channels=3):
    """Give the layer running statistics, and return these."""
    mean = rng.normal(size=channels).astype(np.float32)
    variance = rng.uniform(0.5, 3, channels).astype(np.float32)
    student.drive("fill", layer, {"running_mean": mean, "running_var": variance})
    return mean, variance


# What the layer holds


def test_parameters_and_buffers(student):
    """weight and bias are parameters, running_mean and running_var buffers, of shape (C,)."""
    found = student.drive("shapes", layer_of(student, 5))
    parameters, rest = (found.get(kind) for kind in ("parameters", "buffers"))
    expect.that(
        "parameters",
        type(parameters) is dict and _flat_shapes(parameters) == {"weight": 5, "bias": 5},
        "an optimizer that is given layer.parameters() should find weight and bias, of shape (C,), "
        "and nothing else.",
    )
    running = _flat_shapes(rest) if type(rest) is dict else {}
    expect.that(
        "buffers",
        running.get("running_mean") == running.get("running_var") == 5,
        "the state dict should have running_mean and running_var, of shape (C,), which are no "
        "parameters: register_buffer makes them.",
    )


def _flat_shapes(shapes):
    """Return how many numbers there are in arrays of shape (C,) or (1, C, 1, 1), else 0."""
    counts = {(5,): 5, (1, 5, 1, 1): 5}
    return {name: counts.get(tuple(shape), 0) for name, shape in shapes.items()}


def test_a_new_layer(student):
    """At first weight and running_var are ones, bias and running_mean zeros."""
    state = student.drive("state_of", layer_of(student, 4))
    for name, value in (("weight", 1.0), ("bias", 0.0), ("running_mean", 0.0)):
        expect_flat(name, state.get(name), np.full(4, value))
    expect_flat("running_var", state.get("running_var"), np.ones(4))


def test_two_layers_share_nothing(student, rng):
    """What happens to one layer leaves another one as it is."""
    first, second = layer_of(student, 3), layer_of(student, 3)
    parameters(student, first, rng)
    x = images(rng)
    expect_work(apply(student, first, x, True), x)
    expect_flat("running_mean of the other layer", second.running_mean, np.zeros(3))
    received = apply(student, second, x, True)
    alone = apply(student, layer_of(student, 3), x, True)
    expect_right_or_own("output of the other layer", received, normalised(x), alone)


# Training mode


@pytest.mark.weight(3)
def test_training_normalises_each_channel(student, rng):
    """In training mode each channel comes out with mean 0 and (biased) variance 1 over N, H, W."""
    x = images(rng)
    received = apply(student, layer_of(student, 3), x, True)
    expect.close("output in training mode", received, normalised(x), **NEAR)


@pytest.mark.weight(2)
def test_weight_and_bias(student, rng):
    """The output is weight * x_hat + bias, with the weight and bias of each channel."""
    layer, x = layer_of(student, 3), images(rng)
    weight, bias = parameters(student, layer, rng)
    received = apply(student, layer, x, True)
    expect.close("output in training mode", received, normalised(x, weight, bias), **NEAR)


def test_eps(student, rng):
    """eps is added to the variance, inside the root; the default is 1e-5."""
    x = images(rng)
    for eps in (0.5, 2.0):
        received = apply(student, layer_of(student, 3, eps=eps), x, True)
        expect.close(f"output, eps {eps}", received, normalised(x, eps=eps), **NEAR)
    x = (0.003 * (x - x.mean(axis=AXES, keepdims=True))).astype(np.float32)
    received = apply(student, layer_of(student, 3), x, True)
    expect.close("output, small x", received, normalised(x.astype(np.float64)), **NEAR)


def test_channels_as_many_as_images(student, rng):
    """Where N, C, H and W are equal too, the statistics are those of each channel."""
    layer, x = layer_of(student, 4), images(rng, (4, 4, 4, 4))
    weight, bias = parameters(student, layer, rng, 4)
    received = apply(student, layer, x, True)
    expect.close("output in training mode", received, normalised(x, weight, bias), **NEAR)


def test_batches_of_other_shapes(student, rng):
    """Batches of other sizes work, with one layer: a single image, a single pixel, wide images."""
    layer = layer_of(student, 3)
    for shape in ((1, 3, 4, 4), (5, 3, 1, 1), (2, 3, 1, 9), (1, 3, 1, 2)):
        x = images(rng, shape)
        received = apply(student, layer, x, True)
        wanted = normalised(x.astype(np.float64))
        # With two values per channel, rounding in their difference counts.
        expect.close(f"output, input of shape {shape}", received, wanted, rtol=1e-3, atol=1e-3)


# Gradients


@pytest.mark.long
@pytest.mark.weight(2)
def test_gradients_in_training_mode(student, rng):
    """Gradients flow to x (through mean and variance too), weight and bias."""
    layer, x = layer_of(student, 3), images(rng, (3, 3, 2, 2))
    weight, bias = parameters(student, layer, rng)
    upstream = rng.normal(size=x.shape).astype(np.float32)
    found = student.drive("pullback", layer, x, upstream, True)
    dx, dweight, dbias = vjp(normalised, [x, weight, bias], upstream)
    near = {"rtol": 1e-4, "atol": 1e-4}
    expect_flat("gradient of weight", found["gradients"].get("weight"), dweight, **near)
    expect_flat("gradient of bias", found["gradients"].get("bias"), dbias, **near)
    expect.close("gradient of x", found["dx"], dx, **near)


@pytest.mark.long
def test_gradients_in_evaluation_mode(student, rng):
    """In evaluation mode the running statistics are constants for the gradient."""
    layer, x = layer_of(student, 3), images(rng, (3, 3, 2, 2))
    weight, _ = parameters(student, layer, rng)
    mean, variance = buffers(student, layer, rng)
    upstream = rng.normal(size=x.shape).astype(np.float32)
    found = student.drive("pullback", layer, x, upstream, False)
    x_hat = (x - spread(mean)) / np.sqrt(spread(variance) + 1e-5)
    near = {"rtol": 1e-4, "atol": 1e-4}
    wanted = np.sum(upstream * x_hat, axis=AXES)
    expect_flat("gradient of weight", found["gradients"].get("weight"), wanted, **near)
    wanted = upstream * spread(weight) / np.sqrt(spread(variance) + 1e-5)
    expect.close("gradient of x", found["dx"], wanted, **near)


# Running statistics


def correction_of(student):
    """Find out which variance goes into running_var: return 1 if it is the unbiased one, else 0."""
    _, variance = gathered_of_a_pair(student)
    return int(abs(variance - 1.0) > 0.01)


def gathered_of_a_pair(student):
    """Return the running statistics after 1 and 3, by momentum 0.5 from 0 and 1.

    The biased variance of these is 1 and the unbiased one 2, so 1 and 1, or 1 and 1.5, are right.
    """
    layer = layer_of(student, 1, momentum=0.5)
    pair = np.array([1.0, 3.0], np.float32).reshape(2, 1, 1, 1)
    student.drive("run", layer, pair, True)
    return [float(one[0]) for one in statistics_of(layer, 1)]


def gathers_rightly(student):
    """Tell whether running statistics go on as they should: from 0 and 1, and from elsewhere."""
    mean, variance = gathered_of_a_pair(student)
    first = abs(mean - 1.0) < 0.01 and min(abs(variance - 1.0), abs(variance - 1.5)) < 0.01
    layer, x = layer_of(student, 1, momentum=0.25), np.array([1.0, 3.0, 5.0, 11.0], np.float32)
    student.drive("run", layer, x.reshape(4, 1, 1, 1), True)
    mean, variance = (float(one[0]) for one in statistics_of(layer, 1))
    near = [abs(variance - 0.75 - 0.25 * x.var(ddof=ddof)) for ddof in (0, 1)]
    return first and abs(mean - 1.25) < 0.01 and min(near) < 0.01


def statistics_of(layer, channels):
    """Return running_mean and running_var, one number for each channel."""
    names = ("running_mean", "running_var")
    return [flat(name, getattr(layer, name), channels) for name in names]


def expect_moved(layer, mean, variance):
    """Return the running statistics, which a batch in training has moved from the given ones."""
    now = statistics_of(layer, len(mean))
    for name, one, before in zip(
        ("running_mean", "running_var"), now, (mean, variance), strict=True
    ):
        moved = not np.allclose(one, before, **NEAR)
        expect.that(name, moved, "a batch in training mode has not moved it.")
    return now


def expect_still(layer, before):
    """The running statistics are what they were."""
    for name, one, now in zip(
        ("running_mean", "running_var"), before, statistics_of(layer, len(before[0])), strict=True
    ):
        # What training makes of them is asked by other tests; here, that nothing more is done.
        expect.repeated(name, one, now, **NEAR)


def expect_work(received, x):
    """What comes out is not what went in."""
    received = expect.array("output in training mode", received, x.shape)
    done = not np.allclose(received, x, **NEAR)
    expect.that("output in training mode", done, "it is x itself.")


def expect_right_or_own(label, received, wanted, own):
    """An output is right; or, where the plain one is wrong too, what that is."""
    if np.allclose(own, wanted, **NEAR):
        expect.close(label, received, wanted, **NEAR)
    else:
        # What it should be is asked by other tests.
        expect.repeated(label, own, received, **NEAR)


def expect_running(student, layer, batches, momentum, mean, variance):
    """Compare the running statistics; the batches' variances are all biased, or all unbiased."""
    means = [x.mean(axis=AXES, dtype=np.float64) for x in batches]
    expect_flat("running_mean", layer.running_mean, gathered(means, momentum, mean), **NEAR)
    ddof = correction_of(student)
    variances = [x.var(axis=AXES, dtype=np.float64, ddof=ddof) for x in batches]
    expect_flat("running_var", layer.running_var, gathered(variances, momentum, variance), **NEAR)


def gathered(statistics, momentum, start):
    """Return what is left of `start` after the statistics have been let in one by one."""
    for statistic in statistics:
        start = (1 - momentum) * start + momentum * statistic
    return start


@pytest.mark.weight(2)
def test_running_statistics_after_one_batch(student, rng):
    """One batch moves the running statistics a tenth of the way from 0 and 1 to its own."""
    layer, x = layer_of(student, 3), images(rng)
    apply(student, layer, x, True)
    expect_running(student, layer, [x], 0.1, np.zeros(3), np.ones(3))


def test_running_statistics_over_several_batches(student, rng):
    """Over several batches: running <- (1 - momentum) running + momentum batch."""
    for momentum in (0.3, 1.0):
        layer = layer_of(student, 3, momentum=momentum)
        batches = [images(rng, (n, 3, 4, 5)) for n in (4, 2, 6)]
        for x in batches:
            apply(student, layer, x, True)
        expect_running(student, layer, batches, momentum, np.zeros(3), np.ones(3))


def test_running_statistics_go_on_from_where_they_are(student, rng):
    """A batch is let into the statistics that a state dict has brought, and into no others."""
    layer, x = layer_of(student, 3, momentum=0.25), images(rng)
    mean, variance = buffers(student, layer, rng)
    apply(student, layer, x, True)
    if gathers_rightly(student):
        expect_running(student, layer, [x], 0.25, mean, variance)
        return
    now, other = expect_moved(layer, mean, variance), layer_of(student, 3, momentum=0.25)
    moved = {"running_mean": mean + 1, "running_var": variance + 1}
    student.drive("fill", other, moved)
    apply(student, other, x, True)
    for name, one, two in zip(moved, now, statistics_of(other, 3), strict=True):
        differ = bool((np.abs(one - two) > 1e-3).all())
        expect.that(name, differ, "it is the same whatever it was before the batch.")


def test_running_statistics_record_no_gradients(student, rng):
    """Nothing is differentiated through the running statistics: they belong to no graph."""
    layer, x = layer_of(student, 3), images(rng)
    for _ in range(2):  # a graph kept from the first pass would break the second backward
        found = student.drive("pullback", layer, x, np.ones_like(x), True)
        expect.array("gradient of x", found["dx"], x.shape)
        for name in ("running_mean", "running_var"):
            buffer = getattr(layer, name)
            flat(name, buffer, 3)
            held = student.drive("requires_grad", layer, name)
            expect.equal(f"{name}.requires_grad", held, False)
    if gathers_rightly(student):
        expect_running(student, layer, [x, x], 0.1, np.zeros(3), np.ones(3))
    else:
        expect_moved(layer, np.zeros(3), np.ones(3))


# Evaluation mode


@pytest.mark.weight(3)
def test_evaluation_uses_the_running_statistics(student, rng):
    """In evaluation mode running_mean and running_var normalise, with weight and bias as ever."""
    layer, x = layer_of(student, 3), images(rng)
    weight, bias = parameters(student, layer, rng)
    mean, variance = buffers(student, layer, rng)
    wanted = spread(weight) * (x - spread(mean)) / np.sqrt(spread(variance) + 1e-5) + spread(bias)
    received = apply(student, layer, x, False)
    expect.close("output in evaluation mode", received, wanted, **NEAR)
    received = apply(student, layer, x[1:2], False)
    expect.close("output for one image alone", received, wanted[1:2], **NEAR)
    pixel = apply(student, layer, x[:1, :, :1, :1], False)
    expect.close("output for one pixel alone", pixel, wanted[:1, :, :1, :1], **NEAR)


@pytest.mark.weight(2)
def test_evaluation_leaves_the_running_statistics(student, rng):
    """In evaluation mode no batch moves the running statistics, in training mode each does."""
    layer, x = layer_of(student, 3), images(rng)
    mean, variance = buffers(student, layer, rng)
    apply(student, layer, x, True)
    before = expect_moved(layer, mean, variance)
    for _ in range(2):
        apply(student, layer, images(rng), False)
    if gathers_rightly(student):
        expect_running(student, layer, [x], 0.1, mean, variance)
    else:
        expect_still(layer, before)


def test_evaluation_adds_eps_to_the_running_variance(student, rng):
    """eps is added to the running variance too, inside the root, also where that is 0."""
    x, variance = images(rng), np.array([1.0, 0.01, 0.0], np.float32)
    for eps in (0.5, 2.0):
        layer = layer_of(student, 3, eps=eps)
        student.drive("fill", layer, {"running_var": variance})
        received = apply(student, layer, x, False)
        wanted = x / np.sqrt(spread(variance) + eps)
        expect.close(f"output in evaluation mode, eps {eps}", received, wanted, **NEAR)


def test_there_and_back(student, rng):
    """train() and eval() switch what forward does, as often as they are called."""
    layer, x = layer_of(student, 3), images(rng)
    for turn in ("first", "second"):
        received, plain = apply(student, layer, x, True), layer_of(student, 3)
        own = apply(student, plain, x, True)
        label = f"output, training mode, {turn} time"
        expect_right_or_own(label, received, normalised(x), own)
        mean, variance = buffers(student, layer, rng)
        student.drive("fill", plain, {"running_mean": mean, "running_var": variance})
        received, beside = apply(student, layer, x, False), own
        own = apply(student, plain, x, False)
        wanted = (x - spread(mean)) / np.sqrt(spread(variance) + 1e-5)
        expect_right_or_own(f"output, evaluation mode, {turn} time", received, wanted, own)
        differ = not np.allclose(own, beside, **NEAR)
        expect.that("outputs in both modes", differ, "they are the same.")
