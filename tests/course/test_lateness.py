"""How late is late, and what is kept: by the course's rule and the submission's own time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.course import CourseError, Extension, HandingIn, load
from autograder.course.lateness import judge_lateness, kept_share, lateness
from autograder.records import FULL_CREDIT
from autograder.report.gather import kept_shares
from autograder.report.lateness_words import in_words

ROOT = Path(__file__).resolve().parents[2]
DUE = datetime(2026, 10, 12, 22, tzinfo=UTC)
RULE = HandingIn(grace_minutes=30, late=((0, 1.0), (2, 0.8), (4, 0.0)))
HOUR = timedelta(hours=1)


def course(**changes: object):
    loaded = load(ROOT)
    weeks = tuple(
        week.model_copy(update={"due": DUE}) if week.number == 1 else week for week in loaded.weeks
    )
    return loaded.model_copy(update={"weeks": weeks, "handing_in": RULE, **changes})


@pytest.mark.parametrize(
    ("after", "late"),
    [
        (-HOUR, timedelta(0)),
        (timedelta(minutes=30), timedelta(0)),
        (timedelta(minutes=31), timedelta(minutes=31)),
        (26 * HOUR, 26 * HOUR),
    ],
)
def test_within_the_grace_nobody_is_late(after, late):
    assert lateness(RULE, DUE, DUE + after) == late


def test_without_a_due_date_or_a_time_nobody_is_late():
    assert lateness(RULE, None, DUE) == lateness(RULE, DUE, None) == timedelta(0)


@pytest.mark.parametrize(
    ("days", "share"), [(0, 1), (1, 0.9), (2, 0.8), (3, 0.4), (4, 0), (400, 0)]
)
def test_the_curve_is_straight_between_its_pairs(days, share):
    assert kept_share(RULE, timedelta(days=days)) == round(share * FULL_CREDIT)


def test_days_that_have_begun_can_count_whole():
    rule = RULE.model_copy(update={"whole_days": True})
    assert kept_share(rule, timedelta(minutes=31)) == kept_share(rule, timedelta(days=1)) == 9_000
    assert kept_share(rule, timedelta(days=1, seconds=1)) == 8_000


def test_a_first_pair_behind_the_due_date_is_reached_by_a_straight_line():
    assert kept_share(HandingIn(late=((2, 0.5),)), timedelta(days=1)) == 7_500
    assert kept_share(HandingIn(late=((0, 0.5),)), timedelta(seconds=1)) == 5_000, "a jump at once"


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_waiting_never_pays(one, other):
    first, second = sorted((one, other))
    shares = [kept_share(RULE, timedelta(seconds=seconds)) for seconds in (first, second)]
    assert FULL_CREDIT >= shares[0] >= shares[1] >= 0


def test_an_extension_is_a_due_date_of_ones_own():
    granted = Extension(student="ada", week="week1", due=DUE + 48 * HOUR)
    late = {
        student: judge_lateness(course(extensions=(granted,)), student, 1, DUE + 24 * HOUR, "abc")
        for student in ("ada", "bob")
    }
    assert (late["ada"].kept, late["bob"].kept) == (FULL_CREDIT, 9_000)
    assert late["bob"].late == 24 * HOUR
    assert late["bob"].commit == "abc"
    assert kept_shares([late["bob"]], course()) == {1: 9_000}


def test_where_nothing_says_when_it_counts_as_in_time_and_is_named():
    unknown = judge_lateness(course(), "ada", 1, None)
    assert unknown.unknown
    assert unknown.kept == FULL_CREDIT


@pytest.mark.parametrize(
    ("late", "words"),
    [
        (timedelta(seconds=1), "1 second"),
        (timedelta(minutes=1), "1 minute"),
        (timedelta(hours=1, minutes=5, seconds=9), "1 hour 5 minutes"),
        (timedelta(days=2, seconds=30), "2 days"),
        (timedelta(days=2, hours=3, minutes=5), "2 days 3 hours"),
    ],
)
def test_in_words(late, words):
    assert in_words(late) == words


HEAD = """[handing_in]
{lines}

[[week]]
number = 1
"""


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("grace_minutes = -1", "handing_in.grace_minutes"),
        ("late = [[1, 0.5], [1, 0.4]]", "days must rise"),
        ("late = [[1, 0.5], [2, 0.6]]", "days must rise"),
        ("late = [[1, 1.5]]", "handing_in.late"),
        ("gradings_per_day = 0", "handing_in.gradings_per_day"),
        ('time_zone = "Mars/Olympus"', "is no time zone such as"),
        ("penalty = 3", "handing_in.penalty"),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(tmp_path, lines, says):
    write_course(tmp_path, lines)
    with pytest.raises(CourseError, match=says):
        load(tmp_path)


def test_a_due_date_needs_its_time_zone(tmp_path):
    write_course(tmp_path, "grace_minutes = 5", "due = 2026-10-12T23:59:00")
    with pytest.raises(CourseError, match=r"week#1\.due: must say its time zone"):
        load(tmp_path)


def test_an_extension_for_a_week_that_is_none_is_refused(tmp_path):
    write_course(tmp_path, "grace_minutes = 5", "due = 2026-10-12T23:59:00+02:00")
    extension = '\n[[extension]]\nstudent = "ada"\nweek = "week9"\ndue = 2026-10-12T23:59:00Z\n'
    with (tmp_path / "assignments/grading.toml").open("a") as file:
        file.write(extension)
    with pytest.raises(CourseError, match=r"extension#1\.week: there is no week 'week9'"):
        load(tmp_path)
    text = (tmp_path / "assignments/grading.toml").read_text().replace("week9", "week1")
    (tmp_path / "assignments/grading.toml").write_text(text)
    assert load(tmp_path).extensions[0].student == "ada"
    (tmp_path / "assignments/grading.toml").write_text(text + extension.replace("week9", "week1"))
    with pytest.raises(CourseError, match="used more than once: ada in week1"):
        load(tmp_path)


def write_course(root: Path, rule: str, due: str = "") -> None:
    """Copy the course's files with a rule of one's own and a due date for week 1."""
    for name in ("assignments/course.toml", "assignments/grading.toml", "assignments/rubric.toml"):
        (root / name).parent.mkdir(exist_ok=True)
        (root / name).write_text((ROOT / name).read_text())
    path = root / "assignments/course.toml"
    text = path.read_text()
    assert "\n[handing_in]\n" in text
    head, _, rest = text.partition("\n[handing_in]\n")
    rest = rest[rest.index("\n[[week]]") :]
    rest = rest.replace("\nnumber = 1\n", f"\nnumber = 1\n{due}\n", 1)
    path.write_text(f"{head}\n[handing_in]\n{rule}\n{rest}")
