"""What `check` says of a task whose checks build on others: that it waits, and for what."""

from __future__ import annotations

from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course.scoring import CheckScore
from autograder.records import CheckResult, PlannedCheck, Verdict
from autograder.students.check import state
from autograder.students.public_run import ItemState

COURSE = courses.load(Path(__file__).resolve().parents[2])
[ITEM] = [item for item in COURSE.items(1) if item.id == "week1.network"]
MEND = "First mend week1.linear: this check builds on it. y: 2 of 2 entries differ"
OPEN = "This check builds on week1.linear: fill in Linear.forward."
BLOCKED, TO_DO = Verdict.BLOCKED, Verdict.NOT_ATTEMPTED


def item_state(*ended: tuple[Verdict, str]) -> ItemState:
    """Return an item of which the checks ended so."""
    checks = tuple(
        CheckScore(
            PlannedCheck(f"t::test_{number}", ITEM.id, "A title"),
            CheckResult(f"t::test_{number}", verdict, 0, message=message),
        )
        for number, (verdict, message) in enumerate(ended)
    )
    return ItemState(ITEM, 0, checks, extra=False)


@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ([(TO_DO, ""), (BLOCKED, OPEN)], "not attempted"),
        ([(BLOCKED, OPEN), (BLOCKED, OPEN)], "not attempted"),
        ([(BLOCKED, MEND), (BLOCKED, MEND)], "waits: first mend week1.linear"),
        (
            [(Verdict.PASS, ""), (BLOCKED, OPEN)],
            "1 of 2 public tests pass; 1 waits: this check builds on week1.linear",
        ),
        (
            [(Verdict.WRONG, "y"), (BLOCKED, MEND), (BLOCKED, MEND)],
            "0 of 3 public tests pass; 2 wait: first mend week1.linear",
        ),
        ([(Verdict.PASS, "")], "all public tests pass"),
        ([(Verdict.PASS, ""), (Verdict.WRONG, "y")], "1 of 2 public tests pass"),
    ],
)
def test_a_task_that_waits_says_for_what(ended: list[tuple[Verdict, str]], said: str) -> None:
    assert state(item_state(*ended)) == said


def test_work_that_waits_is_held_up_and_stubs_are_not() -> None:
    assert item_state((BLOCKED, MEND)).is_held_up
    assert not item_state((BLOCKED, OPEN)).is_held_up
    assert not item_state((BLOCKED, MEND), (Verdict.PASS, "")).is_held_up
