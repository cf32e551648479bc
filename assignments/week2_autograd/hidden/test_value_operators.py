"""Hidden tests of the operators of autograd.Value.

Every graph here is a tree: each value is used once, so that nothing depends on how `backward` adds
up contributions.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import TOLERANCE, check_values, values

pytestmark = pytest.mark.item("week2.value_operators")

UPSTREAM = 0.7


def signed(rng, count):
    """Return `count` numbers of size 0.5 to 2.5 and either sign."""
    return [float(n) for n in rng.uniform(0.5, 2.5, size=count) * rng.choice([-1.0, 1.0], count)]


def positive(rng, count):
    """Return `count` numbers between 0.5 and 2.5."""
    return [float(n) for n in rng.uniform(0.5, 2.5, size=count)]


def check_all_signs(student, rng, label, f, count=2):
    """Compare an operation at operands of every combination of signs."""
    for signs in np.ndindex((2,) * count):
        numbers = positive(rng, count)
        numbers = [-n if minus else n for n, minus in zip(numbers, signs, strict=True)]
        check_values(student, label, f, *numbers)


@pytest.mark.weight(2)
def test_subtraction_and_addition(student, rng):
    """a - b and a + b of two Values, and their gradients: for b, they differ in their sign."""
    check_all_signs(student, rng, "a - b", lambda a, b: a - b)
    check_all_signs(student, rng, "a + b", lambda a, b: a + b)


@pytest.mark.weight(2)
def test_multiplication_and_negation(student, rng):
    """a * b of two Values: each gets the upstream gradient times the other one. -a is -1 * a."""
    check_all_signs(student, rng, "a * b", lambda a, b: a * b)
    check_all_signs(student, rng, "-a", lambda a: -a, count=1)


@pytest.mark.weight(2)
def test_division(student, rng):
    """a / b of two Values: gradients 1 / b and -a / b^2, times the upstream gradient."""
    check_all_signs(student, rng, "a / b", lambda a, b: a / b)


@pytest.mark.weight(2)
def test_power_with_a_number(student, rng):
    """a ** n for positive a: n a^(n - 1), also for negative n and for fractions."""
    for n in (2, 3, -1, -2, 0.5, -1.5, 1, 2.25, 0):
        check_values(student, f"a ** {n}", lambda a, n=n: a**n, *positive(rng, 1))


def test_power_of_a_negative_base(student, rng):
    """a ** n for negative a and whole n is an ordinary power."""
    for n in (2, 3, -1, -2, 3.0):
        [a] = positive(rng, 1)
        check_values(student, f"a ** {n} for negative a", lambda a, n=n: a**n, -a)


@pytest.mark.weight(2)
def test_power_with_a_value(student, rng):
    """a ** b of two Values: b has a gradient too, a^b log(a)."""
    for signs in (1, -1):
        a, b = positive(rng, 2)
        check_values(student, "a ** b", lambda a, b: a**b, a, signs * b)


def test_powers_at_zero(student):
    """At a = 0, a ** 0 is 1 with slope 0, a ** 1 has slope 1, a ** 2 and a ** 3 slope 0."""
    for n, data, slope in ((1, 0.0, 1.0), (0, 1.0, 0.0), (2, 0.0, 0.0), (3, 0.0, 0.0)):
        [a] = values(student, 0.0)
        result = a**n
        expect.close(f"data of a ** {n} at a = 0", result.data, data)
        result.backward(UPSTREAM)
        expect.close(f"a.grad of a ** {n} at a = 0", a.grad, UPSTREAM * slope)


def test_power_with_a_value_needs_a_positive_base(student):
    """A Value as exponent of a base that is negative or 0 raises a ValueError: log(a) is needed."""
    for number in (-2.0, 0.0):
        a, b = values(student, number, 2.0)
        expect.raises(f"a ** b at a = {number:g}", lambda a=a, b=b: a**b, "ValueError")


def test_root_of_a_negative_number(student):
    """A negative base under a number with a fraction raises a ValueError, not a complex number."""
    [a] = values(student, -2.0)
    expect.raises("a ** 0.5 at a = -2", lambda: a**0.5, "ValueError")


@pytest.mark.weight(2)
def test_numbers_on_the_right(student, rng):
    """A plain number may stand on the right of +, -, * and /."""
    n = float(rng.uniform(1.5, 3.0))
    operations = {
        "a + n": lambda a: a + n,
        "a - n": lambda a: a - n,
        "a * n": lambda a: a * n,
        "a / n": lambda a: a / n,
    }
    for label, f in operations.items():
        check_values(student, f"{label} with a number n", f, *signed(rng, 1))


def test_number_on_the_left_of_plus_and_times(student, rng):
    """A plain number may stand on the left of + and *; so sum() works."""
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n + a with a number n", lambda a: n + a, *signed(rng, 1))
    check_values(student, "n * a with a number n", lambda a: n * a, *signed(rng, 1))
    check_values(student, "sum([a, b, c])", lambda a, b, c: sum([a, b, c]), *signed(rng, 3))


@pytest.mark.weight(2)
def test_number_minus_value(student, rng):
    """n - a with a plain number n: in that order."""
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n - a with a number n", lambda a: n - a, *signed(rng, 1))


@pytest.mark.weight(2)
def test_number_divided_by_value(student, rng):
    """n / a with a plain number n: in that order."""
    n = float(rng.uniform(1.5, 3.0))
    check_values(student, "n / a with a number n", lambda a: n / a, *signed(rng, 1))


def test_number_to_the_power_of_value(student, rng):
    """n ** a with a plain number n: the slope is n^a log(n)."""
    n = float(rng.uniform(1.5, 3.0))
    for a in signed(rng, 2):
        check_values(student, "n ** a with a number n", lambda a: n**a, a)


def test_whole_numbers(student):
    """Whole numbers are numbers like all others: Value(3) / Value(2) is 1.5."""
    a, b = values(student, 3, 2)
    expect.close("data of Value(3) / Value(2)", (a / b).data, 1.5)
    expect.close("data of Value(3) / 2", (a / 2).data, 1.5)
    expect.close("data of 3 / Value(2)", (3 / b).data, 1.5)
    expect.close("data of Value(2) ** -1", (b**-1).data, 0.5)


@pytest.mark.weight(2)
def test_several_operators(student, rng):
    """An expression of many operators, each value used once, has the right gradients."""

    def f(a, b, c, d, e):
        return 2.0 - ((a * b - c) / (3.0 + d) + 1.0) ** 2 * -e / 4.0

    check_values(student, "2 - ((a b - c) / (3 + d) + 1)^2 (-e) / 4", f, *positive(rng, 5))


def test_operands_stay_as_they_are(student, rng):
    """An operator makes a new Value, and leaves data and grad of its operands alone."""
    numbers = positive(rng, 2)
    a, b = values(student, *numbers)
    results = {"a + b": a + b, "a - b": a - b, "a * b": a * b, "a / b": a / b, "a ** b": a**b}
    operations = [np.add, np.subtract, np.multiply, np.divide, np.power]
    for (label, result), operation in zip(results.items(), operations, strict=True):
        expect.close(f"data of {label}", result.data, operation(*numbers), **TOLERANCE)
        expect.close(f"grad of {label} before backward", result.grad, 0.0)
    for name, operand, number in zip("ab", (a, b), numbers, strict=True):
        expect.equal(f"{name}.data", operand.data, number)
        expect.equal(f"{name}.grad", operand.grad, 0.0)


def test_results_remember_where_they_come_from(student, rng):
    """The result of + and * keeps its operator in _op and its operands, in order, in _prev."""
    numbers = positive(rng, 2)
    a, b = values(student, *numbers)
    for symbol, result in (("+", a + b), ("*", a * b)):
        nodes = student.drive("graph", result)
        operation, _, operands = nodes[-1]
        expect.equal(f"_op of a {symbol} b", operation, symbol)
        data = [nodes[place][1] for place in operands]
        expect.equal(f"data of the _prev of a {symbol} b", data, numbers)
        for place in operands:
            expect.equal(f"_op of an operand of a {symbol} b", nodes[place][0], "")
