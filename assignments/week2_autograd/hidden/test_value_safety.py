"""Hidden tests beyond the texts: numbers at the edge of what operations of a Value take."""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import refuses, values
from .without_backward import by_backward_or_swept

pytestmark = pytest.mark.item("week2.robustness")


@pytest.mark.weight(2)
def test_slopes_at_zero(student):
    """At a = 0, a ** 0 is 1 with slope 0, and relu is 0 with slope 0."""

    def way(end):
        # The sum is of no interest, but for its slope: what passes nothing back has slopes of 0.
        for label, operation, data, slope in (
            ("a + b", lambda a, b: a + b, 3.0, 1.0),
            ("a ** 0", lambda a, _: a**0, 1.0, 0.0),
            ("a.relu()", lambda a, _: a.relu(), 0.0, 0.0),
        ):
            a, b = values(student, 0.0, 3.0)
            result = operation(a, b)
            expect.close(f"data of {label} at a = 0", result.data, data)
            end(result)
            expect.close(f"a.grad of {label} at a = 0", a.grad, slope)

    by_backward_or_swept(student, way)


def test_root_of_a_negative_number(student):
    """A negative base under a number with a fraction raises a ValueError, not a complex number."""
    [a] = values(student, 2.0)
    expect.close("data of a ** 0.5 at a = 2", (a**0.5).data, 2.0**0.5)
    [a] = values(student, -2.0)
    expect.raises("a ** 0.5 at a = -2", lambda: a**0.5, "ValueError")


def test_power_with_a_value_needs_a_positive_base(student):
    """A Value as exponent of a base that is negative or 0 raises a ValueError: log(a) is needed."""
    a, b = values(student, 3.0, 2.0)
    expect.close("data of a ** b at a = 3, b = 2", (a**b).data, 9.0)
    for number in (-2.0, 0.0):
        a, b = values(student, number, 2.0)
        expect.raises(f"a ** b at a = {number:g}", lambda a=a, b=b: a**b, "ValueError")


def test_log_of_what_has_none(student):
    """log of 0 and of a negative number raises a ValueError; its message names the number."""
    [a] = values(student, 0.25)
    expect.close("data of a.log() at a = 0.25", a.log().data, float(np.log(0.25)))
    for number in (0.0, -1.5):
        [a] = values(student, number)
        refuses(f"a.log() at a = {number:g}", a.log, f"{number:g}")


def test_whole_numbers(student):
    """Whole numbers are numbers like all others, on the left of ** and on its right."""
    [a] = values(student, 2)
    expect.close("data of Value(2) ** -1", (a**-1).data, 0.5)
