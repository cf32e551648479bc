"""What the tests of attention share: how it is asked, and that something is right.

A check of a dtype, or of arguments that stay as they are, must not fail for every wrong value; but
code of which nothing is right has no sides. So the plainest values have to be right before such a
check looks, or those of a common mistake.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right
from autograder.suite.student import Student

from . import formulas
from .cases import MASKED, PLAIN, Case
from .formulas import RIGHT, WRONG, Array, Way

Rng = np.random.Generator

FUNCTIONS = {"attention_weights": formulas.weights, "scaled_dot_product_attention": formulas.output}
LABELS = "dL/dQ", "dL/dK", "dL/dV"

FAR = 1e7
"""What all values have in common where dL/dQ and dL/dK are asked for.

It enters neither of them, since the weights of a row add to 1, and spoils a difference of two
results, which is no gradient.
"""
NEAR = {"rtol": 1e-6, "atol": 1e-7}


def arguments(name: str, Q: Array, K: Array, V: Array) -> tuple[Array, ...]:
    """Return what a function is given before its mask."""
    return (Q, K) if name == "attention_weights" else (Q, K, V)


def asked(student: Student, name: str, *args: Any) -> Any:
    """Call attention_weights or scaled_dot_product_attention."""
    return getattr(student.attention, name)(*args)


def one_is_right(student: Student, rng: Rng, name: str) -> None:
    """In the plainest case the function is right, or goes one of the wrong ways that are known."""
    args = arguments(name, *PLAIN.drawn(rng))
    received = asked(student, name, *args)
    something_right(
        *(
            lambda way=way: proportional(name, received, FUNCTIONS[name](*args, None, way))
            for way in (RIGHT, *WRONG.values())
        )
    )


def gradients(student: Student, *args: Any) -> Any:
    """Return the three gradients that the student's attention_backward gives."""
    received = student.attention.attention_backward(*args)
    three = isinstance(received, (tuple, list)) and len(received) == 3
    message = f"expected three arrays, dQ, dK and dV, got {expect.kind_of(received)}."
    expect.that("attention_backward", three, message)
    return received


def drawn(case: Case, rng: Rng, number: int) -> list[Array]:
    """Return an upstream gradient, queries, keys and values, to ask for one of the gradients."""
    Q, K, V = case.drawn(rng)
    return [case.grad(rng), Q, K, FAR * V if number == 2 else FAR + V]


def ways_of(student: Student, rng: Rng) -> list[Way]:
    """Return the wrong ways that the student's forward pass may go, seen with a mask."""
    (Q, K, V), mask = MASKED.drawn(rng), MASKED.mask(rng)[0]
    try:
        received = student.attention.scaled_dot_product_attention(Q, K, V, mask)
        received = expect.array("attention", received, (*Q.shape[:-1], V.shape[-1]))
    except expect.Fault:
        return []
    return [
        way
        for way in WRONG.values()
        if np.allclose(received, formulas.output(Q, K, V, mask, way), rtol=1e-5, atol=1e-7)
    ]


def expect_gradient(student: Student, rng: Rng, number: int, *args: Array) -> None:
    """Compare one of the gradients with the one that belongs to the student's forward pass."""
    label = LABELS[number]
    received = gradients(student, *args)[number]
    wanted = formulas.backward(*args)[number]
    try:
        expect.close(label, received, wanted, **NEAR)
    except expect.Wrong:
        got = expect.array(label, received, wanted.shape)
        mask = args[4] if len(args) > 4 else None
        others = (
            made
            for way in ways_of(student, rng)
            for made in (
                formulas.backward(*args[:4], mask, way)[number],
                formulas.backward_of(way, *args)[number],
            )
        )
        if not any(np.allclose(got, other, **NEAR) for other in others):
            raise


def gradient_is_right(student: Student, rng: Rng) -> None:
    """One of the gradients is right in the plainest case, but for a factor, for some way."""

    def way(number: int, received: Any, wanted: Array) -> None:
        proportional(LABELS[number], received, wanted, **NEAR)

    ways = []
    for number in range(3):
        args = drawn(PLAIN, rng, number)
        received = gradients(student, *args)[number]
        made = [formulas.backward_of(one, *args)[number] for one in (RIGHT, *WRONG.values())]
        ways += [lambda n=number, got=received, one=one: way(n, got, one) for one in made]
    something_right(*ways)
