"""Hidden tests beyond the texts: what Tensors do with odd arguments and others' arrays; no_grad."""

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite import expect
from autograder.suite.hidden.warned import no_warnings

from ..suite_tools.engine import TOLERANCE, refuses, tensors
from ..suite_tools.graphs import by_sums, by_sums_or_products
from .without_backward import by_any_end, check_tensors

pytestmark = pytest.mark.item("week2.robustness")

SHAPE = (2, 3)
ONES = np.ones(SHAPE)


def joined(symbol, a, b):
    """Return a + b or a * b."""
    return a + b if symbol == "+" else a * b


def leaves(student, count, **settings):
    """Return `count` leaves of shape (2, 3), filled with ones."""
    return tensors(student, *[ONES] * count, **settings)


def expect_no_grad(**nodes):
    """The grad of each node is None; or zeros, in an engine whose gradients begin with zeros."""
    for name, node in nodes.items():
        if (received := node.grad) is not None:
            expect.close(f"{name}.grad", received, np.zeros(SHAPE), **TOLERANCE)


# Numbers


def check_at(student, label, f, at, data, slope):
    """Compare an operation's data and slope at the entries of an array with known ones."""

    def way(end, weights):
        [a] = tensors(student, np.array(at))
        result = f(a)
        expect.close(f"data of {label}", result.data, data, **TOLERANCE)
        end(result)
        expect.close(f"a.grad of {label}", a.grad, weights * slope, **TOLERANCE)

    by_any_end(student, np.linspace(-1.0, 1.5, len(at)), way, alone=True)


def test_edges(student):
    """The slope of a ** 0 is 0, also at 0, relu's slope at 0 is 0, and nothing warns."""
    check_at(student, "a ** 0 with a 0 in a", lambda a: a**0, [0.0, 2.0], [1.0, 1.0], 0.0)
    slope = np.array([0.0, 1.0, 0.0, 0.0])
    at, data = [0.0, 1000.0, -1.0, -1000.0], [0.0, 1000.0, 0.0, 0.0]
    check_at(student, "a.relu() with a 0 in a", lambda a: a.relu(), at, data, slope)
    no_warnings(student)


def test_everything_is_float64(student):
    """data and grad are float64, also where a Tensor was made from integers or float32."""
    for dtype in (np.int64, np.float32):

        def check(symbol, dtype=dtype):
            array = np.ones(SHAPE, dtype=dtype)

            def way(end, weights):
                a, b = tensors(student, array, array)
                result = joined(symbol, a, b)
                expect.dtype(f"data of a {symbol} b, made of {dtype.__name__}", result.data, "f8")
                end(result)
                for name, node in (("a", a), ("b", b)):
                    label = f"{name}.grad of a {symbol} b, made of {dtype.__name__}"
                    expect.dtype(label, node.grad, "f8")
                    expect.close(label, node.grad, weights, **TOLERANCE)

            by_any_end(student, np.full(SHAPE, 0.7), way, alone=symbol == "*")

        by_sums_or_products(check)


def test_arrays_on_the_left(student, rng):
    """A NumPy array may stand on the left of + and *; the result is a Tensor."""
    n, array, upstream = (rng.normal(size=SHAPE) for _ in range(3))

    def check(symbol):
        label = f"n {symbol} a with an array n"
        alone = symbol == "*"
        check_tensors(
            student, label, lambda a: joined(symbol, n, a), [array], upstream, alone=alone
        )

    by_sums_or_products(check)


@pytest.mark.weight(2)
def test_shapes_that_do_not_fit(student):
    """@, reshape and + or * raise a ValueError that names both shapes where they don't fit."""
    a, b = tensors(student, np.ones((2, 3)), np.ones((3, 2)))
    expect.close("data of a @ b", (a @ b).data, np.full((2, 2), 3.0))
    expect.close("data of a.reshape(3, 2)", a.reshape(3, 2).data, np.ones((3, 2)))
    a, b = tensors(student, np.ones((2, 3)), np.ones((2, 3)))
    refuses("a @ b, shapes (2, 3) and (2, 3)", lambda: a @ b, (2, 3), (2, 3))
    refuses("a.reshape(4, 2), shape (2, 3)", lambda: a.reshape(4, 2), (2, 3), (4, 2))

    def check(symbol):
        total = 2.0 if symbol == "+" else 1.0
        expect.close(f"data of a {symbol} b", joined(symbol, a, b).data, np.full((2, 3), total))
        for shapes in (((3,), (4,)), ((2, 3), (3, 2))):
            c, d = tensors(student, *map(np.ones, shapes))
            label = f"a {symbol} b, shapes {shapes[0]} and {shapes[1]}"
            refuses(label, lambda c=c, d=d: joined(symbol, c, d), *shapes)

    by_sums_or_products(check)


def test_power_with_a_tensor_needs_positive_bases(student):
    """A Tensor as exponent raises a ValueError if any base is negative or 0."""
    a, b = tensors(student, np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    expect.close("data of a ** b", (a**b).data, np.array([1.0, 8.0]))
    for base in ([1.0, -2.0], [0.0, 1.0]):
        a, b = tensors(student, np.array(base), np.array([2.0, 3.0]))
        expect.raises(f"a ** b with a = {base}", lambda a=a, b=b: a**b, "ValueError")


# Where a pass begins, and where it goes


def test_gradient_of_the_result(student, rng):
    """backward(g) begins with g, of the result's shape; without g there must be a single entry."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol):
        a, b = leaves(student, 2)
        result = joined(symbol, a, b)
        refuses("backward() of shape (2, 3)", result.backward, SHAPE)
        for shape in ((3, 2), (3,), (1, 3)):
            label = f"backward of shape (2, 3) with a gradient of shape {shape}"
            refuses(label, lambda shape=shape: result.backward(np.ones(shape)), SHAPE, shape)
        kept = student.keep(upstream)
        result.backward(kept)
        for name, node in {"a": a, "b": b}.items():
            expect.close(f"{name}.grad after backward(g)", node.grad, upstream, **TOLERANCE)
        expect.unchanged("the upstream gradient", upstream, student.fetch(kept))

    by_sums_or_products(check)


def test_only_where_required(student, rng):
    """Tensors that require no gradient get none; results require one if an operand does."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol):
        def way(end, weights):
            [a], [b, c] = leaves(student, 1), leaves(student, 2, requires_grad=False)
            constant, result = joined(symbol, b, c), joined(symbol, b, a)
            expect.equal(
                "requires_grad of a result of two that don't", constant.requires_grad, False
            )
            expect.equal("requires_grad of a result of one that does", result.requires_grad, True)
            end(joined(symbol, result, constant))
            expect.close("a.grad", a.grad, weights, **TOLERANCE)
            expect_no_grad(b=b, c=c, constant=constant)

        by_any_end(student, upstream, way, alone=True)
        [b] = tensors(student, np.asarray(1.0), requires_grad=False)
        expect.raises("backward of a tensor that requires no gradient", b.backward, "RuntimeError")

    by_sums_or_products(check)


@pytest.mark.weight(2)
def test_gradients_are_arrays_of_their_own(student, rng):
    """Scaling a.grad in place changes no other gradient."""
    upstream = rng.normal(size=SHAPE)

    def check(symbol, factor=0.5):
        def way(end, weights):
            a, b = leaves(student, 2)
            result = joined(symbol, a, b)
            end(result)
            student.drive("scale_gradient", a, factor)
            for name, node, share in (("a", a, factor), ("b", b, 1.0), ("result", result, 1.0)):
                label = f"{name}.grad, when a.grad was scaled in place"
                expect.close(label, node.grad, share * weights, **TOLERANCE)

        by_any_end(student, upstream, way)

    by_sums(check, lambda symbol: check(symbol, 1.0))


def test_data_replaced_before_backward(student, rng):
    """After a.data = ..., backward of an older result is right, or raises a RuntimeError."""
    x, y, new, upstream = (rng.uniform(0.5, 2.0, size=SHAPE) for _ in range(4))

    def check(label, f, slope):
        def way(end, weights):
            a, b = tensors(student, x, y)
            result = f(a, b)
            a.data = new
            try:
                end(result)
            except Fault as fault:
                if fault.verdict is not Verdict.RAISED or fault.type_name != "RuntimeError":
                    raise
                return
            name = f"gradient of {label}, when a.data was replaced before backward"
            expect.close(name, (b if "b" in label else a).grad, weights * slope, **TOLERANCE)

        by_any_end(student, upstream, way, alone=True)

    expect.any_of(
        lambda: check("a * b", lambda a, b: a * b, x),
        lambda: check("a ** 3", lambda a, b: a**3, 3 * x**2),
    )


# no_grad


def enter(student):
    """Begin a block `with no_grad():` and return its context manager."""
    block = student.autograd.no_grad()
    student.probe("enter")(block)
    return block


def expect_requires_grad(student, label, wanted):
    """Compare requires_grad of a new result."""

    def check(symbol):
        found = joined(symbol, *leaves(student, 2)).requires_grad
        expect.equal(f"requires_grad of a {symbol} b {label}", found, wanted)

    by_sums_or_products(check)


def test_no_grad(student):
    """Within no_grad results require no gradient, and after it they do again."""
    block = enter(student)
    expect_requires_grad(student, "within no_grad", False)
    student.probe("leave")(block)
    expect_requires_grad(student, "after no_grad", True)


def test_no_grad_nests(student):
    """A no_grad block within another one does not end the outer one."""
    leave = student.probe("leave")
    outer, inner = enter(student), enter(student)
    expect_requires_grad(student, "within two no_grad blocks", False)
    leave(inner)
    expect_requires_grad(student, "within the outer no_grad block", False)
    leave(outer)
    expect_requires_grad(student, "after both no_grad blocks", True)


def test_no_grad_ends_with_an_exception(student):
    """A no_grad block that an exception leaves is over, too."""
    block = enter(student)
    expect_requires_grad(student, "within no_grad", False)
    swallowed = student.probe("leave")(block, True)
    expect.equal("whether the exception ends in the block", swallowed, False)
    expect_requires_grad(student, "after an exception within no_grad", True)
