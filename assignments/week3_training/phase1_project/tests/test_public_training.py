"""Public tests of training/ and train.py, with a made-up, tiny network that learns at once."""

import json

import numpy as np
import pytest

from autograder.suite import expect

pytestmark = pytest.mark.item("project.training")
beyond = pytest.mark.item("project.robustness")
of_training = pytest.mark.needs("project.training")
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
    trainer, *_ = trainer_of(student)
    given = student.prepare("batches", batches([0, 1, 1], [0]))
    received = trainer.evaluate(given)
    expect.close("accuracy", received.get("accuracy"), 0.5)
    expect.close("loss", received.get("loss"), LOSSES.mean(), rtol=1e-5)
    modes = [one[0] for one in student.drive("forward_passes")]
    expect.equal("training mode in each forward pass", modes, [False] * 2)


def test_train_epoch(student):
    """The scheduler sets the epoch's rate, and train_epoch takes a step for each batch."""
    trainer, network, optimizer, _ = trainer_of(student)
    received = trainer.train_epoch(student.prepare("batches", batches([0, 0])), 1)
    expect.close("loss", received.get("loss"), LOSSES[0], rtol=1e-5)
    expect.close("learning rate of epoch 1", optimizer.lr, 0.1 * 0.8)
    slope = 1 / (1 + np.exp(-1.0))
    wanted = np.array([0.08 * slope, 1.0 - 0.08 * slope])
    expect.close(
        "bias of the network", student.drive("state_of", network)["bias"], wanted, rtol=1e-5
    )


def test_save_and_load(student):
    """A checkpoint holds the network and the epoch, and load puts them back."""
    trainer, *_ = trainer_of(student)
    trainer.train_epoch(student.prepare("batches", batches([0, 1], [0])), 0)
    path = f"{student.prepare('folder').name}/checkpoint.safetensors"
    trainer.save(path, 4)
    found = student.drive("checkpoint", path)["tensors"]
    bias = expect.array("model.bias", found.get("model.bias"), (2,))
    expect.that("model.bias", not np.array_equal(bias, ZEROS["bias"]), "nothing has been trained.")
    trainer, network, _, _ = trainer_of(student)
    expect.equal("epoch that load gives", trainer.load(path), 4)
    # What was saved has been trained, as seen above.
    expect.repeated("bias of the network", bias, student.drive("state_of", network)["bias"])


@beyond
@of_training
def test_a_checkpoint_holds_the_optimizer(student):
    """Beyond the texts: a checkpoint holds what the optimizer's state_dict gives."""
    trainer, *_ = trainer_of(student)
    trainer.train_epoch(student.prepare("batches", batches([0, 1], [0])), 0)
    path = f"{student.prepare('folder').name}/checkpoint.safetensors"
    trainer.save(path, 4)
    found = student.drive("checkpoint", path)["tensors"]
    expect.close("optimizer.drag", found.get("optimizer.drag"), 0.002, rtol=1e-4)


@beyond
@of_training
def test_after_evaluating(student):
    """Beyond the texts: evaluate records no gradients, and puts the network's mode back."""
    trainer, network, _, _ = trainer_of(student)
    trainer.evaluate(student.prepare("batches", batches([0, 1, 1], [0])))
    recorded = [one[1] for one in student.drive("forward_passes")]
    expect.equal("gradients recorded in each forward pass", recorded, [False] * 2)
    expect.equal("network.training afterwards", network.training, True)


def lines_of(student, folder):
    """Return the lines of a metrics.jsonl."""
    text = student.drive("text_of", f"{folder}/metrics.jsonl")
    expect.that("metrics.jsonl", type(text) is str and text != "", "it is missing or empty.")
    return [json.loads(line) for line in text.splitlines()]


def write(student, folder, resume_epoch, *epochs):
    """Write some epochs to a log."""
    path = student.prepare("path", folder)
    log = student.module("training.metrics").MetricsLog(path, resume_epoch)
    for epoch in epochs:
        log.write(epoch, loss=epoch + resume_epoch / 4)
    log.close()


def expect_losses(student, folder, wanted):
    found = lines_of(student, folder)
    expect.equal("epochs", [one.get("epoch") for one in found], list(wanted))
    for one, epoch in zip(found, wanted, strict=True):
        expect.close(f"loss of epoch {epoch}", one.get("loss"), wanted[epoch])


def test_log(student):
    """A log has a line for each epoch, and a resumed one goes on."""
    folder = student.prepare("folder").name
    write(student, folder, 0, 1, 2)
    write(student, folder, 2, 3)
    expect_losses(student, folder, {1: 1.0, 2: 2.0, 3: 3.5})


@beyond
@of_training
def test_a_log_after_an_interruption(student):
    """Beyond the texts: a resumed log drops the lines of later epochs."""
    folder = student.prepare("folder").name
    write(student, folder, 0, 1, 2, 3)
    write(student, folder, 1, 2)
    expect_losses(student, folder, {1: 1.0, 2: 2.25})


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


KILLED_AFTER = 6
"""Batches; an epoch has four: 59 images in batches of 16."""


def killed(student, train, data, out):
    """Run train.py until it is killed in its second epoch."""
    ended = student.drive("interrupted", train, options(data, out), KILLED_AFTER)
    expect.that("training", ended is True, "59 images in batches of 16 should take 4 steps.")


@runs
def test_a_run_that_is_killed_and_resumed(student):
    """A run that is killed in its second epoch and resumed does the epochs that are left."""
    train, data = student.prepare("with_network"), data_of(student)
    killed(student, train, data, f"{data}/parts")
    train.main(options(data, f"{data}/parts", "--resume"))
    parts = lines_of(student, f"{data}/parts")
    expect.equal("epochs", [one.get("epoch") for one in parts], [1, 2, 3])


@beyond
@pytest.mark.needs(
    "project.optimizer", "project.schedule", "project.augmentation", "project.training"
)
def test_a_resumed_run_has_the_same_curve(student):
    """Beyond the texts: a resumed run has the same curve as one that nothing interrupted."""
    train, data = student.prepare("with_network"), data_of(student)
    train.main(options(data, f"{data}/whole"))
    killed(student, train, data, f"{data}/parts")
    train.main(options(data, f"{data}/parts", "--resume"))
    whole, parts = (lines_of(student, f"{data}/{name}") for name in ("whole", "parts"))
    expect.equal("epochs", [one.get("epoch") for one in parts], [1, 2, 3])
    for one, other in zip(parts, whole, strict=True):
        for name in ("train_loss", "val_loss", "lr"):
            label = f"{name} of epoch {other['epoch']}"
            # The same run twice, whether it learns is another test's subject.
            expect.repeated(label, other.get(name), one.get(name), rtol=1e-5)
