"""Hidden tests of train.py: whole runs, with a made-up, tiny network in the place of ResNet18.

Where a run with the student's own optimizer, schedule and loader fails, it is judged with made-up
ones in their places.
"""

import numpy as np
import pytest

from autograder.suite import expect

from . import lists
from .runs import (
    BATCHES,
    COUNT,
    HELD_OUT,
    NAMES,
    SAME,
    colours_of,
    curve,
    data_folder,
    distances,
    either_way,
    options,
    passes,
    run,
    tagged,
)

pytestmark = pytest.mark.item("project.training")


def test_test_images_play_no_part(student):
    """The network is given no test images, also where the file has some."""

    def check(parts):
        arrays = tagged()
        more = {"x_test": 255 - arrays["x_train"][:7], "y_test": arrays["y_train"][:7]}
        run(student, data_folder(student, arrays | more), 2, parts=parts)
        wrong = colours_of(student, parts, more["x_test"])
        given = [pixels for pixels, *_ in passes(student)]
        looked_at = any(bool(distances(pixels, wrong).min() < SAME) for pixels in given)
        message = (
            "the network is given test images. This program is to use the training split alone."
        )
        expect.that("images", not looked_at, message)

    either_way(check)


@pytest.mark.weight(2)
def test_what_a_run_writes(student):
    """A run writes a line per epoch with its numbers, event files, and a checkpoint."""

    def check(parts):
        _, out, lines = run(student, data_folder(student, tagged()), 3, parts=parts)
        lists.equal("epochs", [one.get("epoch") for one in lines], [1, 2, 3])
        for one in lines:
            missing = [name for name in NAMES if type(one.get(name)) not in (int, float)]
            message = f"epoch {one['epoch']} has no number for {', '.join(missing)}."
            expect.that("metrics.jsonl", not missing, message)
            accuracies = [one["train_accuracy"], one["val_accuracy"]]
            inside = all(0.0 <= accuracy <= 1.0 for accuracy in accuracies)
            expect.that("accuracies", inside, "they should be from 0 to 1.")
            fine = bool(np.isfinite([one[name] for name in NAMES]).all())
            expect.that("numbers", fine, "there are some that are not finite.")
            timed = one["seconds"] > 0 and one["images_per_second"] > 0
            expect.that("seconds and images_per_second", timed, "they should be positive.")
        files = student.drive("listing", out)
        message = "there is no TensorBoard event file in the folder."
        expect.that("event files", any("tfevents" in file for file in files), message)
        expect.that("checkpoint", "checkpoint.safetensors" in files, "there is none.")
        found = student.drive("checkpoint", f"{out}/checkpoint.safetensors")
        expect.equal("epoch of the checkpoint", found["metadata"].get("epoch"), "3")
        expect.that("checkpoint", "model.weight" in found["tensors"], "the model is not in it.")

    either_way(check)


@pytest.mark.weight(2)
def test_validation_images_are_held_out(student):
    """The last 1/50 of the training images are for validation, and never trained on."""

    def check(parts):
        arrays = tagged()
        run(student, data_folder(student, arrays), 2, parts=parts)
        colours = colours_of(student, parts, arrays["x_train"])
        seen = {True: [], False: []}
        for pixels, learned, _ in passes(student):
            distance = distances(pixels, colours)
            fine = bool(distance.min(axis=1).max() < SAME)
            expect.that("images", fine, "some are none of the file's.")
            seen[learned] += distance.argmin(axis=1).tolist()
        kept = set(range(COUNT - HELD_OUT, COUNT))
        leaked = sorted(set(seen[True]) & kept)
        expect.that("training", not leaked, f"images {leaked} of {COUNT} are trained on.")
        trained = sorted(seen[True])
        wanted = sorted(2 * list(range(COUNT - HELD_OUT)))
        expect.that(
            "training", trained == wanted, "not every other image is trained on once an epoch."
        )
        expect.that("validation", kept <= set(seen[False]), f"images {sorted(kept)} are not used.")

    either_way(check)


def test_validation_is_not_augmented(student, rng):
    """After every epoch the validation images are evaluated as they are, not cropped or flipped."""

    def check(parts):
        arrays = tagged()
        arrays["x_train"] = rng.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
        run(student, data_folder(student, arrays), 3, parts=parts)
        images = arrays["x_train"][-HELD_OUT:]
        measured = [one for one in passes(student) if not one[1] and len(one[0]) == HELD_OUT]
        found = [pixels for pixels, *_ in measured]
        wanted = colours_of(student, parts, images)
        exact = [bool(np.abs(pixels - wanted).max() < SAME) for pixels in found]
        # A crop by up to 4 pixels, mirrored or not, brings one of these into the middle.
        near = colours_of(student, parts, images, slice(12, 21), slice(11, 21))
        moved = [bool(distances(pixels, near).min(axis=1).max() < SAME) for pixels in found]
        message = (
            "the validation images are shuffled, cropped or flipped. They should stay as they are."
        )
        expect.that("validation", all(exact) or not all(moved), message)
        message = "the validation images are changed, or not evaluated after every epoch."
        expect.that("validation", sum(exact) >= 3, message)
        quiet = sum(same and not one[2] for same, one in zip(exact, measured, strict=True))
        message = "the network is in training mode while the validation images are evaluated."
        expect.that("validation", quiet >= 3, message)

    either_way(check)


@pytest.mark.weight(2)
def test_a_run_that_is_killed_goes_on(student):
    """With --resume a killed run does the epochs that are left, from the checkpoint's weights."""

    def check(parts):
        data = data_folder(student, tagged())
        train, out = (
            student.prepare("with_network", parts.source),
            f"{student.prepare('folder').name}/run",
        )
        killed = student.drive("interrupted", train, options(data, out, 3), BATCHES + 2)
        expect.that("training", killed is True, f"the run does not take {BATCHES} steps an epoch.")
        lists.equal("epochs before", [one.get("epoch") for one in curve(student, out)], [1])
        before = len(passes(student))
        train.main(options(data, out, 3, "--resume"))
        lists.equal("epochs", [one.get("epoch") for one in curve(student, out)], [1, 2, 3])
        steps = sum(learned for _, learned, _ in passes(student)[before:])
        expect.equal("steps after resuming, two epochs", steps, 2 * BATCHES)
        # The made-up network counts the batches that it was trained on, in a buffer.
        found = student.drive("checkpoint", f"{out}/checkpoint.safetensors")
        counted = expect.array("model.seen", found["tensors"].get("model.seen"), (10,))
        message = "it begins with new weights, not with those of the checkpoint."
        expect.that(
            "resumed run", bool(np.allclose(counted, 0.01 * 3 * BATCHES, atol=1e-4)), message
        )

    either_way(check)
