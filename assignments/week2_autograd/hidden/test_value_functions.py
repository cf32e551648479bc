"""Hidden tests of the functions of autograd.Value: relu, exp, log."""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu
from autograder.suite.hidden.sides import something_right

from ..suite_tools.engine import UPSTREAM, used_twice, values
from .plain_answers import Plain, chained, either, uses_add_up
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
    """relu on both sides of 0, and its gradient."""
    size = rng.uniform(0.2, 3.0, size=2)
    check_at(student, "relu", [size[0], -size[1]])


@pytest.mark.weight(3)
def test_exp(student, rng):
    """exp, and its gradient."""
    check_at(student, "exp", rng.uniform(-2.0, 2.0, size=3))


@pytest.mark.weight(3)
def test_log(student, rng):
    """log, and its gradient."""
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
    plain = Plain(student, tensor=False)
    for label, (f, apply) in chains.items():
        names = [part.rstrip("()") for part in label.split(".")[1:]]
        steps = [(FUNCTIONS[name], calling(name)) for name in names]
        either(
            plain,
            partial(check_values, student, label, f, number, apply=apply),
            partial(chained, plain, label, steps, number, UPSTREAM),
        )
    plain.one_is_right()


def calling(name):
    """Return the function that calls a method."""
    return lambda a: getattr(a, name)()


def test_uses_add_up(student, rng):
    """What a function passes back is added to the grad of its operand."""
    number, plain = float(rng.uniform(0.5, 1.5)), Plain(student, tensor=False)
    for name, f in FUNCTIONS.items():

        def check(both, apply, name=name):
            check_values(student, f"a.{name}(), twice in one graph", both, number, apply=apply)

        either(
            plain,
            partial(used_twice, check, f, calling(name)),
            partial(uses_add_up, plain, f"a.{name}()", f, calling(name), [number], UPSTREAM),
        )
    plain.one_is_right()


def test_operand_stays_as_it_is(student, rng):
    """A function makes a new Value, and leaves data and grad of its operand alone."""
    number = float(rng.uniform(0.5, 1.5))
    [a] = values(student, number)
    results = {name: getattr(a, name)().data for name in FUNCTIONS}
    something_right(
        *(
            partial(expect.close, f"data of a.{name}()", results[name], float(f(number)))
            for name, f in FUNCTIONS.items()
        )
    )
    for name in FUNCTIONS:
        expect.equal(f"a.data after a.{name}()", a.data, number)
        expect.equal(f"a.grad after a.{name}()", a.grad, 0.0)
