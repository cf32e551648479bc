"""feedback.html: what feedback.md says and more, as a page for a student. Nothing in it can act."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.course import Course
from autograder.course.points import format_points
from autograder.course.scoring import CheckScore, ComponentScore, ItemScore
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.overrides import Scope
from autograder.pages.charts import curves, meter, steps
from autograder.pages.code import coloured_lines
from autograder.pages.rendering import rendered
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.report import changed_words
from autograder.report.attempts import Attempt, Attempts
from autograder.report.changes_words import points_words
from autograder.report.curves import PANELS
from autograder.report.feedback import LEADERBOARD_ROWS, SUMMARISED, alike, counts_of, partly
from autograder.report.first_lines import is_missing, not_begun, to_mend, waits
from autograder.report.graded import COUNTS_STILL, Change, GradedReport
from autograder.report.item_statistics import is_failure
from autograder.report.lateness_words import in_words
from autograder.report.message_pictures import seen_in
from autograder.report.own_code import TRACED, Excerpt, OwnCode, OwnFiles
from autograder.report.points_words import is_excused, pending_points, points_in_words, points_of
from autograder.results.student import VERDICT_WORDS
from autograder.text.display import one_line

FIRST_SHOWN = 4
ITEMS_NAMED = 6
WIDEST_LINE = 200
LINES_OPEN = 16
"""Longer excerpts are folded."""


@dataclass(frozen=True)
class Background:
    """What the pages of a class's students show beyond the reports: files and attempts."""

    course: Course
    code: OwnCode
    attempts: Attempts

    @classmethod
    def of(cls, course: Course, gradebook: Gradebook) -> Background:
        """Return what a gradebook has of it."""
        return cls(course, OwnCode(course, gradebook), Attempts(course, gradebook))


def student_page(report: GradedReport, background: Background | None = None) -> str:
    """Return a student's page, complete in itself.

    What students wrote is text in it, whatever it looks like. It says no more of hidden tests than
    feedback.md; without a `background` it has neither code nor attempts.
    """
    score = report.score
    files = background.code.of(report) if background else None
    writer = _Items(report, files)
    parts = [part for part in score.components if part.is_open]
    attempts = background.attempts.of(report) if background else []
    mend = _to_mend(_items(parts))
    return rendered(
        "student.html",
        ("base.css", "student.css"),
        filters={"signed_points": points_words},
        student=one_line(score.student),
        course=background.course.title if background else "",
        total=points_in_words(score, final=bool(report.late)),
        so_far=_so_far(report),
        share=meter(
            (score.final if report.late else score.total) / max(1, score.max_total),
            points_in_words(score),
        ),
        refusals=report.refusals,
        notices=report.notices,
        late=list(_late(report)),
        changes=[_whole_change(report, one) for one in report.changes if _is_of_whole(one)],
        parts=[
            {"title": part.title, "points": points_of(part), "picture": _meter(part)}
            for part in parts
        ],
        mend=mend[:FIRST_SHOWN],
        more_to_mend=sum(len(one["ids"]) for one in mend[FIRST_SHOWN:]),
        waiting=list(_waiting(_items(parts))),
        components=[
            {"title": part.title, "points": points_of(part), **writer.component(part)}
            for part in parts
        ],
        closed=[
            f"{one.title} ({format_points(one.max_points)})"
            for phase in score.shown
            for one in phase.components
            if not one.is_open
        ],
        attempts=attempts[::-1],
        steps=_steps(attempts, score.max_total),
    )


def anchor(item: str) -> str:
    """Return the name of an item on the page."""
    return f"item-{item}"


def _items(parts: Sequence[ComponentScore]) -> list[ItemScore]:
    return [item for part in parts for item in part.items]


def _so_far(report: GradedReport) -> str:
    score = report.score
    if not score.pending:
        return ""
    if any(item.reason in COUNTS_STILL for item in score.items):
        return "so far; they may change, see what waits"
    return f"so far; up to {format_points(pending_points(score))} more are still to come"


def _meter(part: ComponentScore | ItemScore) -> Any:
    share = part.points / part.max_points if part.max_points else 0.0
    return meter(share, points_of(part), "full" if share >= 1 else "")


def _to_mend(items: Sequence[ItemScore]) -> list[dict[str, Any]]:
    """Return what to mend, and why: items with the same reason are one, those with most to gain
    first."""
    groups: dict[tuple[str, str], list[ItemScore]] = {}
    for item in filter(to_mend, items):
        groups.setdefault(_reason(item), []).append(item)
    ranked = sorted(groups.items(), key=lambda pair: -sum(map(_to_gain, pair[1])))
    return [
        {
            "named": [{"title": o.title, "anchor": anchor(o.id)} for o in same[:ITEMS_NAMED]],
            "others": max(0, len(same) - ITEMS_NAMED),
            "ids": [one.id for one in same],
            "gain": format_points(sum(map(_to_gain, same))),
            "advice": advice,
            "message": message,
        }
        for (advice, message), same in ranked
    ]


def _to_gain(item: ItemScore) -> int:
    return item.max_points - item.points


def _reason(item: ItemScore) -> tuple[str, str]:
    """Return why an item failed: a diagnosis, else a message with the line that it names."""
    results = [one.result for one in item.checks if one.result and is_failure(one.result)]
    told = next((one.advice for one in results if one.advice), None)
    if told:
        return told, ""
    first, *others = results[0].message.split("\n")
    traced = [line.strip() for line in others if TRACED.match(line)]
    return "", one_line(" \N{EN DASH} ".join([first, *traced[-1:]]), 240)


def _is_shown(check: CheckScore) -> bool:
    return check.result is not None and check.result.verdict not in SUMMARISED


def _waiting(items: Sequence[ItemScore]) -> Iterator[dict[str, Any]]:
    """Yield what is not there yet, by its reason: how many items, and points to gain."""
    groups: dict[str, list[ItemScore]] = {}
    for item in items:
        if item.pending:
            groups.setdefault(item.reason, []).append(item)
    kinds = (
        ("not attempted yet", not_begun),
        ("waits for other items to work", waits),
        ("nothing handed in", is_missing),
    )
    for words, is_one in kinds:
        found = [item for item in items if is_one(item) and not item.pending]
        if found:
            groups.setdefault(words, []).extend(found)
    for reason, found in groups.items():
        yield {
            "reason": reason,
            "count": len(found),
            "points": format_points(sum(item.max_points - item.points for item in found)),
            "titles": ", ".join(item.title for item in found),
        }


def _late(report: GradedReport) -> Iterator[str]:
    """Yield a sentence for each late week, and one on the late days that are left."""
    for week in report.late:
        assert week.due is not None
        assert week.received is not None
        times = (week.due, week.received.astimezone(week.due.tzinfo))
        due, received = (f"{time:%Y-%m-%d %H:%M}" for time in times)
        kept = f"{100 * week.kept / FULL_CREDIT:.3g} %"
        spent = f"{week.days} of your {report.late_days} late days are spent on it, and "
        yield (
            f"{week.week} was due on {due} and handed in on {received} ({week.due:%Z}), "
            f"{in_words(week.late)} late: {spent * (week.days > 0)}{kept} of its points count."
        )
    if report.late and report.late_days:
        left = report.late_days - sum(week.days for week in report.handed_in)
        yield f"Late days left: {left} of {report.late_days}."


def _is_of_whole(change: Change) -> bool:
    return change.events[0].scope not in (Scope.ITEM, Scope.CHECK)


def _whole_change(report: GradedReport, change: Change) -> dict[str, Any]:
    title = f"{change.title[:1].upper()}{change.title[1:]}"
    return {
        "what": title,
        "said": changed_words.sum_said(report, change),
        "reasons": change.reasons,
    }


def _steps(attempts: Sequence[Attempt], most: int) -> Any:
    """Return the attempts as a picture, where there are several."""
    if len({one.points for one in attempts}) < 2:
        return ""
    words = ", then ".join(format_points(max(0, one.points)) for one in attempts)
    return steps([one.points / max(1, most) for one in attempts], f"points: {words}")


class _Items:
    """Makes what the page says of each item; a message that stood before is not repeated."""

    def __init__(self, report: GradedReport, files: OwnFiles | None) -> None:
        self._report, self._files = report, files
        self._messages: dict[str, tuple[str, str]] = {}
        self._shown: set[Excerpt] = set()

    def component(self, part: ComponentScore) -> dict[str, Any]:
        """Return a component's items: those with something to read, the others, the full ones."""
        there = [self._item(item) for item in part.items]
        full = [one for one in there if one["is_full"] and not one["is_long"]]
        long = [one for one in there if one["is_long"]]
        short = [one for one in there if one not in full and one not in long]
        return {"long": long, "short": short, "full": full}

    def _item(self, item: ItemScore) -> dict[str, Any]:
        groups = list(self._groups(item))
        changes = [self._change(one) for one in self._report.changes_of(item.id)]
        drawn = next(
            (o.result for o in item.checks if o.result and "curves" in o.result.detail), None
        )
        return {
            "id": item.id,
            "anchor": anchor(item.id),
            "title": item.title,
            "points": points_of(item),
            "picture": _meter(item),
            "is_full": item.points >= item.max_points and not item.pending,
            "is_long": bool(groups or changes or item.comment or drawn),
            "state": "excused" if is_excused(item) else item.reason,
            "documents": self._report.documents.get(item.id, ()),
            "counts": counts_of(item),
            "changes": changes,
            "comment": item.comment,
            "groups": groups,
            "curves": list(_curves(drawn)) if drawn else [],
            "board": self._board() if drawn else [],
        }

    def _change(self, change: Change) -> dict[str, Any]:
        is_check = change.events[0].scope is Scope.CHECK
        return {
            "what": change.title if is_check else "",
            "said": changed_words.item_said(change),
            "reasons": change.reasons,
        }

    def _groups(self, item: ItemScore) -> Iterator[dict[str, Any]]:
        """Yield failed checks with the same advice, and in these, with the same message."""
        failed = [check for check in item.checks if _is_shown(check)]
        for advice, checks in alike(failed, lambda result: result.advice):
            failures = [
                self._failure(item, same, message)
                for (_, message), same in alike(checks, lambda r: (r.verdict, r.message))
            ]
            yield {"advice": advice or "", "failures": failures, "count": len(checks)}

    def _failure(
        self, item: ItemScore, checks: Sequence[CheckScore], message: str
    ) -> dict[str, Any]:
        titles: dict[str, int] = {}
        for check in checks:
            titles[check.planned.title] = titles.get(check.planned.title, 0) + 1
        first = checks[0].result
        assert first is not None
        earlier = self._messages.get(message) if "\n" in message else None
        if message and not earlier:
            self._messages.setdefault(message, (anchor(item.id), item.title))
        is_own = first.verdict is not Verdict.BLOCKED and not earlier
        excerpts = self._files.excerpts(item.id, first) if self._files and is_own else []
        new = [one for one in excerpts if one not in self._shown]
        self._shown.update(new)
        return {
            "titles": list(titles.items()),
            "words": VERDICT_WORDS[first.verdict] + partly(first),
            "kind": "bad" if is_failure(first) else "warn",
            "message": "" if earlier else message,
            "earlier": earlier,
            "seen": seen_in(message),
            "places": [_place(one) for one in new],
        }

    def _board(self) -> list[dict[str, Any]]:
        """Return the student's place in the class, without the names of the others."""
        rows = []
        for place, row in enumerate(self._report.board, start=1):
            own = row.student == self._report.score.student
            if row.accuracy is not None and (place <= LEADERBOARD_ROWS or own):
                accuracy, time = f"{row.accuracy:.2%}", f"{row.seconds:.0f} s"
                rows.append({"place": place, "accuracy": accuracy, "time": time, "own": own})
        return rows


def _place(one: Excerpt) -> dict[str, Any]:
    """Return lines of code, each with its number, coloured, and whether it is the one."""
    from markupsafe import Markup

    plain = [one_line(line.replace("\t", "    "), WIDEST_LINE) for line in one.lines]
    lines = coloured_lines("\n".join(plain))
    return {
        "file": one_line(one.file),
        "name": one.name,
        "cut": one.cut,
        "first": one.first,
        "is_open": bool(one.marked) or len(lines) <= LINES_OPEN,
        "lines": [
            (one.first + n, Markup(html), one.first + n in one.marked)
            for n, html in enumerate(lines)
        ],
    }


def _curves(result: CheckResult) -> Iterator[dict[str, Any]]:
    """Yield the panels of a training: name, picture, and what its lines are."""
    told = result.detail["curves"]
    epochs = told.get("epoch", [])
    for name, columns in PANELS:
        lines = {
            ("two" if column.startswith("val") else "one"): told[column]
            for column in columns
            if column in told
        }
        ends = ", ".join(
            f"{'validation' if kind == 'two' else 'training'} ends at {each[-1]:.4g}"
            for kind, each in lines.items()
            if len(each)
        )
        if lines:
            words = f"{name} over {len(epochs)} epochs; {ends}"
            yield {
                "name": name,
                "picture": curves(name, epochs, lines, words),
                "has_two": "two" in lines,
            }
