"""Hidden tests of the functions of autograd.Value: relu, exp, log."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu

from ..suite_tools.engine import used_twice, values
from .without_backward import check_values

pytestmark = pytest.mark.item("week2.value_functions")

FUNCTIONS = {"relu": relu, "exp": np.exp, "log": np.log}


def check_at(student, name, numbers):
    """Compare the function `name` of a Value at each of the numbers."""
    for number in numbers:
        check_values(
            student, f"a.{name}()", FUNCTIONS[name], float(number),
            apply=lambda a: getattr(a, name)(),
        )  # fmt: skip


@pytest.mark.weight(3)
def test_relu(student, rng):
    """relu is a where a > 0, with slope 1, and 0 elsewhere, with slope 0."""
    size = rng.uniform(0.2, 3.0, size=2)
    check_at(student, "relu", [size[0], -size[1]])


@pytest.mark.weight(3)
def test_exp(student, rng):
    """exp, whose slope is exp again."""
    check_at(student, "exp", rng.uniform(-2.0, 2.0, size=3))


@pytest.mark.weight(3)
def test_log(student, rng):
    """log, whose slope is 1 / a."""
    check_at(student, "log", rng.uniform(0.1, 5.0, size=3))


@pytest.mark.weight(2)
def test_functions_of_functions(student, rng):
    """A function of a function of a Value obeys the chain rule."""
    number = float(rng.uniform(0.5, 1.5))
    chains = {
        "a.exp().log()": (lambda a: np.log(np.exp(a)), lambda a: a.exp().log()),
        "a.exp().relu().exp()": (lambda a: np.exp(np.exp(a)), lambda a: a.exp().relu().exp()),
        "a.exp().exp().log().log()": (lambda a: a, lambda a: a.exp().exp().log().log()),
    }
    for label, (f, apply) in chains.items():
        check_values(student, label, f, number, apply=apply)


def test_uses_add_up(student, rng):
    """What a function passes back is added to the grad of its operand."""
    number = float(rng.uniform(0.5, 1.5))
    for name, f in FUNCTIONS.items():

        def check(both, apply, name=name):
            check_values(student, f"a.{name}(), twice in one graph", both, number, apply=apply)

        used_twice(check, f, lambda a, name=name: getattr(a, name)())


def test_operand_stays_as_it_is(student, rng):
    """A function makes a new Value, and leaves data and grad of its operand alone."""
    number = float(rng.uniform(0.5, 1.5))
    [a] = values(student, number)
    for name, f in FUNCTIONS.items():
        result = getattr(a, name)()
        expect.close(f"data of a.{name}()", result.data, float(f(number)))
        expect.equal(f"a.data after a.{name}()", a.data, number)
        expect.equal(f"a.grad after a.{name}()", a.grad, 0.0)
