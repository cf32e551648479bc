"""Hidden tests of neural_net.Softmax."""

import numpy as np
import pytest

from autograder.suite import expect
from autograder.suite.hidden.sides import proportional, something_right

pytestmark = pytest.mark.item("week1.softmax")


def softmax(x):
    """Return the softmax of each row, in float64."""
    exponentials = np.exp(x - x.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def input_gradient(x, dL_dy):
    """Return dL/dx by the Jacobian of each row, written out."""
    rows = []
    for y, upstream in zip(softmax(x), dL_dy, strict=True):
        jacobian = np.diag(y) - np.outer(y, y)
        rows.append(jacobian @ upstream)
    return np.array(rows)


@pytest.mark.weight(2)
def test_forward(student, rng):
    """Each row of forward is exp(x) divided by its sum over the row."""
    x = 2 * rng.normal(size=(5, 3))
    expect.close("forward output", student.neural_net.Softmax().forward(x), softmax(x))


def test_rows_of_very_different_size(student):
    """Each row has its own maximum: a row near -1000 is right beside one near +1000."""
    x = np.array([[1000.0, 999.0, 998.0], [-1000.0, -1001.0, -1002.0], [0.0, 1.0, 2.0]])
    layer = student.neural_net.Softmax()
    expect.close("forward output", layer.forward(x), softmax(x))


def test_large_scores(student, rng):
    """Scores near +-1000 give probabilities of 1 and 0, and gradients that are numbers."""
    x = np.array([[1000.0, -1000.0, 0.0], [-1000.0, -1000.0, 1000.0], [1000.0, 1000.0, -1000.0]])
    x += rng.normal(size=x.shape)
    dL_dy = rng.normal(size=x.shape)
    layer = student.neural_net.Softmax()
    expect.close("forward output", layer.forward(x), softmax(x))
    expect.array("dL_dx", layer.backward(dL_dy), x.shape)


@pytest.mark.weight(3)
def test_gradient(student, rng):
    """backward goes through the whole Jacobian, not its diagonal alone."""
    x, dL_dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    layer = student.neural_net.Softmax()
    layer.forward(x)
    expect.close("dL_dx", layer.backward(dL_dy), input_gradient(x, dL_dy))


def test_latest_batch(student, rng):
    """backward belongs to the latest forward."""
    layer, alone = student.neural_net.Softmax(), student.neural_net.Softmax()
    layer.forward(rng.normal(size=(6, 4)))
    layer.backward(rng.normal(size=(6, 4)))
    x, dL_dy = rng.normal(size=(1, 3)), rng.normal(size=(1, 3))
    y, dL_dx = layer.forward(x), layer.backward(dL_dy)
    something_right(
        lambda: proportional("forward output of one example", y, softmax(x)),
        lambda: proportional("dL_dx", dL_dx, input_gradient(x, dL_dy)),
    )
    # What both should be is asked by other tests.
    expect.repeated("forward output of one example", alone.forward(x), y)
    # The same.
    expect.repeated("dL_dx", alone.backward(dL_dy), dL_dx)


def test_arguments_stay_as_they_were(student, rng):
    """Softmax changes neither x nor dL_dy."""
    x, dL_dy = rng.normal(size=(5, 3)), rng.normal(size=(5, 3))
    kept_x, kept_upstream = student.keep(x), student.keep(dL_dy)
    layer = student.neural_net.Softmax()
    y, dL_dx = layer.forward(kept_x), layer.backward(kept_upstream)
    something_right(  # what computes nothing keeps everything
        lambda: proportional("forward output", y, softmax(x)),
        lambda: proportional("dL_dx", dL_dx, input_gradient(x, dL_dy)),
    )
    expect.unchanged("x", x, student.fetch(kept_x))
    expect.unchanged("dL_dy", dL_dy, student.fetch(kept_upstream))
