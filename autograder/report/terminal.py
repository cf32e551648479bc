"""The class's table at the end of a run, readable in a pipe and in 40 columns."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.course.points import format_points
from autograder.course.scoring import (
    EARLIER,
    MUST_BE_REGRADED,
    NOT_GRADED_YET,
    PENDING_GPU,
    TO_BE_MARKED,
    ComponentScore,
    PhaseScore,
)
from autograder.records import FULL_CREDIT
from autograder.report import changed_words
from autograder.report.asked_again import TO_BE_MARKED_AGAIN
from autograder.report.graded import NOT_TAKEN, GradedReport
from autograder.report.lateness_words import in_words
from autograder.report.not_handed_in import NOTHING_HANDED_IN
from autograder.report.points_words import EXCUSED, is_excused
from autograder.report.statistics import ClassStatistics
from autograder.text.display import one_line

MIN_ID_WIDTH = 10
"""Minimum width of the column of ids, in characters; "class mean" fits."""
FULL_ID_WIDTH = 24
"""Ids up to this length are shown on one line, if need be under short headers."""
POINTS_WIDTH = 6
BY_HAND = (TO_BE_MARKED, TO_BE_MARKED_AGAIN)
UNKNOWN = "-"
"""What was not graded yet."""
REMEDIES = {
    MUST_BE_REGRADED: "run the same command once more",
    NOT_GRADED_YET: "an earlier run was stopped, so run it once more",
    EARLIER: "that was stopped, so run it once more",
    NOT_TAKEN: "ask for it again",
}
"""What to do about each reason for pending points that no person has to give."""


def print_class(
    console: Console,
    reports: Sequence[GradedReport],
    statistics: ClassStatistics,
    files: Mapping[str, Path],
) -> None:
    """Print points per student, the class's mean and misconceptions, and the files' paths.

    `files` maps descriptions to paths. Text from a submission is never read as markup, and its
    control characters never reach the terminal.
    """
    console.print(_table(console, reports, statistics))
    if any(report.score.pending for report in reports):
        _say(console, "* part of these points is still pending")
    if any(part.is_unknown for report in reports for part in report.score.components):
        _say(console, f"{UNKNOWN} not graded yet")
    _print_troubles(console, reports)
    _print_by_hand(console, reports)
    _print_late(console, reports)
    _print_changed(console, reports)
    _print_flags(console, reports)
    if statistics.misconceptions:
        _say(console, "")
        _say(console, "Commonest misconceptions:")
        for entry in statistics.misconceptions:
            count = f"{entry.students} of {statistics.students} students"
            _say(console, f"  {count}: {one_line(entry.advice, 500)} ({one_line(entry.id)})")
    _say(console, "")
    width = max((len(label) for label in files), default=0)
    for label, path in files.items():
        # soft_wrap keeps a long path in one piece, for copying.
        _say(console, f"{label:{width}}  {path}", soft_wrap=True)


def _say(console: Console, text: str, soft_wrap: bool = False) -> None:
    console.print(Text(text), soft_wrap=soft_wrap)


def _table(console: Console, reports: Sequence[GradedReport], statistics: ClassStatistics) -> Table:
    most = max(report.score.max_total for report in reports)
    longest = max(len(one_line(report.score.student)) for report in reports)
    headers, chosen, gap = _headers(console, _columns(reports), longest)
    unicode = console.encoding.lower().startswith("utf")
    padding = (0, (gap - 1) // 2)
    table = Table(box=SIMPLE_HEAD if unicode else ASCII, pad_edge=False, padding=padding)
    available = console.width - _width(headers, gap)
    table.add_column(
        "student", overflow="fold", min_width=max(MIN_ID_WIDTH, min(longest, available))
    )
    for header in headers:
        width = max(POINTS_WIDTH, *map(len, header.split()))
        table.add_column(Text(header), justify="right", overflow="fold", min_width=width)
    total = f"total\n/{format_points(most)}"
    table.add_column(total, justify="right", no_wrap=True, min_width=POINTS_WIDTH + 1)
    for report in reports:
        score = report.score
        parts: list[ComponentScore | PhaseScore] = [*score.phases, *score.components]
        cells = {one.id: UNKNOWN if one.is_unknown else _part(one) for one in parts}
        row = [one_line(score.student), *(cells[one.id] for one in chosen)]
        row.append(UNKNOWN if score.is_unknown else _cell(score.final, score.pending))
        table.add_row(*map(Text, row), style="red" if report.refusals else None)
    table.add_section()
    means = {**statistics.phase_means, **statistics.component_means}
    row = ["class mean", *(_cell(means[one.id]) for one in chosen), _cell(statistics.mean)]
    table.add_row(*map(Text, row), style="bold")
    return table


@dataclass(frozen=True)
class _Column:
    """A column of points: a component's, or a phase's. `most` is what anybody can get in it."""

    id: str
    title: str
    most: int
    is_phase: bool = False


def _columns(reports: Sequence[GradedReport]) -> list[_Column]:
    """Return the columns of what is open; a phase's after its components, where there are several.

    Whoever is excused from something can get less than others.
    """
    columns = []
    phases = reports[0].score.shown
    for phase in phases:
        same = [one for report in reports for one in report.score.phases if one.id == phase.id]
        for part in phase.components:
            most = max(o.max_points for one in same for o in one.components if o.id == part.id)
            columns += [_Column(part.id, part.title, most)] * part.is_open
        if len(phases) > 1:
            most = max(one.max_total for one in same)
            columns.append(_Column(phase.id, phase.title, most, is_phase=True))
    return columns


def _part(part: ComponentScore | PhaseScore) -> str:
    if is_excused(part):
        return EXCUSED
    return _cell(part.final if isinstance(part, PhaseScore) else part.points, part.pending)


def _cell(points: int, pending: bool = False) -> str:
    return f"{'*' if pending else ''}{points // 100}.{points % 100:02d}"


def _width(headers: Sequence[str], gap: int) -> int:
    """Return the width of all columns of points, in characters, with the gaps between them."""
    widths = [max(POINTS_WIDTH, *map(len, header.split())) for header in headers]
    return sum(widths) + POINTS_WIDTH + 1 + gap * (len(headers) + 1) + 2


def _headers(
    console: Console, columns: Sequence[_Column], longest: int
) -> tuple[list[str], Sequence[_Column], int]:
    """Return headers, their columns, and the gap between these, that leave enough space for ids.

    They are titles, or letters explained above the table; where there are too many, those of the
    phases alone, or none at all.
    """
    wanted = max(MIN_ID_WIDTH, min(longest, FULL_ID_WIDTH))
    for chosen in (columns, [one for one in columns if one.is_phase]):
        most = [f"/{format_points(one.most)}" for one in chosen]
        titles = ["\n".join([*o.title.split(), m]) for o, m in zip(chosen, most, strict=True)]
        letters = [f"{chr(ord('A') + n)}\n{m}" for n, m in enumerate(most)]
        layouts = ((titles, 3, wanted), (letters, 3, wanted), (letters, 1, MIN_ID_WIDTH))
        for headers, gap, id_width in layouts:
            if _width(headers, gap) + id_width <= console.width:
                if headers is letters:
                    for header, one in zip(letters, chosen, strict=True):
                        _say(console, f"{header[0]}: {one.title}")
                return headers, chosen, gap
    return [], [], 3


def _print_troubles(console: Console, reports: Sequence[GradedReport]) -> None:
    """Name what needs the instructor's attention: refused submissions and missing results."""
    refused = [(r.score.student, text) for r in reports for text in r.refusals]
    if refused:
        _say(console, "")
        _say(console, f"Not taken: {len(refused)}")
        for student, text in refused:
            _say(console, f"  {one_line(student)}: {one_line(text, 500)}")
    _print_pending_gpu(console, reports)
    for reason, remedy in REMEDIES.items():
        waiting = {
            one_line(report.score.student): [
                item.id
                for item in report.score.items
                if item.pending and item.reason == reason and item.checks
            ]
            for report in reports
        }
        lines = [f"  {student}: {_some(ids)}" for student, ids in waiting.items() if ids]
        if lines:
            _say(console, "")
            _say(console, f"{reason.capitalize()}; {remedy}:")
            for line in lines:
                _say(console, line)


def _print_pending_gpu(console: Console, reports: Sequence[GradedReport]) -> None:
    """Print the number of projects that wait for the training job, and how to run it."""
    items = [item for r in reports for item in r.score.items if item.reason.startswith(PENDING_GPU)]
    if items:
        points = format_points(max(item.max_points for item in items))
        _say(console, "")
        _say(
            console,
            f"pending-gpu: {len(items)} project(s) wait for the training job, for up to {points} "
            "points each. On a machine with a GPU, with the same folders: make gpu SUBMISSIONS=... "
            "OUT=...",
        )


def _print_by_hand(console: Console, reports: Sequence[GradedReport]) -> None:
    """Print the number of answers to be marked by hand, and how many are in notebooks."""
    waiting = [
        (report, item)
        for report in reports
        for item in report.score.items
        if item.pending and item.reason in BY_HAND and report.documents.get(item.id)
    ]
    again = [item for _, item in waiting if item.reason == TO_BE_MARKED_AGAIN]
    students = {report.score.student for report, _ in waiting}
    notebooks = [
        item
        for report, item in waiting
        if any(name.endswith(".ipynb") for name in report.documents[item.id])
    ]
    if waiting:
        _say(console, "")
        text = f"To be marked by hand: {len(waiting)} answers of {len(students)} students"
        if again:
            text += f", {len(again)} of them again, since they were replaced after they were marked"
        if notebooks:
            text += (
                f", {len(notebooks)} of them in notebooks: make formgrader SUBMISSIONS=... OUT=..."
            )
        _say(console, text, soft_wrap=True)
    _print_missing(console, reports)


def _print_missing(console: Console, reports: Sequence[GradedReport]) -> None:
    """Print for how many items nothing was handed in."""
    missing = [
        report.score.student
        for report in reports
        for item in report.score.items
        if item.reason == NOTHING_HANDED_IN
    ]
    if missing:
        _say(console, "")
        _say(
            console,
            f"Nothing was handed in for {len(missing)} items of {len(set(missing))} students: "
            "0 points, and nobody waits for them.",
            soft_wrap=True,
        )


def _print_late(console: Console, reports: Sequence[GradedReport]) -> None:
    """Name the students who were late, and those whose hand-in time is unknown."""
    lines = [
        f"  {one_line(report.score.student)}: {week.week}, {in_words(week.late)}: "
        + (f"{week.days} of {report.late_days} late days spent, " if week.days else "")
        + f"keeps {100 * week.kept / FULL_CREDIT:.3g} % of its points"
        for report in reports
        for week in report.late
    ]
    if lines:
        _say(console, "")
        _say(console, "Late (totals are what counts, the components' columns are without that):")
        for line in lines:
            _say(console, line)
    undecided = [
        f"  {one_line(report.score.student)}: {', '.join(report.undecided)}"
        for report in reports
        if report.undecided
    ]
    if undecided:
        _say(console, "")
        _say(
            console,
            "Late by Canvas, whose export does not say how late: counted as in time until you "
            "decide. A line in handed_in.csv (student,received,commit,week) says when it came, or "
            "its due date for in time:",
        )
        for line in undecided:
            _say(console, line)
    unknown = {week.week for report in reports for week in report.handed_in if week.unknown}
    for name in sorted(unknown):
        students = [
            one_line(report.score.student)
            for report in reports
            if any(week.unknown and week.week == name for week in report.handed_in)
        ]
        _say(console, "")
        _say(
            console,
            f"{name} has a due date, and nothing says when {_some(students)} handed in: counted as "
            "in time. A file handed_in.csv beside the submissions can say it.",
        )


def _print_changed(console: Console, reports: Sequence[GradedReport]) -> None:
    """Print what a person changed, why and who."""
    lines = list(changed_words.of_class(reports))
    for line in [""] * bool(lines) + lines:
        _say(console, line, soft_wrap=True)


def _print_flags(console: Console, reports: Sequence[GradedReport]) -> None:
    """Name the students flagged by each rule."""
    students: dict[str, set[str]] = defaultdict(set)
    for report in reports:
        for _, flag in report.flags:
            students[one_line(flag.rule)].add(one_line(report.score.student))
    if students:
        _say(console, "")
        _say(console, "To be looked at by a person; it costs nothing by itself (see flags.csv):")
        for rule, flagged in sorted(students.items()):
            _say(console, f"  {rule}: {_some(sorted(flagged))}")


def _some(ids: Sequence[str]) -> str:
    rest = len(ids) - 3
    return ", ".join(ids[:3]) + (f" and {rest} more" if rest > 0 else "")


def say(console: Console, text: str, style: str = "") -> None:
    """Print a line unbroken, however long: paths and commands in it can be copied."""
    console.print(text, style=style, markup=False, soft_wrap=True)
