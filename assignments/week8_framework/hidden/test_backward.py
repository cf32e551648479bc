"""Hidden tests of the engine: graphs of every form, accumulation, what wants no gradient."""

import numpy as np
import pytest

from autograder.suite import expect

from .asking import check_program, drive, listed

pytestmark = pytest.mark.item("framework.backward")

LENGTH = 2_500
"""Each link is two operations."""


def test_diamond(student, rng):
    """A tensor that is used in two ways gets both gradients, also where one way is longer."""
    arrays = [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))]
    program = [
        ["multiply", [0, 1], {}],
        ["add", [2, 0], {}],
        ["multiply", [3, 2], {}],
        ["subtract", [4, 3], {}],
        ["multiply", [5, 2], {}],
    ]

    def formula(a, b):
        product = a * b
        total = product + a
        return (total * product - total) * product

    check_program(student, "a graph with branches", arrays, program, formula, rng)


def test_many_diamonds(student, rng):
    """Twenty diamonds, one on top of the other: each node is gone through once."""
    x = rng.uniform(0.5, 0.6, size=3)
    program = [["add", [n, n], {}] for n in range(20)]
    check_program(student, "x doubled twenty times", [x], program, lambda x: x * 2.0**20, rng)


def test_same_twice(student, rng):
    """A tensor may be both operands of an operation."""
    x = rng.normal(size=(3, 2))
    check_program(student, "x times x", [x], [["multiply", [0, 0], {}]], lambda x: x * x, rng)


def test_deep_chain(student, rng):
    """A chain of 5,000 operations: the right gradient at its end."""
    x, upstream = rng.normal(size=(2,)), rng.normal(size=(2,))
    factors = rng.uniform(0.99, 1.01, size=LENGTH)
    terms = rng.normal(scale=0.01, size=LENGTH)
    y = x
    for factor, term in zip(factors, terms, strict=True):
        y = y * factor + term
    found = listed("the chain", drive(student, "chain", x, factors, terms, upstream), 2)
    expect.close("the value at the end of the chain", found[0], y)
    expect.close("the gradient at the beginning", found[1], upstream * np.prod(factors))


def test_again(student, rng):
    """Going back a second time through a graph adds the same once more."""
    arrays = [rng.normal(size=(2, 3)), rng.normal(size=(3,))]
    upstream = rng.normal(size=(2, 3))
    program = [["multiply", [0, 1], {}], ["add", [2, 0], {}]]
    for passes in (1, 3):
        found = drive(student, "compute", arrays, [True] * 2, program, upstream, passes)
        _, gradients = listed("the answer", found, 2)
        one, other = listed("the gradients", gradients, 2)
        label = f"the gradient after {passes} passes"
        expect.close(label, one, passes * upstream * (arrays[1] + 1.0))
        expect.close(label, other, passes * (upstream * arrays[0]).sum(axis=0))


def test_wants_none(student, rng):
    """A tensor that wants no gradient has none, and the others have the right ones."""
    arrays = [rng.normal(size=(2, 3)) for _ in range(3)]
    upstream = rng.normal(size=(2, 3))
    program = [["multiply", [0, 1], {}], ["multiply", [3, 2], {}]]
    found = drive(student, "compute", arrays, [False, True, True], program, upstream, 1)
    _, gradients = listed("the answer", found, 2)
    none, second, third = listed("the gradients", gradients, 3)
    expect.close("the gradient of one that wants it", second, upstream * arrays[0] * arrays[2])
    expect.close("the gradient of one that wants it", third, upstream * arrays[0] * arrays[1])
    expect.that("the gradient of one that wants none", none is None, "expected None.")


def test_upstream(student, rng):
    """The gradient of one number needs no upstream gradient; arguments stay as they are."""
    arrays = [rng.normal(size=(2, 3)), rng.normal(size=(2, 3))]
    kept = student.keep(arrays[0])
    upstream = student.keep(np.array(3.5))
    program = [["multiply", [0, 1], {}], ["sum", [2], {}]]
    found = drive(student, "compute", [kept, arrays[1]], [True] * 2, program, upstream, 2)
    _, gradients = listed("the answer", found, 2)
    expect.close("the gradient", listed("the gradients", gradients, 2)[0], 7.0 * arrays[1])
    expect.unchanged("the array of a tensor", arrays[0], student.fetch(kept))
    expect.unchanged("the upstream gradient", np.array(3.5), student.fetch(upstream))
    x, factor = rng.normal(size=1), rng.normal(size=1)
    gradient = drive(student, "without_upstream", x, factor)
    expect.close("the gradient without upstream", gradient, factor)


def test_no_grad_memory(student, rng):
    """Inside no_grad nothing piles up: memory is that of a few arrays, however long it takes."""
    x = rng.uniform(0.5, 1.5, size=(100, 100))
    factors = rng.uniform(0.9, 1.1, size=300)
    value, most = listed("no_grad", drive(student, "without_graph", x, factors), 2)
    expect.close("the value of 300 operations", value, x * np.prod(factors))
    few = isinstance(most, int) and most < 30 * x.nbytes
    expect.that("memory inside no_grad", few, f"it takes more than {30} arrays at once.")


def test_no_grad_ends(student, rng):
    """Behind no_grad gradients are computed again, even if an error has ended its block."""
    x, factor, upstream = (rng.normal(size=4) for _ in range(3))
    found = drive(student, "after_no_grad", x, factor, upstream)
    expect.close("the gradient behind the block", found, upstream * factor)
