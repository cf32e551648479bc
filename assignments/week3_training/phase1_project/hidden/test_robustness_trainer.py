"""Hidden tests beyond the texts: resuming exactly, checkpoints and logs that outlive a kill.

They are blocked where the trainer itself is at fault.
"""

import json

import numpy as np
import pytest

from autograder.suite import expect

from . import lists
from .logs import expect_lines, log_in, numbers_of, write
from .pixels import (
    CLASSES,
    LR,
    Expected,
    batches_of,
    expect_means,
    expect_state,
    numbers,
    trainer_of,
)

pytestmark = [pytest.mark.item("project.robustness"), pytest.mark.needs("project.training")]


# training/trainer.py


def test_no_gradients_are_recorded_while_evaluating(student, rng):
    """evaluate records no gradients: that would take time and memory for nothing."""
    trainer, *_ = trainer_of(student, numbers(rng))
    trainer.evaluate(student.prepare("batches", batches_of(rng)))
    found = [one[1] for one in student.drive("forward_passes")]
    lists.equal("gradients recorded while evaluating", found, [False] * 3)


def test_evaluate_puts_the_mode_back(student, rng):
    """After evaluate the network is in the mode that it was in before, whichever that was."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, network, _, _ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    for training in (True, False):
        network.train(training)
        received = trainer.evaluate(given)
        expect_means("evaluate", received, Expected(values).evaluate(batches))
        expect.equal("network.training afterwards", network.training, training)


def test_label_smoothing(student, rng):
    """label_smoothing spreads a share of the target in training; evaluate's loss is without it.

    A Trainer that does not take the option, which nobody has to use, is right too.
    """

    def check():
        values, batches = numbers(rng), batches_of(rng)
        trainer, network, _, _ = trainer_of(student, values, label_smoothing=0.3)
        given = student.prepare("batches", batches)
        expected = Expected(values, smoothing=0.3)
        received = trainer.train_epoch(given, 0)
        expect_means("train_epoch with label_smoothing", received, expected.train(batches, 0))
        expect_state(student, network, expected)
        wanted = expected.evaluate(batches)
        expect_means("evaluate with label_smoothing", trainer.evaluate(given), wanted)

    def without():
        call = lambda: trainer_of(student, numbers(rng), label_smoothing=0.3)  # noqa: E731
        expect.raises("Trainer with label_smoothing", call, "TypeError")

    expect.any_of(check, without)


def test_a_checkpoint_holds_the_optimizer(student, rng):
    """save writes "optimizer." with what the optimizer's state_dict holds."""
    trainer, *_ = trainer_of(student, numbers(rng))
    trainer.train_epoch(student.prepare("batches", batches_of(rng)), 0)
    path = f"{student.prepare('folder').name}/one.safetensors"
    trainer.save(path, 1)
    found = student.drive("checkpoint", path)["tensors"]
    expect.close("optimizer.drag", found.get("optimizer.drag"), 0.003, rtol=1e-4)


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
def test_training_goes_on_from_a_checkpoint(student, rng):
    """load puts the optimizer back too: training goes on as it would have."""
    values, batches = numbers(rng), batches_of(rng)
    trainer, *_ = trainer_of(student, values)
    given = student.prepare("batches", batches)
    trainer.train_epoch(given, 0)
    path = f"{student.prepare('folder').name}/c.safetensors"
    trainer.save(path, 1)
    expected = Expected(values)
    expected.train(batches, 0)
    trainer, network, optimizer, _ = trainer_of(student, numbers(rng))
    trainer.load(path)
    wanted = expected.train(batches, 1)
    expect_means("train_epoch", trainer.train_epoch(given, 1), wanted)
    expect.close("learning rate", optimizer.lr, LR * 0.8)
    expect_state(student, network, expected)


def test_no_checkpoint(student, rng):
    """load of a file that is not there raises a FileNotFoundError."""
    trainer, *_ = trainer_of(student, numbers(rng))
    folder = student.prepare("folder").name
    trainer.save(f"{folder}/c.safetensors", 3)
    expect.equal("epoch that load gives", trainer.load(f"{folder}/c.safetensors"), 3)
    missing = f"{folder}/missing.safetensors"
    expect.raises("load of a missing file", trainer.load, "FileNotFoundError", missing)


# training/metrics.py


def test_lines_are_there_at_once(student):
    """A line can be read as soon as it is written: a run that is killed loses none."""
    name = student.prepare("folder").name
    log = log_in(student, name)
    for epoch in (1, 2):
        write(log, epoch)
        expect_lines(student, name, [(e, numbers_of(e)) for e in range(1, epoch + 1)])
    log.close()


def test_a_new_log_starts_empty(student):
    """Without resume_epoch the lines of an earlier run are dropped."""
    name = student.prepare("folder").name
    for last in (3, 2):
        log = log_in(student, name)
        write(log, *range(1, last + 1))
        log.close()
    expect_lines(student, name, [(epoch, numbers_of(epoch)) for epoch in (1, 2)])


def test_a_resumed_log_drops_later_lines(student):
    """With resume_epoch=k the lines up to epoch k stay, later ones and half a line go."""
    name = student.prepare("folder").name
    lines = [json.dumps({"epoch": epoch, **numbers_of(epoch)}) for epoch in (1, 2, 3, 4)]
    student.drive("write_text", f"{name}/metrics.jsonl", "\n".join(lines) + '\n{"epoch": 5, "tr')
    log = log_in(student, name, 2)
    write(log, 3)
    log.close()
    expect_lines(student, name, [(epoch, numbers_of(epoch)) for epoch in (1, 2, 3)])


def test_a_resumed_log_without_an_earlier_one(student):
    """resume_epoch does no harm where there is no log yet, and drops nothing it should keep."""
    name = student.prepare("folder").name
    log = log_in(student, name, 1)
    write(log, 2)
    log.close()
    expect_lines(student, name, [(2, numbers_of(2))])
    log = log_in(student, name, 5)
    write(log, 6)
    log.close()
    expect_lines(student, name, [(2, numbers_of(2)), (6, numbers_of(6))])
