"""Hidden tests of what autograd.Tensor computes entry by entry, on operands of equal shapes."""

from functools import partial

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu
from autograder.suite.hidden.sides import something_right

from ..suite_tools.engine import constant, shapes_text, tensors, tolerance_of_tensors, used_twice
from .plain_answers import Plain, either, uses_add_up
from .without_backward import by_fed_ends, check_tensors

pytestmark = pytest.mark.item("week2.tensor_elementwise")

SHAPES = ((3,), (2, 3), (2, 1, 3))


def positive(rng, shape):
    """Return an array of numbers between 0.5 and 2.5."""
    return np.asarray(rng.uniform(0.5, 2.5, size=shape))


def signed(rng, shape):
    """Return an array of numbers of size 0.5 to 2.5 and either sign."""
    return positive(rng, shape) * rng.choice([-1.0, 1.0], shape)


def check_shapes(student, rng, label, f, draws, apply=None, shapes=SHAPES):
    """Compare an operation on operands of every shape; `draws` say how each operand is drawn."""
    for shape in shapes:
        arrays = [draw(rng, shape) for draw in draws]
        text = f"{label}, shapes {shapes_text(*arrays)}"
        check_tensors(student, text, f, arrays, rng.normal(size=shape), apply)


@pytest.mark.weight(3)
def test_multiplication_and_addition(student, rng):
    """a * b and a + b of two Tensors, and their gradients."""
    check_shapes(student, rng, "a * b", lambda a, b: a * b, [signed, signed])
    check_shapes(student, rng, "a + b", lambda a, b: a + b, [signed, signed])


@pytest.mark.weight(3)
def test_power_with_a_number(student, rng):
    """a ** n and its gradient, for whole n also where a is negative."""
    for n in (2, 3, -1):
        check_shapes(student, rng, f"a ** {n}", lambda a, n=n: a**n, [signed], shapes=[(2, 3)])
    for n in (0.5, -1.5):
        check_shapes(student, rng, f"a ** {n}", lambda a, n=n: a**n, [positive], shapes=[(2, 3)])


def test_operand_that_requires_no_gradient(student, rng):
    """The other operand's gradient is right, too, where only one of the two requires one."""
    fixed, array, upstream = (signed(rng, (2, 3)) for _ in range(3))

    def way(feed, end, weights):
        for label, slope in (("a * c", fixed), ("c * a", fixed), ("a + c", 1.0), ("c + a", 1.0)):
            [a], c = feed([array], rng), constant(student, fixed)
            first, second = (a, c) if label[0] == "a" else (c, a)
            end(first * second if "*" in label else first + second)
            name = f"a.grad of {label}, where c does not require a gradient"
            expect.close(name, a.grad, weights * slope, **tolerance_of_tensors(student))

    by_fed_ends(student, upstream, way)


@pytest.mark.weight(2)
def test_relu(student, rng):
    """relu on both sides of 0, and its gradient."""
    check_shapes(student, rng, "a.relu()", relu, [signed], lambda a: a.relu())


@pytest.mark.weight(2)
def test_exp(student, rng):
    """exp, and its gradient."""
    check_shapes(student, rng, "a.exp()", np.exp, [signed], lambda a: a.exp())


@pytest.mark.weight(2)
def test_log(student, rng):
    """log, and its gradient."""
    check_shapes(student, rng, "a.log()", np.log, [positive], lambda a: a.log())


def test_functions_of_functions(student, rng):
    """Operations on results of operations obey the chain rule."""

    def f(a, b):
        return np.log(np.exp(a * b) + b) ** 2 * a

    def apply(a, b):
        return (((a * b).exp() + b).relu().log() ** 2).relu() * a

    check_shapes(student, rng, "log(exp(a b) + b)^2 a", f, [positive, positive], apply, [(2, 3)])


def test_uses_add_up(student, rng):
    """What an operation passes back is added to the grad of its operands."""
    operations = {
        "a * b": (lambda a, b: a * b, lambda a, b: a * b, 2),
        "a + b": (lambda a, b: a + b, lambda a, b: a + b, 2),
        "a ** 2": (lambda a: a**2, lambda a: a**2, 1),
        "a.relu()": (relu, lambda a: a.relu(), 1),
        "a.exp()": (np.exp, lambda a: a.exp(), 1),
        "a.log()": (np.log, lambda a: a.log(), 1),
    }
    plain = Plain(student, near=tolerance_of_tensors(student))
    for label, (f, apply, count) in operations.items():
        arrays = [positive(rng, (2, 3)) for _ in range(count)]
        upstream = rng.normal(size=(2, 3))

        def check(both, both_apply, label=label, arrays=arrays, upstream=upstream):
            text = f"{label}, twice in one graph"
            check_tensors(student, text, both, arrays, upstream, both_apply)

        either(
            plain,
            partial(used_twice, check, f, apply),
            partial(uses_add_up, plain, label, f, apply, arrays, upstream),
        )
    plain.one_is_right()


def test_operands_stay_as_they_are(student, rng):
    """Neither an operation nor backward changes the data of its operands."""
    array, other = (positive(rng, (2, 3)) for _ in range(2))
    mixed = signed(rng, (2, 3))
    operations = {
        "a * b": (array, array * other, lambda a, b: a * b),
        "a + b": (array, array + other, lambda a, b: a + b),
        "a ** 2": (array, array**2, lambda a, b: a**2),
        "a.exp()": (array, np.exp(array), lambda a, b: a.exp()),
        "a.log()": (array, np.log(array), lambda a, b: a.log()),
        "a.relu()": (mixed, np.maximum(mixed, 0.0), lambda a, b: a.relu()),
    }
    near, right = tolerance_of_tensors(student), []
    for label, (numbers, wanted, apply) in operations.items():
        first, second = tensors(student, numbers, other)
        result = apply(first, second)
        right.append(partial(expect.close, f"data of {label}", result.data, wanted, **near))
        for name, node, before in (("a", first, numbers), ("b", second, other)):
            after = expect.array(f"{name}.data after {label}", node.data, (2, 3))
            expect.unchanged(f"{name}.data after {label}", before.astype(after.dtype), after)
    something_right(*right)


def test_in_place_operators(student, rng):
    """After c = a, c += b and c *= b, gradients are those of (a + b) * b, and a is as it was."""
    arrays, upstream = [positive(rng, (2, 3)) for _ in range(2)], rng.normal(size=(2, 3))
    label = "c, after c = a, c += b and c *= b"

    def apply(a, b):
        result = student.operand(student.prepare("in_place", a, b))
        expect.close("a.data", a.data, arrays[0], **tolerance_of_tensors(student))
        return result

    check_tensors(student, label, lambda a, b: (a + b) * b, arrays, upstream, apply)
