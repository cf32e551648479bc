"""What tests of a run's log share: writing one, and reading its lines."""

import json

from autograder.suite import expect

from . import lists


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
