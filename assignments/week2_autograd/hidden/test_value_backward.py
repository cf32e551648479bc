"""Hidden tests of Value.backward and Value.zero_grad, on graphs of additions alone.

In such a graph the gradient of a node is the upstream gradient times the number of paths that lead
from the result to the node.
"""

import pytest

from autograder.suite import expect

from ..suite_tools.engine import values

pytestmark = pytest.mark.item("week2.value_backward")

UPSTREAM = 0.7
DEEP = 100_000


def expect_grads(expected, **nodes):
    """Compare the grad of each node, by name, with `expected` (one number for all, or a list)."""
    listed = expected if isinstance(expected, list) else [expected] * len(nodes)
    for (name, node), grad in zip(nodes.items(), listed, strict=True):
        expect.close(f"{name}.grad", node.grad, grad, rtol=1e-12, atol=0)


def test_gradient_of_the_result(student):
    """backward() begins with 1; another number can be given, by position or as `gradient=`."""
    a, b, c, d = values(student, 2.0, -3.0, 1.0, 4.0)
    (a + b).backward()
    (b + c).backward(UPSTREAM)
    (c + d).backward(gradient=-2.0)
    expect_grads([1.0, 1.0 + UPSTREAM, UPSTREAM - 2.0, -2.0], a=a, b=b, c=c, d=d)


def test_backward_of_a_leaf(student):
    """backward on a Value that was computed from nothing sets its own grad."""
    [a] = values(student, 2.0)
    a.backward(UPSTREAM)
    expect_grads(UPSTREAM, a=a)


def test_intermediate_values_and_the_result_have_gradients(student):
    """After backward every Value of the graph has its grad: the result and those on the way too."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    middle = a + b
    result = middle + c
    result.backward(UPSTREAM)
    expect_grads(UPSTREAM, a=a, b=b, c=c, middle=middle, result=result)


@pytest.mark.weight(2)
def test_same_operand_twice(student):
    """In a + a both uses of a count: the contributions add up."""
    [a] = values(student, 3.0)
    (a + a).backward(UPSTREAM)
    expect_grads(2 * UPSTREAM, a=a)


@pytest.mark.weight(2)
def test_leaf_used_in_several_places(student):
    """A leaf that several results use gets a contribution from each."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    (((a + b) + (a + c)) + (a + a)).backward(UPSTREAM)
    expect_grads([4 * UPSTREAM, UPSTREAM, UPSTREAM], a=a, b=b, c=c)


@pytest.mark.weight(2)
def test_diamond(student):
    """Where two branches come from one intermediate value and meet again, both count."""
    a, b = values(student, 2.0, -3.0)
    shared = a + b
    ((shared + shared) + (shared + shared)).backward(UPSTREAM)
    expect_grads(4 * UPSTREAM, shared=shared, a=a, b=b)


@pytest.mark.weight(3)
def test_value_used_early_and_late(student):
    """A value passes its gradient on once all that use it are done, however far down they are."""
    for early_first in (True, False):
        a, b, c = values(student, 2.0, -3.0, 1.0)
        shared = a + b
        early, twice = shared + shared, shared + shared
        late = ((twice + twice) + c) + c
        (early + late if early_first else late + early).backward(UPSTREAM)
        expect_grads([6 * UPSTREAM, 6 * UPSTREAM, 2 * UPSTREAM], a=a, b=b, c=c)


@pytest.mark.weight(3)
def test_tangled_graph(student, rng):
    """In a random graph of 40 additions every leaf's grad counts all paths that lead to it."""
    for _ in range(3):
        leaves = values(student, 1.0, 2.0, 3.0, 4.0)
        nodes, paths = list(leaves), [[int(i == k) for k in range(4)] for i in range(4)]
        for _ in range(40):
            i, k = (int(n) for n in rng.integers(max(0, len(nodes) - 8), len(nodes), size=2))
            nodes.append(nodes[i] + nodes[k])
            paths.append([one + other for one, other in zip(paths[i], paths[k], strict=True)])
        nodes[-1].backward(UPSTREAM)
        expected = [UPSTREAM * count for count in paths[-1]]
        expect_grads(expected, **dict(zip("abcd", leaves, strict=True)))


@pytest.mark.weight(2)
def test_doubled_sixty_times(student):
    """y = y + y, 60 times: each node is visited once, though 2^60 paths lead to x."""
    [x] = values(student, 1.0)
    student.operand(student.prepare("doubled", x, 60)).backward(UPSTREAM)
    expect_grads(UPSTREAM * 2.0**60, x=x)


@pytest.mark.long
@pytest.mark.weight(2)
def test_deep_chain(student):
    """A chain of 100,000 additions needs no recursion and little time."""
    [x] = values(student, 1.0)
    student.operand(student.prepare("chain", x, DEEP)).backward(0.5)
    expect_grads(0.5 * (DEEP + 1), x=x)


@pytest.mark.weight(2)
def test_second_backward_adds_the_same_again(student):
    """A second backward through the same graph doubles the grads of the leaves."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    result = (a + b) + c
    result.backward(UPSTREAM)
    result.backward(UPSTREAM)
    expect_grads(2 * UPSTREAM, a=a, b=b, c=c)


@pytest.mark.weight(2)
def test_two_results_of_the_same_values(student):
    """Backward from two results adds up, also where they share an intermediate value."""
    a, b, c, d = values(student, 2.0, -3.0, 1.0, 5.0)
    shared = a + b
    first, second = shared + c, shared + d
    first.backward(0.7)
    second.backward(-2.0)
    expect_grads([-1.3, -1.3, 0.7, -2.0], a=a, b=b, c=c, d=d)


def test_backward_reaches_only_what_the_result_came_from(student):
    """backward in the middle of a graph changes nothing above, beside, or out of reach of it."""
    a, b, c, other = values(student, 2.0, -3.0, 1.0, 5.0)
    middle = a + b
    result = middle + c
    beside = a + other
    middle.backward(UPSTREAM)
    expect_grads([UPSTREAM, UPSTREAM, 0.0, 0.0, 0.0, 0.0], a=a, b=b, c=c, result=result,
                 beside=beside, other=other)  # fmt: skip


def test_backward_changes_no_data(student):
    """backward leaves the data of all values, and the graph itself, as they are."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    result = (a + b) + c
    before = student.drive("graph", result)
    result.backward(UPSTREAM)
    expect_grads(UPSTREAM, a=a, b=b, c=c)
    expect.equal("the graph after backward", student.drive("graph", result), before)


def test_zero_grad(student):
    """zero_grad sets grad to 0 on the result and on everything that it was computed from."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    middle = a + b
    result = middle + c
    result.backward(UPSTREAM)
    expect_grads(UPSTREAM, a=a, b=b)
    result.zero_grad()
    expect_grads(0.0, a=a, b=b, c=c, middle=middle, result=result)


def test_zero_grad_then_backward(student):
    """After zero_grad, backward starts afresh."""
    a, b, c = values(student, 2.0, -3.0, 1.0)
    result = (a + b) + c
    result.backward(UPSTREAM)
    result.zero_grad()
    result.backward(-2.0)
    expect_grads(-2.0, a=a, b=b, c=c)


@pytest.mark.long
def test_zero_grad_of_deep_and_tangled_graphs(student):
    """zero_grad takes a chain of 20,000 nodes, and a graph with 2^60 paths, in its stride."""
    for driver, size, paths in (("chain", 20_000, 20_001), ("doubled", 60, 2.0**60)):
        [x] = values(student, 1.0)
        result = student.operand(student.prepare(driver, x, size))
        result.backward(0.5)
        expect_grads(0.5 * paths, x=x)
        result.zero_grad()
        expect_grads(0.0, x=x)
