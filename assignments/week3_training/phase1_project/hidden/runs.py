"""What tests of train.py share: whole runs, with a made-up, tiny network in ResNet18's place."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from autograder.suite import expect

from ..suite_tools.colours import scale_of
from . import lists

COUNT, HELD_OUT, BATCH = 100, 2, 32
BATCHES = 4
SAME = 1e-3
"""Normalised pixels that differ by less are the same; a step of a byte is 0.016."""
CURVE = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
NAMES = ("epoch", *CURVE, "seconds", "images_per_second")


@dataclass(frozen=True)
class Parts:
    """What stands beside train.py in a run: the student's own parts, or made-up ones.

    source: what makes the parts, "" for the student's own; scale: what becomes of bytes there, as
    a function of the student and of numbers from 0 to 1 with the channels last.
    """

    source: str
    scale: Callable


def own_scale(student, shares):
    mean, deviation = (part.ravel() for part in scale_of(student))
    return (shares - mean) / deviation


OWN = Parts("", own_scale)
MADE_UP = Parts(
    Path(__file__).with_name("made_up_parts.py").read_text("utf-8"), lambda _, shares: shares - 0.5
)


def either_way(check):
    """Let `check(parts)` pass with the student's own parts, or with made-up ones.

    So a mistake in the optimizer, the schedule or the loader costs the runs nothing.
    """
    expect.any_of(lambda: check(OWN), lambda: check(MADE_UP))


def tagged(count=COUNT):
    """Return arrays of a cifar10.npz: images of one colour each, by which they are known."""
    images = np.full((count, 32, 32, 3), 128, np.uint8)
    images[..., 0] = (np.arange(count) * 3 % 256)[:, None, None]
    images[..., 1] = (np.arange(count) * 7 % 256)[:, None, None]
    return {"x_train": images, "y_train": (np.arange(count) * 7 % 10).astype(np.uint8)}


def data_folder(student, arrays, broken=()):
    name = student.prepare("folder").name
    student.drive("write_arrays", f"{name}/cifar10.npz", arrays, list(broken))
    student.drive("write_arrays", f"{name}/made_up.npz", for_made_up(arrays), [])
    return name


def for_made_up(arrays):
    """Return the arrays as the made-up loader reads them."""
    images = {f"images_{k[2:]}": v.transpose(0, 3, 1, 2) for k, v in arrays.items() if k[0] == "x"}
    labels = {f"labels_{k[2:]}": v.astype(np.int64) for k, v in arrays.items() if k[0] == "y"}
    return images | labels


def options(data, out, epochs, *more):
    """Return a command line."""
    given = {"--data": data, "--out": out, "--epochs": epochs, "--batch-size": BATCH}
    given |= {"--lr": 0.02, "--seed": 3, "--device": "cpu"}
    return [str(part) for pair in given.items() for part in pair] + list(more)


def curve(student, out):
    """Return the lines of a run's metrics.jsonl."""
    text = student.drive("text_of", f"{out}/metrics.jsonl")
    expect.that("metrics.jsonl", type(text) is str and text != "", "it is missing or empty.")
    try:
        found = [json.loads(line) for line in text.splitlines()]
    except ValueError:
        found = [None]
    message = "every line should be a JSON object."
    expect.that("metrics.jsonl", all(type(one) is dict for one in found), message)
    return found


def expect_same_curve(what, received, wanted):
    """Compare two runs' lines, without their times."""
    lists.equal(
        f"epochs of {what}",
        [one.get("epoch") for one in received],
        [one.get("epoch") for one in wanted],
    )
    for one, other in zip(received, wanted, strict=True):
        for name in CURVE:
            label = f"{name} of epoch {one['epoch']} of {what}"
            # Two runs of the student's program: what each line holds is asked by other tests.
            expect.repeated(
                label, expect.array(label, other.get(name), ()), one.get(name), rtol=1e-5
            )


def passes(student):
    """Return (pixels (N, 3), whether they are trained on, training mode) of each forward pass.

    Trained on are those of which a gradient comes back, whichever mode the network is in.
    """
    found = []
    for training, _, pixels, learned in student.drive("forward_passes"):
        fine = type(pixels) is np.ndarray and pixels.shape[1:] == (3,) and len(pixels) > 0
        expect.that("forward passes", fine, "there is one without images.")
        found.append((pixels, bool(learned), bool(training)))
    return found


def colours_of(student, parts, images, rows=slice(16, 17), columns=slice(16, 17)):
    """Return the normalised pixels of images (N, 32, 32, 3) in some rows and columns: (M, 3)."""
    return parts.scale(student, images[:, rows, columns].reshape(-1, 3) / 255.0)


def distances(pixels, colours):
    """Return the largest difference of every pixel (N, 3) from every colour (M, 3): (N, M)."""
    return np.abs(pixels[:, None] - colours[None]).max(axis=2)


def run(student, data, epochs, *more, out=None, parts=OWN):
    """Run train.py to its end; return (module, folder of the output, lines)."""
    train = student.prepare("with_network", parts.source)
    out = out or f"{student.prepare('folder').name}/run"
    train.main(options(data, out, epochs, *more))
    return train, out, curve(student, out)
