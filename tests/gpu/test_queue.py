"""The keys of training jobs, and what is said when they change: no training is lost silently."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.gpu.queue import folder_of, job_key, trained_again
from autograder.gradebook.journal import TRAINING, Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.grading.training_check import CHECK, planned_checks
from autograder.records import CheckResult, Verdict

ROOT = Path(__file__).resolve().parents[2]
WEEK = courses.load(ROOT).week(10)
ANN = Submission("ann", {"train.py": b"1"})
BEFORE = {"code: autograder/gpu/assess.py": "1", "salt": "1"}
NOW = {**BEFORE, "code: autograder/gpu/assess.py": "2"}


@pytest.fixture
def book(tmp_path: Path):
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        gradebook.start_run("A", "none", "s", {})
        yield gradebook


def trained(
    book: Gradebook,
    one: Submission,
    folder: Path,
    depends: dict[str, str] | None = None,
    *,
    finished: bool,
    part: str = TRAINING,
) -> GradingJob:
    """Do in the gradebook, and in the folder of trainings, what a job does."""
    kept = BEFORE if depends is None else depends
    job = GradingJob(job_key(one, part, kept), one.student, WEEK.number, one.fingerprint, "A", part)
    book.add_submission(one, WEEK.number)
    book.plan(job, planned_checks(WEEK), kept)
    if finished:
        book.record(job.key, [CheckResult(CHECK, Verdict.PASS, 10_000)], 60.0)
    folder_of(job, folder).mkdir(parents=True)
    return job


def said(book: Gradebook, folder: Path, *taken: Submission, depends=None) -> list[str]:
    return trained_again(WEEK, taken, book, folder, TRAINING, depends or NOW)


def test_a_key_changes_with_files_kind_and_everything_else() -> None:
    keys = [
        job_key(ANN, TRAINING, BEFORE),
        job_key(ANN, TRAINING, NOW),
        job_key(ANN, "trial", BEFORE),
        job_key(replace(ANN, student="ben"), TRAINING, BEFORE),
        job_key(replace(ANN, files={"train.py": b"2"}), TRAINING, BEFORE),
    ]
    assert len(set(keys)) == len(keys)
    assert keys[0] == job_key(ANN, TRAINING, dict(reversed(BEFORE.items())))


def test_nothing_is_said_where_nothing_changed(book, tmp_path) -> None:
    new = replace(ANN, student="new")
    gone_on = replace(ANN, student="ben")
    trained(book, ANN, tmp_path, finished=True)
    trained(book, gone_on, tmp_path, finished=False)
    assert said(book, tmp_path, ANN, gone_on, new, Submission("none"), depends=BEFORE) == []


def test_what_is_trained_again_is_said_with_the_reason(book, tmp_path) -> None:
    ben = replace(ANN, student="ben")
    trained(book, ANN, tmp_path, finished=True)
    trained(book, ben, tmp_path, finished=True)
    why = "the code in autograder/gpu/ changed (assess.py)."
    assert said(book, tmp_path, ANN) == [f"1 project is trained again: {why}"]
    assert said(book, tmp_path, ANN, ben) == [f"2 projects are trained again: {why}"]


def test_an_interrupted_training_that_does_not_go_on_is_not_lost_silently(book, tmp_path) -> None:
    job = trained(book, ANN, tmp_path, finished=False)
    place = folder_of(job, tmp_path)
    [line] = said(book, tmp_path, ANN)
    assert line == (
        "The training of ann that was interrupted does not go on, it begins anew: the code in "
        f"autograder/gpu/ changed (assess.py). What it had got to stays in {place}."
    )
    other = replace(ANN, files={"train.py": b"2"})
    [line] = said(book, tmp_path, other, depends=BEFORE)
    assert "begins anew: other files were handed in." in line
    place.rmdir()
    assert said(book, tmp_path, ANN) == [], "it had got to nothing"


def test_trials_say_nothing_of_trainings(book, tmp_path) -> None:
    trained(book, ANN, tmp_path, finished=True, part="trial")
    assert said(book, tmp_path, ANN) == []
