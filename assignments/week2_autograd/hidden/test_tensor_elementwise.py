"""Hidden tests of what tensor.Tensor computes entry by entry, on operands of equal shapes.

Every graph here is a single operation.
"""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.derivatives import relu

from ..suite_tools.engine import TOLERANCE, check_tensors, shapes_text, tensors

pytestmark = pytest.mark.item("week2.tensor_elementwise")

SHAPES = ((), (3,), (2, 3), (2, 1, 3))


def positive(rng, shape):
    """Return an array of numbers between 0.5 and 2.5."""
    return np.asarray(rng.uniform(0.5, 2.5, size=shape))


def signed(rng, shape):
    """Return an array of numbers of size 0.5 to 2.5 and either sign."""
    return positive(rng, shape) * rng.choice([-1.0, 1.0], shape)


def check_shapes(student, rng, label, f, draws, apply=None):
    """Compare an operation on operands of every shape; `draws` say how each operand is drawn."""
    for shape in SHAPES:
        arrays = [draw(rng, shape) for draw in draws]
        text = f"{label}, shapes {shapes_text(*arrays)}"
        check_tensors(student, text, f, arrays, rng.normal(size=shape), apply)


def no_warnings(student):
    """Fail if the student's code made NumPy warn, of an overflow for example."""
    warned = [text for text in student.warnings() if "RuntimeWarning" in text]
    expect.that("warnings", not warned, f"your code warned: {'; '.join(warned)}")


@pytest.mark.weight(2)
def test_subtraction_and_addition(student, rng):
    """a - b and a + b of two Tensors, and their gradients: for b, they differ in their sign."""
    check_shapes(student, rng, "a - b", lambda a, b: a - b, [signed, signed])
    check_shapes(student, rng, "a + b", lambda a, b: a + b, [signed, signed])


@pytest.mark.weight(2)
def test_multiplication_and_negation(student, rng):
    """a * b of two Tensors: each gets the upstream gradient times the other one. -a is -1 * a."""
    check_shapes(student, rng, "a * b", lambda a, b: a * b, [signed, signed])
    check_shapes(student, rng, "-a", lambda a: -a, [signed])


@pytest.mark.weight(2)
def test_division(student, rng):
    """a / b of two Tensors: gradients 1 / b and -a / b^2, times the upstream gradient."""
    check_shapes(student, rng, "a / b", lambda a, b: a / b, [signed, signed])


@pytest.mark.weight(2)
def test_power_with_a_number(student, rng):
    """a ** n: n a^(n - 1), for whole n also where a is negative."""
    for n in (2, 3, -1, -2, 1):
        check_shapes(student, rng, f"a ** {n}", lambda a, n=n: a**n, [signed])
    for n in (0.5, -1.5):
        check_shapes(student, rng, f"a ** {n}", lambda a, n=n: a**n, [positive])


@pytest.mark.weight(2)
def test_power_with_a_tensor(student, rng):
    """a ** b of two Tensors: b has a gradient too, a^b log(a)."""
    check_shapes(student, rng, "a ** b", lambda a, b: a**b, [positive, signed])


def test_powers_at_zero(student, rng):
    """At 0, a ** 0 is 1 with slope 0, a ** 1 has slope 1, a ** 2 slope 0, and nothing is NaN."""
    a, upstream = np.array([0.0, 2.0, -1.0]), rng.normal(size=3)
    for n, slope in ((0, 0 * a), (1, np.ones(3)), (2, 2 * a)):
        [leaf] = tensors(student, a)
        result = leaf**n
        expect.close(f"data of a ** {n} with a 0 in a", result.data, a**n)
        result.backward(upstream)
        expect.close(f"a.grad of a ** {n} with a 0 in a", leaf.grad, upstream * slope)
    no_warnings(student)


def test_power_with_a_tensor_needs_positive_bases(student):
    """A Tensor or array as exponent raises a ValueError if any base is negative or 0."""
    for base in ([1.0, -2.0], [0.0, 1.0]):
        a, b = tensors(student, np.array(base), np.array([2.0, 3.0]))
        expect.raises(f"a ** b with a = {base}", lambda a=a, b=b: a**b, "ValueError")
        array = np.array([2.0, 3.0])
        expect.raises(f"a ** array, a = {base}", lambda a=a, n=array: a**n, "ValueError")


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
        check_shapes(student, rng, f"{label} with a number n", f, [signed])


@pytest.mark.weight(2)
def test_numbers_on_the_left(student, rng):
    """A plain number may stand on the left of +, -, *, / and **, in that order."""
    n = float(rng.uniform(1.5, 3.0))
    operations = {
        "n + a": lambda a: n + a,
        "n - a": lambda a: n - a,
        "n * a": lambda a: n * a,
        "n / a": lambda a: n / a,
        "n ** a": lambda a: n**a,
    }
    for label, f in operations.items():
        check_shapes(student, rng, f"{label} with a number n", f, [signed])


def test_arrays_on_either_side(student, rng):
    """A NumPy array may stand on either side of the operators; the result is a Tensor."""
    n = positive(rng, (2, 3))
    operations = {
        "a + n": lambda a: a + n,
        "a - n": lambda a: a - n,
        "a * n": lambda a: a * n,
        "a / n": lambda a: a / n,
        "n + a": lambda a: n + a,
        "n - a": lambda a: n - a,
        "n * a": lambda a: n * a,
        "n / a": lambda a: n / a,
        "n ** a": lambda a: n**a,
    }
    for label, f in operations.items():
        arrays, upstream = [signed(rng, (2, 3))], rng.normal(size=(2, 3))
        check_tensors(student, f"{label} with an array n", f, arrays, upstream)


def test_relu(student, rng):
    """relu is a where a > 0, with slope 1, and 0 elsewhere, with slope 0."""
    check_shapes(student, rng, "a.relu()", relu, [signed], lambda a: a.relu())


def test_relu_at_zero(student, rng):
    """At 0, relu is 0, and so is its slope."""
    upstream = rng.normal(size=3)
    [a] = tensors(student, np.array([0.0, 1.0, -1.0]))
    result = a.relu()
    expect.close("data of a.relu() at a = 0, 1, -1", result.data, [0.0, 1.0, 0.0])
    result.backward(upstream)
    expect.close("a.grad of a.relu() at a = 0, 1, -1", a.grad, upstream * [0.0, 1.0, 0.0])


def test_exp(student, rng):
    """exp, whose slope is exp again."""
    check_shapes(student, rng, "a.exp()", np.exp, [signed], lambda a: a.exp())


def test_log(student, rng):
    """log, whose slope is 1 / a."""
    check_shapes(student, rng, "a.log()", np.log, [positive], lambda a: a.log())


def test_tanh(student, rng):
    """tanh, whose slope is 1 - tanh^2."""
    check_shapes(student, rng, "a.tanh()", np.tanh, [signed], lambda a: a.tanh())


def test_large_numbers(student, rng):
    """relu and tanh of +-1000, and exp of -1000, are right and raise no warnings."""
    a, upstream = np.array([1000.0, -1000.0, -745.0]), rng.normal(size=3)
    for name, f, slope, at in (
        ("relu", lambda a: np.maximum(a, 0.0), lambda a: a > 0, a),
        ("tanh", np.tanh, lambda a: 0 * a, a),
        ("exp", np.exp, np.exp, a[1:]),
    ):
        [leaf] = tensors(student, at)
        result = getattr(leaf, name)()
        expect.close(f"data of a.{name}() for large numbers", result.data, f(at), **TOLERANCE)
        result.backward(upstream[: len(at)])
        wanted = upstream[: len(at)] * slope(at)
        expect.close(f"a.grad of a.{name}() for large numbers", leaf.grad, wanted, **TOLERANCE)
    no_warnings(student)


def test_everything_is_float64(student, rng):
    """data and grad are float64, also where a Tensor was made from integers or float32."""
    for dtype in (np.int64, np.float32):
        array = np.array([[1, 2, 3], [4, 5, 6]], dtype=dtype)
        a, b = tensors(student, array, array)
        result = a / b * 3
        expect.dtype("data of a / b * 3", result.data, np.float64)
        result.backward(rng.normal(size=(2, 3)).astype(np.float32))
        expect.dtype("a.grad of a / b * 3", a.grad, np.float64)
        expect.dtype("b.grad of a / b * 3", b.grad, np.float64)


def test_arguments_stay_as_they_were(student, rng):
    """Neither an operation nor its backward changes its operands or the upstream gradient."""
    a, b, upstream = (draw(rng, (2, 3)) for draw in (positive, positive, signed))
    mixed = np.array([[1.0, -2.0, 0.5], [-0.5, 3.0, -1.0]])
    operations = {
        "a + b": (a, lambda a, b: a + b),
        "a - b": (a, lambda a, b: a - b),
        "a * b": (a, lambda a, b: a * b),
        "a / b": (a, lambda a, b: a / b),
        "a ** b": (a, lambda a, b: a**b),
        "a.exp()": (a, lambda a, b: a.exp()),
        "a.log()": (a, lambda a, b: a.log()),
        "a.tanh()": (a, lambda a, b: a.tanh()),
        "a.relu()": (mixed, lambda a, b: a.relu()),
    }
    for label, (array, apply) in operations.items():
        first, second = tensors(student, array, b)
        kept = student.keep(upstream)
        result = apply(first, second)
        expect.array(f"data of {label}", result.data, (2, 3))
        result.backward(kept)
        expect.array(f"a.grad of {label}", first.grad, (2, 3))
        expect.unchanged(f"a.data after {label}", array, first.data)
        expect.unchanged(f"b.data after {label}", b, second.data)
        expect.unchanged(f"the upstream gradient of {label}", upstream, student.fetch(kept))
