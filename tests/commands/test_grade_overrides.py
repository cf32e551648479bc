"""`autograder grade` with starter files, overrides and a choice: who has what, and who waits."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import course as courses
from autograder.commands import override as command
from autograder.commands.app import app
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.override_lines import OverrideError
from autograder.grading.choice import Choice
from autograder.grading.class_run import grade_submissions
from autograder.report.gather import gather
from autograder.report.graded import GradedReport
from tests.commands.test_grade_command import hand_in

HEAD = "student,item,points,reason\n"
STARTER = 'def double(x):\n    raise NotImplementedError("week2.double: fill in double")\n'


def reports(root: Path, out: Path) -> dict[str, GradedReport]:
    with Gradebook.open(out / "gradebook.sqlite") as book:
        return {one.score.student: one for one in gather(courses.load(root), book)}


def test_a_class_with_nothing_but_starter_files_has_handed_in_nothing(small, tmp_path, capsys):
    root = shutil.copytree(small, tmp_path / "course")
    starter = root / "assignments" / "week2_small" / "double.py"
    starter.write_text(STARTER)
    folder = hand_in(tmp_path / "in", ada={"week2_small/double.py": f"# ada\n{STARTER}"})
    grade_submissions(root, folder, tmp_path / "out", jobs=1)
    said = capsys.readouterr().out
    assert "week 2: as it was handed out, so it counts as not handed in: ada.\n" in said
    assert "Nobody has handed in anything yet" in said
    assert not (tmp_path / "out").exists()


def test_what_a_person_changes_is_read_before_grading(small, tmp_path, confinement, monkeypatch):
    """And who is left out of a run waits: that nothing was handed in is never said of them."""
    right = {"week2_small/double.py": (small / "solutions/week2_small/double.py").read_text()}
    folder, out = hand_in(tmp_path / "in", ada=right, ben=right), tmp_path / "the out"
    lines = tmp_path / "overrides.csv"
    lines.write_text(f"{HEAD}ada,week2.double,13,too much\n")
    with pytest.raises(OverrideError, match=r"week2.double has 12 points"):
        grade_submissions(small, folder, out, overrides=lines)
    assert reports(small, out) == {}, "nothing was graded"
    lines.write_text(f"{HEAD}ada,week2.count,1,half of it\nada,total,-2,late note\n")
    choice = Choice(("ada",))
    grade_submissions(small, folder, out, overrides=lines, choice=choice)
    grade_submissions(small, folder, out, overrides=lines, choice=choice)
    found = reports(small, out)
    assert found["ada"].score.final == 1200 + 100 + 200 - 200
    assert found["ben"].score.is_unknown
    assert found["ben"].score.pending

    monkeypatch.setattr(command, "ROOT", small)
    undo = ["override", "ada", "total", "undo", "--reason", "it was in time", "--out", str(out)]
    done = CliRunner().invoke(app, undo, catch_exceptions=False)
    assert "ada, total: taken back (it was in time)" in done.output
    assert "ada: 13 of 20 points, now 15 of 20 points" in done.output
    take = ["override", "ada", "total", "-1", "--reason", "r", "--by", "X", "--out", str(out)]
    assert "now 14 of 20" in CliRunner().invoke(app, take, catch_exceptions=False).output
    listed = CliRunner().invoke(app, ["override", "--out", str(out)], catch_exceptions=False).output
    assert [line.rpartition(": ")[2] for line in listed.splitlines()] == [
        "counts",
        "no longer counts",
        "took back what was before",
        "counts",
    ]
    text = (out / "students" / "ada" / "feedback.md").read_text()
    assert "from 6 to 1 points. Why: half of it" in text
    assert "The total: -1 points. Why: r" in text
