"""Public tests of training/ and train.py, with a made-up, tiny network that learns at once."""

import json

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.training")
runs = pytest.mark.needs("project.optimizer", "project.schedule", "project.augmentation")

ZEROS = {
    "weight": np.zeros((3, 2), np.float32),
    "bias": np.array([0.0, 1.0], np.float32),
    "seen": np.zeros(2, np.float32),
}
"""Weights of the made-up network: logits (0, 1) for every image."""
LOSSES = np.log(1 + np.exp([1.0, -1.0]))
"""Cross-entropy of these logits for the labels 0 and 1."""


def trainer_of(student, lr=0.1):
    trio = student.drive("trio", lr, ZEROS)
    return student.module("training.trainer").Trainer(*trio), *trio


def batches(*labels):
    """Return batches of black images with these labels."""
    return [[np.zeros((len(y), 3, 32, 32), np.float32), np.array(y)] for y in labels]


def test_accuracy(student):
    """accuracy is the share of rows whose largest logit is at their label."""
    logits = np.array([[1.0, 2.0], [-1.0, -2.0], [0.1, 0.0], [5.0, 6.0]], np.float32)
    tensors = [student.prepare("tensor", array) for array in (logits, np.array([1, 0, 1, 1]))]
    received = student.module("training.metrics").accuracy(*tensors)
    expect.close("accuracy", received, 0.75)


def test_evaluate(student):
    """evaluate gives means over the images, not over the batches."""
    trainer, network, _, _ = trainer_of(student)
    given = student.prepare("batches", batches([0, 1, 1], [0]))
    received = trainer.evaluate(given)
    expect.close("accuracy", received.get("accuracy"), 0.5)
    expect.close("loss", received.get("loss"), LOSSES.mean(), rtol=1e-5)
    modes = [one[:2] for one in student.drive("forward_passes")]
    label = "training mode, and gradients recorded, in each forward pass"
    expect.equal(label, modes, [[False, False]] * 2)
    expect.equal("network.training afterwards", network.training, True)


def test_train_epoch(student):
    """train_epoch takes a step for each batch, and the scheduler steps with it."""
    trainer, network, _, schedule = trainer_of(student)
    received = trainer.train_epoch(student.prepare("batches", batches([0, 0])))
    expect.close("loss", received.get("loss"), LOSSES[0], rtol=1e-5)
    expect.equal("steps of the scheduler", schedule.t, 1)
    slope = 1 / (1 + np.exp(-1.0))
    wanted = np.array([0.1 * slope, 1.0 - 0.1 * slope])
    expect.close(
        "bias of the network", student.drive("state_of", network)["bias"], wanted, rtol=1e-5
    )


def test_save_and_load(student):
    """A checkpoint holds model, optimizer and scheduler, and load puts them back."""
    trainer, *_ = trainer_of(student)
    trainer.train_epoch(student.prepare("batches", batches([0, 1], [0])))
    path = f"{student.prepare('folder').name}/checkpoint.safetensors"
    trainer.save(path, 4)
    found = student.drive("checkpoint", path)
    names = ["model.bias", "model.seen", "model.weight", "optimizer.drag", "scheduler.t"]
    expect.equal("names in the checkpoint", sorted(found["tensors"]), names)
    trainer, network, _, schedule = trainer_of(student)
    expect.equal("epoch that load gives", trainer.load(path), 4)
    expect.equal("steps of the scheduler", schedule.t, 2)
    bias = expect.array("model.bias", found["tensors"]["model.bias"], (2,))
    expect.that("model.bias", not np.array_equal(bias, ZEROS["bias"]), "nothing has been trained.")
    expect.close("bias of the network", student.drive("state_of", network)["bias"], bias)


def lines_of(student, folder):
    """Return the lines of a metrics.jsonl."""
    text = student.drive("text_of", f"{folder}/metrics.jsonl")
    expect.that("metrics.jsonl", type(text) is str and text != "", "it is missing or empty.")
    return [json.loads(line) for line in text.splitlines()]


def test_log(student):
    """A log has a line for each epoch; a resumed one keeps those up to its epoch."""
    folder = student.prepare("folder").name
    for resume_epoch, epochs in ((0, (1, 2, 3)), (1, (2,))):
        path = student.prepare("path", folder)
        log = student.module("training.metrics").MetricsLog(path, resume_epoch)
        for epoch in epochs:
            log.write(epoch, loss=epoch + resume_epoch / 4)
        log.close()
    wanted = [{"epoch": 1, "loss": 1.0}, {"epoch": 2, "loss": 2.25}]
    found = lines_of(student, folder)
    expect.equal("epochs", [one.get("epoch") for one in found], [1, 2])
    for one, other in zip(found, wanted, strict=True):
        expect.close(f"loss of epoch {other['epoch']}", one.get("loss"), other["loss"])


def options(data, out, *more):
    given = ["--data", data, "--out", out, "--epochs", "3", "--batch-size", "16"]
    return [*given, "--device", "cpu", "--seed", "1", *more]


def data_of(student):
    """Return a folder with 60 images of one colour each."""
    folder = student.prepare("folder").name
    colours = (4 * np.arange(60)).astype(np.uint8)
    images = np.repeat(colours, 32 * 32 * 3).reshape(60, 32, 32, 3)
    arrays = {"x_train": images, "y_train": (np.arange(60) % 10).astype(np.uint8)}
    student.drive("write_arrays", f"{folder}/cifar10.npz", arrays, [])
    return folder


@runs
def test_a_run(student):
    """train.py writes a line for each epoch, event files and a checkpoint."""
    train, data = student.prepare("with_network"), data_of(student)
    train.main(options(data, f"{data}/run"))
    lines = lines_of(student, f"{data}/run")
    expect.equal("epochs", [one.get("epoch") for one in lines], [1, 2, 3])
    names = ["train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds"]
    for name in [*names, "images_per_second"]:
        expect.that(
            name, all(type(one.get(name)) in (int, float) for one in lines), "it is missing."
        )
    files = student.drive("listing", f"{data}/run")
    for part in ("tfevents", "checkpoint.safetensors"):
        expect.that(part, any(part in file for file in files), "there is no such file.")


@runs
def test_a_run_that_is_killed_and_resumed(student):
    """A run that is killed in its second epoch and resumed has the same curve as another one."""
    train, data = student.prepare("with_network"), data_of(student)
    train.main(options(data, f"{data}/whole"))
    killed = student.drive("interrupted", train, options(data, f"{data}/parts"), 6)
    expect.that("training", killed is True, "59 images in batches of 16 should take 4 steps.")
    train.main(options(data, f"{data}/parts", "--resume"))
    whole, parts = (lines_of(student, f"{data}/{name}") for name in ("whole", "parts"))
    expect.equal("epochs", [one.get("epoch") for one in parts], [1, 2, 3])
    for one, other in zip(parts, whole, strict=True):
        for name in ("train_loss", "val_loss", "lr"):
            label = f"{name} of epoch {other['epoch']}"
            expect.close(label, one.get(name), expect.array(label, other.get(name), ()), rtol=1e-5)
