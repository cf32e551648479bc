"""Hidden tests of operations: values and gradients, one operation at a time."""

import numpy as np
import pytest

from autograder.suite import expect

from . import oracle
from .asking import check_op, drive, listed

ARITHMETIC = pytest.mark.item("framework.arithmetic")
SHAPES = pytest.mark.item("framework.shapes")
MATMUL = pytest.mark.item("framework.matmul")
CONVOLUTION = pytest.mark.item("framework.convolution")

BINARY = {"add": np.add, "subtract": np.subtract, "multiply": np.multiply, "divide": np.divide}
STRETCHED = {
    "the same": ((3, 4), (3, 4)),
    "a row": ((3, 4), (4,)),
    "a column": ((3, 1), (2, 3, 4)),
    "both": ((3, 1), (1, 5)),
    "one number": ((2, 3), ()),
}
OF_ENTRIES = {
    "exp": np.exp,
    "log": np.log,
    "tanh": np.tanh,
    "sigmoid": oracle.sigmoid,
    "relu": oracle.relu,
}


def away_from_0(rng, shape):
    """Draw numbers of both signs, none near 0."""
    return rng.choice([-1.0, 1.0], size=shape) * rng.uniform(0.4, 2.0, size=shape)


@ARITHMETIC
@pytest.mark.parametrize("name", BINARY)
def test_arithmetic(student, rng, name):
    """Operations on two tensors of one shape: values, and the gradients of both."""
    for shape in ((3, 4), (2,), ()):
        arrays = [away_from_0(rng, shape) for _ in range(2)]
        check_op(student, name, arrays, {}, BINARY[name], rng)


@ARITHMETIC
@pytest.mark.parametrize("case", [case for case in STRETCHED if case != "the same"])
def test_broadcasting(student, rng, case):
    """Operations that broadcast: the gradient of each operand has its shape."""
    for name, formula in BINARY.items():
        for order in (1, -1):
            arrays = [away_from_0(rng, shape) for shape in STRETCHED[case][::order]]
            check_op(student, name, arrays, {}, formula, rng)


@ARITHMETIC
@pytest.mark.parametrize("name", OF_ENTRIES)
def test_of_entries(student, rng, name):
    """Functions of entries: values and gradients."""
    x = rng.uniform(0.3, 3.0, size=(3, 5)) if name == "log" else away_from_0(rng, (3, 5))
    check_op(student, name, [x], {}, OF_ENTRIES[name], rng)


@ARITHMETIC
@pytest.mark.parametrize("exponent", [3, -1, 0.5])
def test_power(student, rng, exponent):
    """Powers: values and gradients."""
    x = rng.uniform(0.3, 2.0, size=(4, 3))
    check_op(student, "power", [x], {"exponent": exponent}, lambda x: x**exponent, rng)


@ARITHMETIC
def test_relu_at_0(student, rng):
    """The derivative of relu at 0 is 0, beside numbers where it is not."""
    x, upstream = np.array([0.0, 1.5, -2.0, 0.0]), rng.normal(size=4)
    found = drive(student, "compute", [x], [True], [["relu", [0], {}]], upstream, 1)
    _, gradients = listed("relu", found, 2)
    gradient = listed("the gradients", gradients, 1)[0]
    expect.close("relu: gradient at 0, 1.5, -2, 0", gradient, upstream * (x > 0))


@ARITHMETIC
def test_float32(student, rng):
    """What is computed of float32 alone is float32, and right; so are gradients."""
    arrays = [away_from_0(rng, shape).astype("float32") for shape in ((3, 4), (4,))]
    upstream = rng.normal(size=(3, 4)).astype("float32")
    found = drive(student, "compute", arrays, [True] * 2, [["divide", [0, 1], {}]], upstream, 1)
    value, gradients = listed("divide", found, 2)
    expect.close("divide, float32", value, arrays[0] / arrays[1], rtol=1e-4)
    expect.dtype("divide, float32", value, "float32")
    for one in listed("the gradients", gradients, 2):
        expect.dtype("the gradient of a float32 operand", one, "float32")


REDUCED = {
    "all": None,
    "one axis": 1,
    "the last axis": -1,
    "two axes": (0, 2),
}


@SHAPES
@pytest.mark.parametrize("case", REDUCED)
@pytest.mark.parametrize("name", ["sum", "mean"])
def test_sums(student, rng, name, case):
    """Sums and means over all axes or some, with and without the axes that go."""
    axis = REDUCED[case]
    for keepdims in (False, True):
        x = rng.normal(size=(2, 3, 4))
        options = {"axis": axis, "keepdims": keepdims}

        def formula(x, options=options):
            return getattr(np, name)(x, **options)

        check_op(student, name, [x], options, formula, rng)


@SHAPES
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_max(student, rng, axis):
    """The largest entry along an axis, with and without that axis."""
    for keepdims in (False, True):
        x = rng.permutation(24).reshape(2, 3, 4) * 1.0

        def formula(x, keepdims=keepdims):
            found = oracle.max_of(x, axis)
            return np.expand_dims(found, axis) if keepdims else found

        check_op(student, "max", [x], {"axis": axis, "keepdims": keepdims}, formula, rng)


@SHAPES
def test_max_near_ties(student, rng):
    """Entries that are nearly the largest get no gradient; those that are share or one has it."""
    x = np.array([[3.0, 3.0 - 1e-9, 1.0], [2.0, 5.0, 5.0]])
    upstream = rng.normal(size=2)
    found = drive(student, "compute", [x], [True], [["max", [0], {"axis": 1}]], upstream, 1)
    _, gradients = listed("max", found, 2)
    gradient = expect.array("max: the gradient", listed("gradients", gradients, 1)[0], x.shape)
    expect.close("max: gradient beside a near tie", gradient[0], np.array([upstream[0], 0, 0]))
    expect.close("max: gradient of a tie, added up", float(gradient[1].sum()), upstream[1])
    expect.close("max: gradient beside a tie", float(gradient[1, 0]), 0.0)


@SHAPES
def test_reshape(student, rng):
    """Reshaping, also with a length that is left to the framework."""
    for shape in ((4, 6), (3, -1), (24,), (2, 1, 12)):
        x = rng.normal(size=(2, 3, 4))
        options = {"shape": shape}
        check_op(student, "reshape", [x], options, lambda x, s=shape: x.reshape(s), rng)


@SHAPES
def test_transpose(student, rng):
    """Axes in another order: in reverse, and in an order that is not its own reverse."""
    for axes in (None, (1, 2, 0), (2, 0, 1), (0, 2, 1)):
        x = rng.normal(size=(2, 3, 4))
        check_op(student, "transpose", [x], {"axes": axes}, lambda x, a=axes: x.transpose(a), rng)


TAKEN = {
    "one row": (2, 2),
    "a slice": (["slice", 1, 4, 2], slice(1, 4, 2)),
    "two axes": ((["slice", None, None, None], 1), (slice(None), 1)),
    "rows": (np.array([3, 0]), np.array([3, 0])),
}


@SHAPES
@pytest.mark.parametrize("case", TAKEN)
def test_index(student, rng, case):
    """Entries that are taken out: numbers, slices, integer arrays."""
    sent, meant = TAKEN[case]
    x = rng.normal(size=(4, 3, 2))
    check_op(student, "index", [x], {"at": sent}, lambda x: x[meant], rng)


@SHAPES
def test_index_repeated(student, rng):
    """An entry that is taken several times gets the gradients of all."""
    at = np.array([[1, 1, 3], [0, 1, 3]])
    x = rng.normal(size=(5, 2))
    check_op(student, "index", [x], {"at": at}, lambda x: x[at], rng)


@SHAPES
def test_concatenate(student, rng):
    """Tensors one after the other, along the first axis and along another."""
    arrays = [rng.normal(size=(2, n, 3)) for n in (1, 4, 2)]
    check_op(student, "concatenate", arrays, {"axis": 1}, lambda *a: np.concatenate(a, axis=1), rng)
    arrays = [rng.normal(size=(n, 2)) for n in (3, 1)]
    check_op(student, "concatenate", arrays, {}, lambda *a: np.concatenate(a), rng)


@MATMUL
@pytest.mark.needs("framework.backward", "framework.arithmetic")
@pytest.mark.parametrize("case", ["matrices", "many", "broadcast", "stretched"])
def test_matmul(student, rng, case):
    """Products of matrices, and of many at once, also where leading axes broadcast."""
    shapes = {
        "matrices": ((2, 3), (3, 4)),
        "many": ((5, 2, 3), (5, 3, 4)),
        "broadcast": ((5, 2, 3), (3, 4)),
        "stretched": ((1, 2, 3), (5, 3, 2)),
    }[case]
    arrays = [rng.normal(size=shape) for shape in shapes]
    check_op(student, "matmul", arrays, {}, np.matmul, rng)


CONVOLVED = [(1, 0), (2, 1), (3, 2), (2, 0)]


@CONVOLUTION
@pytest.mark.weight(2)
@pytest.mark.parametrize(("stride", "padding"), CONVOLVED)
def test_conv2d(student, rng, stride, padding):
    """Convolution: values, and the gradients of images and kernel, with rows left over too."""
    x, kernel = rng.normal(size=(2, 7, 6, 3)), rng.normal(size=(3, 2, 3, 4))
    how = {"stride": stride, "padding": padding}
    check_op(student, "conv2d", [x, kernel], how, lambda x, k: oracle.conv2d(x, k, **how), rng)


@CONVOLUTION
@pytest.mark.parametrize(("size", "stride"), [(2, None), (3, 2), (2, 3), (3, 1)])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pooling(student, rng, kind, size, stride):
    """Pooling: windows side by side, overlapping and apart, of negative numbers alone."""
    formula = {"max": oracle.max_pool2d, "avg": oracle.avg_pool2d}[kind]
    x = -1.0 - rng.permutation(2 * 7 * 6 * 3).reshape(2, 7, 6, 3) / 10.0
    how = {"size": size, "stride": stride}
    check_op(student, f"{kind}_pool2d", [x], how, lambda x: formula(x, **how), rng)


@CONVOLUTION
def test_pooling_of_ties(student, rng):
    """Equal pixels in a window: together they get the gradient of the window."""
    x = np.array([[2.0, 2.0, 5.0, 1.0], [2.0, 1.0, 4.0, 5.0]]).reshape(1, 2, 4, 1)
    upstream = rng.normal(size=(1, 1, 2, 1))
    found = drive(student, "compute", [x], [True], [["max_pool2d", [0], {"size": 2}]], upstream, 1)
    _, gradients = listed("max_pool2d", found, 2)
    gradient = expect.array("the gradient", listed("the gradients", gradients, 1)[0], x.shape)
    below = x.reshape(2, 4) < np.array([2, 2, 5, 5])
    small = gradient.reshape(2, 4)[below]
    expect.close("the gradient of smaller pixels", small, np.zeros(small.shape))
    sums = gradient.reshape(2, 2, 2).sum(axis=(0, 2))
    expect.close("the gradient of each window, added up", sums, upstream.reshape(2))
