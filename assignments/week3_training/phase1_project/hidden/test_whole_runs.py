"""Hidden tests of the whole project: ResNet18 and Adam overfit a few images, and train.py runs.

These train, so they run after the others.
"""

import json

import numpy as np
import pytest

from autograder.suite import expect

from ..worker.drivers import ours

pytestmark = [pytest.mark.item("project.training"), pytest.mark.training]

NETWORK = ("project.batch_norm", "project.blocks", "project.network")

IMAGES, STEPS = 8, 60


def recognisable(rng, count):
    """Return images that can be told apart: patterns of their own with a little noise."""
    patterns = rng.normal(size=(count, 3, 8, 8)).repeat(4, axis=2).repeat(4, axis=3)
    return (patterns + 0.2 * rng.normal(size=(count, 3, 32, 32))).astype(np.float32)


@pytest.mark.needs(*NETWORK, "project.optimizer")
def test_overfitting(student, rng, grade):
    """Sixty steps with your Adam let your ResNet18 learn eight images by heart."""
    x, y = recognisable(rng, IMAGES), rng.permutation(IMAGES).astype(np.int64)
    model = student.drive("seeded", 1, student.module("models.resnet").ResNet18)
    optimizer = student.optimizers.Adam(student.prepare("parameters", model), lr=1e-3)
    pairs = [[x[first::4], y[first::4]] for first in range(4)]
    losses = student.drive("overfit", model, optimizer, pairs, STEPS)
    logits = expect.array("logits", student.drive("run", model, x, False), (IMAGES, 10))
    right = int(np.sum(logits.argmax(axis=1) == y))
    share = min(max(right - 1, 0) / (IMAGES - 3), 1.0)
    message = "all or nearly all" if share == 1 else f"{right}" if share else "one or none"
    message = (
        f"after {STEPS} steps {message} of {IMAGES} images are recognised, in evaluation mode."
    )
    grade(share, message)


@pytest.mark.needs(*NETWORK, "project.optimizer", "project.schedule", "project.augmentation")
def test_train_with_the_real_network(student, rng):
    """train.py trains ResNet18 on a few images for an epoch and writes what it should."""
    folder = student.prepare("folder").name
    images = rng.integers(0, 256, (20, 32, 32, 3), dtype=np.uint8)
    arrays = {"x_train": images, "y_train": (np.arange(20) % 10).astype(np.uint8)}
    student.drive("write_arrays", f"{folder}/cifar10.npz", arrays, [])
    out = f"{folder}/run"
    options = ["--data", folder, "--out", out, "--epochs", "1", "--batch-size", "10"]
    student.drive("main_of", student.train, [*options, "--device", "cpu", "--seed", "1"])
    lines = student.drive("text_of", f"{out}/metrics.jsonl").splitlines()
    expect.equal("number of lines in metrics.jsonl", len(lines), 1)
    expect.equal("epoch", json.loads(lines[0]).get("epoch"), 1)
    saved = student.drive("saved_shapes", f"{out}/checkpoint.safetensors")
    shapes = {
        ours(name.removeprefix("model.")): shape
        for name, shape in saved.items()
        if name.startswith("model.")
    }
    model = student.drive("shapes", student.module("models.resnet").ResNet18())
    wanted = {**model["parameters"], **model["buffers"]}
    missing = sorted(set(wanted) - set(shapes))
    expect.that("checkpoint", not missing, f"it has no model.{', model.'.join(missing[:3])}.")
    message = "no array in it has the shape of the last layer's weights, (10, 512)."
    expect.that("checkpoint", [10, 512] in list(shapes.values()), message)
