"""Hidden tests that an operation survives its own backward: a second pass gives the same again.

A backward function that changes what the forward pass kept (`probabilities[rows, labels] -= 1`) is
right once. Gradients are set back by assignment between the passes, so that how `backward` adds up,
and what `zero_grad` does, have no part in it.
"""

import numpy as np
import pytest

from autograder.suite import expect

from ..suite_tools.engine import TOLERANCE, tensors, values


def case(item, name, apply, *arguments):
    """Return one operation as a parameter, under the item that it belongs to."""
    return pytest.param(apply, arguments, marks=pytest.mark.item(f"week2.{item}"), id=name)


NUMBERS = [
    case("value_operators", "product", lambda a, b: a * b, 1.5, -0.7),
    case("value_operators", "quotient", lambda a, b: a / b, 1.5, -0.7),
    case("value_operators", "power", lambda a, b: a**b, 1.5, -0.7),
    case("value_functions", "exp", lambda a: a.exp(), 0.4),
    case("value_functions", "log", lambda a: a.log(), 0.4),
    case("value_functions", "tanh", lambda a: a.tanh(), 0.4),
    case("value_functions", "sigmoid", lambda a: a.sigmoid(), 0.4),
]
ARRAYS = [
    case("tensor_elementwise", "product", lambda a, b: a * b, (2, 3), (2, 3)),
    case("tensor_elementwise", "quotient", lambda a, b: a / b, (2, 3), (2, 3)),
    case("tensor_elementwise", "power", lambda a: a**3, (2, 3)),
    case("tensor_elementwise", "relu", lambda a: a.relu(), (2, 3)),
    case("tensor_elementwise", "exp", lambda a: a.exp(), (2, 3)),
    case("tensor_elementwise", "log", lambda a: a.log(), (2, 3)),
    case("tensor_elementwise", "tanh", lambda a: a.tanh(), (2, 3)),
    case("matmul", "matrices", lambda a, b: a @ b, (2, 3), (3, 4)),
    case("reductions", "sum", lambda a: a.sum(axis=0), (2, 3)),
    case("reductions", "mean", lambda a: a.mean(axis=1), (2, 3)),
    case("reductions", "max", lambda a: a.max(axis=1), (2, 3)),
    case("shapes", "reshape", lambda a: a.reshape(3, 2), (2, 3)),
    case("shapes", "transpose", lambda a: a.transpose(), (2, 3)),
    case("shapes", "index", lambda a: a[:, 1:], (2, 3)),
]


def passes(result, leaves, upstream, empty):
    """Run backward twice, with the gradients set back in between; return both times' gradients."""
    found = []
    for _ in range(2):
        for node in (result, *leaves):
            node.grad = empty
        result.backward(upstream)
        found.append([leaf.grad for leaf in leaves])
    return found


@pytest.mark.parametrize(("apply", "numbers"), NUMBERS)
def test_numbers_twice(student, apply, numbers):
    """A second backward through the same result gives the same gradients again."""
    leaves = values(student, *numbers)
    first, second = passes(apply(*leaves), leaves, 0.7, 0.0)
    for name, one, other in zip("ab", first, second, strict=False):
        wanted = expect.array(f"{name}.grad after the first backward", one, ())
        expect.that(f"{name}.grad", bool(wanted), "it is 0")
        expect.close(f"{name}.grad after the second backward", other, wanted, **TOLERANCE)


@pytest.mark.parametrize(("apply", "shapes"), ARRAYS)
def test_arrays_twice(student, rng, apply, shapes):
    """A second backward through the same result gives the same gradients again."""
    leaves = tensors(student, *(rng.uniform(0.5, 2.0, size=shape) for shape in shapes))
    result = apply(*leaves)
    size = expect.array("the result", result.data).shape
    twice(leaves, shapes, result, rng.normal(size=size))


@pytest.mark.item("week2.cross_entropy")
@pytest.mark.weight(2)
def test_cross_entropy_twice(student, rng):
    """A second backward through the same loss gives the same gradients again."""
    [logits] = tensors(student, rng.normal(size=(4, 3)))
    loss = student.operand(student.tensor.cross_entropy(logits, rng.integers(0, 3, size=4)))
    twice([logits], [(4, 3)], loss, 0.7)


def twice(leaves, shapes, result, upstream):
    """Compare the gradients of two passes."""
    first, second = passes(result, leaves, upstream, None)
    for name, shape, one, other in zip("ab", shapes, first, second, strict=False):
        wanted = expect.array(f"{name}.grad after the first backward", one, shape)
        expect.that(f"{name}.grad", bool(np.any(wanted)), "it is zero everywhere")
        expect.close(f"{name}.grad after the second backward", other, wanted, **TOLERANCE)
