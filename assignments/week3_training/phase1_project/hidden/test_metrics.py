"""Hidden tests of training/metrics.py: accuracy and the log of a run."""

import json

import numpy as np
import pytest

from autograder.suite import expect

from . import lists

pytestmark = pytest.mark.item("project.training")


def accuracy(student, logits, labels):
    tensors = [student.prepare("tensor", array) for array in (logits, labels)]
    return student.module("training.metrics").accuracy(*tensors)


def test_accuracy(student, rng):
    """accuracy is the share of rows whose largest logit is at their label, from 0 to 1."""
    logits = rng.normal(size=(50, 10)).astype(np.float32)
    labels = logits.argmax(axis=1)
    for wrong in (0, 13, 50):
        given = labels.copy()
        given[:wrong] = (given[:wrong] + 1 + np.arange(wrong) % 8) % 10
        received = accuracy(student, logits, given)
        expect.equal("type of the accuracy", type(received).__name__, "float")
        expect.close(f"accuracy with {wrong} of 50 wrong", received, 1 - wrong / 50)


def test_accuracy_of_small_differences(student):
    """The larger of two logits counts, however near they are, also where all are negative."""
    logits = np.array([[-3.0, -2.999, -9.0], [-1e6, -2e6, -3e6], [5.0, 5.001, 5.002]], np.float32)
    expect.close("accuracy", accuracy(student, logits, np.array([1, 0, 2])), 1.0)
    expect.close("accuracy", accuracy(student, logits, np.array([0, 1, 2])), 1 / 3)


def log_in(student, name, *resume_epoch):
    """Return a MetricsLog in a folder."""
    return student.module("training.metrics").MetricsLog(
        student.prepare("path", name), *resume_epoch
    )


def lines_of(student, name):
    """Return the objects in a folder's metrics.jsonl."""
    text = student.drive("text_of", f"{name}/metrics.jsonl")
    expect.that("metrics.jsonl", type(text) is str and text != "", "it is missing or empty.")
    expect.that("metrics.jsonl", text.endswith("\n"), "its last line has no end.")
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            found.append(json.loads(line))
        except ValueError:
            expect.that(f"line {number} of metrics.jsonl", False, "it is not JSON.")
        expect.that(f"line {number} of metrics.jsonl", type(found[-1]) is dict, "it is no object.")
    return found


def expect_lines(student, name, wanted):
    """Compare all lines with (epoch, {name: number})."""
    found = lines_of(student, name)
    lists.equal(
        "epochs in metrics.jsonl", [one.get("epoch") for one in found], [e for e, _ in wanted]
    )
    for one, (epoch, numbers) in zip(found, wanted, strict=True):
        for key, number in numbers.items():
            expect.close(f"{key} of epoch {epoch}", one.get(key), number, rtol=1e-6)
        lists.equal(f"names of epoch {epoch}", sorted(one), sorted(["epoch", *numbers]))


def numbers_of(epoch):
    return {"train_loss": 2.5 / epoch, "val_accuracy": 0.125 * epoch}


def write(log, *epochs):
    for epoch in epochs:
        log.write(epoch, **numbers_of(epoch))


def test_a_line_per_epoch(student):
    """write adds a line {"epoch": ..., the numbers by name}, in a folder that is made for it."""
    name = f"{student.prepare('folder').name}/a/run"
    log = log_in(student, name)
    write(log, 1, 2, 3)
    log.close()
    expect_lines(student, name, [(epoch, numbers_of(epoch)) for epoch in (1, 2, 3)])
    events = [file for file in student.drive("listing", name) if "tfevents" in file]
    expect.that("TensorBoard's event files", len(events) > 0, "there is none in the folder.")


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
