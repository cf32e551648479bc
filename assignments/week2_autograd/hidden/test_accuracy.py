"""The network of linear, relu, linear, trained by the student's engine (item week2.accuracy).

Its gradients have to be the examiner's. Where a part of the engine is wrong, they can't be: then
the points follow the share of the parts that is right.
"""

import pytest

from autograder.records import FULL_CREDIT

from .training import train

LEAST = {"week2.layers": 6 * FULL_CREDIT // 10}
"""Layers whose gradients come from beside the graph have half of their points, and no part here."""

pytestmark = [
    pytest.mark.item("week2.accuracy"),
    pytest.mark.needs(
        "week2.tensor_elementwise",
        "week2.broadcasting",
        "week2.matmul",
        "week2.sum",
        "week2.reshape",
        "week2.tensor_backward",
        "week2.layers",
    ),
]


@pytest.mark.training
@pytest.mark.shares(LEAST)
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your engine's gradients, two layers recognise digits that they have not seen."""
    curve = train(student, settings, rng)
    accuracy = curve["accuracy"][-1]
    grade(
        settings.credit(accuracy) / FULL_CREDIT,
        settings.said_of(accuracy),
        shown=settings.shown(accuracy),
        data=settings.name,
        **curve,
    )
