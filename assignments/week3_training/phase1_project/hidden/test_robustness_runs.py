"""Hidden tests beyond the texts: runs of train.py that are repeated or resumed, to the last digit.

They are blocked where a part that they need is at fault.
"""

import json

import pytest

from autograder.suite import expect

from . import lists
from .runs import (
    BATCHES,
    COUNT,
    HELD_OUT,
    curve,
    data_folder,
    expect_same_curve,
    options,
    passes,
    run,
    tagged,
)

pytestmark = [
    pytest.mark.item("project.robustness"),
    pytest.mark.needs(
        "project.optimizer", "project.schedule", "project.augmentation", "project.training"
    ),
]


def test_test_images_are_not_read(student):
    """The run is the same with and without test images in the file, and with unreadable ones."""
    arrays = tagged()
    more = {"x_test": 255 - arrays["x_train"][:7], "y_test": arrays["y_train"][:7]}
    _, _, plain = run(student, data_folder(student, arrays), 2)
    _, _, with_some = run(student, data_folder(student, arrays | more), 2)
    expect_same_curve("a run with test images in the file", with_some, plain)
    broken = data_folder(student, arrays, ("x_test", "y_test"))
    _, _, with_broken = run(student, broken, 2)
    expect_same_curve("a run with unreadable test images", with_broken, plain)


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


def test_a_few_images(student):
    """Of 30 images one is held out, since a fiftieth of them would be none."""
    run(student, data_folder(student, tagged(30)), 1)
    trained = sum(len(pixels) for pixels, learned, _ in passes(student) if learned)
    expect.equal("number of images that are trained on, of 30", trained, 29)


def test_images_per_second(student):
    """images_per_second goes with seconds: their product is the number of training images."""
    _, _, [line] = run(student, data_folder(student, tagged()), 1)
    count = COUNT - HELD_OUT
    product = line["images_per_second"] * line["seconds"]
    # Times so short may be rounded.
    fits = bool(count / 3 < product < 3 * count)
    message = f"times seconds it is {product:.3g}, where {count} images are trained on."
    expect.that("images_per_second", fits, message)


def test_a_run_of_many_epochs_begins(student):
    """A run of 33 epochs, which no round share of them divides, begins like any other."""
    train, out = student.prepare("with_network", ""), f"{student.prepare('folder').name}/run"
    data = data_folder(student, tagged())
    killed = student.drive("interrupted", train, options(data, out, 33), BATCHES + 2)
    expect.that("training", killed is True, f"the run does not take {BATCHES} steps an epoch.")
    lists.equal(
        "epochs before it is killed", [one.get("epoch") for one in curve(student, out)], [1]
    )
