"""No checks: whether batch normalisation works on whole batches.

What is noticed here becomes a flag, for a person to look at, and takes no point.
"""

import numpy as np
import pytest

from autograder.suite.hidden import conduct

pytestmark = pytest.mark.flag(conduct.LOOPS)

SAME = (6, 6)
"""One number of channels: a legal loop over them would cost nothing but time."""


@pytest.mark.item("project.batch_norm")
def test_batch_norm(student, rng):
    """Batch normalisation works on whole batches of images."""

    def run(batch, channels):
        layer = student.module("models.layers").BatchNorm2d(channels)
        images = rng.normal(size=(batch, channels, 3, 3)).astype(np.float32)
        forward = student.trace(layer.forward, student.prepare("tensor", images))
        return {"BatchNorm2d.forward": forward}

    conduct.on_whole_arrays(run, SAME)
