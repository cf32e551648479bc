"""A regrade that is killed leaves everybody points: the new ones, or those of before."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course.scoring import half_up
from autograder.gradebook.journal import Gradebook
from autograder.integrations.gradebooks.lms_files import export_canvas, export_csv
from autograder.records import FULL_CREDIT
from autograder.report.changes import changes_between
from autograder.report.comparing import state_called
from tests.report.regraded import BEFORE, COURSE, ITEMS, KINDS, NOW, STUDENTS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("re graded")
    command = [sys.executable, "-m", "tests.report.regraded", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True)
    return folder


def worth(credit: int) -> int:
    return sum(half_up(item.points * credit, FULL_CREDIT) for item in ITEMS)


OLD, NEW = worth(BEFORE), worth(NOW)


@pytest.mark.parametrize("most", range(len(STUDENTS) + 1))
@pytest.mark.parametrize("kind", KINDS)
def test_the_last_finished_result_counts_everywhere(folders: Path, kind: str, most: int) -> None:
    out = folders / f"{kind}-{most}"
    points = {name: NEW if n < most else OLD for n, name in enumerate(STUDENTS)}
    assert 0 < NEW < OLD
    export_csv(ROOT, out)
    shown = {name: f"{value / 100:.2f}" for name, value in points.items()}
    with (out / "gradebook.csv").open(newline="") as stream:
        rows = {row["student"]: row for row in csv.DictReader(stream)}
    assert {name: row["total"] for name, row in rows.items()} == shown
    assert {name: row["final"] for name, row in rows.items()} == shown
    for name, value in points.items():
        results = json.loads((out / "students" / name / "results.json").read_text())
        assert results["total"] == value / 100
        text = (out / "students" / name / "feedback.md").read_text()
        assert ("these points are of an earlier grading" in text) == (value == OLD)
    assert canvas(out) == shown
    assert changed(out) == {name for name, value in points.items() if value == NEW}


def canvas(out: Path) -> dict[str, str]:
    """Return the points that reach Canvas, by login."""
    people = "".join(f"{name},{name},{name},S,\n" for name in STUDENTS)
    head = "Student,ID,SIS Login ID,Section,Core (7)\n    Points Possible,,,,25\n"
    template, filled = out / "canvas.csv", out / "filled.csv"
    template.write_text(head + people)
    export_canvas(ROOT, out, template, filled, "leave", [("Core", "core")])
    with filled.open(newline="") as stream:
        every = {row["SIS Login ID"]: row["Core (7)"] for row in csv.DictReader(stream)}
    with (out / "gradebook.csv").open(newline="") as stream:
        totals = {row["student"]: row for row in csv.DictReader(stream)}
    for name, row in totals.items():
        assert float(every[name]) == float(row["core"]) > 0
    return {name: row["total"] for name, row in totals.items() if every[name]}


def changed(out: Path) -> set[str]:
    """Return those whose points changed, by changes.csv; the journal says the same."""
    with (out / "changes.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    _, before = state_called(COURSE, out, "1")
    _, after = state_called(COURSE, out, "now")
    assert {(one.student, one.item) for one in changes_between(before, after)} == {
        (row["student"], row["item"]) for row in rows
    }
    assert {row["cause"] for row in rows} <= {"changed test", "new submission"}
    for row in rows:
        assert (row["total_before"], row["total_after"]) == (f"{OLD / 100:.2f}", f"{NEW / 100:.2f}")
    return {row["student"] for row in rows}


def test_the_job_that_counts_is_the_last_finished_one(folders: Path) -> None:
    with Gradebook.read(folders / "another suite-3" / "gradebook.sqlite") as book:
        assert [book.counting_job(name, 1).key.split()[1] for name in STUDENTS[:4]] == [
            *("2", "2", "2", "1")
        ]
        assert book.counting_job("nobody", 1) is None
