"""Hidden tests of training/metrics.py: accuracy and the log of a run."""

import numpy as np
import pytest

from autograder.suite import expect

from .logs import expect_lines, log_in, numbers_of, write

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
        expect.close(f"accuracy with {wrong} of 50 wrong", received, 1 - wrong / 50)


def test_accuracy_of_small_differences(student):
    """The larger of two logits counts, however near they are, also where all are negative."""
    logits = np.array([[-3.0, -2.999, -9.0], [-1e6, -2e6, -3e6], [5.0, 5.001, 5.002]], np.float32)
    expect.close("accuracy", accuracy(student, logits, np.array([1, 0, 2])), 1.0)
    expect.close("accuracy", accuracy(student, logits, np.array([0, 1, 2])), 1 / 3)


def test_a_line_per_epoch(student):
    """write adds a line {"epoch": ..., the numbers by name}, in a folder that is made for it."""
    name = f"{student.prepare('folder').name}/a/run"
    log = log_in(student, name)
    write(log, 1, 2, 3)
    log.close()
    expect_lines(student, name, [(epoch, numbers_of(epoch)) for epoch in (1, 2, 3)])
    events = [file for file in student.drive("listing", name) if "tfevents" in file]
    expect.that("TensorBoard's event files", len(events) > 0, "there is none in the folder.")


def test_a_resumed_log_keeps_earlier_lines(student):
    """With resume_epoch=k the lines of epochs 1 to k stay, and what is written follows them."""
    name = student.prepare("folder").name
    log = log_in(student, name)
    write(log, 1, 2)
    log.close()
    log = log_in(student, name, 2)
    write(log, 3)
    log.close()
    expect_lines(student, name, [(epoch, numbers_of(epoch)) for epoch in (1, 2, 3)])
