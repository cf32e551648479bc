"""`autograder export files`: what was graded, whatever lies in the class's folder today."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest

from autograder.course import load
from autograder.gradebook.graded_files import NAME, keep_folder, kept_files
from autograder.gradebook.journal import Gradebook, GradebookError, GradingJob
from autograder.gradebook.submission import Submission
from autograder.integrations.graded_files import FilesError, export_files
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
ITEM = COURSE.items(2)[0]
CHECK = PlannedCheck("check", ITEM.id, "A check")
FIRST = b"def first(): ...\n"
SECOND = b"def second(): ...\n"
PAPER = b"%PDF-1.4 a derivation"


def hand_in(
    gradebook: Gradebook, student: str, files: dict[str, bytes], graded: bool = True, **more: Any
) -> Submission:
    """Take something in for week 2, and grade it."""
    one = Submission(student, files, **more)
    gradebook.add_submission(one, 2)
    if not one.refusal:
        job = GradingJob(f"{student}-{one.fingerprint}", student, 2, one.fingerprint, "rung")
        gradebook.plan(job, [CHECK])
        if graded:
            gradebook.record(job.key, [CheckResult("check", Verdict.PASS, FULL_CREDIT)], 1.0)
    return one


@pytest.fixture
def grades(tmp_path) -> Path:
    out = tmp_path / "the grades"
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        hand_in(gradebook, "ada", {"autograd.py": FIRST, "own/helper.py": SECOND})
        hand_in(gradebook, "ben", {"autograd.py": FIRST})
        hand_in(gradebook, "cleo", {}, refusal="x.zip was not taken: it is damaged.")
        gradebook.start_run("rung", "digits", "salt", {})
        hand_in(gradebook, "ben", {"autograd.py": SECOND}, graded=False)
        gradebook.finish_run()
    return out


def written(out: Path) -> dict[str, bytes]:
    paths = [path for path in out.rglob("*") if path.is_file()]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in paths}


def test_files_are_those_whose_results_count(grades, tmp_path) -> None:
    out = tmp_path / "files for moss"
    done = export_files(ROOT, grades, out)
    assert written(out) == {
        "ada/week2/autograd.py": FIRST,
        "ada/week2/own/helper.py": SECOND,
        "ben/week2/autograd.py": FIRST,
    }
    assert (done.files, done.submissions) == (3, 2)
    assert done.remarks == [
        "ben, week2: the files of the last finished results; newer ones are not graded yet",
        "cleo, week2: nothing was taken: x.zip was not taken: it is damaged.",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in out.rglob("*"))


def test_a_folder_with_something_in_it_is_left_alone(grades, tmp_path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(FilesError, match="not empty"):
        export_files(ROOT, grades, tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_documents_and_old_gradebooks_are_read_from_the_class_again(tmp_path) -> None:
    grades, folder = tmp_path / "grades", tmp_path / "class"
    document = COURSE.week(2).asked[-1][0]
    (folder / "ada").mkdir(parents=True)
    (folder / "ada" / "autograd.py").write_bytes(FIRST)
    (folder / "ada" / document).write_bytes(PAPER)
    with Gradebook.open(grades / "gradebook.sqlite") as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        digest = hashlib.sha256(PAPER).hexdigest()
        hand_in(gradebook, "ada", {"autograd.py": FIRST}, documents={document: digest})
        gradebook.finish_run()
    (grades / NAME).unlink()  # an earlier version kept none
    done = export_files(ROOT, grades, tmp_path / "without")
    assert not done.files
    assert [remark.split(":")[1].split(" (")[0].strip() for remark in done.remarks] == [
        "the files were not kept",
        "documents are not kept",
    ]
    export_files(ROOT, grades, tmp_path / "with", submissions=[folder])
    expected = {"ada/week2/autograd.py": FIRST, f"ada/week2/{document}": PAPER}
    assert written(tmp_path / "with") == expected
    keep_folder(grades / "gradebook.sqlite", folder)
    export_files(ROOT, grades, tmp_path / "from where it was graded")
    assert written(tmp_path / "from where it was graded") == expected
    (folder / "ada" / "autograd.py").write_bytes(SECOND)  # not what was graded
    done = export_files(ROOT, grades, tmp_path / "changed", submissions=[folder])
    assert (done.files, len(done.remarks)) == (0, 2)
    shutil.rmtree(folder)
    done = export_files(ROOT, grades, tmp_path / "gone")
    assert (done.files, len(done.remarks)) == (0, 2)
    folder.mkdir()
    done = export_files(ROOT, grades, tmp_path / "empty")
    assert f"{folder} was graded, and can't be read now" in done.remarks[0]


def test_the_store_holds_what_is_equal_once_and_says_when_it_is_damaged(grades) -> None:
    book = grades / "gradebook.sqlite"
    before = (grades / NAME).stat().st_size
    one = Submission("", {"autograd.py": FIRST})
    with Gradebook.open(book) as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        for number in range(40):
            hand_in(gradebook, f"student{number}", one.files)
    assert (grades / NAME).stat().st_size == before
    assert kept_files(book, one.fingerprint) == one.files
    assert kept_files(book, "unknown") is None
    (grades / NAME).write_bytes(b"no database at all" * 300)
    with pytest.raises(GradebookError, match="can't be read"):
        kept_files(book, one.fingerprint)
    with Gradebook.open(book) as gradebook:
        gradebook.start_run("rung", "digits", "salt", {})
        with pytest.raises(GradebookError, match="is no gradebook"):
            hand_in(gradebook, "late", {"autograd.py": FIRST})
