"""Hidden tests of conv.im2col and conv.col2im."""

import numpy as np
import pytest

from autograder.suite import expect

from . import formulas
from .cases import CONVOLUTIONS, PLAIN, each
from .work import col2im_is_right, im2col_is_right

pytestmark = pytest.mark.item("week4.im2col")


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CONVOLUTIONS))
def test_im2col(student, rng, case):
    """im2col writes each window as a row."""
    args = case.x(rng), *case.window, *case.settings
    expect.close("im2col", student.conv.im2col(*args), formulas.im2col(*args))


@pytest.mark.weight(2)
@pytest.mark.parametrize("case", each(CONVOLUTIONS))
def test_col2im(student, rng, case):
    """col2im adds the rows up to images again."""
    args = case.columns(rng), case.images, *case.window, *case.settings
    expect.close("col2im", student.conv.col2im(*args), formulas.col2im(*args))


def test_defaults_of_im2col(student, rng):
    """Without stride and padding, im2col takes 1 and 0."""
    args = PLAIN.x(rng), *PLAIN.window
    expect.close("im2col", student.conv.im2col(*args), formulas.im2col(*args))


def test_defaults_of_col2im(student, rng):
    """Without stride and padding, col2im takes 1 and 0."""
    args = PLAIN.columns(rng), PLAIN.images, *PLAIN.window
    expect.close("col2im", student.conv.col2im(*args), formulas.col2im(*args))


IS_RIGHT = {"im2col": im2col_is_right, "col2im": col2im_is_right}


def function_of(student, rng, name):
    """Return a function of one array, and such an array."""
    if name == "im2col":
        return lambda x: student.conv.im2col(x, *PLAIN.window, 1, 0), PLAIN.x(rng)
    back = lambda c: student.conv.col2im(c, PLAIN.images, *PLAIN.window, 1, 0)  # noqa: E731
    return back, PLAIN.columns(rng)


@pytest.mark.parametrize("name", IS_RIGHT)
def test_keeps_float32(student, rng, name):
    """float32 in, float32 out."""
    IS_RIGHT[name](student, rng)
    function, array = function_of(student, rng, name)
    expect.dtype(name, function(array.astype("float32")), "float32")


@pytest.mark.parametrize("name", IS_RIGHT)
def test_keeps_its_argument(student, rng, name):
    """The array that was given stays as it is."""
    IS_RIGHT[name](student, rng)
    function, array = function_of(student, rng, name)
    kept = student.keep(array)
    function(kept)
    expect.unchanged("the array given", array, student.fetch(kept))


def test_they_are_adjoint(student, rng):
    """The sum of im2col(x) times c is the sum of x times col2im(c), for any x and c."""
    case = CONVOLUTIONS["padding 2, stride 2"]
    x, c, settings = case.x(rng), case.columns(rng), (*case.window, *case.settings)
    rows = expect.array("im2col", student.conv.im2col(x, *settings), c.shape)
    images = expect.array("col2im", student.conv.col2im(c, case.images, *settings), x.shape)
    wanted = float(np.sum(formulas.im2col(x, *settings) * c))
    near = {"rtol": 1e-6, "atol": 1e-6}
    expect.close("sum of im2col(x) times c", float(np.sum(rows * c)), wanted, **near)
    expect.close("sum of x times col2im(c)", float(np.sum(x * images)), wanted, **near)
