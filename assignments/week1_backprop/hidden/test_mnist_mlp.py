"""Hidden tests of mnist_mlp.TwoLayerMLP.

`layers` and `loss_fn` are replaced by made-up ones, or the student's own layers become such.
What is expected comes from the test's numbers in each case.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import something_right

from ..suite_tools.by_hand import OWN_SIZES, listening_mlp
from ..suite_tools.layout import layout_of
from ..suite_tools.made_up import CLASSES, LR, made_up
from .ways import gradients_right, moved, of_mlp, step_of_its_parts, updated

pytestmark = pytest.mark.item("week1.mlp")


@pytest.mark.needs("week1.linear", "week1.relu")
def test_layers(student, rng):
    """layers are Linear(784, 128), ReLU and Linear(128, 10)."""
    model, form = listening_mlp(student), layout_of(student)
    layers = model.layers
    several = isinstance(layers, (list, tuple)) and len(layers) == 3
    expect.that("layers", several, "expected a list of three: Linear, ReLU and Linear.")
    for number, sizes in ((0, (784, 128)), (2, (128, 10))):
        W = form.weights(np.zeros(sizes[::-1]))
        expect.array(f"layers[{number}].W", layers[number].W, W.shape)
    x, parts = rng.normal(size=(5, 784)), made_up(student, rng, layers, OWN_SIZES)
    received = parts.asked.call(model.forward, x)
    expect.close("logits", received, parts.logits(x))


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
        gradients_right(case.parts, case.parts.gradients(case.x, dL_dy))
        case.parts.compare(case.parts.start)

    of_mlp(student, rng, check)


def check_update(student, rng, name):
    """Run forward, backward and update_parameters; compare one kind of parameters."""

    def check(case):
        updated(case, rng.normal(size=(len(case.x), CLASSES)), name)

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
    """train_step does with a batch what forward, backward and update_parameters do."""

    def check(case):
        case.network.train_step(case.x, case.y, LR)
        step_of_its_parts(case)

    of_mlp(student, rng, check)


def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x_batch nor y_batch."""

    def check(case):
        kept_x, kept_y = student.keep(case.x), student.keep(case.y)
        received = case.network.train_step(kept_x, kept_y, LR)
        something_right(
            lambda: expect.close("loss", received, case.value()),
            lambda: moved(case.parts, case.after_a_step()),
        )
        expect.unchanged("x_batch", case.x, student.fetch(kept_x))
        expect.unchanged("y_batch", case.y, student.fetch(kept_y))

    of_mlp(student, rng, check)


def of_either_sign(parts):
    """Give made-up layers other last parameters, so that logits have either sign."""
    if not parts.own:  # those of the student's own layers have
        numbers = parts.start[-1]
        numbers["W"], numbers["b"] = 5.0 * numbers["W"], 0.1 * numbers["b"]
        parts.layers[-1].W, parts.layers[-1].b = numbers["W"], numbers["b"]


def examples(case, rng):
    """Return 20 inputs of clear cases of several classes, and the largest logit's class of each.

    In some of them, if there are any, a negative logit is larger in size than the largest one.
    """
    x = rng.normal(size=(400, case.parts.features))
    logits = case.parts.logits(x)
    best = logits.argmax(axis=1)
    first, second = np.sort(logits, axis=1)[:, :-3:-1].T
    order = np.argsort(second - first)
    rank = np.array([np.sum(best[order[:n]] == best[order[n]]) for n in range(len(order))])
    clear = order[np.argsort(rank, kind="stable")]  # the clearest of each class, then the next
    signed = clear[np.abs(logits).argmax(axis=1)[clear] != best[clear]][:6]
    chosen = np.concatenate([signed, np.setdiff1d(clear, signed, assume_unique=True)])[:20]
    return x[chosen], best[chosen]


@pytest.mark.weight(2)
def test_predict(student, rng):
    """predict returns, for each row, the class with the largest logit, as integers (N,)."""

    def check(case):
        of_either_sign(case.parts)
        x, best = examples(case, rng)
        received = expect.array("predict", case.network.predict(x), best.shape)
        integers = received.dtype.kind in "iu"
        expect.that("predict", integers, f"dtype {received.dtype} is no integer")
        expect.equal("predict", received, best)

    of_mlp(student, rng, check)


def in_form(received, share):
    """Compare accuracies, of all right and of a share, as shares or in percent."""

    def compare(whole):
        expect.close("accuracy, all right", received[0], whole)
        expect.close("accuracy", received[1], share * whole)

    expect.any_of(lambda: compare(1.0), lambda: compare(100.0))


def test_evaluate(student, rng):
    """evaluate returns the share of right predictions: 15 of 20 are 0.75 (or 75 %)."""

    def check(case):
        x, best = examples(case, rng)
        some_wrong = np.where(np.arange(20) < 5, (best + 1) % CLASSES, best)
        received = case.network.evaluate(x, best), case.network.evaluate(x, some_wrong)
        in_form(received, 0.75)

    of_mlp(student, rng, check)
