"""Scores with what a person changed: items and checks, excused weeks, points added or taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from autograder.course import Course, Week
from autograder.course.points import format_points
from autograder.course.scoring import ItemScore, StudentScore
from autograder.gradebook.journal import Receipt
from autograder.gradebook.override_lines import files_digest
from autograder.gradebook.overrides import (
    TOTAL,
    Decision,
    Override,
    Scope,
    decisions,
    signed_points,
)
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.report.graded import Change
from autograder.report.points_words import EXCUSED

NO_MORE = "no longer among the checks"


@dataclass
class Overridden:
    """What a person changed of one student, and, as it is applied, what became of that.

    `receipts` are the student's latest submissions, by the week's number.
    """

    course: Course
    events: Iterable[Override]
    receipts: Mapping[int, Receipt | None]
    changes: list[Change] = field(default_factory=list)
    adjustments: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._in_force = decisions(self.events)

    def of(self, scope: Scope) -> list[Decision]:
        """Return what is in force of one kind of target."""
        return [one for one in self._in_force.values() if one.scope is scope]

    @property
    def excused_weeks(self) -> list[Week]:
        """The weeks from which a person excused the student, alone or with their phase."""
        targets = {one.target for one in self._in_force.values() if one.is_excused}
        phases = [phase.id for phase in self.course.phases if phase.id in targets]
        of_phases = {week.id for phase in phases for week in self.course.weeks_of(phase)}
        return [week for week in self.course.weeks if week.id in targets | of_phases]

    def results(
        self, plan: Iterable[PlannedCheck], results: Iterable[CheckResult]
    ) -> list[CheckResult]:
        """Return results in which changed checks have the credit that a person gave them."""
        planned = {check.id: check for check in plan}
        found = {result.check: result for result in results}
        for decision in self.of(Scope.CHECK):
            check, event = planned.get(decision.target), decision.base
            if check is None or event is None:
                after = f"{NO_MORE} ({event.says if event else ''})"
                self._note(decision, "a check", None, "", after)
                continue
            before = found.get(check.id)
            found[check.id] = _given(check, before, event)
            self._note(decision, check.title, check.item, _credit(before), event.says)
        return list(found.values())

    def score(self, score: StudentScore) -> StudentScore:
        """Return a score with changed and excused items, and with what is added or taken."""
        excused = {week.number for week in self.excused_weeks}
        weeks = {item.id: item.week for item in self.course.items()}

        def changed(item: ItemScore) -> ItemScore:
            if weeks[item.id] in excused:
                return _excused(item)
            decision = self._in_force.get(item.id)
            if decision is None:
                return item
            new = _decided(item, decision)
            after = EXCUSED if decision.is_excused else format_points(new.points)
            self._note(decision, item.title, item.id, format_points(item.points), after, item)
            return new

        new = score.with_items(changed)
        gone = {part.id: _sum(part.items) for part in score.components}
        new = new.with_components(
            lambda part: replace(
                part, max_points=part.max_points - gone[part.id] + _sum(part.items)
            )
        )
        for week in self.course.weeks:
            of_week = [item for item in new.items if weeks[item.id] == week.number]
            self._adjust(of_week, week.id, week.name)
        for phase in new.phases:
            parts = [week.id for week in self.course.weeks_of(phase.id)]
            self._adjust(phase.items, phase.id, phase.title, parts)
        self._adjust(new.items, TOTAL, "the total", list(self.adjustments))
        phases = (replace(phase, adjustment=self._of_phase(phase.id)) for phase in new.phases)
        return replace(new, phases=tuple(phases), adjustment=self.adjustments.get(TOTAL, 0))

    def in_words(self) -> dict[str, str]:
        """Return what is in force, by target; it differs when an event does."""
        said: dict[str, list[str]] = {}
        for change in self.changes:
            name = f"{change.title}: " if change.item not in (None, change.target) else ""
            said.setdefault(change.item or change.target, []).extend(
                f"{name}{event.says} ({event.reason}; {event.author})" for event in change.events
            )
        return {target: "; ".join(words) for target, words in said.items()}

    def _of_phase(self, phase: str) -> int:
        """Return what is added to a phase and to its weeks."""
        names = [phase, *(week.id for week in self.course.weeks_of(phase))]
        return sum(self.adjustments.get(name, 0) for name in names)

    def _adjust(
        self, items: Sequence[ItemScore], target: str, title: str, parts: Iterable[str] = ()
    ) -> None:
        """Find what is added to some items together; nobody gets fewer than 0 points by it.

        `parts` are the targets, parts of this one, to which something was added before.
        """
        decision = self._in_force.get(target)
        if decision is None:
            return
        has = sum(item.final for item in items)
        has += sum(self.adjustments.get(part, 0) for part in parts)
        if items or target == TOTAL:
            self.adjustments[target] = max(decision.change, -has)
        said = [EXCUSED] * decision.is_excused
        said += [_signed(decision.change)] * bool(decision.changes)
        self._note(decision, title, None, "", ", ".join(said))

    def _note(
        self,
        decision: Decision,
        title: str,
        item: str | None,
        before: str,
        after: str,
        was: ItemScore | None = None,
    ) -> None:
        self.changes.append(
            Change(
                decision.target,
                title,
                item,
                before,
                after,
                decision.events,
                was,
                self._is_stale(decision),
            )
        )

    def _is_stale(self, decision: Decision) -> bool:
        """Whether something else was handed in since the last event."""
        if decision.scope not in (Scope.ITEM, Scope.CHECK):
            return False
        week = decision.target.partition("/" if decision.scope is Scope.CHECK else ".")[0]
        numbers = [one.number for one in self.course.weeks if one.id == week]
        now = files_digest(self.receipts.get(numbers[0])) if numbers else ""
        return now != decision.events[-1].handed_in


def _sum(items: Iterable[ItemScore]) -> int:
    return sum(item.max_points for item in items)


def _excused(item: ItemScore) -> ItemScore:
    return replace(item, points=0, max_points=0, pending=False, reason=EXCUSED)


def _decided(item: ItemScore, decision: Decision) -> ItemScore:
    """Return an item as a person decided; what is only added to leaves pending what was."""
    if decision.is_excused:
        return _excused(item)
    new = item
    if decision.base is not None:
        new = replace(item, points=decision.base.amount, pending=False, reason="")
    return replace(new, points=max(0, min(item.max_points, new.points + decision.change)))


def _given(check: PlannedCheck, result: CheckResult | None, event: Override) -> CheckResult:
    """Return a check's result with the credit that a person gave it."""
    if event.amount == FULL_CREDIT:
        return CheckResult(check.id, Verdict.PASS, FULL_CREDIT)
    old = result or CheckResult(check.id, Verdict.WRONG)
    failed = old if old.verdict not in (Verdict.PASS, Verdict.INFRA) else None
    message = failed.message if failed else "A person looked at this and decided so."
    return replace(
        old,
        verdict=failed.verdict if failed else Verdict.WRONG,
        credit=event.amount,
        message=message,
    )


def _credit(result: CheckResult | None) -> str:
    if result is None:
        return "not graded yet"
    if result.verdict is Verdict.PASS:
        return "pass"
    return f"{format_points(result.credit)}%" if result.credit else str(result.verdict)


def _signed(hundredths: int) -> str:
    return ("+" if hundredths >= 0 else "") + signed_points(hundredths)
