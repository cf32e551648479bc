"""The accuracy of the network that the student's train_step trains (item week1.accuracy)."""

import pytest

from autograder.records import FULL_CREDIT
from autograder.suite.hidden.threshold import train_two_layer


@pytest.mark.item("week1.accuracy")
@pytest.mark.training
@pytest.mark.needs("week1.linear", "week1.relu", "week1.cross_entropy", "week1.mlp")
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your train_step, the network recognises digits that it has not seen."""
    seed = int(rng.integers(2**31))
    curve = train_two_layer(student, student.mnist_mlp.TwoLayerMLP(), settings, seed)
    accuracy = curve["accuracy"][-1]
    share = settings.credit(accuracy) / FULL_CREDIT
    grade(
        share,
        f"Test accuracy {accuracy:.2%} on {settings.name} after {settings.epochs} epochs; "
        f"full points from {settings.full_from:.0%}.",
        data=settings.name,
        **curve,
    )
