"""Hidden tests of mnist_mlp.TwoLayerMLP.

`layers` and `loss_fn` are replaced by made-up ones, or the student's own layers get known weights.
What is expected comes from the test's numbers in each case.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.made_up import CLASSES, LR
from .ways import of_mlp

pytestmark = pytest.mark.item("week1.mlp")


@pytest.mark.needs("week1.linear", "week1.relu")
def test_layers(student, rng):
    """layers are Linear(784, 128), ReLU and Linear(128, 10)."""
    model = student.mnist_mlp.TwoLayerMLP()
    layers = model.layers
    several = isinstance(layers, (list, tuple)) and len(layers) == 3
    expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")
    for number, sizes in ((0, (784, 128)), (2, (128, 10))):
        shape = expect.shape_of(f"layers[{number}].W", layers[number].W)
        message = f"expected Linear{sizes}, got weights of shape {shape}."
        expect.that(f"layers[{number}]", sorted(shape) == sorted(sizes), message)
    expect.array("logits", model.forward(rng.normal(size=(5, 784))), (5, 10))


@pytest.mark.weight(2)
def test_forward(student, rng):
    """forward runs all layers, first to last, and returns logits."""

    def check(case):
        expect.close("logits", case.network.forward(case.x), case.parts.logits(case.x))

    of_mlp(student, rng, check)


@pytest.mark.weight(2)
def test_backward(student, rng):
    """backward goes back through all layers, last to first; each stores its gradients."""

    def check(case):
        dL_dy = rng.normal(size=(len(case.x), CLASSES))
        case.network.forward(case.x)
        case.network.backward(dL_dy)
        case.parts.compare(case.parts.gradients(case.x, dL_dy), gradients=True)

    of_mlp(student, rng, check)


def test_backward_changes_no_parameter(student, rng):
    """backward computes gradients and changes no parameter: that is update_parameters' task."""

    def check(case):
        dL_dy = rng.normal(size=(len(case.x), CLASSES))
        case.network.forward(case.x)
        case.network.backward(dL_dy)
        case.parts.compare(case.parts.gradients(case.x, dL_dy), gradients=True, names="b")
        case.parts.compare(case.parts.start)

    of_mlp(student, rng, check)


def check_update(student, rng, name):
    """Run forward, backward and update_parameters; compare one kind of parameters."""

    def check(case):
        dL_dy = rng.normal(size=(len(case.x), CLASSES))
        case.network.forward(case.x)
        case.network.backward(dL_dy)
        case.network.update_parameters(LR)
        case.parts.compare(case.parts.after(case.x, dL_dy, LR), names=name)

    of_mlp(student, rng, check)


@pytest.mark.weight(2)
def test_update_parameters(student, rng):
    """update_parameters changes W to W - lr dL_dW in both layers that have weights."""
    check_update(student, rng, "W")


def test_update_parameters_includes_biases(student, rng):
    """update_parameters changes b to b - lr dL_db in both layers that have biases."""
    check_update(student, rng, "b")


def test_train_step_returns_the_loss(student, rng):
    """train_step returns the loss that the batch had before the update."""

    def check(case):
        expect.close("loss", case.network.train_step(case.x, case.y, LR), case.value())

    of_mlp(student, rng, check)


@pytest.mark.weight(2)
def test_train_step_learns(student, rng):
    """train_step moves all parameters against their gradients, by lr."""

    def check(case):
        case.network.train_step(case.x, case.y, LR)
        case.parts.compare(case.after_a_step())

    of_mlp(student, rng, check)


def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x_batch nor y_batch."""

    def check(case):
        kept_x, kept_y = student.keep(case.x), student.keep(case.y)
        case.network.train_step(kept_x, kept_y, LR)
        case.parts.compare(case.after_a_step(), names="b")
        expect.unchanged("x_batch", case.x, student.fetch(kept_x))
        expect.unchanged("y_batch", case.y, student.fetch(kept_y))

    of_mlp(student, rng, check)


def examples(case, rng):
    """Return 20 inputs of clear cases, and the class with the largest logit of each."""
    x = rng.normal(size=(200, case.parts.features))
    logits = case.parts.logits(x)
    first, second = np.sort(logits, axis=1)[:, :-3:-1].T
    clear = np.argsort(second - first)[:20]
    return x[clear], logits[clear].argmax(axis=1)


@pytest.mark.weight(2)
def test_predict(student, rng):
    """predict returns, for each row, the class with the largest logit, as integers (N,)."""

    def check(case):
        x, best = examples(case, rng)
        received = expect.array("predict", case.network.predict(x), best.shape)
        integers = received.dtype.kind in "iu"
        expect.that("predict", integers, f"dtype {received.dtype} is no integer")
        expect.equal("predict", received, best)

    of_mlp(student, rng, check)


def test_evaluate(student, rng):
    """evaluate returns the share of right predictions: 15 of 20 are 0.75 (or 75 %)."""

    def check(case):
        x, best = examples(case, rng)
        all_right = expect.array("accuracy", case.network.evaluate(x, best), ())
        whole = 100.0 if np.isclose(all_right, 100.0) else 1.0
        expect.close("accuracy, all right", all_right, whole)
        some_wrong = np.where(np.arange(20) < 5, (best + 1) % CLASSES, best)
        expect.close("accuracy", case.network.evaluate(x, some_wrong), 0.75 * whole)

    of_mlp(student, rng, check)
