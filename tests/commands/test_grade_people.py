"""`autograder grade` with a roster: whose row a result is, and what the instructor is told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.gradebook.roster import RosterError
from autograder.grading.class_run import grade_submissions
from autograder.integrations.gradebooks.lms_files import export_section

ROSTER = """id,name,section,group week3
jane,Jane Doe,A,
ben,Ben Cole,A,
zoe,Zoe Zed,B,
"""


def rows(path: Path) -> dict[str, dict[str, str]]:
    with path.open(newline="") as stream:
        return {row["student"]: row for row in csv.DictReader(stream)}


def hand_in(folder: Path, small: Path, *names: str) -> Path:
    right = (small / "solutions" / "week2_small" / "double.py").read_text()
    for name in names:
        (folder / name / "week2_small").mkdir(parents=True)
        (folder / name / "week2_small" / "double.py").write_text(right)
    return folder


def test_a_roster_gives_rows_to_all_and_takes_over_earlier_ones(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out put"
    moodle = hand_in(tmp_path / "w2", small, "Jane Doe_7_assignsubmission_file_")
    grade_submissions(small, moodle, out, jobs=1)
    before = rows(out / "gradebook.csv")
    assert list(before) == ["Jane_Doe"]
    total = before["Jane_Doe"]["total"]
    assert float(total) > 0
    (tmp_path / "roster.csv").write_text(ROSTER)
    changes = tmp_path / "overrides.csv"  # written when she had her earlier id
    changes.write_text("student;item;points;reason\nJane_Doe;week2.double;12;looked at\n")
    grade_submissions(
        *(small, moodle, out), jobs=1, roster=tmp_path / "roster.csv", overrides=changes
    )
    with Gradebook.read(out / "gradebook.sqlite") as book:
        assert [(one.student, one.says) for one in book.overrides()] == [("jane", "12")]
    said = capsys.readouterr().out
    assert "The results of Jane_Doe are now those of jane (Jane Doe)." in said
    assert "again" not in said
    assert rows(out / "gradebook.csv")["jane"]["total"] == total
    late = hand_in(tmp_path / "late", small, "Ben Cole", "jnae")
    grade_submissions(small, late, out, jobs=1, roster=tmp_path / "roster.csv")
    after = rows(out / "gradebook.csv")
    assert sorted(after) == ["ben", "jane", "jnae", "zoe"]
    assert [after[one]["total"] for one in ("jane", "ben", "jnae")] == 3 * [total]
    assert float(after["zoe"]["total"]) == 0
    assert (out / "students" / "jane" / "feedback.md").is_file()
    assert not (out / "students" / "Jane_Doe").exists()
    said = capsys.readouterr().out
    assert "1 in the roster handed in nothing: zoe" in said
    assert "not in the roster: jnae: jnae is nobody in the roster; the nearest: jane" in said
    notices = (out / "notices.csv").read_text()
    assert "jnae,,not in the roster,jnae is nobody in the roster" in notices
    assert str(late) in notices
    # The next run needs no option: the roster is kept.
    grade_submissions(small, hand_in(tmp_path / "x", small, "Zoe Zed"), out, jobs=1)
    assert rows(out / "gradebook.csv")["zoe"]["total"] == total
    written = export_section(small, out, "b")
    assert list(rows(written[0])) == ["zoe"]
    with pytest.raises(RosterError, match="There are: A, B"):
        export_section(small, out, "C")
