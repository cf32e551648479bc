"""The accuracy threshold on `digits` tells a correct network from broken ones, seed after seed.

Each broken network is the reference with an edit that real mistakes amount to. Trained through the
grader's own driver with the settings of grading.toml, over 10 seeds.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

import data
from autograder import course as courses
from autograder.gradebook.looked_up import training_setting
from autograder.records import FULL_CREDIT
from autograder.reference.misconceptions import solution_files
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.threshold import Training, credit_for, train_two_layer

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(10)
BROKEN = {
    "hidden layer never trained": (
        "mnist_mlp.py",
        "        for layer in self.layers:\n            if hasattr",
        "        for layer in self.layers[-1:]:\n            if hasattr",
    ),
    "ReLU passes the wrong half back": (
        "neural_net.py",
        "dL_dy * (self._x > 0.0)",
        "dL_dy * (self._x < 0.0)",
    ),
    "loss gradient divided by N twice": (
        "losses.py",
        "(self._prob - self._targets) / len(self._targets)",
        "(self._prob - self._targets) / len(self._targets) ** 2",
    ),
    "steps uphill": (
        "mnist_mlp.py",
        "layer.W = layer.W - lr * layer.dL_dW",
        "layer.W = layer.W + lr * layer.dL_dW",
    ),
    "only the biases are trained": (
        "mnist_mlp.py",
        "layer.W = layer.W - lr * layer.dL_dW",
        "layer.W = layer.W",
    ),
}


@pytest.fixture(scope="module")
def training() -> Training:
    course = courses.load(ROOT)
    setting = training_setting(course, course.week(1), "digits")
    return Training(
        "digits",
        lambda: data.load("digits"),
        setting.epochs,
        setting.batch_size,
        setting.lr,
        partial(credit_for, setting.curve),
        setting.curve[-1][0],
    )


def access(model):
    """Return the functions that write and read the weights of the reference's network."""

    def write(weights):
        for layer, number in ((model.layers[0], "1"), (model.layers[2], "2")):
            layer.W, layer.b = weights[f"W{number}"], weights[f"b{number}"]

    def read():
        first, _, last = model.layers
        return {"W1": first.W, "b1": first.b, "W2": last.W, "b2": last.b}

    return write, read


def shares(files: dict[str, bytes], training: Training) -> list[float]:
    """Return the share of the points for each seed."""
    found = []
    for seed in SEEDS:
        host = LocalHost(files)
        try:
            student = host.start(seed, large=True)
            model = student.mnist_mlp.TwoLayerMLP()
            curve = train_two_layer(student, model, training, seed, *access(model))
        finally:
            host.close()
        found.append(training.credit(curve["accuracy"][-1]) / FULL_CREDIT)
    return found


def reference() -> dict[str, bytes]:
    return solution_files(ROOT, courses.load(ROOT).week(1))


@pytest.mark.prove
def test_the_reference_gets_full_points_with_every_seed(training):
    assert shares(reference(), training) == [1.0] * len(SEEDS)


@pytest.mark.prove
@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_network_never_does(training, name):
    file, old, new = BROKEN[name]
    files = reference()
    source = files[file].decode()
    assert source.count(old) == 1
    files[file] = source.replace(old, new).encode()
    assert max(shares(files, training)) < 1.0
