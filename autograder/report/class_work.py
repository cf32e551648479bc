"""The class's page: what needs a person, marking, lateness, times, and what changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Sized
from statistics import median
from typing import Any

from autograder.course import Course
from autograder.course.scoring import MUST_BE_REGRADED, NOT_GRADED_YET, PENDING_GPU, ItemScore
from autograder.pages.charts import stacked
from autograder.records import FULL_CREDIT
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.changes import by_student
from autograder.report.changes_words import items_by_cause, made_at, points_words
from autograder.report.class_facts import ClassFacts
from autograder.report.graded import GradedReport
from autograder.report.item_statistics import CheckStatistics
from autograder.report.lateness_words import in_words
from autograder.report.terminal import BY_HAND, REMEDIES
from autograder.text.display import one_line

SLOW_CHECKS = 15
NAMED = 8


def to_do(reports: Sequence[GradedReport], facts: ClassFacts) -> Iterator[dict[str, Any]]:
    """Yield what only a person can do, the most pressing first."""

    def entry(count: int, words: str, link: str, at: str, status: str = "", more: str = "") -> Any:
        keys = ("count", "words", "link", "at", "status", "more")
        return dict(zip(keys, (count, words, link, at, status, more), strict=True))

    refused = [one for one in reports if one.refusals]
    if refused:
        lines = [
            f"{o.score.student}: {one_line(text, 200)}" for o in refused for text in o.refusals
        ]
        words = f"{_number(refused, 'submission was', 'submissions were')} not taken."
        yield entry(len(refused), words, "Show them", "class", "not taken", _some(lines))
    for reason, words, status in (
        (MUST_BE_REGRADED, "checks that failed by our fault", "failed by our fault"),
        (NOT_GRADED_YET, "something that was not graded yet", "not graded yet"),
    ):
        who = _with(reports, lambda item, reason=reason: item.pending and item.reason == reason)
        if who:
            have = _number(who, "student has", "students have")
            told = f"{have} {words}: {REMEDIES[reason]}."
            yield entry(len(who), told, "Show them", "class", status)
    gpu = _with(reports, lambda item: item.reason.startswith(PENDING_GPU))
    if gpu:
        words = _number(gpu, "project waits", "projects wait")
        yield entry(len(gpu), f"{words} for the training job: make gpu.", "", "")
    waiting = [
        (report.score.student, item)
        for report in reports
        for item in report.score.items
        if item.pending and item.reason in BY_HAND and report.documents.get(item.id)
    ]
    if waiting:
        students = _number({student for student, _ in waiting}, "student", "students", True)
        are = _number(waiting, "answer", "answers")
        words = f"{are} of {students} to be marked by hand."
        yield entry(len(waiting), words, "By item", "marking-part")
    flagged = [one for one in reports if one.flags]
    if flagged:
        rules = Counter(flag.rule for one in flagged for _, flag in one.flags)
        more = ", ".join(f"{one_line(rule)} ({count})" for rule, count in rules.most_common())
        have = _number(flagged, "student has", "students have")
        words = f"{have} something to be looked at; it costs nothing by itself."
        yield entry(len(flagged), words, "Where", "flags-part", "", more)
    undecided = [one for one in reports if one.undecided]
    if undecided:
        are = _number(undecided, "student is", "students are")
        words = f"{are} late by Canvas, which does not say how late: decide in handed_in.csv."
        yield entry(len(undecided), words, "Show them", "class", "late")
    stale = [c for one in reports for c in one.changes if c.is_stale]
    if stale:
        are = _number(stale, "change by a person is", "changes by a person are")
        words = f"{are} for an earlier submission than the present one."
        yield entry(len(stale), words, "Show them", "class", "changed by a person")


def _number(of: Sized, one: str, several: str, told: bool = False) -> str:
    """Return the words for one thing or several, with their number where it is to be told."""
    words = one if len(of) == 1 else several
    return f"{len(of)} {words}" if told else words


def _with(reports: Sequence[GradedReport], wanted: Any) -> list[GradedReport]:
    return [one for one in reports if any(map(wanted, one.score.items))]


def _some(lines: Sequence[str]) -> str:
    rest = len(lines) - NAMED
    return "; ".join(map(one_line, lines[:NAMED])) + (f"; and {rest} more" if rest > 0 else "")


def marking(course: Course, reports: Sequence[GradedReport]) -> Iterator[dict[str, Any]]:
    """Yield how far the marking of each item is that a person marks."""
    manual = {item.id for item in course.items() if item.kind == "manual"}
    found: dict[str, Counter[str]] = {}
    about: dict[str, tuple[str, str]] = {}
    for report in reports:
        for part in report.score.components:
            for item in part.items:
                if item.id in manual:
                    about[item.id] = (item.title, part.id)
                    state = _marking_state(item, report)
                    found.setdefault(item.id, Counter())[state] += 1
    for id, counts in found.items():
        title, component = about[id]
        parts = [("good", counts["marked"]), ("warn", counts["waiting"] + counts["again"])]
        parts.append(("none", counts["nothing"]))
        words = f"{counts['marked']} marked, {counts['waiting'] + counts['again']} waiting"
        yield {
            "id": id,
            "title": title,
            "component": component,
            **{name: counts[name] for name in ("marked", "waiting", "again", "nothing")},
            "picture": stacked(parts, words),
        }


def _marking_state(item: ItemScore, report: GradedReport) -> str:
    """Return how far an item's marking is; of what was not taken there is nothing to mark."""
    if item.reason == TO_BE_MARKED_AGAIN:
        return "again"
    if item.pending:
        return "waiting"
    mark = report.marks.get(item.id)
    is_decided = (mark is not None and mark.points is not None) or report.changes_of(item.id)
    return "marked" if is_decided else "nothing"


def late_work(reports: Sequence[GradedReport], facts: ClassFacts) -> Iterator[dict[str, Any]]:
    """Yield each week that was handed in late."""
    for report in reports:
        for week in report.late:
            yield {
                "person": facts.person(report.score.student),
                "week": week.week,
                "seconds": round(week.late.total_seconds()),
                "words": in_words(week.late),
                "days": week.days,
                "kept": week.kept / FULL_CREDIT,
            }


def weeks_by_time(
    course: Course, reports: Sequence[GradedReport], facts: ClassFacts
) -> Iterator[dict[str, Any]]:
    """Yield what grading each week took, of the jobs that count."""
    week_of = {item.id: item.week for item in course.items()}
    took: dict[int, dict[str, tuple[float, str]]] = {}
    for report in reports:
        for item, key in report.jobs.items():
            if facts.seconds.get(key):
                own = took.setdefault(week_of[item], {})
                own[key] = (facts.seconds[key], report.score.student)
    for number, jobs in sorted(took.items()):
        times = [seconds for seconds, _ in jobs.values()]
        longest, whose = max(jobs.values())
        yield {
            "week": course.week(number).name,
            "count": len(times),
            "total": sum(times),
            "median": median(times),
            "longest": longest,
            "person": facts.person(whose),
        }


def slow_checks(checks: Sequence[CheckStatistics]) -> list[dict[str, Any]]:
    """Return the checks that take longest, by the sum over all students."""
    ranked = sorted(checks, key=lambda one: -sum(one.seconds))[:SLOW_CHECKS]
    return [
        {
            "title": one_line(one.title),
            "item": one.item,
            "component": one.component,
            "median": one.median_seconds,
            "longest": max(one.seconds),
            "total": sum(one.seconds),
        }
        for one in ranked
        if one.seconds
    ]


def what_changed(facts: ClassFacts) -> dict[str, Any]:
    """Return what changed in the points since the reports before, and why."""
    published = facts.published
    nothing: dict[str, Any] = {"causes": [], "students": []}
    if published is None:
        return {**nothing, "since": "This page was written without new reports."}
    if published.before is None:
        return {**nothing, "since": "These are the first reports of this class."}
    made = made_at(published.before, facts.made.tzinfo) if facts.made.tzinfo else ""
    report = f"report {published.before.number} of {made}"
    if not published.changes:
        return {**nothing, "since": f"No points differ from those in {report}."}
    students = by_student(published.changes)
    changed = {
        name: each for name, each in students.items() if not all(one.is_first for one in each)
    }
    new = len(students) - len(changed)
    since = f"Against those in {report}: points of {len(changed)} students changed"
    since += f", and {new} were graded for the first time." if new else "."
    causes: dict[str, set[str]] = {}
    for name, each in changed.items():
        for cause in (cause for change in each for cause in change.causes):
            causes.setdefault(str(cause), set()).add(name)
    ranked = sorted(causes, key=lambda words: (-len(causes[words]), words))
    before, after = (side.totals for side in published.sides)
    return {
        "since": since,
        "causes": [
            {"count": len(causes[words]), "words": one_line(words, 300)} for words in ranked
        ],
        "students": [
            _changed_student(facts, name, each, before.get(name, 0), after.get(name, 0))
            for name, each in sorted(
                changed.items(), key=lambda pair: _gained(pair[0], before, after)
            )
        ],
    }


def _gained(name: str, before: Any, after: Any) -> tuple[int, str]:
    return -abs(after.get(name, 0) - before.get(name, 0)), name


def _changed_student(
    facts: ClassFacts, name: str, changes: Any, before: int, after: int
) -> dict[str, Any]:
    by = after - before
    return {
        "person": facts.person(name),
        "before": before,
        "after": after,
        "was": points_words(before),
        "now": points_words(after),
        "by": f"{'+' if by > 0 else ''}{points_words(by)}",
        "item_lines": list(items_by_cause(changes)),
    }
