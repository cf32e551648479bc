"""Public tests of rules that hold for the whole engine: other sizes, others' arrays, no_grad."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import constant, tensors, tolerance_of_tensors
from ..suite_tools.graphs import by_sums
from ..suite_tools.layers import (
    TOLERANCE,
    layout_of,
    linear,
    loss_gradient,
    two_layer_gradients,
    two_layers,
)

robust = pytest.mark.item("week2.robustness")
layers, network = pytest.mark.item("week2.layers"), pytest.mark.item("week2.network")
needs_operations = pytest.mark.needs(
    "week2.tensor_elementwise",
    "week2.broadcasting",
    "week2.matmul",
    "week2.sum",
    "week2.tensor_backward",
)
needs_layers = pytest.mark.needs("week2.layers", "week2.tensor_backward")

INPUTS, HIDDEN, CLASSES = 3, 4, 2


# Arrays that are only lent, and arrays that belong to one tensor


@robust
def test_gradients_that_are_added_up_belong_to_one_tensor(student):
    """In (a + b) + a, what comes to a a second time is not added to b's gradient as well."""
    ones = np.ones((2, 3))

    def check(symbol):
        a, b = tensors(student, ones, ones)
        c = a + b if symbol == "+" else a * b
        ((c + a) * constant(student, 2.0 * ones)).sum().backward()
        near = tolerance_of_tensors(student)
        expect.close("a.grad", a.grad, 4.0 * ones, **near)
        expect.close("b.grad", b.grad, 2.0 * ones, **near)

    by_sums(check, lambda symbol: check("*"))


@robust
def test_no_grad_lets_exceptions_through(student):
    """An exception leaves a no_grad block, which ends, and is not swallowed."""
    enter, leave = student.probe("enter"), student.probe("leave")
    block = student.autograd.no_grad()
    enter(block)
    swallowed = leave(block, True)
    expect.that("an exception in a no_grad block", not swallowed, "it is swallowed.")
    a, b = tensors(student, np.ones(2), np.ones(2))
    expect.equal("requires_grad of a + b after it", (a + b).requires_grad, True)


# Layers and network


@layers
@needs_operations
def test_two_batches_through_two_layers(student, rng):
    """Linear, ReLU, linear, with two batches of other sizes: values, and gradients that add up."""
    layout, relu = layout_of(student), student.mnist_autograd.ReLUAutograd()
    shapes = ((INPUTS, HIDDEN), (HIDDEN,), (HIDDEN, CLASSES), (CLASSES,))
    arrays = [rng.normal(size=shape) for shape in shapes]
    first, last = (linear(student, layout, *arrays[n : n + 2]) for n in (0, 2))
    total = [np.zeros(shape) for shape in shapes]
    for count in (5, 2):
        x, upstream = rng.normal(size=(count, INPUTS)), rng.normal(size=(count, CLASSES))
        y = student.operand(last(relu(first(constant(student, x)))))
        label = f"output for {count} examples"
        expect.close(label, y.data, two_layers(arrays, x), **TOLERANCE)
        (y * constant(student, upstream)).sum().backward()
        steps = two_layer_gradients(arrays, x, upstream)
        total = [before + step for before, step in zip(total, steps, strict=True)]
    held = (("first", first, *total[:2]), ("last", last, *total[2:]))
    for name, layer, W, b in held:
        expect.close(f"W.grad of the {name} layer", layer.W.grad, layout.weights(W), **TOLERANCE)
        expect.close(f"b.grad of the {name} layer", layer.b.grad, layout.biases(b), **TOLERANCE)


@network
@needs_layers
def test_generator_is_handed_on(student):
    """AutogradMLP hands its rng to both layers: the same seed gives the same weights."""
    generator = student.probe("generator")
    models = [
        student.mnist_autograd.AutogradMLP(INPUTS, HIDDEN, CLASSES, rng=generator(1))
        for _ in range(2)
    ]
    for number in (0, 2):
        first, again = (model.layers[number].W.data for model in models)
        # Which weights a seed gives is up to the student.
        expect.repeated(f"layers[{number}].W.data from the same seed", first, again)


@network
@needs_layers
def test_logits_of_1000(student, rng):
    """cross_entropy of logits of +-1000 is right, and so is its gradient; labels stay."""
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 0.0, 1000.0]])
    labels = np.array([0, 1])
    [logits], kept = tensors(student, z), student.keep(labels)
    loss = student.operand(student.mnist_autograd.cross_entropy(logits, kept))
    expect.close("loss", loss.data, np.asarray(500.0), **TOLERANCE)
    loss.backward()
    expect.close("logits.grad", logits.grad, loss_gradient(z, labels), **TOLERANCE)
    expect.unchanged("labels", labels, student.fetch(kept))
    expect.unchanged("logits.data", z, logits.data)
