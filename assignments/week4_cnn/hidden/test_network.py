"""Hidden tests of cnn_layers.ConvNet, with layers of the examiner's in the place of its own."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import something_right

from .lesson import LR, Lesson, moved
from .stand_ins import CLASSES

pytestmark = pytest.mark.item("week4.network")


def expect_all(name, received, wanted):
    """Compare what layers hold, the last layer's first."""
    for key in sorted(received, reverse=True):
        expect.close(f"layers[{key[0]}].{name}", received[key], wanted[key])


@pytest.mark.weight(2)
def test_layers(student):
    """The five layers have weights of the right sizes, for images that are not square too."""
    for sizes, inputs in (((), 72), ((9, 12, 2, 5, 7), 3 * 5 * 5)):
        filters, channels, classes = (sizes[3], sizes[2], sizes[4]) if sizes else (8, 1, 10)
        layers = student.cnn_layers.ConvNet(*sizes).layers
        five = isinstance(layers, (list, tuple)) and len(layers) == 5
        expect.that("layers", five, "expected a list of five layers.")
        for number, shape in ((0, (3, 3, channels, filters)), (4, (inputs, classes))):
            expect.array(f"layers[{number}].W", layers[number].W, shape)
            expect.differ(f"layers[{number}].W", layers[number].W, 0, "it is 0 everywhere.")


def test_generator(student):
    """ConvNet hands its generator to both layers with weights."""
    make, generator = student.cnn_layers.ConvNet, student.probe("generator")
    first, again, other = (make(rng=generator(seed)).layers for seed in (3, 3, 4))
    for number in (0, 4) if draws_from_its_generator(student) else (4,):
        label = f"layers[{number}].W"
        expect.differ(label, first[number].W, 0, "all weights start at 0.")
        # Which weights a seed gives is up to the student; that another gives others comes next.
        expect.repeated(f"{label} from the same seed", first[number].W, again[number].W)
        message = "two seeds gave the same weights."
        expect.differ(f"{label} from another seed", first[number].W, other[number].W, message)


def draws_from_its_generator(student):
    """Find out whether the student's Conv2d does: another test asks that it should."""
    make, generator = student.cnn_layers.Conv2d, student.probe("generator")
    found = (make(1, 2, 3, rng=generator(7)).W for _ in range(2))
    one, other = (expect.array("W", W, (3, 3, 1, 2)) for W in found)
    return np.array_equal(one, other)


@pytest.mark.weight(2)
def test_forward(student, rng):
    """forward hands every layer's output to the next layer, and returns the logits."""
    at = Lesson(student, rng)
    wanted = at.chain.logits(at.x)
    expect.close("logits", at.chain.call(at.model, "forward", at.x), wanted)


@pytest.mark.weight(2)
def test_backward(student, rng):
    """backward goes through the layers from the last to the first; each stores its gradients."""
    at, dL_dy = Lesson(student, rng), rng.normal(size=(4, CLASSES))
    at.chain.call(at.model, "forward", at.x)
    at.chain.call(at.model, "backward", dL_dy)
    wanted = at.chain.gradients(at.x, dL_dy)
    for name in ("dL_dW", "dL_db"):
        expect_all(name, at.held(name, wanted), wanted)


def test_backward_returns_the_input_gradient(student, rng):
    """backward returns dL/dx."""
    at, dL_dy = Lesson(student, rng), rng.normal(size=(4, CLASSES))
    at.chain.call(at.model, "forward", at.x)
    received = at.chain.call(at.model, "backward", dL_dy)
    expect.close("dL_dx", received, at.chain.gradients(at.x, dL_dy)["x"])


def test_train_step_returns_the_loss(student, rng):
    """train_step returns the mean cross-entropy that the batch had before the step."""
    at = Lesson(student, rng)
    wanted, _ = at.loss()
    expect.close("loss", at.step(), wanted)


@pytest.mark.parametrize("name", ["W", "b"])
@pytest.mark.weight(2)
def test_train_step_moves_the_parameters(student, rng, name):
    """train_step changes a layer's parameters by minus lr times their gradient."""
    at = Lesson(student, rng)
    _, slopes = at.loss()
    at.step()
    start = at.start(name)
    wanted = {key: start[key] - LR * slopes[key] for key in start}
    expect_all(name, at.held(name, start), wanted)


def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""
    at = Lesson(student, rng)
    wanted, _ = at.loss()
    kept_x, kept_y = student.keep(at.x), student.keep(at.y)
    received = at.step(kept_x, kept_y)
    something_right(lambda: expect.close("loss", received, wanted), lambda: moved(at))
    expect.unchanged("x", at.x, student.fetch(kept_x))
    expect.unchanged("y", at.y, student.fetch(kept_y))
