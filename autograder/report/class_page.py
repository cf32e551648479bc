"""OUT/index.html: the class on one page, for whoever grades it. No student gets it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import floor
from typing import Any

from autograder.course import Course
from autograder.course.points import format_points
from autograder.course.scoring import MUST_BE_REGRADED, ComponentScore, PhaseScore, StudentScore
from autograder.pages.charts import histogram, meter
from autograder.pages.rendering import rendered
from autograder.report.class_facts import ClassFacts
from autograder.report.class_work import (
    late_work,
    marking,
    slow_checks,
    to_do,
    weeks_by_time,
    what_changed,
)
from autograder.report.graded import GradedReport
from autograder.report.item_statistics import (
    CheckStatistics,
    Distribution,
    MessageCount,
    check_statistics,
    distribution,
    item_statistics,
    who_has_what,
)
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import EXCUSED, is_excused
from autograder.results.student import VERDICT_WORDS
from autograder.text.display import many_lines, one_line

CHECKS_SHOWN = 150
MESSAGES_SHOWN = 3
MESSAGE_CHARACTERS = 600
UNEXPLAINED_SHOWN = 60
LOW = 0.1
"""An item that tells less apart than this is marked, where enough students began it."""
ENOUGH = 10

PARTS = (
    ("needs", "What needs you"),
    ("points", "Points"),
    ("class", "Students"),
    ("items-part", "Items"),
    ("checks-part", "Checks"),
    ("misconceptions-part", "Misconceptions"),
    ("unexplained-part", "Unexplained"),
    ("marking-part", "Marking"),
    ("flags-part", "To be looked at"),
    ("in-part", "Handed in"),
    ("time-part", "Time"),
    ("changes-part", "What changed"),
)
STATUSES = (
    *("complete", "to come", "to be marked", "not taken", "failed by our fault", "late"),
    *("changed by a person", "to be looked at", "nothing handed in", "not graded yet"),
)
CHIPS = {
    "not taken": "bad",
    "failed by our fault": "bad",
    "late": "warn",
    "to be looked at": "info",
    "nothing handed in": "warn",
    "complete": "good",
}
UNKNOWN = "-"


def class_page(course: Course, reports: Sequence[GradedReport], facts: ClassFacts) -> str:
    """Return the page of a class, which has at least one student."""
    checks = check_statistics(reports)
    statuses = {one.score.student: statuses_of(one) for one in reports}
    columns = _columns(course, reports)
    values = {one.score.student: [column.value(one) for column in columns] for one in reports}
    table = [column for column in columns if column.in_table]
    sections = sorted({one_line(one.section) for one in reports if one.section})
    whole = distribution([each[0] for each in values.values() if each[0] is not None], 1)
    unexplained, number_unexplained = _unexplained(checks, facts)
    return rendered(
        "class.html",
        ("base.css", "class.css"),
        ("class.js",),
        FILTERS,
        title=course.title,
        said=facts.said(len(reports)),
        made=facts.made_words,
        confinement=", ".join(sorted({one.confinement for one in reports})),
        parts=PARTS,
        sections=sections,
        components=[{"id": o.component, "title": o.title} for o in columns if o.is_component],
        statuses=[one for one in STATUSES if any(one in each for each in statuses.values())],
        tiles=list(_tiles(reports, whole, statuses)),
        todo=list(to_do(reports, facts)),
        cards=[_card(column, n, values.values()) for n, column in enumerate(columns)],
        by_section=list(_by_section(reports, sections, columns, values)),
        columns=table,
        students=[
            _student(one, columns, values[one.score.student], statuses[one.score.student], facts)
            for one in reports
        ],
        unknown=UNKNOWN,
        items=[*map(_item, item_statistics(reports, _refused(course, reports)))],
        checks=[_check(one) for one in checks[:CHECKS_SHOWN] if one.failed],
        number_failed=sum(bool(one.failed) for one in checks),
        number_of_checks=len(checks),
        misconceptions=[
            {
                "id": one.id,
                "advice": one_line(one.advice, 2000),
                "item_ids": one.items,
                "components": one.components,
                "people": facts.people(one.students),
            }
            for one in who_has_what(reports)
        ],
        unexplained=unexplained,
        number_unexplained=number_unexplained,
        marking=list(marking(course, reports)),
        flags=list(_flags(course, reports, facts)),
        late=list(late_work(reports, facts)),
        losses=[
            {
                "person": facts.person(one.student) if one.student in statuses else None,
                "week": one.week,
                "kind": one_line(one.kind),
                "text": one_line(
                    one.text
                    if one.student in statuses
                    else f"{one.student}: {one.text}".lstrip(": "),
                    500,
                ),
            }
            for one in facts.losses
        ],
        weeks=list(weeks_by_time(course, reports, facts)),
        slow=slow_checks(checks),
        changes=what_changed(facts),
    )


# Words for the templates.


def percent(share: float | None) -> str:
    """Return a share in percent; a dash where there is none."""
    return UNKNOWN if share is None else f"{100 * share:.0f} %"


def signed(number: float | None) -> str:
    """Return a correlation; a dash where there is none."""
    return UNKNOWN if number is None else f"{number:.2f}".replace("-", "\N{MINUS SIGN}")


def seconds(number: float) -> str:
    """Return seconds with as many digits as say something."""
    return f"{number:.0f}" if number >= 100 else f"{number:.2g}" if number < 1 else f"{number:.1f}"


FILTERS = {"points": format_points, "percent": percent, "signed": signed, "seconds": seconds}


# Students.


class _Column:
    """A column of points: the total, a component, or all items of a week (not in the table)."""

    def __init__(
        self, kind: str, id: str, title: str, most: int, items: frozenset[str] = frozenset()
    ) -> None:
        self.kind, self.id, self.title, self.most, self._items = kind, id, title, most, items

    @property
    def is_component(self) -> bool:
        return self.kind == "component"

    @property
    def component(self) -> str:
        """The component that it is about, "" for several."""
        return self.id if self.is_component else ""

    @property
    def in_table(self) -> bool:
        return self.kind != "week"

    def value(self, report: GradedReport) -> int | None:
        """Return a student's points; None where they are not known."""
        score = report.score
        if self.kind == "total":
            return None if score.is_unknown else score.final
        if self.kind == "week":
            own = [item for item in score.items if item.id in self._items]
            known = [item for item in own if not (item.is_unknown or is_excused(item))]
            return sum(item.points for item in known) if known else None
        part = self.part(score)
        if part is None or part.is_unknown or is_excused(part):
            return None
        return part.final if isinstance(part, PhaseScore) else part.points

    def part(self, score: StudentScore) -> ComponentScore | PhaseScore | None:
        """Return the part of a score that the column is about; None for the total and weeks."""
        parts: tuple[ComponentScore | PhaseScore, ...] = (*score.phases, *score.components)
        return next((one for one in parts if one.id == self.id), None)

    def cell(self, report: GradedReport, value: int | None) -> dict[str, Any]:
        """Return the cell of a student."""
        part = self.part(report.score)
        pending = report.score.pending if part is None else part.pending
        text = UNKNOWN if value is None else f"{'*' * pending}{format_points(max(0, value))}"
        if value is not None and value < 0:
            text = f"-{format_points(-value)}"
        if part is not None and is_excused(part):
            text = EXCUSED
        return {"v": "" if value is None else value, "text": text, "component": self.component}


def _columns(course: Course, reports: Sequence[GradedReport]) -> list[_Column]:
    """Return the columns: the total, phases where there are several, components, weeks."""
    most = max(report.score.max_total for report in reports)
    columns = [_Column("total", "total", "Total", most)]
    shown = reports[0].score.shown
    for phase in shown:
        same = [one for report in reports for one in report.score.phases if one.id == phase.id]
        if len(shown) > 1:
            highest = max(one.max_total for one in same)
            columns.append(_Column("phase", phase.id, phase.title, highest))
        for part in phase.components:
            if part.is_open:
                highest = max(
                    o.max_points for one in same for o in one.components if o.id == part.id
                )
                columns.append(_Column("component", part.id, part.title, highest))
    there = {item.id for item in reports[0].score.items}
    weeks = [
        (week, frozenset(item.id for item in course.items(week.number)) & there)
        for week in course.weeks
    ]
    open_weeks = [(week, items) for week, items in weeks if items]
    for week, items in open_weeks if len(open_weeks) > 1 else ():
        points = sum(item.points for item in course.items(week.number) if item.id in items)
        title = f"{week.name[:1].upper()}{week.name[1:]}"
        columns.append(_Column("week", week.id, title, points, items))
    return columns


def statuses_of(report: GradedReport) -> list[str]:
    """Return what the class can be filtered by of a student."""
    score = report.score
    found = {
        "not taken": bool(report.refusals),
        "failed by our fault": any(item.reason == MUST_BE_REGRADED for item in score.items),
        "to be marked": any(item.pending and not item.checks for item in score.items),
        "to come": score.pending,
        "late": bool(report.late or report.undecided),
        "changed by a person": bool(report.changes),
        "to be looked at": bool(report.flags),
        "nothing handed in": any(item.reason == NOTHING_HANDED_IN for item in score.items),
        "not graded yet": any(part.is_unknown for part in score.components),
        "complete": not score.pending and not report.refusals,
    }
    return [one for one in STATUSES if found[one]]


def _student(
    report: GradedReport,
    columns: Sequence[_Column],
    values: Sequence[int | None],
    statuses: Sequence[str],
    facts: ClassFacts,
) -> dict[str, Any]:
    person = facts.person(report.score.student)
    pairs = zip(columns, values, strict=True)
    return {
        "id": person.id,
        "name": person.name,
        "href": person.href,
        "section": one_line(report.section),
        "statuses": statuses,
        "chips": [(CHIPS.get(one, ""), one) for one in statuses if one != "to come"],
        "v": ",".join("" if value is None else str(value) for value in values),
        "words": f"{person.id} {person.name}".lower(),
        "cells": [column.cell(report, value) for column, value in pairs if column.in_table],
    }


def _tiles(
    reports: Sequence[GradedReport],
    whole: Distribution | None,
    statuses: Mapping[str, Sequence[str]],
) -> Iterator[dict[str, str]]:
    """Yield what is said first."""
    most = format_points(max(report.score.max_total for report in reports))
    yield {"value": str(len(reports)), "words": "students"}
    if whole:
        yield {"value": rounded(whole.median), "words": f"median, of {most} points"}
        yield {"value": rounded(whole.mean), "words": "mean"}
        words = f"{rounded(whole.lower)} \N{EN DASH} {rounded(whole.upper)}"
        yield {"value": words, "words": "middle half of the class"}
    complete = sum("complete" in each for each in statuses.values())
    yield {"value": f"{complete} of {len(reports)}", "words": "graded and marked in full"}


def rounded(points: float) -> str:
    """Return points, given in hundredths, that may be between two of these or negative."""
    return f"{floor(points + 0.5) / 100:.2f}".rstrip("0").rstrip(".")


def _card(column: _Column, n: int, values: Iterable[Sequence[int | None]]) -> dict[str, Any]:
    known = [value for each in values if (value := each[n]) is not None]
    spread = distribution(known, column.most)
    most = max(1, column.most)
    quarters = [0.0] * 5
    said = dict.fromkeys(("mean", "median", "lower", "upper"), "\N{EN DASH}")
    words = f"{column.title}: nobody's points are known."
    if spread:
        five = (spread.least, spread.lower, spread.median, spread.upper, spread.highest)
        quarters = [one / most for one in five]
        said = {name: rounded(getattr(spread, name)) for name in said}
        words = (
            f"{column.title}, {spread.count} students: from {rounded(spread.least)} to "
            f"{rounded(spread.highest)} points, median {said['median']}, "
            f"quartiles {said['lower']} and {said['upper']}."
        )
    bins = spread.bins if spread else (0,) * 20
    return {
        "title": column.title,
        "most": column.most,
        "component": column.component,
        "count": len(known),
        "picture": histogram(bins, quarters, words),
        **said,
    }


def _by_section(
    reports: Sequence[GradedReport],
    sections: Sequence[str],
    columns: Sequence[_Column],
    values: Mapping[str, Sequence[int | None]],
) -> Iterator[dict[str, Any]]:
    """Yield a row for each section, where there are several."""
    for name in sections if len(sections) > 1 else ():
        own = [one.score.student for one in reports if one_line(one.section) == name]
        cells = []
        for n, column in enumerate(columns):
            known = [value for student in own if (value := values[student][n]) is not None]
            spread = distribution(known, column.most)
            between = spread and f"{rounded(spread.lower)} \N{EN DASH} {rounded(spread.upper)}"
            cells.append(
                {"median": rounded(spread.median) if spread else UNKNOWN, "range": between or ""}
            )
        yield {"name": name, "students": len(own), "cells": cells}


# Items and checks.


def _refused(course: Course, reports: Sequence[GradedReport]) -> list[set[str]]:
    """Return, by report, the items of the weeks of which nothing was taken."""
    by_week: dict[int, set[str]] = {}
    for item in course.items():
        by_week.setdefault(item.week, set()).add(item.id)
    return [set().union(*(by_week.get(week, ()) for week in one.refused_weeks)) for one in reports]


def _item(one: Any) -> dict[str, Any]:
    words = f"{one.title}: mean {percent(one.mean)}"
    low = one.discrimination is not None and one.discrimination < LOW and one.begun >= ENOUGH
    return {
        **{name: getattr(one, name) for name in ("id", "title", "component", "most", "mean")},
        **{name: getattr(one, name) for name in ("passed", "discrimination", "never_began")},
        **{name: getattr(one, name) for name in ("known", "waiting")},
        "low": low,
        "picture": meter(one.mean or 0.0, words),
    }


def _check(one: CheckStatistics) -> dict[str, Any]:
    explained = one.failed - sum(len(each.students) for each in one.unexplained)
    shown = one.messages[:MESSAGES_SHOWN]
    words = f"{one.failed} of {one.examined} failed"
    return {
        "title": one_line(one.title),
        "item": one.item,
        "component": one.component,
        "failed": one.failed,
        "examined": one.examined,
        "explained": explained / one.failed,
        "picture": meter(one.failed / max(1, one.examined), words),
        "messages": [
            {"count": len(each.students), "words": _verdict(each), "text": _cut(each.message)}
            for each in shown
        ],
        "others": len(one.messages) - len(shown),
    }


def _verdict(one: MessageCount) -> str:
    """Return a verdict in words that are not the student's."""
    return VERDICT_WORDS[one.verdict].replace("your code", "the code")


def _cut(message: str) -> str:
    text = many_lines(message)
    return text if len(text) <= MESSAGE_CHARACTERS else f"{text[:MESSAGE_CHARACTERS]} ..."


def _unexplained(
    checks: Sequence[CheckStatistics], facts: ClassFacts
) -> tuple[list[dict[str, Any]], int]:
    """Return the failures that no misconception explains, those of most students first.

    Checks that failed with the same message are one: an error while a module is read fails many.
    """
    alike: dict[tuple[str, str], list[tuple[CheckStatistics, MessageCount]]] = {}
    for check in checks:
        for each in check.unexplained:
            key = (str(each.verdict), each.message)
            if "\n" not in each.message:
                key = (*key[:1], f"{check.item} {each.message}")
            alike.setdefault(key, []).append((check, each))
    found = []
    for same in alike.values():
        students = dict.fromkeys(one for _, each in same for one in each.students)
        found.append((same, list(students)))
    found.sort(key=lambda pair: (-len(pair[1]), -len(pair[0])))
    shown = [
        {
            "title": one_line(same[0][0].title),
            "item": same[0][0].item,
            "others": len(same) - 1,
            "components": list(dict.fromkeys(check.component for check, _ in same)),
            "words": _verdict(same[0][1]),
            "text": _cut(same[0][1].message),
            "people": facts.people(students),
        }
        for same, students in found[:UNEXPLAINED_SHOWN]
    ]
    return shown, len(found)


def _flags(
    course: Course, reports: Sequence[GradedReport], facts: ClassFacts
) -> Iterator[dict[str, Any]]:
    component_of = {
        item.id: part.id
        for report in reports
        for part in report.score.components
        for item in part.items
    }
    for report in reports:
        for week, flag in report.flags:
            yield {
                "person": facts.person(report.score.student),
                "rule": one_line(flag.rule),
                "place": one_line(flag.place) or week,
                "item": flag.item or "",
                "component": component_of.get(flag.item or "", ""),
                "evidence": one_line(flag.evidence, 1000),
            }
