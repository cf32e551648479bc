"""Hidden tests of what a framework can train: a network that sees, and one that remembers.

The architectures are fixed, and the weights come back: what they are worth is computed here, in
NumPy. Which label or symbol means which is drawn in each run, so stored weights fit nothing.
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import oracle
from .asking import built, drive, entry, prepare

BASE = (
    *("framework.backward", "framework.arithmetic", "framework.shapes", "framework.matmul"),
    *("framework.linear", "framework.modules", "framework.losses", "framework.adam"),
    *("framework.loader", "framework.fit"),
)
CHANCE = 0.35
"""No untrained network gets so much right of 6 to 10 classes."""


def weights_of(student, layer, shapes):
    """Return the weights of a network, each of its shape."""
    found = drive(student, "weights", layer)
    return {
        name: expect.array(f"the parameter {name}", entry("the parameters", found, name), shape)
        for name, shape in shapes.items()
    }


def train(student, layer, x, y, how):
    """Run the student's own loop with Adam."""
    lr, epochs, batch, seed = how
    optimizer = prepare(student, "make_optimizer", layer, "adam", lr, {})
    rest = [optimizer, epochs, batch, None, seed]
    drive(student, "fitted", layer, x, y, "cross_entropy", rest)


def said(what, accuracy, full):
    """Return a message that says no more of an accuracy than the credit does."""
    shown = "at least" if accuracy >= full else "less than"
    return f"{what} gets {shown} {full:.0%} of the test examples right; full points from there."


CNN = {
    "0.weight": (3, 3, 1, 8),
    "0.bias": (8,),
    "4.weight": (392, 10),
    "4.bias": (10,),
}


def images(array):
    """Return images of 28 x 28 as 14 x 14, numbers from 0 to 1."""
    return (array.reshape(-1, 14, 2, 14, 2).mean(axis=(2, 4)) / 255.0)[..., None]


def seen(weights, x):
    """Return the logits of the convolutional network."""
    hidden = oracle.relu(oracle.conv2d(x, weights["0.weight"], 1, 1) + weights["0.bias"])
    pooled = oracle.max_pool2d(hidden, 2).reshape(len(x), -1)
    return pooled @ weights["4.weight"] + weights["4.bias"]


@pytest.mark.item("framework.cnn")
@pytest.mark.training
@pytest.mark.needs(*BASE, "framework.convolution", "framework.conv_layers")
def test_digits(student, grade, settings, rng):
    """A convolutional network, trained by your framework on handwritten digits."""
    data, labels = settings.data, rng.permutation(10)
    layers = [
        {"name": "conv2d", "in_channels": 1, "out_channels": 8, "size": 3, "padding": 1},
        {"name": "relu"},
        {"name": "max_pool2d", "size": 2},
        {"name": "flatten"},
        {"name": "linear", "in_features": 392, "out_features": 10},
    ]
    for number, one in enumerate(layers):
        if number in (0, 4):
            one["seed"] = int(rng.integers(2**31))
    layer = built(student, {"name": "sequential", "layers": layers})
    test, right = images(data.x_test), labels[data.y_test]

    def accuracy():
        return float(np.mean(seen(weights_of(student, layer, CNN), test).argmax(axis=1) == right))

    expect.that("the network", accuracy() <= CHANCE, "untrained it knows the digits already.")
    how = settings.lr, settings.epochs, settings.batch_size, int(rng.integers(2**31))
    train(student, layer, images(data.x_train), labels[data.y_train], how)
    found = accuracy()
    grade(settings.credit(found), said("The network", found, settings.full_from))


SYMBOLS, STEPS, FEATURES, HIDDEN = 6, 30, 8, 24
EXAMPLES, TESTS = 512, 400
RECALL = {
    "0.weight": (SYMBOLS, FEATURES),
    "2.Wx": (FEATURES, 4 * HIDDEN),
    "2.Wh": (HIDDEN, 4 * HIDDEN),
    "2.b": (4 * HIDDEN,),
    "4.weight": (HIDDEN, SYMBOLS),
    "4.bias": (SYMBOLS,),
}
NOTHING, FULL = 0.4, 0.95


def remembered(weights, ids):
    """Return the logits of the network that remembers."""
    x = weights["0.weight"][ids].transpose(1, 0, 2)
    with np.errstate(over="ignore"):
        states = oracle.lstm(x, weights["2.Wx"], weights["2.Wh"], weights["2.b"])
    return states[-1] @ weights["4.weight"] + weights["4.bias"]


@pytest.mark.item("framework.recall")
@pytest.mark.training
@pytest.mark.needs(*BASE, "framework.lstm", "framework.embedding")
def test_recall(student, grade, rng):
    """An LSTM, trained by your framework, says after 30 symbols which was the first."""
    seeds = rng.integers(2**31, size=3)
    layers = [
        {"name": "embedding", "count": SYMBOLS, "features": FEATURES, "seed": int(seeds[0])},
        {"name": "time_first"},
        {"name": "lstm", "input_size": FEATURES, "hidden_size": HIDDEN, "forget_bias": 5.0},
        {"name": "last"},
        {"name": "linear", "in_features": HIDDEN, "out_features": SYMBOLS, "seed": int(seeds[1])},
    ]
    layers[2]["seed"] = int(seeds[2])
    layer = built(student, {"name": "sequential", "layers": layers})
    meaning = rng.permutation(SYMBOLS)
    ids = rng.integers(0, SYMBOLS, size=(EXAMPLES + TESTS, STEPS))
    right = meaning[ids[:, 0]]

    def accuracy():
        logits = remembered(weights_of(student, layer, RECALL), ids[EXAMPLES:])
        return float(np.mean(logits.argmax(axis=1) == right[EXAMPLES:]))

    expect.that("the network", accuracy() <= CHANCE, "untrained it knows the answers already.")
    how = 0.02, 16, 32, int(rng.integers(2**31))
    train(student, layer, ids[:EXAMPLES], right[:EXAMPLES], how)
    found = accuracy()
    share = float(np.clip((found - NOTHING) / (FULL - NOTHING), 0.0, 1.0))
    grade(share, said("The network", found, FULL))
