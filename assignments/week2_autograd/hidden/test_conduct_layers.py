"""No checks: whether the layers work on whole batches.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

import pytest

from autograder.suite.hidden import conduct

pytestmark = pytest.mark.flag(conduct.LOOPS)


@pytest.mark.item("week2.layers")
def test_layers(student, rng):
    """The layers work on whole batches."""

    def run(batch, features):
        x = student.autograd.Tensor(rng.normal(size=(batch, features)))
        linear = student.mnist_autograd.LinearAutograd(features, 3)
        relu = student.mnist_autograd.ReLUAutograd()
        return {
            "LinearAutograd": student.trace(linear, x),
            "ReLUAutograd": student.trace(relu, x),
        }

    conduct.on_whole_arrays(run)
