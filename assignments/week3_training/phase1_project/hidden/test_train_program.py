"""Hidden tests of train.py: whole runs, with a made-up, tiny network in the place of ResNet18."""

import json

import numpy as np
import pytest

from autograder.suite import expect

from . import lists

pytestmark = [
    pytest.mark.item("project.training"),
    pytest.mark.needs("project.optimizer", "project.schedule", "project.augmentation"),
]

COUNT, HELD_OUT, BATCH = 100, 2, 32
BATCHES = 4
SAME = 1e-3
"""Normalised pixels that differ by less are the same; a step of a byte is 0.016."""
CURVE = ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr")
NAMES = ("epoch", *CURVE, "seconds", "images_per_second")


def tagged(count=COUNT):
    """Return arrays of a cifar10.npz: images of one colour each, by which they are known."""
    images = np.full((count, 32, 32, 3), 128, np.uint8)
    images[..., 0] = (np.arange(count) * 3 % 256)[:, None, None]
    images[..., 1] = (np.arange(count) * 7 % 256)[:, None, None]
    return {"x_train": images, "y_train": (np.arange(count) * 7 % 10).astype(np.uint8)}


def data_folder(student, arrays, broken=()):
    name = student.prepare("folder").name
    student.drive("write_arrays", f"{name}/cifar10.npz", arrays, list(broken))
    return name


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
            expect.close(label, one.get(name), expect.array(label, other.get(name), ()), rtol=1e-5)


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


def _colours(student, images, rows=slice(16, 17), columns=slice(16, 17)):
    """Return the normalised pixels of images (N, 32, 32, 3) in some rows and columns: (M, 3)."""
    module = student.module("data.cifar10_loader")
    mean, std = (expect.array(n, getattr(module, n), (3,)).astype(float) for n in ("MEAN", "STD"))
    return (images[:, rows, columns].reshape(-1, 3) / 255.0 - mean) / std


def _distances(pixels, colours):
    """Return the largest difference of every pixel (N, 3) from every colour (M, 3): (N, M)."""
    return np.abs(pixels[:, None] - colours[None]).max(axis=2)


def run(student, data, epochs, *more, out=None):
    """Run train.py to its end; return (module, folder of the output, lines)."""
    train = student.prepare("with_network")
    out = out or f"{student.prepare('folder').name}/run"
    train.main(options(data, out, epochs, *more))
    return train, out, curve(student, out)


def test_test_images_play_no_part(student):
    """The run needs no test images, and is the same where there are some."""
    arrays = tagged()
    more = {"x_test": 255 - arrays["x_train"][:7], "y_test": arrays["y_train"][:7]}
    _, _, with_some = run(student, data_folder(student, arrays | more), 2)
    colours = _colours(student, more["x_test"])
    given = [pixels for pixels, *_ in passes(student)]
    looked_at = any(bool(_distances(pixels, colours).min() < SAME) for pixels in given)
    message = "the network is given test images. This program is to use the training split alone."
    expect.that("images", not looked_at, message)
    _, _, plain = run(student, data_folder(student, arrays), 2)
    expect_same_curve("a run with test images in the file", with_some, plain)
    broken = data_folder(student, arrays, ("x_test", "y_test"))
    _, _, with_broken = run(student, broken, 2)
    expect_same_curve("a run with unreadable test images", with_broken, plain)


@pytest.mark.weight(2)
def test_what_a_run_writes(student):
    """A run writes a line per epoch with its numbers, event files, and a checkpoint."""
    _, out, lines = run(student, data_folder(student, tagged()), 3)
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
    message = "the learning rate is the same after every epoch."
    expect.that("lr", len({one["lr"] for one in lines}) > 1, message)
    files = student.drive("listing", out)
    message = "there is no TensorBoard event file in the folder."
    expect.that("event files", any("tfevents" in file for file in files), message)
    expect.that("checkpoint", "checkpoint.safetensors" in files, "there is none.")
    found = student.drive("checkpoint", f"{out}/checkpoint.safetensors")
    expect.equal("epoch of the checkpoint", found["metadata"].get("epoch"), "3")
    expect.that("checkpoint", "model.weight" in found["tensors"], "the model is not in it.")


@pytest.mark.weight(2)
def test_validation_images_are_held_out(student):
    """The last 1/50 of the training images are for validation, and never trained on."""
    arrays = tagged()
    run(student, data_folder(student, arrays), 2)
    colours = _colours(student, arrays["x_train"])
    seen = {True: [], False: []}
    for pixels, learned, _ in passes(student):
        distance = _distances(pixels, colours)
        fine = bool(distance.min(axis=1).max() < SAME)
        expect.that("images", fine, "some are none of the file's.")
        seen[learned] += distance.argmin(axis=1).tolist()
    kept = set(range(COUNT - HELD_OUT, COUNT))
    leaked = sorted(set(seen[True]) & kept)
    expect.that("training", not leaked, f"images {leaked} of {COUNT} are trained on.")
    trained = sorted(seen[True])
    wanted = sorted(2 * list(range(COUNT - HELD_OUT)))
    expect.that("training", trained == wanted, "not every other image is trained on once an epoch.")
    expect.that("validation", kept <= set(seen[False]), f"images {sorted(kept)} are not used.")


def test_validation_is_not_augmented(student, rng):
    """After every epoch the validation images are evaluated as they are, not cropped or flipped."""
    arrays = tagged()
    arrays["x_train"] = rng.integers(0, 256, (COUNT, 32, 32, 3), dtype=np.uint8)
    run(student, data_folder(student, arrays), 3)
    images = arrays["x_train"][-HELD_OUT:]
    measured = [one for one in passes(student) if not one[1] and len(one[0]) == HELD_OUT]
    found = [pixels for pixels, *_ in measured]
    wanted = _colours(student, images)
    exact = [bool(np.abs(pixels - wanted).max() < SAME) for pixels in found]
    # A crop by up to 4 pixels, mirrored or not, brings one of these into the middle.
    near = _colours(student, images, slice(12, 21), slice(11, 21))
    moved = [bool(_distances(pixels, near).min(axis=1).max() < SAME) for pixels in found]
    message = (
        "the validation images are shuffled, cropped or flipped. They should stay as they are."
    )
    expect.that("validation", all(exact) or not all(moved), message)
    message = "the validation images are changed, or not evaluated after every epoch."
    expect.that("validation", sum(exact) >= 3, message)
    quiet = sum(same and not one[2] for same, one in zip(exact, measured, strict=True))
    message = "the network is in training mode while the validation images are evaluated."
    expect.that("validation", quiet >= 3, message)


@pytest.mark.weight(3)
def test_resuming_gives_the_same_curve(student):
    """A run that is killed in its second epoch and resumed gives the uninterrupted run's curve."""
    data = data_folder(student, tagged())
    train, _, wanted = run(student, data, 3)
    out = f"{student.prepare('folder').name}/run"
    killed = student.drive("interrupted", train, options(data, out, 3), BATCHES + 2)
    expect.that("training", killed is True, "the run does not take 4 steps an epoch.")
    lists.equal("epochs before", [one.get("epoch") for one in curve(student, out)], [1])
    train.main(options(data, out, 3, "--resume"))
    expect_same_curve("the resumed run", curve(student, out), wanted)


def test_resuming_drops_a_line_without_a_checkpoint(student):
    """Lines after the checkpoint's epoch are written anew when the run goes on."""
    data = data_folder(student, tagged())
    train, _, wanted = run(student, data, 3)
    out = f"{student.prepare('folder').name}/run"
    killed = student.drive("interrupted", train, options(data, out, 3), BATCHES + 2)
    expect.that("training", killed is True, "the run does not take 4 steps an epoch.")
    lines = [json.dumps(curve(student, out)[0]), json.dumps({"epoch": 2, "train_loss": 77.0})]
    student.drive("write_text", f"{out}/metrics.jsonl", "\n".join(lines) + "\n")
    train.main(options(data, out, 3, "--resume"))
    expect_same_curve("the resumed run", curve(student, out), wanted)


def test_resuming_nothing(student):
    """With --resume and no checkpoint the run starts afresh."""
    data = data_folder(student, tagged())
    _, _, wanted = run(student, data, 2)
    _, _, received = run(student, data, 2, "--resume")
    expect_same_curve("a run with --resume in a new folder", received, wanted)


def test_resuming_a_finished_run(student):
    """With --resume after the last epoch nothing is trained, and the curve stays."""
    data = data_folder(student, tagged())
    train, out, wanted = run(student, data, 2)
    train.main(options(data, out, 2, "--resume"))
    expect_same_curve("a finished run, resumed", curve(student, out), wanted)


def test_without_resume_a_run_starts_afresh(student):
    """Without --resume an earlier run in the folder counts for nothing."""
    data = data_folder(student, tagged())
    _, out, _ = run(student, data, 3)
    _, _, wanted = run(student, data, 2)
    _, _, received = run(student, data, 2, out=out)
    expect_same_curve("a second run in the same folder", received, wanted)


def test_the_seed_decides(student):
    """The same seed gives the same curve, another one another."""
    data = data_folder(student, tagged())
    _, _, first = run(student, data, 2)
    _, _, again = run(student, data, 2)
    expect_same_curve("a second run with the same seed", again, first)
    _, _, other = run(student, data, 2, "--seed", "4")
    differs = other[0].get("train_loss") != first[0].get("train_loss")
    expect.that("train_loss", differs, "it is the same for --seed 3 and --seed 4.")
