"""Hidden tests of the tools beyond the texts (item week1.tools).

Repeatable initial weights, mini-batches, norms of gradients, and the cross-entropy of
probabilities.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.warned import no_warnings

from ..suite_tools.batches import indices
from .ways import of_mlp

pytestmark = pytest.mark.item("week1.tools")


# Linear and TwoLayerMLP with a generator


@pytest.mark.needs("week1.linear")
def test_the_same_generator_gives_the_same_weights(student):
    """With the keyword rng, the same seed gives the same weights, another seed others."""
    generator = student.probe("generator")
    first, again, other = (
        student.neural_net.Linear(4, 3, rng=generator(seed)).W for seed in (5, 5, 6)
    )
    # Which weights a seed gives is up to the student; that another gives others is asked below.
    expect.repeated("W from the same seed", first, again)
    message = "two seeds gave exactly the same weights"
    expect.differ("W from another seed", first, other, message)


@pytest.mark.needs("week1.linear")
def test_the_same_generator_gives_the_same_network(student):
    """TwoLayerMLP hands rng on to both of its Linear layers."""
    generator = student.probe("generator")
    first, again, other = (
        [layers[number].W for number in (0, 2)]
        for seed in (5, 5, 6)
        for layers in [student.mnist_mlp.TwoLayerMLP(rng=generator(seed)).layers]
    )
    for number, W, W_again, W_other in zip((0, 2), first, again, other, strict=True):
        # As above: which weights these are is up to the student.
        expect.repeated(f"layers[{number}].W from the same seed", W, W_again)
        label = f"layers[{number}].W from another seed"
        expect.differ(label, W, W_other, "two seeds gave the same weights")


# minibatch_indices


def batches(student, count, size, generator):
    """Return the student's batches as a list of integer arrays."""
    received = student.mnist_mlp.minibatch_indices(count, size, generator)
    expect.that("minibatch_indices", isinstance(received, list), "it must return a list of arrays")
    parts = [indices(f"batch {number}", part, count) for number, part in enumerate(received)]
    message = "these are no integers, which alone can be indices."
    expect.that("batches", all(part.dtype.kind in "iu" for part in parts), message)
    return parts


def test_batches_use_every_example_once(student):
    """In the batches of an epoch every example occurs exactly once."""
    received = batches(student, 20, 6, student.probe("generator")(1))
    expect.equal("all indices, sorted", np.sort(np.concatenate(received)), np.arange(20))


def test_batches_have_the_right_sizes(student):
    """20 examples in batches of 6 make batches of 6, 6, 6 and 2; 12 in batches of 4 make three."""
    for count, size, wanted in ((20, 6, [6, 6, 6, 2]), (12, 4, [4, 4, 4])):
        received = batches(student, count, size, student.probe("generator")(2))
        sizes = np.array([len(part) for part in received])
        expect.equal("sizes of the batches", sizes, np.array(wanted))


def test_batches_are_shuffled_anew(student):
    """The order is random, and another one in the next epoch.

    Within a batch it is the student's own affair: to sort the indices there is right as well.
    """
    generator = student.probe("generator")(4)
    first, second = (
        [np.sort(batch) for batch in batches(student, 50, 10, generator)] for _ in range(2)
    )
    neighbours = any(np.all(np.diff(batch) == 1) for batch in first)
    expect.that("order of the examples", not neighbours, "the examples are not shuffled")
    repeated = all(np.array_equal(*pair) for pair in zip(first, second, strict=False))
    expect.that("order of the examples", not repeated, "two epochs had the same order")


def test_the_same_generator_gives_the_same_batches(student):
    """The order comes from the generator that is passed: the same seed gives the same batches."""
    generator = student.probe("generator")
    first, again, other = (
        np.concatenate(batches(student, 50, 10, generator(seed))) for seed in (7, 7, 8)
    )
    # Which order a seed gives is up to the student; that another gives another is asked below.
    expect.repeated("order from the same seed", first, again)
    expect.differ("order from another seed", first, other, "two seeds gave the same order")


# gradient_norms


@pytest.mark.weight(2)
def test_gradient_norms(student, rng):
    """gradient_norms returns the norms of dL_dW and dL_db of each layer that has them, in order."""

    def check(case):
        gradients = case.parts.store_gradients(case.x, rng.normal(size=(len(case.x), 10)))
        received = case.network.gradient_norms()
        several = isinstance(received, list) and len(received) == 2
        expect.that("gradient_norms", several, "expected a list of two, one for each Linear layer.")
        for number, (norms, gradient) in enumerate(zip(received, gradients, strict=True)):
            for name in "Wb":
                label = f"gradient_norms()[{number}][{name!r}]"
                named = isinstance(norms, dict) and name in norms
                expect.that(label, named, "there is none.")
                expect.close(label, norms[name], float(np.sqrt(np.sum(gradient[name] ** 2))))

    of_mlp(student, rng, check)


# Cross-entropy of probabilities


def probabilities(rng, n=5, classes=4):
    """Return rows of probabilities, none of them near 0."""
    p = rng.uniform(0.2, 1.0, size=(n, classes))
    return p / p.sum(axis=1, keepdims=True)


@pytest.mark.weight(2)
def test_value_from_probabilities(student, rng):
    """With from_probabilities=True forward is the mean of -log p[target], without a softmax."""
    p, target = probabilities(rng), np.array([0, 3, 1, 2, 1])
    expected = -np.mean(np.log(p[np.arange(5), target]))
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    expect.close("loss", loss.forward(p, target), float(expected))


def test_gradient_from_probabilities(student, rng):
    """With from_probabilities=True backward returns dL/dp, of the latest batch."""
    p, target = probabilities(rng), np.array([0, 3, 1, 2, 1])
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    loss.forward(probabilities(rng), (target + 1) % 4)
    loss.forward(p, target)
    expect.close("dL_dp", loss.backward(), -np.eye(4)[target] / (5 * p))


def test_probability_of_zero(student):
    """A probability of 0 for the true class gives a large but finite loss and no warning."""
    p, target = np.array([[0.0, 1.0], [0.5, 0.5]]), np.array([0, 1])
    loss = student.losses.CrossEntropyLoss(from_probabilities=True)
    value = float(expect.array("loss", loss.forward(p, target), ()))
    expect.array("dL_dp", loss.backward(), (2, 2))
    no_warnings(student)
    low, high = 10.0, 400.0
    message = f"got {value:.6g}; -log of a clipped probability, halved, is {low:g} to {high:g}."
    expect.that("loss", low <= value <= high, message)
