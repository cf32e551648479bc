"""Public tests of transfer.py, on a small network of a trunk and a head."""

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("cifar.transfer")

W = np.array([[1.0, -1.0], [0.5, 2.0], [-1.5, 1.0]], dtype=np.float32)
V = np.array([[1.0, 0.0, -1.0], [0.0, 1.0, 0.5]], dtype=np.float32)
X = np.array([[1.0, 2.0], [-1.0, 0.5], [2.0, -1.0], [0.0, 1.5]], dtype=np.float32)
LABELS = np.array([0, 1, 0, 1])
LOSS = 1.33470
"""The mean cross-entropy of the network as it comes, in evaluation mode."""
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


def test_new_head_of_a_frozen_network(student):
    """The new head begins anew, and can be trained where all else is frozen."""
    made = network(student)
    student.drive("frozen", made)
    student.transfer.replace_head(made, 2)
    free = [name for name in student.drive("free", made) if not name.startswith("mode ")]
    expect.equal("parameters that can be trained, of the head's two", len(free), 2)
    weights = expect.array("weights", student.drive("state", made)["top.1.weight"], (2, 3))
    expect.differ("weights of the new head", weights, V, "they are the old ones.")


def tuned(student, made, epochs, lr, batch_size=2, labels=LABELS):
    """Run fine_tune; return its losses."""
    given = student.prepare("tensor", X), student.prepare("tensor", labels)
    losses = student.transfer.fine_tune(made, *given, epochs, lr, batch_size)
    told = isinstance(losses, (list, tuple)) and len(losses) == epochs
    told = told and all(type(loss) is float for loss in losses)
    expect.that("losses", told, f"expected a list of {epochs} numbers.")
    return losses


def test_losses_are_means(student):
    """With a tiny rate nothing is learnt: the mean loss of two batches of two is 1.3347."""
    made = network(student)
    student.drive("frozen_trunk", made)
    expect.close("losses", np.array(tuned(student, made, 2, 1e-7)), np.full(2, LOSS), rtol=1e-3)


def test_examples_and_labels_stay_together(student):
    """In batches of two, four examples are learnt by heart: the loss falls to less than half."""
    made = network(student)
    student.drive("frozen_trunk", made)
    losses = tuned(student, made, 200, 0.2)
    expect.that("losses", losses[-1] < 0.5 * losses[0], f"they end at {losses[-1]:.3g}.")


def test_nothing_is_frozen(student):
    """Where nothing is frozen the trunk is trained as well; afterwards it is over."""
    made = network(student)
    before = student.drive("state", made)
    tuned(student, made, 3, 0.1, 4)
    after = student.drive("state", made)
    for name, said in {**KEPT, "top.1.weight": "weights of the head"}.items():
        expect.differ(said, before[name], after[name], "they did not change.")
    training = [name for name in student.drive("free", made) if name.startswith("mode ")]
    expect.equal("parts in training mode afterwards", len(training), 0)


def test_gradients_of_the_last_batch(student):
    """A step goes by the gradients of one batch, as small as those of a mean cross-entropy are."""
    made = network(student)
    student.drive("frozen_trunk", made)
    tuned(student, made, 5, 1e-7, labels=np.zeros(4, dtype=np.int64))
    left = expect.array("gradient", student.drive("gradients", made)[-1], (2,))
    small = float(np.abs(left).sum()) <= 2.1  # a softmax minus one: never more than 2 together
    expect.that("gradients of the last step", small, "they are larger than one batch's can be.")


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
