"""Hidden tests of training/trainer.py: a made-up network, optimizer and schedule are trained."""

import numpy as np
import pytest

from autograder.suite import expect

from . import lists
from .pixels import (
    LR,
    NEAR,
    Expected,
    batches_of,
    expect_means,
    expect_state,
    numbers,
    trainer_of,
)

pytestmark = pytest.mark.item("project.training")


@pytest.mark.weight(2)
def test_an_epoch_trains(student, rng):
    """train_epoch takes one step for each batch: gradients of its mean cross-entropy, afresh."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    expected = Expected(values)
    for epoch in range(2):
        trainer.train_epoch(student.prepare("batches", batches), epoch)
        expected.train(batches, epoch)
        expect_state(student, network, expected)


@pytest.mark.weight(2)
def test_means_of_an_epoch(student, rng):
    """train_epoch gives the means over the images, where the last batch is smaller too."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    expected = Expected(values)
    for epoch in range(2):
        received = trainer.train_epoch(student.prepare("batches", batches), epoch)
        expect_means("train_epoch", received, expected.train(batches, epoch))


def test_the_schedule_sets_the_rate_of_each_epoch(student, rng):
    """scheduler.step(epoch) is called for each epoch, and evaluate leaves the learning rate."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, _, optimizer, schedule = trainer_of(student, values)
    given = student.prepare("batches", batches)
    for epoch in range(3):
        trainer.train_epoch(given, epoch)
        trainer.evaluate(given)
        expect.close("learning rate", optimizer.lr, LR * 0.8**epoch)
        asked = list(schedule.asked)
        message = f"step was called with {asked}; {epoch} should be the latest one."
        expect.that("scheduler", asked[-1:] == [epoch], message)


def test_each_epoch_has_its_own_rate(student, rng):
    """Epochs 1 and 2, as after resuming, train with their own learning rates."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    expected = Expected(values)
    for epoch in (1, 2):
        trainer.train_epoch(student.prepare("batches", batches), epoch)
        expected.train(batches, epoch)
    expect_state(student, network, expected)


@pytest.mark.weight(2)
def test_evaluate(student, rng):
    """evaluate gives the means over the images, in evaluation mode."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    received = trainer.evaluate(student.prepare("batches", batches))
    expect_means("evaluate", received, Expected(values).evaluate(batches))


def test_modes(student, rng):
    """Training is done in training mode, evaluating in evaluation mode, one after the other."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    network.eval()
    trainer.train_epoch(given, 0)
    trainer.evaluate(given)
    trainer.train_epoch(given, 1)
    found = [one[0] for one in student.drive("forward_passes")]
    expect.equal("number of forward passes", len(found), 9)
    lists.equal("training mode in each pass", found, [True] * 3 + [False] * 3 + [True] * 3)


def test_evaluate_trains_nothing(student, rng):
    """evaluate leaves weights and buffers as they were."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    for _ in range(2):
        received = trainer.evaluate(given)
        expect_means("evaluate", received, Expected(values).evaluate(batches))
        expect_state(student, network, Expected(values))


def test_a_checkpoint(student, rng):
    """save writes "model." with the network's state, and the epoch into the metadata."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    trainer.train_epoch(student.prepare("batches", batches), 0)
    expected = Expected(values)
    expected.train(batches, 0)
    folder = student.prepare("folder").name
    trainer.save(student.prepare("path", f"{folder}/one.safetensors"), 7)
    found = student.drive("checkpoint", f"{folder}/one.safetensors")
    expect.equal("epoch in the metadata", found["metadata"].get("epoch"), "7")
    for name, value in expected.values.items():
        expect.close(f"model.{name}", found["tensors"].get(f"model.{name}"), value, **NEAR)


@pytest.mark.weight(2)
def test_going_on_from_a_checkpoint(student, rng):
    """load puts the network back into the state of the checkpoint, and gives its epoch."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    trainer.train_epoch(given, 0)
    path = f"{student.prepare('folder').name}/c.safetensors"
    trainer.save(path, 1)
    expected = Expected(values)
    expected.train(batches, 0)
    trainer, network, _, _ = trainer_of(student, numbers(rng))
    expect.equal("epoch that load gives", trainer.load(path), 1)
    expect_state(student, network, expected)
    expect_means("evaluate", trainer.evaluate(given), expected.evaluate(batches))
