"""Public tests of Tensor.backward, no_grad and cross_entropy in tensor.py."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import vjp

from ..suite_tools.engine import TOLERANCE, tensors

backward = pytest.mark.item("week2.tensor_backward")
cross_entropy = pytest.mark.item("week2.cross_entropy")

UPSTREAM = np.array([[2.0, -3.0, 0.5], [-1.0, 4.0, 1.5]])


def leaves(student, count, **settings):
    """Return `count` leaves of shape (2, 3)."""
    return tensors(student, *(np.full((2, 3), 1.0 + k) for k in range(count)), **settings)


@backward
def test_tensor_backward(student):
    """backward(g) begins with g; every tensor that requires a gradient gets one."""
    a, b, c = leaves(student, 3)
    middle = a + b
    (middle + c).backward(UPSTREAM)
    for name, tensor in {"a": a, "b": b, "c": c, "middle": middle}.items():
        expect.close(f"{name}.grad", tensor.grad, UPSTREAM)


@backward
def test_tensor_backward_needs_a_gradient(student):
    """backward() is for a single entry; otherwise a gradient of the tensor's shape is needed."""
    a, b = tensors(student, 2.0, 3.0)
    (a + b).backward()
    expect.close("a.grad", a.grad, 1.0)
    [c] = leaves(student, 1)
    expect.raises("backward() of shape (2, 3)", c.backward, "ValueError")
    label = "backward of shape (2, 3) with a gradient of shape (3,)"
    expect.raises(label, c.backward, "ValueError", np.ones(3))


@backward
def test_tensor_that_requires_no_gradient(student):
    """Where no gradient is required, grad stays None, and backward raises a RuntimeError."""
    [a], [b] = leaves(student, 1), leaves(student, 1, requires_grad=False)
    (a + b).backward(UPSTREAM)
    expect.close("a.grad", a.grad, UPSTREAM)
    expect.that("b.grad", b.grad is None, f"expected None, got {expect.kind_of(b.grad)}.")
    expect.raises("backward of b", b.backward, "RuntimeError", UPSTREAM)


@backward
def test_tensor_diamond(student):
    """Shared tensors get a contribution from each use, before they pass them on."""
    a, b = leaves(student, 2)
    shared = a + b
    twice = shared + shared
    ((shared + shared) + (twice + twice)).backward(UPSTREAM)
    for name, tensor in {"a": a, "b": b, "shared": shared}.items():
        expect.close(f"{name}.grad", tensor.grad, 6 * UPSTREAM)


@backward
def test_tensor_second_backward(student):
    """A second backward adds the same again to the leaves."""
    a, b, c = leaves(student, 3)
    result = (a + b) + c
    result.backward(UPSTREAM)
    result.backward(UPSTREAM)
    expect.close("a.grad", a.grad, 2 * UPSTREAM)
    expect.close("c.grad", c.grad, 2 * UPSTREAM)


@backward
def test_tensor_zero_grad(student):
    """zero_grad sets the grad of this one tensor to None."""
    a, b = leaves(student, 2)
    (a + b).backward(UPSTREAM)
    expect.close("b.grad", b.grad, UPSTREAM)
    a.zero_grad()
    expect.that("a.grad", a.grad is None, f"expected None, got {expect.kind_of(a.grad)}.")
    expect.close("b.grad after a.zero_grad()", b.grad, UPSTREAM)


@backward
def test_tensor_gradients_are_arrays_of_their_own(student):
    """Scaling a.grad in place changes neither b.grad nor the array given to backward."""
    a, b = leaves(student, 2)
    kept = student.keep(UPSTREAM)
    (a + b).backward(kept)
    student.drive("scale_gradient", a, 0.5)
    expect.close("b.grad", b.grad, UPSTREAM)
    expect.unchanged("the upstream gradient", UPSTREAM, student.fetch(kept))


@backward
def test_tensor_deep_graph(student):
    """A chain of 10,000 additions works, and so does y = y + y, 40 times."""
    for driver, size, paths in (("chain", 10_000, 10_001), ("doubled", 40, 2.0**40)):
        [x] = tensors(student, np.array([1.0, 2.0]))
        student.operand(student.prepare(driver, x, size)).backward(np.array([0.5, -1.0]))
        expect.close(f"x.grad of the graph {driver}", x.grad, np.array([0.5, -1.0]) * paths)


@backward
def test_no_grad_blocks(student):
    """Within no_grad nothing requires a gradient; after it, and after an exception, all is back."""
    a, b = leaves(student, 2)
    enter, leave = student.probe("enter"), student.probe("leave")
    outer, inner = student.tensor.no_grad(), student.tensor.no_grad()
    label = "requires_grad of a + b within no_grad"
    enter(outer)
    expect.equal(label, (a + b).requires_grad, False)
    enter(inner)
    leave(inner, True)
    expect.equal(label, (a + b).requires_grad, False)
    leave(outer, True)
    expect.equal("requires_grad of a + b after no_grad", (a + b).requires_grad, True)


# Cross-entropy

LOGITS = np.array([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]])
LABELS = np.array([2, 0])


def mean_loss(z, labels):
    """Return the mean of log(sum exp(z)) - z[label] over the rows."""
    shifted = z - np.real(z).max(axis=1, keepdims=True)
    log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(log_softmax[np.arange(len(labels)), labels])


def check_loss(student, z, labels, text):
    """Compare the loss and its gradient, for an upstream gradient of 0.7."""
    [logits] = tensors(student, z)
    loss = student.operand(student.tensor.cross_entropy(logits, labels))
    expect.close(f"loss of {text}", loss.data, mean_loss(z, labels), **TOLERANCE)
    loss.backward(0.7)
    [gradient] = vjp(lambda z: mean_loss(z, labels), [z], 0.7)
    expect.close(f"gradient of {text}", logits.grad, gradient, **TOLERANCE)


@cross_entropy
def test_cross_entropy(student):
    """The mean of -log softmax at the labels, and its gradient."""
    check_loss(student, LOGITS, LABELS, "two examples")


@cross_entropy
def test_cross_entropy_of_large_logits(student):
    """Logits of +-1000 overflow nowhere."""
    z = np.array([[1000.0, -1000.0, 999.0], [-1000.0, -1001.0, -999.0]])
    check_loss(student, z, LABELS, "logits of +-1000")


@cross_entropy
def test_cross_entropy_refuses(student):
    """Labels of another length, and labels that are no class, raise a ValueError."""
    [logits] = tensors(student, LOGITS)

    def loss(labels):
        return student.operand(student.tensor.cross_entropy(logits, labels)).data

    expect.raises("cross_entropy with 3 labels for 2 rows", loss, "ValueError", np.array([0, 1, 2]))
    expect.raises("cross_entropy with label 3 of 3 classes", loss, "ValueError", np.array([3, 0]))
