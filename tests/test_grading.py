"""The main job on a small course of its own: plan, run, record; resumed, interrupted, broken.

The course is made here, with a week that the repository doesn't have: the machinery knows nothing
of week 1.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autograder import course as courses
from autograder import grading
from autograder.gradebook import Gradebook
from autograder.grading import Setting, grade_class
from autograder.records import Verdict
from autograder.report import gather

ROOT = Path(__file__).resolve().parent.parent
COURSE = """
[course]
title = "A small course"

[[week]]
number = 2
id = "week2"
folder = "week2_small"
title = "Doubling"
modules = ["double.py"]

[week.limits]
request_seconds = 5
test_seconds = 20
training_seconds = 60
memory_mb = 1024
training_memory_mb = 1024
processes = 16
output_kb = 64
file_mb = 4
"""
SOLUTION = '''"""Doubles numbers."""

import numpy as np


def double(x: np.ndarray) -> np.ndarray:
    """Return 2 * x; float64 in, float64 out, the same shape."""
    # BEGIN SOLUTION week2.double
    return 2.0 * x
    # END SOLUTION


def count() -> int:
    """Return how often this was called in this process."""
    # BEGIN SOLUTION week2.count
    global calls
    calls += 1
    return calls
    # END SOLUTION


calls = 0
'''
SUITE = '''"""Hidden tests of a small course."""

import pytest

from autograder.suite import expect


@pytest.mark.item("week2.double")
@pytest.mark.parametrize("size", [1, 3])
def test_double(student, rng, size):
    """Every entry is doubled."""
    x = rng.normal(size=size)
    expect.close("double(x)", student.double.double(x), 2 * x)


@pytest.mark.item("week2.count")
@pytest.mark.parametrize("time", [1, 2])
def test_fresh(student, time):
    """Each test has a process of its own."""
    expect.equal("count()", student.double.count(), 1)
'''
CATALOGUE = """
[[misconception]]
id = "double-squares"
module = "double"
where = "double"
replace = "2.0 * x"
by = "x * x"
fails = ["week2.double"]
says = "You square the numbers."
"""


@pytest.fixture(scope="module")
def small(tmp_path_factory) -> Path:
    """The repository of the small course."""
    root = tmp_path_factory.mktemp("course")
    files = {
        "assignments/course.toml": COURSE,
        "assignments/grading.toml": 'salt = "s"\n',
        "assignments/week2_small/hidden/test_double.py": SUITE,
        "solutions/week2_small/double.py": SOLUTION,
        "solutions/week2_small/misconceptions.toml": CATALOGUE,
        "autograder/rubric.toml": small_rubric(),
    }
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


def small_rubric() -> str:
    """The real rubric's components, with items for the small course's only week."""
    rubric = tomllib.loads((ROOT / "autograder" / "rubric.toml").read_text())
    text = [f"total = {rubric['total']}", f"extra_credit = {rubric['extra_credit']}"]
    for part in rubric["component"]:
        lines = ["[[component]]", f'id = "{part["id"]}"', f'title = "{part["title"]}"']
        lines += [f"points = {part['points']}"]
        lines += ["extra = true"] if part.get("extra") else []
        if part["id"] == "autograd":
            items = (("double", 12), ("count", 6), ("quality", 2))
            for name, points in items:
                lines += ["[[component.items]]", f'id = "week2.{name}"', f'title = "{name}"']
                lines += [f"points = {points}", "week = 2", 'kind = "auto"']
        text.append("\n".join(lines))
    return "\n\n".join(text) + "\n"


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
    setting = Setting(root, 2, None, unconfined)
    grade_class(courses.load(root), setting, submissions, gradebook, 2, seen.append)
    return seen


def scores(root: Path, gradebook: Gradebook) -> dict[str, int]:
    return {r.score.student: r.score.total for r in gather(courses.load(root), gradebook)}


def test_a_week_that_the_repository_does_not_have(small, tmp_path, confinement):
    stub = SOLUTION.replace("return 2.0 * x", 'raise NotImplementedError("week2.double: x")')
    squares = SOLUTION.replace("2.0 * x", "x * x")
    folder = hand_in(tmp_path / "in", good=SOLUTION, part=stub, wrong=squares, none=None)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook)
        points = scores(small, gradebook)
        assert points == {"good": 2000, "part": 800, "wrong": 800, "none": 0}
        results = {r.check: r for r in gradebook.results("wrong", 2)}
        assert results["test_double::test_double[3]"].misconception == "double-squares"
        assert results["test_double::test_double[3]"].advice == "You square the numbers."
        assert {r.verdict for r in gradebook.results("none", 2)} == {Verdict.NOT_ATTEMPTED}
        [run] = gradebook.runs()
        assert run["confinement"] == "bubblewrap"


def test_what_is_finished_is_not_run_again_and_what_changed_is(small, tmp_path, confinement):
    folder = hand_in(tmp_path / "in", a=SOLUTION, b=SOLUTION)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        assert [p.done for p in grade(small, folder, gradebook)] == [0, 1, 2]
        before = gradebook.results("a", 2)
        (folder / "b" / "double.py").write_text(SOLUTION.replace("2.0 * x", "3.0 * x"))
        again = grade(small, folder, gradebook)
        assert [(p.done, p.student) for p in again] == [(1, ""), (2, "b")]
        assert gradebook.results("a", 2) == before
        assert scores(small, gradebook) == {"a": 2000, "b": 800}


def test_the_same_submission_gets_the_same_results_twice(small, tmp_path, confinement):
    folder = hand_in(tmp_path / "in", a=SOLUTION.replace("2.0 * x", "x + x.sum()"))
    messages = []
    for name in ("one", "two"):
        with Gradebook.open(tmp_path / name) as gradebook:
            grade(small, folder, gradebook)
            messages.append([(r.check, r.message) for r in gradebook.results("a", 2)])
    assert messages[0] == messages[1]
    assert any("differ" in message for _, message in messages[0])


def test_an_examiner_that_dies_costs_nobody_anything(small, tmp_path, confinement, monkeypatch):
    """One submission kills its examiner each time: it is our fault, the others are graded."""
    folder = hand_in(tmp_path / "in", a=SOLUTION, b=SOLUTION, fatal=SOLUTION)
    monkeypatch.setattr(grading, "examine_submission", _die_for_fatal)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook)
        assert {r.verdict for r in gradebook.results("fatal", 2)} == {Verdict.INFRA}
        assert gradebook.job("fatal", 2).state == "planned"
        monkeypatch.undo()
        grade(small, folder, gradebook)
        assert scores(small, gradebook) == {"a": 2000, "b": 2000, "fatal": 2000}


def _die_for_fatal(submission):
    if submission.student == "fatal":
        os.kill(os.getpid(), signal.SIGKILL)
    return grading.examine_submission(submission)


def test_unconfined_is_recorded(small, tmp_path):
    folder = hand_in(tmp_path / "in", a=SOLUTION)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade(small, folder, gradebook, unconfined=True)
        assert scores(small, gradebook) == {"a": 2000}
        assert gradebook.job("a", 2).confinement == "none"


def test_an_interrupted_run_keeps_what_is_finished(small, tmp_path, confinement):
    """Ctrl-C in the middle; the next run goes on from there."""
    slow = SOLUTION.replace("    return 2.0", "    import time; time.sleep(1)\n    return 2.0")
    students = {f"s{number}": slow + f"\n# {number}\n" for number in range(6)}
    folder = hand_in(tmp_path / "in", **students)
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); from pathlib import Path\n"
        "from autograder import course as courses\n"
        "from autograder.gradebook import Gradebook\n"
        "from autograder.grading import Setting, grade_class\n"
        "if __name__ == '__main__':\n"
        "    root, folder, book = map(Path, sys.argv[2:])\n"
        "    with Gradebook.open(book) as gradebook:\n"
        "        report = lambda progress: print(progress.done, flush=True)\n"
        "        setting = Setting(root, 2, None)\n"
        "        grade_class(courses.load(root), setting, folder, gradebook, 2, report)\n"
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
