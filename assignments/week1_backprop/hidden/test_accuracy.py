"""The accuracy of the network that the student's train_step trains (item week1.accuracy).

The weights before the first step are the examiner's, and so know nothing. After each epoch they
have to be where the examiner's own steps lead. Where a part of the network is wrong, they can't be:
then the points follow the share of the parts that is right, if each has a quarter of its own.
"""

import pytest

from autograder.records import FULL_CREDIT
from autograder.suite.hidden.threshold import train_two_layer

from ..suite_tools.layout import layout_of, set_parameters
from .own_training import follows, weights_on_the_way


@pytest.mark.item("week1.accuracy")
@pytest.mark.training
@pytest.mark.shares
@pytest.mark.needs("week1.linear", "week1.relu", "week1.cross_entropy", "week1.mlp")
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your train_step, the network recognises digits that it has not seen."""
    model, form = student.mnist_mlp.TwoLayerMLP(), layout_of(student)

    seen = []

    def write(weights):
        layers = model.layers
        set_parameters(layers[0], form, weights["W1"], weights["b1"])
        set_parameters(layers[-1], form, weights["W2"], weights["b2"])

    def read():
        layers = model.layers
        first, last = layers[0], layers[-1]
        held = {"W1": first.W, "b1": first.b, "W2": last.W, "b2": last.b}
        seen.append({name: form.back(array) for name, array in held.items()})
        return seen[-1]

    seed = int(rng.integers(2**31))
    curve = train_two_layer(student, model, settings, seed, write, read)
    follows(seen, weights_on_the_way(settings, seed))
    accuracy = curve["accuracy"][-1]
    share = settings.credit(accuracy) / FULL_CREDIT
    grade(
        share,
        settings.said_of(accuracy),
        shown=settings.shown(accuracy),
        data=settings.name,
        **curve,
    )
