"""feedback.md: a student's results item by item, in Markdown that no submission can break."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeVar

from autograder.course.points import format_points
from autograder.course.scoring import CheckScore, ComponentScore, ItemScore, StudentScore
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.report import changed_words
from autograder.report.first_lines import first_lines
from autograder.report.graded import COUNTS_STILL, GradedReport
from autograder.report.lateness_words import in_words
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import pending_points, points_in_words, points_of
from autograder.results.student import VERDICT_WORDS
from autograder.text.markdown import block, code, inline

CURVES_FILE = "training.svg"
LEADERBOARD_ROWS = 10

Key = TypeVar("Key", bound=Hashable)

SUMMARISED = (Verdict.PASS, Verdict.NOT_ATTEMPTED, Verdict.INFRA)
"""Verdicts that are only counted; all others are shown check by check."""


def feedback(report: GradedReport) -> str:
    """Return the feedback for one student as Markdown.

    Of each check, hidden or not, it shows the title, verdict, message and advice. Messages may
    quote output of the student's code, so they are put into blocks of plain text.
    """
    score = report.score
    parts = [f"# Feedback for {inline(score.student)}", _summary(score), *_late(report)]
    parts += changed_words.of_whole(report)
    if report.refusals:
        parts.append("## Your submission was not taken")
        parts += [block(refusal) for refusal in report.refusals]
    parts += first_lines(score)
    if report.notices:
        parts += ["## About your files", block("\n".join(report.notices))]
    writer = _Writer(report)
    for component in score.components:
        if component.is_open:
            parts += writer.component(component)
    closed = list(_closed(score))
    if closed:
        parts += ["## Not graded yet", *closed]
    return "\n\n".join(parts) + "\n"


def _closed(score: StudentScore) -> Iterator[str]:
    """Name what is not open of each phase that is seen."""
    for phase in score.shown:
        names = [
            f"{inline(part.title)} ({format_points(part.max_points)})"
            for part in phase.components
            if not part.is_open
        ]
        if names:
            where = f"{inline(phase.title)}: " if len(score.shown) > 1 else ""
            yield f"{where}{', '.join(names)}."


def _summary(score: StudentScore) -> str:
    text = f"**{points_in_words(score)}"
    if not score.pending:
        return f"{text}.**"
    if any(item.reason in COUNTS_STILL for item in score.items):
        return f"{text} so far.** They may change: see the items marked pending."
    more = format_points(pending_points(score))
    return f"{text} so far.** Up to {more} more are still to come: see the items marked pending."


def _late(report: GradedReport) -> Iterator[str]:
    """Name each late week and the points that it keeps."""
    for week in report.late:
        assert week.due is not None
        assert week.received is not None
        # One time zone for both, that of the due date, so that they can be compared.
        times = (week.due, week.received.astimezone(week.due.tzinfo))
        due, received = (f"{time:%Y-%m-%d %H:%M}" for time in times)
        percent = f"{100 * week.kept / FULL_CREDIT:.3g} %"
        spent = f"{week.days} of your {report.late_days} late days are spent on it, and "
        yield (
            f"{inline(week.week)} was due on {due} and handed in on {received} ({week.due:%Z}), "
            f"{in_words(week.late)} late: {spent * (week.days > 0)}{percent} of its points count."
        )
    if report.late and report.late_days:
        left = report.late_days - sum(week.days for week in report.handed_in)
        yield f"Late days left: {left} of {report.late_days}."
    if report.late:
        final = format_points(report.score.final)
        yield f"**With that, {final} points count{' so far' * report.score.pending}.**"


class _Writer:
    """Writes items one after the other; a long message is not repeated but referred to."""

    def __init__(self, report: GradedReport) -> None:
        self._report = report
        self._documents = report.documents
        self._shown: dict[str, str] = {}

    def component(self, component: ComponentScore) -> Iterator[str]:
        """Yield the paragraphs of a component; first, in a list, items with little to say."""
        yield f"## {inline(component.title)}: {points_of(component)}"
        lines, sections = [], []
        for item in component.items:
            long = list(self._long(item))
            if long:
                sections += [f"### {_head(item)}", *self._short(item), *long]
            else:
                lines.append(" ".join([f"- {_head(item)}.", *self._short(item)]))
        if lines:
            yield "\n".join(lines)
        yield from sections

    def _short(self, item: ItemScore) -> Iterator[str]:
        """Yield what one sentence says of an item."""
        if item.pending:
            yield f"*Pending: {item.reason}.*"
        elif item.reason == NOTHING_HANDED_IN:
            yield f"{item.reason.capitalize()}."
        if self._documents.get(item.id):
            names = ", ".join(map(code, self._documents[item.id]))
            yield f"Handed in for this: {names}."
        counts = counts_of(item)
        if counts:
            yield counts

    def _long(self, item: ItemScore) -> Iterator[str]:
        """Yield what takes paragraphs of its own: a comment, failed checks, curves."""
        yield from changed_words.of_item(self._report.changes_of(item.id))
        if item.comment:
            yield "Comment:\n\n" + block(item.comment)
        failed = [
            check
            for check in item.checks
            if check.result is not None and check.result.verdict not in SUMMARISED
        ]
        for advice, checks in alike(failed, lambda result: result.advice):
            for (_, message), same in alike(checks, lambda r: (r.verdict, r.message)):
                yield from self._failure(item, same, message)
            if advice:
                several = f" in these {len(checks)} checks" if len(checks) > 1 else ""
                yield f"> What probably happened{several}: {inline(advice, formulas=True)}"
        if any(check.result and "curves" in check.result.detail for check in item.checks):
            yield f"![Loss, accuracies and learning rate by epoch]({CURVES_FILE})"
            yield from _leaderboard(self._report)

    def _failure(
        self, item: ItemScore, checks: Sequence[CheckScore], message: str
    ) -> Iterator[str]:
        """Show checks that ended in the same way with the same message."""
        lines: Counter[str] = Counter()
        for check in checks:
            result = check.result
            assert result is not None
            words = VERDICT_WORDS[result.verdict] + partly(result)
            lines[f"- **{inline(check.planned.title)}** ({words})"] += 1
        yield "\n".join(
            line if count == 1 else f"{line}, {count} times" for line, count in lines.items()
        )
        if message in self._shown and "\n" in message:
            yield f"The message is the one under *{inline(self._shown[message])}* above."
        elif message:
            self._shown.setdefault(message, item.title)
            yield block(message)


def _head(item: ItemScore) -> str:
    return f"{inline(item.title)} (`{item.id}`): {points_of(item)}"


def alike(
    checks: Sequence[CheckScore], key: Callable[[CheckResult], Key]
) -> list[tuple[Key, list[CheckScore]]]:
    """Return checks in groups of the same key, in the order of each group's first check."""
    groups: dict[Key, list[CheckScore]] = {}
    for check in checks:
        assert check.result is not None
        groups.setdefault(key(check.result), []).append(check)
    return list(groups.items())


def _leaderboard(report: GradedReport) -> Iterator[str]:
    """Show a student's place in the class, without the names of the others."""
    rows = []
    for place, row in enumerate(report.board, start=1):
        is_own = row.student == report.score.student
        if place <= LEADERBOARD_ROWS or is_own:
            who = "**you**" if is_own else ""
            rows.append(f"| {place} | {row.accuracy:.2%} | {row.seconds:.0f} s | {who} |")
    if rows:
        header = "| place | accuracy | training time | |\n|---:|---:|---:|---|"
        yield f"Leaderboard of {len(report.board)}:\n\n" + "\n".join([header, *rows])


def partly(result: CheckResult) -> str:
    """Return what share of its points a check gives that did not pass; "" where it gives none."""
    if not result.credit:
        return ""
    return f"; {100 * result.credit / FULL_CREDIT:.3g} % of its points"


def counts_of(item: ItemScore) -> str:
    """Count the checks that passed, were not attempted, or have no result by our fault."""
    verdicts = [check.result.verdict if check.result else None for check in item.checks]
    if len(verdicts) > 1 and set(verdicts) == {Verdict.PASS}:
        return f"All {len(verdicts)} checks passed."
    sentences = []
    for verdict in (*SUMMARISED, None):
        count = verdicts.count(verdict)
        if count:
            sentences.append(
                f"{count} {'check' if count == 1 else 'checks'} {VERDICT_WORDS[verdict]}."
            )
    return " ".join(sentences)
