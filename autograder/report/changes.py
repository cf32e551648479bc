"""What changed in a class's points between two states of it: from where to where, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from autograder.course import Course
from autograder.course.points import format_points
from autograder.course.scoring import ItemScore
from autograder.gradebook.editions import Basis, Contents, Counted, Editions
from autograder.gradebook.manual_marks import KeptMark
from autograder.records import FULL_CREDIT, Verdict
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.graded import GradedReport

TOTAL = "total"
"""Stands for an item where points were added to a student's total, or taken from it."""
FILES_NAMED = 3


class Why(StrEnum):
    """Why points changed."""

    FIRST = "first graded"
    SUBMISSION = "new submission"
    TEST = "changed test"
    GRADER = "changed grader"
    AGAIN = "graded again"
    POINTS = "changed points"
    MARK = "mark"
    OVERRIDE = "override"
    LATENESS = "lateness"


OF_THE_GRADER = ("code", "versions", "confinement", "salt")
"""Kinds of parts that results depend on, as they are recorded, which belong to no test."""


@dataclass(frozen=True)
class Cause:
    """A cause, and what is known of it: the files, the person, the points of the rubric."""

    why: Why
    words: str = ""

    def __str__(self) -> str:
        return f"{self.why}: {self.words}" if self.words else str(self.why)


@dataclass(frozen=True)
class Change:
    """A change of what counts for a student and an item, in hundredths; None: not graded."""

    student: str
    item: str
    before: int | None
    after: int | None
    causes: tuple[Cause, ...]

    @property
    def is_first(self) -> bool:
        """Whether it was graded for the first time, and nothing else."""
        return all(cause.why is Why.FIRST for cause in self.causes)


Parts = Callable[[str | None], Mapping[str, str] | None]
"""Gives what results depend on, by `Basis.suite`: see `Editions.parts`."""


@dataclass(frozen=True)
class Side:
    """One of two states that are compared."""

    contents: Contents
    parts: Parts

    @property
    def totals(self) -> dict[str, int]:
        """The points that count for each student."""
        found: dict[str, int] = {}
        for (student, _), one in self.contents.items():
            found[student] = found.get(student, 0) + (one.final or 0)
        return found


def contents_of(course: Course, reports: Iterable[GradedReport], editions: Editions) -> Contents:
    """Return what counts now, by student and item."""
    around = {
        item.id: (course.week(item.week).id, phase.id)
        for phase in course.phases
        for item in phase.items
    }
    weeks_and_phases = dict.fromkeys(target for targets in around.values() for target in targets)
    bases: dict[str, Basis | None] = {}

    def basis(report: GradedReport, item: ItemScore) -> Basis | None:
        key = report.jobs.get(item.id)
        if key is None or _is_open(item):
            return None
        if key not in bases:
            bases[key] = editions.basis(key)
        return bases[key]

    found: Contents = {}
    for report in reports:
        score = report.score
        for item in score.items:
            nothing = _is_open(item)
            found[score.student, item.id] = Counted(
                None if nothing else item.points,
                None if nothing else item.final,
                item.max_points,
                item.kept,
                item.reason,
                basis(report, item),
                report.marks.get(item.id),
                _overrides(report, item.id, *around[item.id]),
            )
        rest = score.final - sum(item.final for item in score.items)
        if rest:
            points = score.total - sum(item.points for item in score.items)
            words = _overrides(report, TOTAL, *weeks_and_phases)
            found[score.student, TOTAL] = Counted(points, rest, 0, FULL_CREDIT, override=words)
    return found


def _overrides(report: GradedReport, *targets: str) -> str:
    """Return what a person decided on an item, on what it is part of or on the total, in words."""
    return "; ".join(filter(None, (report.overrides.get(target) for target in targets)))


def _is_open(item: ItemScore) -> bool:
    """Whether nothing is known of an item yet: its 0 points say nothing."""
    if item.reason == TO_BE_MARKED_AGAIN:
        return False  # the points of the answer before count until then
    results = (check.result for check in item.checks)
    return item.pending and not any(one and one.verdict is not Verdict.INFRA for one in results)


def changes_between(before: Side, after: Side) -> list[Change]:
    """Return the changes of points that count, by student and item."""
    found = []
    for student, item in sorted(before.contents.keys() | after.contents.keys()):
        old, new = before.contents.get((student, item)), after.contents.get((student, item))
        was, now = old.final if old else None, new.final if new else None
        if was != now:
            causes = _causes(old, new, before.parts, after.parts)
            found.append(Change(student, item, was, now, causes))
    return found


def _causes(
    old: Counted | None, new: Counted | None, parts_before: Parts, parts_after: Parts
) -> tuple[Cause, ...]:
    """Return all that differs in where points come from."""
    if new is None:
        gone = old is not None and old.override
        return (Cause(Why.OVERRIDE, f"taken back: {gone}") if gone else _NO_ITEM,)
    before = old or Counted(None, None, new.most, new.kept)
    causes = []
    if before.basis != new.basis and new.basis is not None:
        causes.append(_by_job(before.basis, new.basis, parts_before, parts_after))
    if before.most != new.most:
        words = f"{format_points(before.most)} -> {format_points(new.most)} points to get"
        causes.append((Cause(Why.POINTS, words),))
    if _given(before.mark) != _given(new.mark) and new.mark is not None:
        causes.append((Cause(Why.MARK, _mark_words(new.mark)),))
    if before.override != new.override:
        words = new.override or f"taken back: {before.override}"
        causes.append((Cause(Why.OVERRIDE, words),))
    if before.kept != new.kept:
        words = f"{_percent(before.kept)} -> {_percent(new.kept)} of the points stay"
        causes.append((Cause(Why.LATENESS, words),))
    known = tuple(cause for group in causes for cause in group)
    return known or (Cause(Why.FIRST if before.points is None else Why.AGAIN),)


_NO_ITEM = Cause(Why.POINTS, "the rubric has no such item any more")


def _by_job(old: Basis | None, new: Basis, before: Parts, after: Parts) -> tuple[Cause, ...]:
    """Return what differs between the jobs that points came from, and come from now."""
    if old is None:
        return (Cause(Why.FIRST),)
    causes = []
    if old.files != new.files:
        causes.append(Cause(Why.SUBMISSION))
    if old.suite != new.suite:
        causes.append(_by_parts(before(old.suite), after(new.suite)))
    return tuple(causes) or (Cause(Why.AGAIN),)


def _by_parts(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> Cause:
    """Return the cause where a submission was graded by something else; tests are named first."""
    if old is None or new is None:
        return Cause(Why.TEST, "what it was graded by before is not known")
    names = [name for name in sorted(old.keys() | new.keys()) if old.get(name) != new.get(name)]
    tests = [name for name in names if name.partition(": ")[0] not in OF_THE_GRADER]
    shown = [name.partition(": ")[2] or name for name in tests or names]
    rest = len(shown) - FILES_NAMED
    words = ", ".join(shown[:FILES_NAMED]) + (f" and {rest} more" if rest > 0 else "")
    return Cause(Why.TEST if tests else Why.GRADER, words)


def _given(mark: KeptMark | None) -> KeptMark | None:
    """Return a mark without its number, which differs between gradebooks."""
    return None if mark is None else replace(mark, number=0)


def _mark_words(mark: KeptMark) -> str:
    verb = "withdrawn" if mark.points is None else "given"
    by = f"{verb} by {mark.author}" if mark.author else verb
    return f"{by} on {mark.given[:10]}" if mark.given else by


def _percent(share: int) -> str:
    return f"{100 * share / FULL_CREDIT:.3g} %"


def by_student(changes: Sequence[Change]) -> dict[str, list[Change]]:
    """Return the changes of each student."""
    found: dict[str, list[Change]] = {}
    for change in changes:
        found.setdefault(change.student, []).append(change)
    return found
