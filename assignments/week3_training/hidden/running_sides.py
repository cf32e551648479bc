"""What tests of the two modes look at where running statistics, or the output by them, are wrong.

Which numbers are gathered, and what is made of them, is a matter of the tests of the values. Others
compare with the layer's own answers: it has to gather something, and to go by it.
"""

import numpy as np

from autograder.suite import expect

from ..suite_tools.rows import NEAR, get, make, put

MEAN, VARIANCE = np.array([0.7, -1.2, 2.0]), np.array([0.5, 2.5, 1.5])
ROWS = np.array([[1.0, -0.5, 4.0], [3.0, 0.25, -2.0]])


def evaluates_rightly(student):
    """Tell whether a layer normalises by running statistics as it should."""
    layer = make(student, 3)
    put(layer, running_mean=MEAN.copy(), running_var=VARIANCE.copy())
    layer.eval()
    received = expect.array("forward output in evaluation mode", layer.forward(ROWS), ROWS.shape)
    return np.allclose(received, (ROWS - MEAN) / np.sqrt(VARIANCE + 1e-5), **NEAR)


def gathered(layer, mean, variance):
    """Return what training has made of running statistics that were as given: it moves both."""
    now = []
    for name, before in (("running_mean", mean), ("running_var", variance)):
        now.append(get(layer, name, len(before)))
        moved = not np.allclose(now[-1], before, **NEAR)
        expect.that(name, moved, "a batch in training mode has not moved it.")
    return tuple(now)


def expect_goes_on(student, layer, x, momentum, mean, variance):
    """What a batch makes of running statistics depends on what they were, whichever way."""
    now = gathered(layer, mean, variance)
    other = student.batch_norm.BatchNorm1d(len(mean), momentum=momentum)
    put(other, running_mean=mean + 1.0, running_var=variance + 1.0)
    other.forward(x)
    for name, one in zip(("running_mean", "running_var"), now, strict=True):
        differ = bool((np.abs(get(other, name, len(one)) - one) > 1e-3).all())
        expect.that(name, differ, "it is the same whatever it was before the batch.")


def expect_as_by_hand(student, layer, x, mean, variance):
    """In evaluation mode the layer does what a new one does that was given these statistics."""
    outputs = []
    for shift in (0.0, 1.0):
        other = make(student, len(mean))
        put(other, running_mean=mean + shift, running_var=variance + shift)
        other.eval()
        outputs.append(expect.array("forward output of a new layer", other.forward(x), x.shape))
    label = "forward output in evaluation mode"
    goes_by = not np.allclose(*outputs, **NEAR)
    expect.that(label, goes_by, "it is the same with other running statistics.")
    # What it should be is asked by other tests; here, that it goes by what training has gathered.
    expect.repeated(label, outputs[0], layer.forward(x), **NEAR)


def expect_each_alone(layer, x):
    """In evaluation mode each example comes out as it does beside the others.

    The layer has to go by running statistics, rightly or not.
    """
    whole = expect.array("forward output", layer.forward(x), x.shape)
    differ = not np.allclose(whole, whole[:1], **NEAR)
    expect.that("forward output", differ, "all examples come out alike.")
    for n in range(len(x)):
        label = f"forward output of example {n} alone"
        # What it should be is asked by other tests; here, that the others make no difference.
        expect.repeated(label, whole[n : n + 1], layer.forward(x[n : n + 1]), **NEAR)
    put(layer, running_mean=x.mean(axis=0) + 1.0, running_var=x.var(axis=0) + 4.0)
    other = expect.array("forward output", layer.forward(x), x.shape)
    goes_by = not np.allclose(other, whole, **NEAR)
    expect.that("forward output", goes_by, "it is the same with other running statistics.")
