"""Scoring: points from plans, results, the rubric and manual marks. Pure functions, no I/O.

Points are integers in hundredths, credit runs from 0 to FULL_CREDIT, and each item is rounded once,
half up, in integer arithmetic, so the same results give the same points everywhere.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.course import Component, Course, Item, Phase
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict

TO_BE_MARKED = "to be marked by hand"
MUST_BE_REGRADED = "must be graded again"
NOT_GRADED_YET = "not graded yet"
EARLIER = "these points are of an earlier grading, since the last one has not come to it yet"
PENDING_GPU = "pending-gpu: the training job has not measured it yet"


@dataclass(frozen=True)
class CheckScore:
    """A planned check and its result; None where there is no record of it."""

    planned: PlannedCheck
    result: CheckResult | None


@dataclass(frozen=True)
class ItemScore:
    """One item's points. While `pending`, they are a lower bound, and `reason` says why; those of
    an earlier grading (EARLIER) may also become fewer.

    `comment` is that of the person who marked it. `kept` is the share of the points that a late
    submission keeps, 0..FULL_CREDIT.
    """

    id: str
    title: str
    points: int
    max_points: int
    pending: bool = False
    reason: str = ""
    checks: tuple[CheckScore, ...] = ()
    comment: str = ""
    kept: int = FULL_CREDIT

    @property
    def final(self) -> int:
        """The points that count, after the deduction for lateness."""
        return half_up(self.points * self.kept, FULL_CREDIT)

    @property
    def is_unknown(self) -> bool:
        """Whether none of its checks was run yet: its 0 points say nothing."""
        return self.reason == NOT_GRADED_YET and not any(check.result for check in self.checks)


@dataclass(frozen=True)
class ComponentScore:
    """One component's items, in the rubric's order; none where it is not open."""

    id: str
    title: str
    max_points: int
    extra: bool
    items: tuple[ItemScore, ...]

    @property
    def is_open(self) -> bool:
        """Whether it has items of a week for which anybody handed in anything."""
        return bool(self.items)

    @property
    def points(self) -> int:
        """Points so far."""
        return sum(item.points for item in self.items)

    @property
    def final(self) -> int:
        """The points that count so far."""
        return sum(item.final for item in self.items)

    @property
    def pending(self) -> bool:
        """Whether any of its items is pending."""
        return any(item.pending for item in self.items)

    @property
    def is_unknown(self) -> bool:
        """Whether its tests were not run yet, and nothing else of it gave points."""
        to_come = [item for item in self.items if item.reason in (TO_BE_MARKED, PENDING_GPU)]
        is_waiting = all(item.is_unknown or item in to_come for item in self.items)
        return is_waiting and any(item.is_unknown for item in self.items)


@dataclass(frozen=True)
class PhaseScore:
    """One phase's points. Extra credit counts in `total` and not in `max_total`.

    `total` is what the work is worth, `final` what counts after the deduction for lateness. Both
    hold the `adjustment`, which a person added to the points of its weeks, or took from them.
    """

    id: str
    title: str
    components: tuple[ComponentScore, ...]
    adjustment: int = 0

    @property
    def items(self) -> tuple[ItemScore, ...]:
        """The items of all components."""
        return tuple(item for component in self.components for item in component.items)

    @property
    def total(self) -> int:
        """Points so far."""
        return sum(component.points for component in self.components) + self.adjustment

    @property
    def final(self) -> int:
        """The points that count so far."""
        return sum(component.final for component in self.components) + self.adjustment

    @property
    def max_total(self) -> int:
        """Points of the components that are open now."""
        return sum(part.max_points for part in self.components if part.is_open and not part.extra)

    @property
    def pending(self) -> bool:
        """Whether any item is pending."""
        return any(item.pending for item in self.items)

    @property
    def is_open(self) -> bool:
        """Whether any component is open."""
        return any(part.is_open for part in self.components)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing that is open was graded yet."""
        return self.is_open and all(part.is_unknown for part in self.components if part.is_open)


@dataclass(frozen=True)
class StudentScore:
    """One student's points: those of all phases.

    The `adjustment`, which a person added to all of them together or took from it, is no phase's.
    """

    student: str
    phases: tuple[PhaseScore, ...]
    adjustment: int = 0

    @property
    def components(self) -> tuple[ComponentScore, ...]:
        """The components of all phases."""
        return tuple(component for phase in self.phases for component in phase.components)

    @property
    def items(self) -> tuple[ItemScore, ...]:
        """The items of all phases."""
        return tuple(item for phase in self.phases for item in phase.items)

    @property
    def shown(self) -> tuple[PhaseScore, ...]:
        """The phases that a class sees: those that are open; the first, where none is."""
        return tuple(phase for phase in self.phases if phase.is_open) or self.phases[:1]

    @property
    def total(self) -> int:
        """Points so far."""
        return sum(phase.total for phase in self.phases) + self.adjustment

    @property
    def final(self) -> int:
        """The points that count so far."""
        return sum(phase.final for phase in self.phases) + self.adjustment

    @property
    def max_total(self) -> int:
        """Points of the components that are open now."""
        return sum(phase.max_total for phase in self.phases)

    @property
    def pending(self) -> bool:
        """Whether any item is pending."""
        return any(phase.pending for phase in self.phases)

    @property
    def is_unknown(self) -> bool:
        """Whether nothing that is open was graded yet."""
        phases = [phase for phase in self.phases if phase.is_open]
        return bool(phases) and all(phase.is_unknown for phase in phases)

    def with_components(self, change: Callable[[ComponentScore], ComponentScore]) -> StudentScore:
        """Return a score each of whose components was changed."""
        phases = (
            replace(phase, components=tuple(map(change, phase.components))) for phase in self.phases
        )
        return replace(self, phases=tuple(phases))

    def with_items(self, change: Callable[[ItemScore], ItemScore]) -> StudentScore:
        """Return a score each of whose items was changed."""
        return self.with_components(
            lambda part: replace(part, items=tuple(map(change, part.items)))
        )


def score_student(
    course: Course,
    student: str,
    planned: Iterable[PlannedCheck],
    results: Iterable[CheckResult],
    marks: Iterable[ManualMark] = (),
    refused_weeks: Collection[int] = (),
    open_weeks: Collection[int] | None = None,
    kept: Mapping[int, int] | None = None,
    earlier: Mapping[str, str] | None = None,
) -> StudentScore:
    """Score one student over all weeks.

    `planned` and `results` belong to the student's current jobs, `marks` may be the whole class's.
    An item is pending, and its points are a lower bound, where a planned check has no record, a
    record is INFRA, nothing is planned for it, or a person has yet to mark it; in `refused_weeks`,
    whose submissions were not taken, it has 0 points for good. `open_weeks` are those of which the
    class handed in anything (None: all); a component without items of theirs is not open. Checks of
    items that the rubric no longer has are left out. `kept` is the share of its points that a late
    week keeps, by its number: `points` stay what the work is worth, `final` is what counts. Items
    in `earlier`, whose results are of an earlier grading, are pending for the reason there. Raises
    ValueError for two records or plans of one check and for a record without a plan.
    """
    checks = _pair(planned, results)
    marks_by_item = {mark.item: mark for mark in marks if mark.student == student}
    shares = kept or {}

    def score(item: Item) -> ItemScore:
        return replace(undeducted(item), kept=shares.get(item.week, FULL_CREDIT))

    def undeducted(item: Item) -> ItemScore:
        refused = item.week in refused_weeks
        if item.kind == "manual":
            return _score_manual(item, marks_by_item.get(item.id), refused)
        reason = PENDING_GPU if item.kind == "training" else NOT_GRADED_YET
        scored = _score_auto(item, checks.get(item.id, ()), refused, reason)
        if earlier and item.id in earlier and not (scored.pending or refused):
            return replace(scored, pending=True, reason=earlier[item.id])
        return scored

    def score_component(part: Component) -> ComponentScore:
        weeks = {item.week for item in part.items}
        is_open = bool(weeks if open_weeks is None else weeks.intersection(open_weeks))
        items = tuple(score(item) for item in part.items) if is_open else ()
        most = part.most if is_open else part.points
        return ComponentScore(part.id, part.title, most, part.extra, items)

    def score_phase(phase: Phase) -> PhaseScore:
        return PhaseScore(phase.id, phase.title, tuple(map(score_component, phase.components)))

    return StudentScore(student, tuple(map(score_phase, course.phases)))


def _pair(
    planned: Iterable[PlannedCheck], results: Iterable[CheckResult]
) -> Mapping[str, Sequence[CheckScore]]:
    """Pair each planned check with its record, by item."""
    by_check: dict[str, CheckResult] = {}
    for result in results:
        if result.check in by_check:
            raise ValueError(f"two records of the check {result.check}")
        by_check[result.check] = result
    by_item: dict[str, list[CheckScore]] = defaultdict(list)
    known = set()
    for check in planned:
        if check.id in known:
            raise ValueError(f"the check {check.id} is planned twice")
        known.add(check.id)
        by_item[check.item].append(CheckScore(check, by_check.get(check.id)))
    if by_check.keys() - known:
        raise ValueError(f"records of checks never planned: {sorted(by_check.keys() - known)}")
    return by_item


def _score_manual(item: Item, mark: ManualMark | None, refused: bool) -> ItemScore:
    if mark is not None:
        points = max(0, min(mark.points, item.points))
        return ItemScore(item.id, item.title, points, item.points, comment=mark.comment)
    reason = "" if refused else TO_BE_MARKED
    return ItemScore(item.id, item.title, 0, item.points, not refused, reason)


def _score_auto(
    item: Item, checks: Sequence[CheckScore], refused: bool, no_results: str
) -> ItemScore:
    """Score an item by its checks; `no_results` is the reason for waiting where results miss."""
    if refused:
        return ItemScore(item.id, item.title, 0, item.points, checks=tuple(checks))
    points = item_points(item.points, checks)
    results = [check.result for check in checks]
    if any(result is not None and result.verdict is Verdict.INFRA for result in results):
        reason = MUST_BE_REGRADED
    elif None in results or not any(check.planned.weight for check in checks):
        reason = no_results
    else:
        reason = ""
    return ItemScore(item.id, item.title, points, item.points, bool(reason), reason, tuple(checks))


def item_points(max_points: int, checks: Sequence[CheckScore]) -> int:
    """Return max_points * sum(weight * credit) / (FULL_CREDIT * sum(weight)), rounded half up.

    The sums run over the plan: a check without a record weighs as much as one that failed.
    """
    weights = sum(check.planned.weight for check in checks)
    if weights == 0:
        return 0
    earned = sum(check.planned.weight * check.result.credit for check in checks if check.result)
    return half_up(max_points * earned, FULL_CREDIT * weights)


def half_up(numerator: int, denominator: int) -> int:
    """Return a quotient, rounded half up."""
    return (2 * numerator + denominator) // (2 * denominator)
