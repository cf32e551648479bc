"""Hidden tests of what Tensor.backward does with others' arrays and with changed data; no_grad."""

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite import expect

from ..suite_tools.engine import tensors

pytestmark = pytest.mark.item("week2.tensor_backward")

needs_product = pytest.mark.needs("week2.tensor_elementwise")

SHAPE = (2, 3)


def leaves(student, rng, count, **settings):
    """Return `count` leaves of shape (2, 3)."""
    return tensors(student, *(rng.normal(size=SHAPE) for _ in range(count)), **settings)


def expect_grads(expected, **nodes):
    """Compare the grad of each node, by name, with `expected` (one array for all, or a list)."""
    listed = expected if isinstance(expected, list) else [expected] * len(nodes)
    for (name, node), grad in zip(nodes.items(), listed, strict=True):
        expect.close(f"{name}.grad", node.grad, grad, rtol=1e-12, atol=0)


def expect_no_grad(**nodes):
    """The grad of each node is None."""
    for name, node in nodes.items():
        message = f"expected None, got {expect.kind_of(node.grad)}."
        expect.that(f"{name}.grad", node.grad is None, message)


# Whose arrays


def test_upstream_gradient_stays_as_it_was(student, rng):
    """backward changes neither the array that it is given nor any data."""
    data, upstream = rng.normal(size=SHAPE), rng.normal(size=SHAPE)
    [a], kept = tensors(student, data), student.keep(upstream)
    result = (a + a) + a
    for _ in range(2):
        result.backward(kept)
        expect.unchanged("the upstream gradient", upstream, student.fetch(kept))
    expect_grads(6 * upstream, a=a)
    expect.unchanged("a.data", data, a.data)
    expect.unchanged("data of a + a + a", 3 * data, result.data)


@pytest.mark.weight(2)
def test_gradients_are_arrays_of_their_own(student, rng):
    """Scaling a.grad in place changes neither b.grad nor the array that backward was given."""
    a, b = leaves(student, rng, 2)
    upstream = rng.normal(size=SHAPE)
    kept = student.keep(upstream)
    result = a + b
    result.backward(kept)
    student.drive("scale_gradient", a, 0.5)
    expect_grads([0.5 * upstream, upstream, upstream], a=a, b=b, result=result)
    expect.unchanged("the upstream gradient", upstream, student.fetch(kept))


# Data that changes


def gradients(student, arrays, upstream, change=None):
    """Return the gradients of a and b for a * b + c; `change` may change a after its use.

    None where backward refuses with a RuntimeError because of the change.
    """
    a, b, c = tensors(student, *arrays)
    result = a * b + c
    if change:
        change(a)
    try:
        result.backward(upstream)
    except Fault as fault:
        refused = fault.verdict is Verdict.RAISED and fault.type_name == "RuntimeError"
        if not change or not refused:
            raise
        expect_no_grad(a=a, b=b)
        return None
    return [expect.array(f"{name}.grad", leaf.grad, SHAPE) for name, leaf in (("a", a), ("b", b))]


def check_change(student, rng, change):
    """After `change`, backward refuses, or gives the gradients that it gives without a change."""
    arrays = [rng.uniform(0.5, 2.0, size=SHAPE) for _ in range(3)]
    step, upstream = rng.uniform(3.0, 4.0, size=SHAPE), rng.normal(size=SHAPE)
    expected = gradients(student, arrays, upstream)
    received = gradients(student, arrays, upstream, lambda tensor: change(tensor, step))
    for name, one, other in zip("ab", received or expected, expected, strict=True):
        expect.close(f"{name}.grad, when a.data was changed before backward", one, other)


@needs_product
def test_data_replaced_before_backward(student, rng):
    """After a.data = ..., backward of an older result raises a RuntimeError, or is right."""

    def replace(tensor, data):
        tensor.data = data

    check_change(student, rng, replace)


@needs_product
@pytest.mark.weight(2)
def test_data_changed_in_place_before_backward(student, rng):
    """After a.data -= ..., backward of an older result raises a RuntimeError, or is right."""
    check_change(student, rng, lambda tensor, step: student.drive("descend", tensor, step))


def test_data_changed_between_graphs(student, rng):
    """New results after a change of data are no trouble: that is how training goes on."""
    a, b = leaves(student, rng, 2)
    total = np.zeros(SHAPE)
    for _ in range(3):
        upstream = rng.normal(size=SHAPE)
        (a + b).backward(upstream)
        total += upstream
        student.drive("descend", a, rng.normal(size=SHAPE))
        b.data = rng.normal(size=SHAPE)
    expect_grads(total, a=a, b=b)


# no_grad


def enter(student):
    """Begin a block `with no_grad():` and return its context manager."""
    block = student.tensor.no_grad()
    student.probe("enter")(block)
    return block


def expect_requires_grad(label, result, wanted):
    """Compare requires_grad of a result."""
    expect.equal(f"requires_grad of a + b {label}", result.requires_grad, wanted)


def test_no_grad(student, rng):
    """Within no_grad results require no gradient, and backward on them raises a RuntimeError."""
    a, b = leaves(student, rng, 2)
    block = enter(student)
    inside = a + b
    student.probe("leave")(block)
    expect_requires_grad("within no_grad", inside, False)
    expect.raises("backward of it", inside.backward, "RuntimeError", rng.normal(size=SHAPE))
    expect_no_grad(a=a, b=b)


def test_no_grad_ends(student, rng):
    """After a no_grad block graphs are built again."""
    a, b = leaves(student, rng, 2)
    student.probe("leave")(enter(student))
    result, upstream = a + b, rng.normal(size=SHAPE)
    expect_requires_grad("after no_grad", result, True)
    result.backward(upstream)
    expect_grads(upstream, a=a, b=b)


def test_no_grad_nests(student, rng):
    """A no_grad block within another one does not end the outer one."""
    a, b = leaves(student, rng, 2)
    leave = student.probe("leave")
    outer, inner = enter(student), enter(student)
    expect_requires_grad("within two no_grad blocks", a + b, False)
    leave(inner)
    expect_requires_grad("within the outer no_grad block", a + b, False)
    leave(outer)
    expect_requires_grad("after both no_grad blocks", a + b, True)


def test_no_grad_ends_with_an_exception(student, rng):
    """A no_grad block that an exception leaves is over, too."""
    a, b = leaves(student, rng, 2)
    block = enter(student)
    expect_requires_grad("within no_grad", a + b, False)
    swallowed = student.probe("leave")(block, True)
    expect.equal("whether the exception ends in the block", swallowed, False)
    expect_requires_grad("after an exception within no_grad", a + b, True)
