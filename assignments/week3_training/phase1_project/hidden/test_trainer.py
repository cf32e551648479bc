"""Hidden tests of training/trainer.py: a made-up network, optimizer and schedule are trained.

What they should come to is worked out here step by step, in float64.
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import lists

pytestmark = pytest.mark.item("project.training")

NEAR = {"rtol": 1e-4, "atol": 1e-5}
CLASSES, LR = 4, 0.5
SIZES = (5, 5, 2)


def numbers(rng):
    """Return weights for the made-up network."""
    values = {"weight": rng.normal(size=(3, CLASSES)), "bias": rng.normal(size=CLASSES)}
    values["seen"] = rng.normal(size=CLASSES)
    return {name: value.astype(np.float32) for name, value in values.items()}


def batches_of(rng):
    """Return batches [x, y], the last one smaller than the others."""
    return [
        [
            rng.normal(size=(size, 3, 32, 32)).astype(np.float32),
            rng.integers(0, CLASSES, size).astype(np.int64),
        ]
        for size in SIZES
    ]


def trainer_of(student, values, lr=LR):
    """Return a Trainer and the three that it was given."""
    trio = student.drive("trio", lr, values)
    return student.module("training.trainer").Trainer(*trio), *trio


def loss_of(logits, y):
    """Return (loss of each image, whether it is a hit, gradient of their mean)."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    p = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
    rows = np.arange(len(y))
    losses = -np.log(p[rows, y])
    gradient = p.copy()
    gradient[rows, y] -= 1.0
    return losses, logits.argmax(axis=1) == y, gradient / len(y)


class Expected:
    """What the made-up three come to."""

    def __init__(self, values):
        self.values = {name: value.astype(np.float64) for name, value in values.items()}
        self.drag, self.t = 0.0, 0

    def train(self, batches):
        """Go through an epoch; return its means."""
        losses, hits, now = [], [], self.values
        for x, y in batches:
            pixels = x[:, :, 16, 16].astype(np.float64)
            loss, hit, slope = loss_of(pixels @ now["weight"] + now["bias"] + now["seen"], y)
            lr = LR * 0.8**self.t
            now["weight"] = now["weight"] - lr * (pixels.T @ slope + self.drag)
            now["bias"] = now["bias"] - lr * (slope.sum(axis=0) + self.drag)
            now["seen"] = now["seen"] + 0.01
            self.drag, self.t = self.drag + 0.001, self.t + 1
            losses.append(loss)
            hits.append(hit)
        return {"loss": np.concatenate(losses).mean(), "accuracy": np.concatenate(hits).mean()}

    def evaluate(self, batches):
        """Return the means of the present weights."""
        found = [
            loss_of(
                x[:, :, 16, 16] @ self.values["weight"] + self.values["bias"] - self.values["seen"],
                y,
            )
            for x, y in batches
        ]
        losses, hits = (np.concatenate([one[part] for one in found]) for part in (0, 1))
        return {"loss": losses.mean(), "accuracy": hits.mean()}


def expect_means(label, received, wanted):
    expect.that(label, type(received) is dict, 'it should be a dict with "loss" and "accuracy".')
    expect.close(f"accuracy of {label}", received.get("accuracy"), wanted["accuracy"])
    expect.close(f"loss of {label}", received.get("loss"), wanted["loss"], **NEAR)


def expect_state(student, network, expected):
    found = student.drive("state_of", network)
    for name, value in expected.values.items():
        expect.close(f"{name} of the network", found.get(name), value, **NEAR)


@pytest.mark.weight(2)
def test_an_epoch_trains(student, rng):
    """train_epoch takes one step for each batch: gradients of its mean cross-entropy, afresh."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    expected = Expected(values)
    for _ in range(2):
        trainer.train_epoch(student.prepare("batches", batches))
        expected.train(batches)
        expect_state(student, network, expected)


@pytest.mark.weight(2)
def test_means_of_an_epoch(student, rng):
    """train_epoch gives the means over the images, where the last batch is smaller too."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    expected = Expected(values)
    for _ in range(2):
        received = trainer.train_epoch(student.prepare("batches", batches))
        expect_means("train_epoch", received, expected.train(batches))


def test_the_schedule_steps_with_every_batch(student, rng):
    """The scheduler steps after each batch, and evaluate does not step it."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, _, optimizer, schedule = trainer_of(student, values)
    given = student.prepare("batches", batches)
    for epoch in (1, 2):
        trainer.train_epoch(given)
        trainer.evaluate(given)
        expect.equal("steps of the scheduler", schedule.t, epoch * len(SIZES))
        expect.close("learning rate", optimizer.lr, LR * 0.8 ** (epoch * len(SIZES)))


@pytest.mark.weight(2)
def test_evaluate(student, rng):
    """evaluate gives the means over the images, in evaluation mode."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    received = trainer.evaluate(student.prepare("batches", batches))
    expect_means("evaluate", received, Expected(values).evaluate(batches))


def test_modes(student, rng):
    """Training is done in training mode, evaluating in evaluation mode and without gradients."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    network.eval()
    for call in (trainer.train_epoch, trainer.evaluate, trainer.train_epoch):
        call(given)
    found = [one[:2] for one in student.drive("forward_passes")]
    expect.equal("number of forward passes", len(found), 9)
    lists.equal(
        "training mode in each pass",
        [one[0] for one in found],
        [True] * 3 + [False] * 3 + [True] * 3,
    )
    lists.equal("gradients recorded while evaluating", [one[1] for one in found[3:6]], [False] * 3)


def test_evaluate_changes_nothing(student, rng):
    """evaluate leaves weights, buffers and mode as they were, whichever mode that was."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    for training in (True, False):
        network.train(training)
        received = trainer.evaluate(given)
        expect_means("evaluate", received, Expected(values).evaluate(batches))
        expect.equal("network.training afterwards", network.training, training)
        expect_state(student, network, Expected(values))


def test_a_checkpoint(student, rng):
    """save writes "model.", "optimizer." and "scheduler." with their states, and the epoch."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    trainer.train_epoch(student.prepare("batches", batches))
    expected = Expected(values)
    expected.train(batches)
    folder = student.prepare("folder").name
    trainer.save(student.prepare("path", f"{folder}/one.safetensors"), 7)
    found = student.drive("checkpoint", f"{folder}/one.safetensors")
    expect.equal("epoch in the metadata", found["metadata"].get("epoch"), "7")
    names = ["model.bias", "model.seen", "model.weight", "optimizer.drag", "scheduler.t"]
    lists.equal("names in the checkpoint", sorted(found["tensors"]), names)
    for name, value in expected.values.items():
        expect.close(f"model.{name}", found["tensors"][f"model.{name}"], value, **NEAR)
    expect.close("optimizer.drag", found["tensors"]["optimizer.drag"], expected.drag, rtol=1e-5)
    expect.equal("scheduler.t", found["tensors"]["scheduler.t"], np.array(len(SIZES)))


def test_a_checkpoint_replaces_the_last_one(student, rng):
    """save replaces an older checkpoint, and leaves no other file behind."""
    trainer, network, _, _ = trainer_of(student, numbers(rng))
    folder = student.prepare("folder").name
    for epoch in (1, 2):
        bias = np.full(CLASSES, float(epoch), np.float32)
        student.drive("fill", network, {"bias": bias})
        trainer.save(f"{folder}/c.safetensors", epoch)
        found = student.drive("checkpoint", f"{folder}/c.safetensors")
        expect.equal("epoch in the metadata", found["metadata"].get("epoch"), str(epoch))
        expect.close("model.bias", found["tensors"].get("model.bias"), bias)
        expect.equal("files in the folder", student.drive("listing", folder), ["c.safetensors"])


@pytest.mark.weight(2)
def test_going_on_from_a_checkpoint(student, rng):
    """load puts all three back and gives the epoch; training goes on as it would have."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    trainer.train_epoch(given)
    path = f"{student.prepare('folder').name}/c.safetensors"
    trainer.save(path, 1)
    expected = Expected(values)
    expected.train(batches)
    trainer, network, optimizer, schedule = trainer_of(student, numbers(rng))
    expect.equal("epoch that load gives", trainer.load(path), 1)
    expect_state(student, network, expected)
    expect.equal("steps of the scheduler", schedule.t, len(SIZES))
    expect.close("learning rate", optimizer.lr, LR * 0.8 ** len(SIZES))
    expect_means("train_epoch", trainer.train_epoch(given), expected.train(batches))
    expect_state(student, network, expected)


def test_no_checkpoint(student, rng):
    """load of a file that is not there raises a FileNotFoundError."""
    trainer, *_ = trainer_of(student, numbers(rng))
    folder = student.prepare("folder").name
    trainer.save(f"{folder}/c.safetensors", 3)
    expect.equal("epoch that load gives", trainer.load(f"{folder}/c.safetensors"), 3)
    missing = f"{folder}/missing.safetensors"
    expect.raises("load of a missing file", trainer.load, "FileNotFoundError", missing)
