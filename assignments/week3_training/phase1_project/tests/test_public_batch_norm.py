"""Public tests of models/layers.py: BatchNorm2d, on a small batch."""

import numpy as np
import pytest

from autograder.suite import derivatives, expect

pytestmark = pytest.mark.item("project.batch_norm")

X = np.array(
    [
        [[[1.0, 2.0], [0.5, -1.0]], [[10.0, 14.0], [12.0, 8.0]]],
        [[[3.0, -2.0], [0.0, 4.5]], [[9.0, 11.0], [13.0, 11.0]]],
    ],
    np.float32,
)
"""Two images of 2 x 2 pixels with two channels: shape (2, 2, 2, 2)."""
UPSTREAM = np.array([1.0, -2.0, 0.5, 3.0, 0.0, 1.5, -1.0, 2.0] * 2, np.float32).reshape(2, 2, 2, 2)
WEIGHT, BIAS = np.array([2.0, -0.5], np.float32), np.array([1.0, 3.0], np.float32)
NEAR = {"rtol": 1e-4, "atol": 1e-4}


def layer_of(student, **settings):
    """Return a layer for two channels with a weight and a bias."""
    layer = student.module("models.layers").BatchNorm2d(2, **settings)
    student.drive("fill", layer, {"weight": WEIGHT, "bias": BIAS})
    return layer


def flat(label, received, channels):
    """Return one number per channel, of an array of shape (C,) or (1, C, 1, 1)."""
    spread = type(received) is np.ndarray and received.shape == (1, channels, 1, 1)
    shape = (1, channels, 1, 1) if spread else (channels,)
    return expect.array(label, received, shape).reshape(channels)


def expect_flat(label, received, wanted):
    """Compare one number per channel, of shape (C,) or (1, C, 1, 1)."""
    expect.close(label, flat(label, received, len(wanted)), wanted, **NEAR)


def per_channel(numbers):
    return np.reshape(numbers, (1, 2, 1, 1))


def by_statistics(x, mean, variance, eps=1e-5):
    """Return weight (x - mean) / sqrt(variance + eps) + bias, with numbers for each channel."""
    x_hat = (x - per_channel(mean)) / np.sqrt(per_channel(variance) + eps)
    return per_channel(WEIGHT) * x_hat + per_channel(BIAS)


def statistics(x):
    """Return the mean and the biased variance of each channel, one channel after the other."""
    channels = [x[:, 0].ravel(), x[:, 1].ravel()]
    return [channel.mean() for channel in channels], [channel.var() for channel in channels]


def test_parameters_and_buffers(student):
    """weight and bias are parameters, running_mean and running_var are in the state dict."""
    layer = student.module("models.layers").BatchNorm2d(3)
    found = student.drive("shapes", layer)
    expect.equal("names of the parameters", sorted(found["parameters"]), ["bias", "weight"])
    for name in ("running_mean", "running_var"):
        shape = found["buffers"].get(name)
        fine = shape in ([3], [1, 3, 1, 1])
        message = "it is no buffer of shape (3,): register_buffer makes one."
        expect.that(name, fine, message)


def test_training_mode(student):
    """In training mode the batch's own mean and variance normalise each channel."""
    received = student.drive("run", layer_of(student), X, True)
    wanted = by_statistics(X.astype(np.float64), *statistics(X.astype(np.float64)))
    expect.close("output in training mode", received, wanted, **NEAR)


def test_batches_of_other_sizes(student):
    """Each batch is normalised by its own statistics, whatever the batch before it was."""
    layer = layer_of(student)
    for x in (X, X[:1], 2.0 * X[:, :, :1] - 1.0):
        received = student.drive("run", layer, x, True)
        wanted = by_statistics(x.astype(np.float64), *statistics(x.astype(np.float64)))
        expect.close(f"output of a batch of shape {x.shape}", received, wanted, **NEAR)


def test_eps(student):
    """eps is added to the variance, under the root."""
    received = student.drive("run", layer_of(student, eps=2.0), X, True)
    wanted = by_statistics(X, *statistics(X), eps=2.0)
    expect.close("output in training mode, eps 2", received, wanted, **NEAR)


def test_running_statistics(student):
    """A batch moves the running statistics by the share `momentum` from 0 and 1 to its own."""
    layer = layer_of(student, momentum=0.25)
    student.drive("run", layer, X, True)
    mean, variance = (np.array(numbers) for numbers in statistics(X))
    expect_flat("running_mean", layer.running_mean, 0.25 * mean)
    received = flat("running_var", layer.running_var, 2)
    if not np.allclose(received, 0.75 + 0.25 * variance, rtol=1e-4):  # the biased one will do too
        expect.close("running_var", received, 0.75 + 0.25 * variance * 8 / 7, **NEAR)


def test_evaluation_mode(student):
    """In evaluation mode the running statistics normalise, and stay as they are."""
    layer = layer_of(student)
    mean, variance = np.array([1.0, 10.0], np.float32), np.array([4.0, 0.25], np.float32)
    student.drive("fill", layer, {"running_mean": mean, "running_var": variance})
    received = student.drive("run", layer, X, False)
    expect.close("output in evaluation mode", received, by_statistics(X, mean, variance), **NEAR)
    expect_flat("running_mean afterwards", layer.running_mean, mean)
    expect_flat("running_var afterwards", layer.running_var, variance)


def test_gradients(student):
    """Gradients go through the batch's mean and variance too."""
    found = student.drive("pullback", layer_of(student), X, UPSTREAM, True)
    mean, variance = statistics(X.astype(np.float64))
    x_hat = (X - per_channel(mean)) / np.sqrt(per_channel(variance) + 1e-5)
    weight, bias = derivatives.vjp(
        lambda weight, bias: per_channel(weight) * x_hat + per_channel(bias),
        [WEIGHT, BIAS],
        UPSTREAM,
    )
    expect_flat("gradient of weight", found["gradients"].get("weight"), weight)
    expect_flat("gradient of bias", found["gradients"].get("bias"), bias)
    received = expect.array("gradient of x", found["dx"], X.shape)
    places = [(0, 0, 0, 0), (1, 0, 1, 1), (0, 1, 0, 1), (1, 1, 1, 0)]
    slopes = np.array([slope_at(place) for place in places])
    label = f"gradient of x at {', '.join(map(str, places))}"
    at_places = np.array([received[place] for place in places])
    expect.close(label, at_places, slopes, rtol=1e-3, atol=1e-3)


def slope_at(index, step=1e-4):
    """Measure how sum(UPSTREAM * output) changes with one entry of x, by a central difference."""
    sums = []
    for sign in (1.0, -1.0):
        there = X.astype(np.float64)
        there[index] += sign * step
        sums.append(np.sum(UPSTREAM * by_statistics(there, *statistics(there))))
    return (sums[0] - sums[1]) / (2 * step)


@pytest.mark.item("project.robustness")
@pytest.mark.needs("project.batch_norm")
def test_refuses(student):
    """Beyond the texts: odd shapes, and one value per channel in training, raise a ValueError."""
    layer = student.module("models.layers").BatchNorm2d(2)
    expect.array("output", student.drive("run", layer, X, True), X.shape)
    for shape in ((2, 2), (2, 3, 4, 4), (1, 2, 1, 1)):
        x = student.prepare("tensor", np.ones(shape, np.float32))
        expect.raises(f"x of shape {shape}", layer, "ValueError", x)


@pytest.mark.item("project.robustness")
@pytest.mark.needs("project.batch_norm")
def test_keeps_x(student):
    """Beyond the texts: the layer does not change the batch that it is given."""
    layer, x = layer_of(student), student.prepare("tensor", X)
    received = student.fetch(layer(x))
    wanted = by_statistics(X.astype(np.float64), *statistics(X.astype(np.float64)))
    expect.close("output", received, wanted, **NEAR)
    expect.unchanged("x", X, student.fetch(x))
