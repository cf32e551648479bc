"""The accuracy of the network that the student's train_step trains (item week4.accuracy).

The weights before the first step are the examiner's, and so know nothing. After each epoch they
have to be where the examiner's own steps lead. It is the network's layers that are trained: with
layers of the examiner's in their places, a step goes along the gradient of those.

Where a part of the network is wrong, the weights can't be there: then the points follow the share
of the parts that is right, if each has a quarter of its own.
"""

import numpy as np
import pytest

from autograder.records import FULL_CREDIT
from autograder.suite import expect

from .lesson import Lesson, moved
from .own_training import SHAPES, accuracy, follows, initial_weights, native, weights_on_the_way


@pytest.mark.item("week4.accuracy")
@pytest.mark.training
@pytest.mark.shares
@pytest.mark.needs(
    "week4.conv2d",
    "week4.conv2d_backward",
    "week4.max_pool2d",
    "week4.layers",
    "week4.network",
)
def test_the_trained_network_is_accurate(student, settings, grade, rng):
    """Trained by your train_step, the network recognises digits that it has not seen."""
    lesson = Lesson(student, rng)
    lesson.step()
    moved(lesson)
    data, model = settings.data, student.cnn_layers.ConvNet()
    train, test = native(data.x_train), native(data.x_test)
    mean, deviation = float(train.mean()), float(train.std())
    x, x_test = ((images[..., None] - mean) / deviation for images in (train, test))
    y, seed = data.y_train.astype(np.int64), int(rng.integers(2**31))
    put(model, initial_weights(seed))
    seen = [held(model, "before training")]
    for name, array in initial_weights(seed).items():
        expect.close(f"layers[{name[0]}].{name[2]} before training", seen[0][name], array)
    images, labels = student.prepare("images_of", train, mean, deviation), student.keep(y)
    curve = {"loss": [], "accuracy": []}
    for epoch in range(settings.epochs):
        how = settings.batch_size, settings.lr, seed + epoch
        loss = student.drive("train_epoch", model, images, labels, *how)
        finite = type(loss) is float and np.isfinite(loss)
        curve["loss"].append(round(loss, 6) if finite else None)
        seen.append(held(model, "after training"))
        curve["accuracy"].append(round(accuracy(seen[-1], x_test, data.y_test), 6))
    follows(seen, weights_on_the_way(settings, x, y, seed))
    reached = curve["accuracy"][-1]
    grade(
        settings.credit(reached) / FULL_CREDIT,
        settings.said_of(reached),
        shown=settings.shown(reached),
        data=settings.name,
        **curve,
    )


def put(model, weights):
    """Write weights into the network's layers."""
    layers = model.layers
    for name, array in weights.items():
        setattr(layers[int(name[0])], name[2], array)


def held(model, when):
    """Return the weights that the network's layers have."""
    layers = model.layers
    return {
        name: expect.array(
            f"layers[{name[0]}].{name[2]} {when}", getattr(layers[int(name[0])], name[2]), shape
        ).astype(np.float64)
        for name, shape in SHAPES.items()
    }
