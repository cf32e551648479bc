"""Hidden tests of Tensor.backward and Tensor.zero_grad, on graphs of additions.

In such a graph the gradient of a node is the upstream gradient times the number of paths that lead
from the result to the node. Operands have equal shapes throughout.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import refuses, tensors

pytestmark = pytest.mark.item("week2.tensor_backward")

SHAPE = (2, 3)
DEEP = 20_000


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


# Where a pass begins


def test_single_entries_need_no_gradient(student):
    """backward() without an argument begins with 1 where the tensor has a single entry."""
    for shape in ((), (1,), (1, 1)):
        a, b = tensors(student, np.full(shape, 2.0), np.full(shape, 3.0))
        (a + b).backward()
        expect.close(f"a.grad after backward() of shape {shape}", a.grad, np.ones(shape))
        expect.close(f"b.grad after backward() of shape {shape}", b.grad, np.ones(shape))


def test_gradient_of_the_result_can_be_given(student, rng):
    """backward(g) begins with g, by position or as `gradient=`."""
    a, b, c, d = leaves(student, rng, 4)
    first, second = rng.normal(size=SHAPE), rng.normal(size=SHAPE)
    (a + b).backward(first)
    (c + d).backward(gradient=second)
    expect_grads([first, first, second, second], a=a, b=b, c=c, d=d)


def test_more_entries_need_a_gradient(student, rng):
    """backward() without an argument where there are more entries raises a ValueError."""
    a, b = leaves(student, rng, 2)
    result = a + b
    refuses("backward() of shape (2, 3)", result.backward, SHAPE)
    expect_no_grad(a=a, b=b)


def test_gradient_of_another_shape(student, rng):
    """A gradient of another shape raises a ValueError, also where it could be broadcast."""
    a, b = leaves(student, rng, 2)
    for shape in ((3, 2), (3,), (1, 3), (), (1, 2, 3)):
        gradient = np.asarray(rng.normal(size=shape))
        label = f"backward of shape (2, 3) with a gradient of shape {shape}"
        backward = (a + b).backward
        refuses(label, lambda call=backward, one=gradient: call(one), SHAPE, shape)


def test_tensor_that_requires_no_gradient(student, rng):
    """backward on a tensor that does not require a gradient raises a RuntimeError."""
    a, b = leaves(student, rng, 2, requires_grad=False)
    gradient = rng.normal(size=SHAPE)
    expect.raises("backward of a leaf", a.backward, "RuntimeError", gradient)
    expect.raises("backward of a + b", (a + b).backward, "RuntimeError", gradient)


def test_backward_of_a_leaf(student, rng):
    """backward on a tensor that was computed from nothing sets its own grad."""
    [a] = leaves(student, rng, 1)
    upstream = rng.normal(size=SHAPE)
    a.backward(upstream)
    expect_grads(upstream, a=a)


# Which tensors get gradients


def test_intermediate_tensors_and_the_result_have_gradients(student, rng):
    """After backward every tensor that requires a gradient has one: those on the way too."""
    a, b, c = leaves(student, rng, 3)
    upstream = rng.normal(size=SHAPE)
    middle = a + b
    result = middle + c
    result.backward(upstream)
    expect_grads(upstream, a=a, b=b, c=c, middle=middle, result=result)


def test_only_where_required(student, rng):
    """Tensors that require no gradient get none: grad stays None."""
    [a] = leaves(student, rng, 1)
    b, c = leaves(student, rng, 2, requires_grad=False)
    upstream = rng.normal(size=SHAPE)
    constant = b + c
    ((a + b) + constant).backward(upstream)
    expect_grads(upstream, a=a)
    expect_no_grad(b=b, c=c, constant=constant)


def test_requires_grad_is_passed_on(student, rng):
    """A result requires a gradient if one of its operands does, whichever that is."""
    a, b = leaves(student, rng, 2)
    c, d = leaves(student, rng, 2, requires_grad=False)
    upstream = rng.normal(size=SHAPE)
    cases = {"a + b": (a + b, True), "a + c": (a + c, True), "c + a": (c + a, True)}
    cases["c + d"] = (c + d, False)
    cases["(c + d) + b"] = ((c + d) + b, True)
    for label, (result, wanted) in cases.items():
        expect.equal(f"requires_grad of {label}", result.requires_grad, wanted)
        if wanted:
            result.backward(upstream)
    expect_grads([3 * upstream, 2 * upstream], a=a, b=b)


# Order, and adding up


@pytest.mark.weight(2)
def test_same_operand_twice(student, rng):
    """In a + a both uses of a count: the contributions add up."""
    [a] = leaves(student, rng, 1)
    upstream = rng.normal(size=SHAPE)
    (a + a).backward(upstream)
    expect_grads(2 * upstream, a=a)


@pytest.mark.weight(2)
def test_leaf_used_in_several_places(student, rng):
    """A leaf that several results use gets a contribution from each."""
    a, b, c = leaves(student, rng, 3)
    upstream = rng.normal(size=SHAPE)
    (((a + b) + (a + c)) + (a + a)).backward(upstream)
    expect_grads([4 * upstream, upstream, upstream], a=a, b=b, c=c)


@pytest.mark.weight(2)
def test_diamond(student, rng):
    """Where two branches come from one intermediate tensor and meet again, both count."""
    a, b = leaves(student, rng, 2)
    upstream = rng.normal(size=SHAPE)
    shared = a + b
    ((shared + shared) + (shared + shared)).backward(upstream)
    expect_grads(4 * upstream, shared=shared, a=a, b=b)


@pytest.mark.weight(2)
def test_tensor_used_early_and_late(student, rng):
    """A tensor passes its gradient on once all that use it are done, however far down they are."""
    for early_first in (True, False):
        a, b, c = leaves(student, rng, 3)
        upstream = rng.normal(size=SHAPE)
        shared = a + b
        early, twice = shared + shared, shared + shared
        late = ((twice + twice) + c) + c
        (early + late if early_first else late + early).backward(upstream)
        expect_grads([6 * upstream, 6 * upstream, 2 * upstream], a=a, b=b, c=c)


@pytest.mark.weight(2)
def test_tangled_graph(student, rng):
    """In a random graph of 30 additions every leaf's grad counts all paths that lead to it."""
    starts = leaves(student, rng, 3)
    nodes, paths = list(starts), [[int(i == k) for k in range(3)] for i in range(3)]
    for _ in range(30):
        i, k = (int(n) for n in rng.integers(max(0, len(nodes) - 7), len(nodes), size=2))
        nodes.append(nodes[i] + nodes[k])
        paths.append([one + other for one, other in zip(paths[i], paths[k], strict=True)])
    upstream = rng.normal(size=SHAPE)
    nodes[-1].backward(upstream)
    for name, leaf, count in zip("abc", starts, paths[-1], strict=True):
        if count:
            expect_grads(upstream * count, **{name: leaf})
        else:
            expect_no_grad(**{name: leaf})


def test_doubled_sixty_times(student):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    [x] = tensors(student, np.array([1.0, 2.0]))
    upstream = np.array([0.7, -1.5])
    student.operand(student.prepare("doubled", x, 60)).backward(upstream)
    expect_grads(upstream * 2.0**60, x=x)


@pytest.mark.long
def test_deep_chain(student):
    """A chain of 20,000 additions needs no recursion and little time."""
    [x] = tensors(student, np.array([1.0, 2.0]))
    student.operand(student.prepare("chain", x, DEEP)).backward(np.array([0.5, -1.0]))
    expect_grads(np.array([0.5, -1.0]) * (DEEP + 1), x=x)


# Several passes


@pytest.mark.weight(2)
def test_second_backward_adds_the_same_again(student, rng):
    """A second backward through the same graph doubles the grads of the leaves."""
    a, b, c = leaves(student, rng, 3)
    upstream = rng.normal(size=SHAPE)
    result = (a + b) + c
    result.backward(upstream)
    result.backward(upstream)
    expect_grads(2 * upstream, a=a, b=b, c=c)


@pytest.mark.weight(2)
def test_two_results_of_the_same_tensors(student, rng):
    """Backward from two results adds up, also where they share an intermediate tensor."""
    a, b, c, d = leaves(student, rng, 4)
    first, second = rng.normal(size=SHAPE), rng.normal(size=SHAPE)
    shared = a + b
    one, other = shared + c, shared + d
    one.backward(first)
    other.backward(second)
    expect_grads([first + second, first + second, first, second], a=a, b=b, c=c, d=d)


def test_zero_grad(student, rng):
    """zero_grad sets the grad of this one tensor to None; the next backward starts afresh."""
    a, b = leaves(student, rng, 2)
    upstream = rng.normal(size=SHAPE)
    result = a + b
    result.backward(upstream)
    expect_grads(upstream, a=a, b=b)
    a.zero_grad()
    expect_no_grad(a=a)
    result.backward(upstream)
    expect_grads([upstream, 2 * upstream], a=a, b=b)


def test_zero_grad_is_for_one_tensor(student, rng):
    """zero_grad of a result leaves the grads of its operands alone."""
    a, b = leaves(student, rng, 2)
    upstream = rng.normal(size=SHAPE)
    result = a + b
    result.backward(upstream)
    result.zero_grad()
    expect_no_grad(result=result)
    expect_grads(upstream, a=a, b=b)
