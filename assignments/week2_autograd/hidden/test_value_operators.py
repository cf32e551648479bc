"""Hidden tests of the operators of autograd.Value: +, * and powers with a number.

But for one test each value is used once, so that nothing depends on how gradients add up.
"""

import re
from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import something_right

from ..suite_tools.engine import TOLERANCE, UPSTREAM, used_twice, values, with_feeds
from .plain_answers import Plain, either, same_operand, uses_add_up
from .without_backward import by_backward_or_swept, check_values

pytestmark = pytest.mark.item("week2.value_operators")

REPR = re.compile(r"Value\(data=([^,]+), grad=([^,]+)\)")
LONGEST = 200
"""Characters of a repr."""


def signed(rng, count):
    """Return `count` numbers of size 0.5 to 2.5 and either sign."""
    return [float(n) for n in rng.uniform(0.5, 2.5, size=count) * rng.choice([-1.0, 1.0], count)]


def positive(rng, count):
    """Return `count` numbers between 0.5 and 2.5."""
    return [float(n) for n in rng.uniform(0.5, 2.5, size=count)]


@pytest.mark.weight(3)
def test_multiplication_and_addition(student, rng):
    """a * b and a + b of two Values, for all signs, and their gradients."""
    for signs in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
        numbers = [sign * n for sign, n in zip(signs, positive(rng, 2), strict=True)]
        check_values(student, "a * b", lambda a, b: a * b, *numbers)
    check_values(student, "a + b", lambda a, b: a + b, *signed(rng, 2))


@pytest.mark.weight(3)
def test_power_with_a_number(student, rng):
    """a ** n and its gradient for positive a, also for negative n and for fractions."""
    for n in (2, 3, -1, -2, 0.5, -1.5, 1):
        check_values(student, f"a ** {n}", lambda a, n=n: a**n, *positive(rng, 1))


def test_power_of_a_negative_base(student, rng):
    """a ** n for negative a and whole n is an ordinary power."""
    for n in (2, 3, -1, -2):
        [a] = positive(rng, 1)
        check_values(student, f"a ** {n} for negative a", lambda a, n=n: a**n, -a)


@pytest.mark.weight(2)
def test_numbers_on_the_right(student, rng):
    """A plain number may stand on the right of * and +."""
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "a * n with a number n", lambda a: a * n, *signed(rng, 1))
    check_values(student, "a + n with a number n", lambda a: a + n, *signed(rng, 1))


@pytest.mark.weight(2)
def test_numbers_on_the_left(student, rng):
    """A plain number may stand on the left of * and +; so sum() works."""
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n * a with a number n", lambda a: n * a, *signed(rng, 1))
    check_values(student, "n + a with a number n", lambda a: n + a, *signed(rng, 1))
    check_values(student, "sum([a, b, c])", lambda a, b, c: sum([a, b, c]), *signed(rng, 3))


@pytest.mark.weight(2)
def test_several_operators(student, rng):
    """An expression of many operators, each value used once, has the right gradients."""

    def f(a, b, c, d, e):
        return ((a * b + c) ** 2 + 2.0 * d) * e**-1 + 3.0

    check_values(student, "((a b + c)^2 + 2 d) / e + 3", f, *positive(rng, 5))


@pytest.mark.weight(2)
def test_uses_add_up(student, rng):
    """What an operator passes back is added to the grad of its operands, also in a * a."""
    operations = {"a * b": lambda a, b: a * b, "a + b": lambda a, b: a + b, "a ** 3": cube}
    plain = Plain(student, tensor=False)
    for label, f in operations.items():
        numbers = signed(rng, 1 if f is cube else 2)

        def check(both, apply, label=label, numbers=numbers):
            check_values(student, f"{label}, twice in one graph", both, *numbers, apply=apply)

        either(
            plain,
            partial(used_twice, check, f, f),
            partial(uses_add_up, plain, label, f, f, numbers, UPSTREAM),
        )
    for label, f in (("a * a", operations["a * b"]), ("a + a", operations["a + b"])):
        [number] = signed(rng, 1)
        either(
            plain,
            partial(check_values, student, label, lambda a, f=f: f(a, a), number),
            partial(same_operand, plain, label, f, number, UPSTREAM),
        )
    plain.one_is_right()


def cube(a):
    """Return the third power."""
    return a**3


def test_operands_stay_as_they_are(student, rng):
    """An operator makes a new Value, and leaves data and grad of its operands alone."""
    numbers = positive(rng, 2)
    a, b = values(student, *numbers)
    results = {"a * b": a * b, "a + b": a + b, "a ** 2": a**2}
    expected = [numbers[0] * numbers[1], sum(numbers), numbers[0] ** 2]
    right = [
        partial(expect.close, f"data of {label}", result.data, number, **TOLERANCE)
        for (label, result), number in zip(results.items(), expected, strict=True)
    ]
    something_right(*right)
    for label, result in results.items():
        expect.close(f"grad of {label} before backward", result.grad, 0.0)
    for name, operand, number in zip("ab", (a, b), numbers, strict=True):
        expect.equal(f"{name}.data", operand.data, number)
        expect.equal(f"{name}.grad", operand.grad, 0.0)


def test_in_place_operators(student, rng):
    """After c = a, c += b and c *= b, gradients are those of (a + b) * b, and a is as it was."""
    first, second = positive(rng, 2)

    def way(feed, end):
        a, b = feed([first, second], rng)
        result = student.operand(student.prepare("in_place", a, b))
        expect.close("data of c", result.data, (first + second) * second, **TOLERANCE)
        end(result)
        expect.equal("a.data", a.data, first)
        expect.close("a.grad", a.grad, second, **TOLERANCE)
        expect.close("b.grad", b.grad, first + 2 * second, **TOLERANCE)

    with_feeds(student, False, lambda feed: by_backward_or_swept(student, partial(way, feed)))


def test_results_remember_where_they_come_from(student, rng):
    """A result keeps its operands in _prev and its operation in _op; those of a leaf are empty.

    What an operation is called is for pictures, and free, but for the signs of the others.
    """
    candidates = values(student, *positive(rng, 9))
    remembered = partial(student.drive, "remembered")
    i, j, k, m = (int(place) for place in rng.permutation(9)[:4])
    a, b, c = candidates[i], candidates[j], candidates[k]
    product, total = (remembered(one, candidates) for one in (a * b, a + c))
    for label, facts, places in (
        ("a * b", product, [i, j]),
        ("a + c", total, [i, k]),
    ):
        where = f"which of nine values are in _prev of {label}"
        expect.equal(where, facts["operands"], sorted(places))
        expect.equal(f"how many others are in _prev of {label}", facts["others"], 0)
    power = remembered(b**2, candidates)
    for label, facts in (("a * b", product), ("a + c", total), ("b ** 2", power)):
        text = facts["operation"]
        expect.that(f"_op of {label}", type(text) is str and text != "", "it is empty or no text.")
        others = {"+", "-", "*", "/", "**", "@"} - {label.split()[1]}
        expect.that(f"_op of {label}", text not in others, "it is that of another operator.")
    squared = remembered(candidates[m] * candidates[m], candidates)["operands"]
    expect.equal("which of nine values are in _prev of a * a", squared, [m])
    same = product["operation"] == total["operation"]
    expect.that("_op of a * b and of a + c", not same, "they are the same.")
    leaf = remembered(a, candidates)
    expect.equal("_prev of a leaf", [leaf["operands"], leaf["others"]], [[], 0])
    expect.equal("_op of a leaf", leaf["operation"], "")


def test_repr(student, rng):
    """repr is Value(data=..., grad=...)."""
    first, second = signed(rng, 2)
    a, b = values(student, first, second)
    for label, node, data in (("a * b", a * b, first * second), ("a", a, first)):
        text = student.drive("remembered", node, [])["text"]
        found = REPR.fullmatch(text) if type(text) is str and len(text) <= LONGEST else None
        message = "it is not of the form Value(data=..., grad=...)."
        expect.that(f"repr of {label}", found is not None, message)
        try:
            numbers = [float(part) for part in found.groups()]
        except ValueError:
            numbers = [np.nan, np.nan]
        right = np.allclose(numbers, [data, 0.0], rtol=1e-3)
        expect.that(f"repr of {label}", bool(right), "it shows other numbers.")
