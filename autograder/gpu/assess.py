"""The accuracy of a trained network: the examiner sends images and evaluates the logits.

Test labels never leave this process. Images are sent in small batches, in a random order that mixes
plain and moved ones (mirrored, shifted by a pixel or two): a network that has stored the test
images, by a hash say, is right about the plain ones only.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.gpu.images import CLASSES, Images, moved
from autograder.suite import expect
from autograder.suite.hidden.disclosure import without_text
from autograder.suite.student import Student

BATCH = 200
MOST_MOVED = 2_000

REHEARSED = 8
WITHHELD = (
    "No more is shown, because it could hold images of the hidden test set: your network runs "
    "on images of noise."
)

CHANCE = 0.25
"""Maximum accuracy (0..1) of an untrained network, with a margin above the chance level of 0.1."""

COLLAPSE = 0.15
"""Maximum loss of accuracy (0..1) from plain images to the same images moved."""

BOAST = 0.05
"""Maximum excess (0..1) of the claimed validation accuracy over the measured test accuracy."""

CURVES = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr", "seconds")
LONGEST_RUN = 1_000


@dataclass(frozen=True)
class Accuracy:
    """Accuracies in 0..1: of all plain images, and of a sample plain (`still`) and moved.

    `known` is that of all plain images by the labels that everybody knows (Images.known).
    """

    plain: float
    still: float
    moved: float
    known: float = 0.0

    @property
    def collapses(self) -> bool:
        """Whether the accuracy on moved images is lower by more than COLLAPSE."""
        return self.still - self.moved > COLLAPSE

    @property
    def credited(self) -> float:
        """The accuracy that points are given for."""
        return self.moved if self.collapses else self.plain


def measure(
    student: Student, network: Any, images: Images, device: str, rng: np.random.Generator
) -> Accuracy:
    """Measure a network in the worker. Raises Fault if its code fails.

    It is run on a few images of noise first, and a failure there is told in full. Of a later one
    only the verdict is, since anything else could hold test images.
    """
    noise = np.random.default_rng(0).integers(
        0, 256, (REHEARSED, *images.x_test.shape[1:]), dtype=np.uint8
    )
    _logits(student, network, noise, device)
    try:
        return _measured(student, network, images, device, rng)
    except Fault as fault:
        message = without_text(fault, WITHHELD)
        raise Fault(fault.verdict, message, fault.type_name, fault.fatal) from None


def _measured(
    student: Student, network: Any, images: Images, device: str, rng: np.random.Generator
) -> Accuracy:
    count = len(images.x_test)
    chosen = rng.choice(count, size=min(MOST_MOVED, count), replace=False)
    pictures = np.concatenate([images.x_test, moved(images.x_test[chosen], rng)])
    labels = np.concatenate([images.y_test, images.y_test[chosen]]).astype(np.int64)
    found = np.zeros(len(pictures), dtype=np.int64)
    order = rng.permutation(len(pictures))
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        logits = _logits(student, network, pictures[rows], device)
        found[rows] = logits.argmax(axis=1)
    right = found == labels
    known = images.y_test if images.known is None else images.known
    return Accuracy(
        float(right[:count].mean()),
        float(right[chosen].mean()),
        float(right[count:].mean()),
        float((found[:count] == known).mean()),
    )


def _logits(student: Student, network: Any, pictures: np.ndarray, device: str) -> np.ndarray:
    """Return the network's logits (N, CLASSES) of pictures: uint8, NHWC."""
    batch = np.ascontiguousarray(pictures.transpose(0, 3, 1, 2))
    answer = student.drive("logits", network, batch, device)
    return expect.array("the logits", answer, (len(pictures), CLASSES))


def read_metrics(text: str) -> dict[str, list[float]]:
    """Return the columns of an untrusted metrics.jsonl, all of equal length.

    Lines that aren't JSON objects with an epoch are left out, as are columns with an entry that is
    not a finite number.
    """
    rows: dict[int, Mapping[str, Any]] = {}
    for line in text.splitlines()[: 2 * LONGEST_RUN]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict) and type(row.get("epoch")) is int:
            rows[row["epoch"]] = row
    epochs = sorted(epoch for epoch in rows if 0 < epoch <= LONGEST_RUN)
    columns: dict[str, list[float]] = {"epoch": [float(epoch) for epoch in epochs]}
    for name in CURVES:
        values = [rows[epoch].get(name) for epoch in epochs]
        if values and all(_is_number(value) for value in values):
            columns[name] = [float(value) for value in values]  # type: ignore[arg-type]
    return columns


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e12 and math.isfinite(value)


def doubts(accuracy: Accuracy, curves: Mapping[str, list[float]]) -> list[str]:
    """Return suspicious findings for a person, with the evidence; empty if there are none."""
    found = []
    if accuracy.collapses:
        found.append(
            f"The network gets {accuracy.still:.1%} of test images right where they are and "
            f"{accuracy.moved:.1%} of the same images mirrored or shifted by a pixel or two. "
            "Either it was never trained with such images (are the crops and flips on?), or it "
            "knows the test images by heart. The points are for the latter figure."
        )
    if accuracy.known > max(CHANCE, accuracy.plain):
        found.append(
            f"The network numbers {accuracy.known:.1%} of the test images' classes as the public "
            "data set does, and not as the images that it was given here to train with. So it was "
            "trained elsewhere."
        )
    claimed = curves.get("val_accuracy", [])[-1:]
    if claimed and claimed[0] > accuracy.plain + BOAST:
        found.append(
            f"metrics.jsonl claims an accuracy of {claimed[0]:.1%} at the end, and the network "
            f"that was saved gets {accuracy.plain:.1%} of the test images right."
        )
    return found
