"""The main job on a small course of its own: plan, run, record; resumed, interrupted, broken."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.gradebook.journal import Gradebook
from autograder.grading import run as grading
from autograder.grading.operations import operation
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.intake.reading import take_in
from autograder.records import Verdict
from autograder.report.gather import gather

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def solution(small: Path) -> str:
    """The reference of week 2."""
    return (small / "solutions" / "week2_small" / "double.py").read_text()


def hand_in(folder: Path, **students: str | None) -> Path:
    """Write one folder per student with the given double.py (None: an empty folder)."""
    for name, source in students.items():
        (folder / name).mkdir(parents=True)
        if source is not None:
            (folder / name / "double.py").write_text(source)
    return folder


def grade(root: Path, submissions: Path, gradebook: Gradebook, unconfined: bool = False) -> list:
    """Grade week 2; return the progress reports."""
    seen: list[grading.Progress] = []
    course = courses.load(root)
    taken = take_in(submissions, [course.week(2)])
    grade_class(course, Setting(root, {}, unconfined), taken, gradebook, 2, seen.append)
    return seen


def scores(root: Path, gradebook: Gradebook) -> dict[str, int]:
    return {r.score.student: r.score.total for r in gather(courses.load(root), gradebook)}


def test_a_week_that_the_repository_does_not_have(small, solution, tmp_path, confinement):
    stub = solution.replace("return 2.0 * x", 'raise NotImplementedError("week2.double: x")')
    squares = solution.replace("2.0 * x", "x * x")
    folder = hand_in(tmp_path / "in", good=solution, part=stub, wrong=squares, none=None)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook)
        points = scores(small, gradebook)
        assert points == {"good": 2000, "part": 800, "wrong": 800, "none": 0}
        results = {r.check: r for r in gradebook.results("wrong", 2)}
        assert results["test_suite::test_double[3]"].misconception == "double-squares"
        assert results["test_suite::test_double[3]"].advice == "You square the numbers."
        assert {r.verdict for r in gradebook.results("none", 2)} == {Verdict.NOT_ATTEMPTED}
        [run] = gradebook.runs()
        assert run["confinement"] == confinement.name


def test_what_is_finished_is_not_run_again_and_what_changed_is(
    small, solution, tmp_path, confinement
):
    folder = hand_in(tmp_path / "in", a=solution, b=solution)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        assert [p.done for p in grade(small, folder, gradebook)] == [0, 1, 2]
        before = gradebook.results("a", 2)
        (folder / "b" / "double.py").write_text(solution.replace("2.0 * x", "3.0 * x"))
        again = grade(small, folder, gradebook)
        assert [(p.done, p.student) for p in again] == [(1, ""), (2, "b")]
        assert gradebook.results("a", 2) == before
        assert scores(small, gradebook) == {"a": 2000, "b": 800}


def test_the_same_submission_gets_the_same_results_twice(small, solution, tmp_path, confinement):
    folder = hand_in(tmp_path / "in", a=solution.replace("2.0 * x", "x + x.sum()"))
    messages = []
    for name in ("one", "two"):
        with Gradebook.open(tmp_path / name) as gradebook:
            grade(small, folder, gradebook)
            messages.append([(r.check, r.message) for r in gradebook.results("a", 2)])
    assert messages[0] == messages[1]
    assert any("differ" in message for _, message in messages[0])


def test_an_examiner_that_dies_costs_nobody_anything(
    small, solution, tmp_path, confinement, monkeypatch
):
    """One submission kills its examiner each time: it is our fault, the others are graded."""
    folder = hand_in(tmp_path / "in", a=solution, b=solution, fatal=solution)
    monkeypatch.setattr(grading, "examine_submission", _die_for_fatal)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook)
        assert {r.verdict for r in gradebook.results("fatal", 2)} == {Verdict.INFRA}
        assert gradebook.job("fatal", 2).state == "planned"
        monkeypatch.undo()
        grade(small, folder, gradebook)
        assert scores(small, gradebook) == {"a": 2000, "b": 2000, "fatal": 2000}


@operation("examined")
def _die_for_fatal(submission, week):
    if submission.student == "fatal":
        os.kill(os.getpid(), signal.SIGKILL)
    return grading.examine_submission(submission, week)


def test_unconfined_is_recorded(small, solution, tmp_path):
    folder = hand_in(tmp_path / "in", a=solution)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook, unconfined=True)
        assert scores(small, gradebook) == {"a": 2000}
        assert gradebook.job("a", 2).confinement == "D (not confined)"


def test_an_interrupted_run_keeps_what_is_finished(small, solution, tmp_path, confinement):
    """Ctrl-C in the middle; the next run goes on from there."""
    slow = solution.replace("    return 2.0", "    import time; time.sleep(1)\n    return 2.0")
    students = {f"s{number}": slow + f"\n# {number}\n" for number in range(6)}
    folder = hand_in(tmp_path / "in", **students)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        # A shell has its background commands ignore it, and so what those start.
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from autograder import course as courses\n"
        "from autograder.gradebook.journal import Gradebook\n"
        "from autograder.grading.run import grade_class\n"
        "from autograder.grading.setting import Setting\n"
        "from autograder.intake.reading import take_in\n"
        "if __name__ == '__main__':\n"
        "    root, folder, book = map(Path, sys.argv[2:])\n"
        "    with Gradebook.open(book) as gradebook:\n"
        "        report = lambda progress: print(progress.done, flush=True)\n"
        "        course = courses.load(root)\n"
        "        taken = take_in(folder, [course.week(2)])\n"
        "        grade_class(course, Setting(root, {}), taken, gradebook, 2, report)\n"
    )
    script = tmp_path / "run.py"
    script.write_text(program)
    book = tmp_path / "gradebook.sqlite"
    command = [sys.executable, str(script), str(ROOT), str(small), str(folder), str(book)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "2":
            process.send_signal(signal.SIGINT)
            break
    _, errors = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in errors
    with Gradebook.open(book) as gradebook:
        finished = [s for s in students if gradebook.job(s, 2).state == "finished"]
        assert 2 <= len(finished) < 6
        reports = grade(small, folder, gradebook)
        assert reports[0].done == len(finished)
        assert set(scores(small, gradebook).values()) == {2000}
