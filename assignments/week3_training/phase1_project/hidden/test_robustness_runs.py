"""Hidden tests beyond the texts: runs of train.py that are repeated or resumed, to the last digit.

They are blocked where a part that they need is at fault.
"""

import json

import pytest

from autograder.suite import expect

from . import lists
from .runs import BATCHES, curve, data_folder, expect_same_curve, options, run, tagged

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
