"""Public tests of transfer.py, on a small network of a trunk and a head."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.transfer")

W = np.array([[1.0, -1.0], [0.5, 2.0], [-1.5, 1.0]], dtype=np.float32)
V = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.5]], dtype=np.float32)
X = np.array([[1.0, 2.0], [-1.0, 0.5], [2.0, -1.0], [0.0, 1.5]], dtype=np.float32)
LABELS = np.array([0, 1, 0, 1])
KEPT = {
    "trunk.linear.weight": "weights of the trunk's linear layer",
    "trunk.norm.running_mean": "running mean of the trunk's batch normalisation",
}
LAYERS = {
    "trunk": "the trunk as a whole",
    "trunk.linear": "its linear layer",
    "trunk.norm": "its batch normalisation",
    "trunk.drop": "its dropout",
}


def network(student):
    """Return a small network: linear, batch normalisation, ReLU, dropout, linear."""
    zeros = np.zeros(3, dtype=np.float32), np.zeros(2, dtype=np.float32)
    return student.prepare("drawn_network", W, zeros[0], V, zeros[1])


def test_freeze(student):
    """A frozen trunk has no parameter that can be trained, and no part in training mode."""
    made = network(student)
    student.drive("mode", made, True)
    student.transfer.freeze(student.prepare("trunk", made))
    free = student.drive("free", made)
    parameters = [name for name in free if name.startswith("trunk")]
    expect.equal("parameters of the trunk that can still be trained", len(parameters), 0)
    training = [said for name, said in LAYERS.items() if f"mode {name}" in free]
    expect.equal("parts of the trunk that are still in training mode", training, [])


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
    for name, said in KEPT.items():
        # Here, that it is as it was, to the last bit.
        expect.repeated(said, before[name], after[name], rtol=0.0, atol=0.0)
    message = "the head did not change."
    expect.differ("weights of the head", before["top.1.weight"], after["top.1.weight"], message)
