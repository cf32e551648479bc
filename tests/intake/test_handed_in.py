"""handed_in.csv says when a class handed in; what it says is whole and right, or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from autograder.gradebook.submission import Submission
from autograder.intake.class_entries import IntakeError
from autograder.intake.reading import read_class
from tests.handed_in import FILES, OTHER, WEEK

BERLIN = timezone(timedelta(hours=2))
HEADER = "student,received,commit\n"


def write_class(folder: Path, notes: str | None = None) -> Path:
    for student in ("ada", "bob"):
        for name, content in FILES.items():
            path = folder / student / "week1" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    if notes is not None:
        (folder / "handed_in.csv").write_text(notes)
    return folder


def read(folder: Path, **options: object) -> tuple[dict[str, Submission], str]:
    intake = read_class(folder, [WEEK, OTHER], **options)  # type: ignore[arg-type]
    return {one.student: one for one in intake.submissions[1]}, " ".join(intake.remarks)


def test_the_file_beside_the_submissions_is_read(tmp_path):
    notes = HEADER + "ada,2026-10-12T21:40:00+02:00,ABCDEF1234\n\nbob,,\n"
    found, remarks = read(write_class(tmp_path, notes))
    assert found["ada"].received == datetime(2026, 10, 12, 21, 40, tzinfo=BERLIN)
    assert found["ada"].commit == "abcdef1234"
    assert (found["bob"].received, found["bob"].commit) == (None, None)
    assert "left alone" not in remarks


def test_a_week_may_have_a_line_of_its_own(tmp_path):
    notes = "student,received,commit,week\nada,2026-10-12T21:40Z,,\nada,2026-10-20T08:00Z,,week2\n"
    write_class(tmp_path, notes)
    taken = read_class(tmp_path, [WEEK, OTHER]).submissions
    assert [one.received for one in (taken[1][0], taken[2][0])] == [
        datetime(2026, 10, 12, 21, 40, tzinfo=UTC),
        datetime(2026, 10, 20, 8, 0, tzinfo=UTC),
    ]


@pytest.mark.parametrize(
    ("due", "zone", "hours", "said"),
    [
        (None, UTC, 0, "read as in UTC"),
        ("2026-10-12T23:59:00Z", UTC, 0, "read as in UTC"),
        ("2026-10-12T23:59:00+02:00", UTC, 2, "read as in the zone of the due dates"),
        ("2026-10-12T23:59:00+02:00", timezone(timedelta(hours=1)), 1, "read as in UTC+01:00"),
    ],
)
def test_a_time_without_a_zone_is_in_the_courses(tmp_path, due, zone, hours, said):
    moment = datetime.fromisoformat(due) if due else None
    weeks = [WEEK.model_copy(update={"due": moment}), OTHER]
    folder = write_class(tmp_path, "student;received\nada;12.10.2026 21:40\n")
    intake = read_class(folder, weeks, zone=zone)
    zone_read = timezone(timedelta(hours=hours))
    assert intake.submissions[1][0].received == datetime(2026, 10, 12, 21, 40, tzinfo=zone_read)
    assert f"handed_in.csv: 1 time(s) without a time zone, {said}" in " ".join(intake.remarks)


def test_another_file_can_be_named(tmp_path):
    other = tmp_path / "times.csv"
    other.write_text(HEADER + "ada,2026-10-12T21:40Z,\n")
    folder = write_class(tmp_path / "class", HEADER + "ada,2020-01-01T00:00Z,\n")
    found, _ = read(folder, handed_in=other)
    assert found["ada"].received == datetime(2026, 10, 12, 21, 40, tzinfo=UTC)


def test_nobody_is_named_who_handed_in_nothing_without_a_word(tmp_path):
    _, remarks = read(write_class(tmp_path, HEADER + "eve,2026-10-12T21:40Z,\n"))
    assert "handed_in.csv names students of whom there is nothing here: eve" in remarks


@pytest.mark.parametrize(
    ("notes", "says"),
    [
        ("", r"is empty. It needs a header such as student,received,commit,week,remark"),
        ("a,b\n", r"line 1: the header must be"),
        (HEADER + "ada,yesterday,\n", r"line 2: 'yesterday' is no time such as 2026"),
        (HEADER + "ada,10/12/2026 21:40,\n", r"line 2: .* may be 2026-12-10 or 2026-10-12"),
        (HEADER + "ada,,not-a-hash\n", r"line 2: 'not-a-hash' is no commit's hash"),
        (HEADER + ",2026-10-12T21:40Z,\n", r"line 2: it names no student"),
        ("student\nada\n", r"has no column of received, commit, week, remark"),
        (HEADER + "ada,,\nada,,\n", r"line 3: ada has a line like this already"),
        (HEADER.strip() + ",week\nada,,,week9\n", r"line 2: there is no week 'week9'"),
        (HEADER + 'ada,"2026', r"line 2: a quoted cell has no end"),
    ],
)
def test_a_bad_file_is_named_with_its_line_and_nothing_is_graded(tmp_path, notes, says):
    with pytest.raises(IntakeError, match=says):
        read(write_class(tmp_path, notes))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(IntakeError, match=r"none\.csv could not be read"):
        read(write_class(tmp_path), handed_in=tmp_path / "none.csv")
