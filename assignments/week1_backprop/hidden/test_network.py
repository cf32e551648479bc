"""Hidden tests of neural_net.Network.

The layers are made-up ones. Which loss `train_step` lowers is found out first: the cross-entropy of
class indices, or another one of the network's own.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import right_but_for_a_factor, something_right

from ..suite_tools.made_up import CLASSES, LR
from .ways import moved, of_network, of_training, step_taken

pytestmark = pytest.mark.item("week1.network")


def test_forward(student, rng):
    """forward hands every layer's output to the next layer."""

    def check(network, parts):
        x = rng.normal(size=(4, parts.features))
        expect.close("forward output", network.forward(x), parts.logits(x))

    of_network(student, rng, check)


@pytest.mark.weight(2)
def test_backward(student, rng):
    """backward goes through the layers last to first; each stores its gradients."""

    def check(network, parts):
        x, dL_dy = rng.normal(size=(4, parts.features)), rng.normal(size=(4, CLASSES))
        network.forward(x)
        returned = network.backward(dL_dy)
        parts.compare(parts.gradients(x, dL_dy), gradients=True)
        if returned is not None:
            expect.close("dL_dx", returned, parts.inputs(x, dL_dy))

    of_network(student, rng, check)


def test_latest_batch(student, rng):
    """backward belongs to the latest forward."""

    def check(network, parts):
        network.forward(rng.normal(size=(7, parts.features)))
        network.backward(rng.normal(size=(7, CLASSES)))
        x, dL_dy = rng.normal(size=(1, parts.features)), rng.normal(size=(1, CLASSES))
        network.forward(x)
        returned = network.backward(dL_dy)
        held = zip(parts.held("dL_dW", "dL_db"), parts.gradients(x, dL_dy), strict=True)
        for layer, (has, wanted) in zip(("layers[0]", "layers[2]"), held, strict=True):
            for name in "Wb":
                received = has[f"dL_d{name}"]
                right_but_for_a_factor(f"{layer}.dL_d{name}", received, wanted[name])
        if returned is not None:
            right_but_for_a_factor("dL_dx", returned, parts.inputs(x, dL_dy))

    of_network(student, rng, check)


def test_train_step_returns_the_loss_before_the_step(student, rng):
    """What train_step returns, if anything, is the batch's loss before the parameters changed."""

    def check(case):
        received = case.network.train_step(case.x, case.y, LR)
        if received is not None:
            expect.close("loss", received, case.value())
        else:
            moved(case.parts, case.after_a_step())

    of_training(student, rng, check)


@pytest.mark.weight(2)
def test_train_step_updates_weights(student, rng):
    """train_step changes W of every layer that has weights to W - lr dL_dW."""

    def check(case):
        case.network.train_step(case.x, case.y, LR)
        step_taken(case, "W")

    of_training(student, rng, check)


def test_train_step_updates_biases(student, rng):
    """train_step changes b of every layer that has biases to b - lr dL_db."""

    def check(case):
        case.network.train_step(case.x, case.y, LR)
        step_taken(case, "b")

    of_training(student, rng, check)


def test_train_step_keeps_its_arguments(student, rng):
    """train_step changes neither x nor y."""

    def check(case):
        kept_x, kept_y = student.keep(case.x), student.keep(case.y)
        received = case.network.train_step(kept_x, kept_y, LR)
        something_right(
            lambda: expect.close("loss", received, case.value()),
            lambda: moved(case.parts, case.after_a_step()),
        )
        expect.unchanged("x", case.x, student.fetch(kept_x))
        expect.unchanged("y", case.y, student.fetch(kept_y))

    of_training(student, rng, check)
