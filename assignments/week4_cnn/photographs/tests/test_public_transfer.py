"""Public tests of transfer.py, on a small network of a trunk and a head."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.transfer")

W = np.array([[1.0, -1.0], [0.5, 2.0], [-1.5, 1.0]], dtype=np.float32)
V = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.5]], dtype=np.float32)
X = np.array([[1.0, 2.0], [-1.0, 0.5], [2.0, -1.0], [0.0, 1.5]], dtype=np.float32)
LABELS = np.array([0, 1, 0, 1])
STATISTICS = "trunk.norm.running_mean"


def network(student):
    """Return a small network: linear, batch normalisation, ReLU, dropout, linear."""
    zeros = np.zeros(3, dtype=np.float32), np.zeros(2, dtype=np.float32)
    return student.prepare("drawn_network", W, zeros[0], V, zeros[1])


def test_freeze(student):
    """A frozen trunk has no parameter that can be trained, and no part in training mode."""
    made = network(student)
    student.drive("mode", made, True)
    student.transfer.freeze(student.prepare("trunk", made))
    left = [name for name in student.drive("free", made) if "trunk" in name]
    expect.equal("what is still free of the trunk", left, [])


def test_replace_head(student):
    """The new head has as many inputs as the old one, and as many outputs as there are classes."""
    made = network(student)
    student.transfer.replace_head(made, 7)
    expect.array("weights of the head", student.drive("state", made)["top.1.weight"], (7, 3))


def test_fine_tune(student):
    """The loss falls; the trunk stays as it is, its running statistics too; the head changes."""
    made = network(student)
    student.drive("frozen_trunk", made)
    before = student.drive("state", made)
    given = student.prepare("tensor", X), student.prepare("tensor", LABELS)
    losses = student.transfer.fine_tune(made, *given, 20, 0.1, 4)
    expect.that("losses", losses[-1] < losses[0], "they don't fall.")
    after = student.drive("state", made)
    for name in ("trunk.linear.weight", STATISTICS):
        # Here, that it is as it was, to the last bit.
        expect.repeated(name, before[name], after[name], rtol=0.0, atol=0.0)
    message = "the head did not change."
    expect.differ("top.1.weight", before["top.1.weight"], after["top.1.weight"], message)
