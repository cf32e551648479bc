"""The table at the end of a run: the class on one screen, readable in a pipe and in 40 columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.course import Component, Course, format_points
from autograder.display import one_line
from autograder.report import StudentReport
from autograder.scoring import AGAIN, NOT_YET, ClassStatistics

ID_WIDTH = 10
"""The least room for a student's id and for "class mean"."""
POINTS_WIDTH = 7


def print_class(
    console: Console,
    course: Course,
    reports: Sequence[StudentReport],
    statistics: ClassStatistics,
    files: Mapping[str, Path],
) -> None:
    """Print points per student, the class's mean and misconceptions, and where the files are.

    `files` maps what a file is to where it is. Nothing that came from a submission is read as
    markup or reaches the terminal with control characters.
    """
    console.print(_table(console, course, reports, statistics))
    if any(report.score.pending for report in reports):
        _say(console, "* part of these points is still pending")
    _print_troubles(console, reports)
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


def _table(
    console: Console,
    course: Course,
    reports: Sequence[StudentReport],
    statistics: ClassStatistics,
) -> Table:
    unicode = console.encoding.lower().startswith("utf")
    table = Table(box=SIMPLE_HEAD if unicode else ASCII, pad_edge=False)
    parts = [part for part in course.components if part.is_open]
    most = sum(part.points for part in parts if not part.extra)
    headers = _headers(console, parts)
    longest = max((len(one_line(report.score.student)) for report in reports), default=0)
    room = console.width - _width(headers)
    table.add_column("student", overflow="fold", min_width=max(ID_WIDTH, min(longest, room)))
    for header in headers:
        width = max(POINTS_WIDTH, *map(len, header.split()))
        table.add_column(Text(header), justify="right", overflow="fold", min_width=width)
    total = f"total\n/{format_points(most)}"
    table.add_column(total, justify="right", no_wrap=True, min_width=POINTS_WIDTH)
    shown = [part.id for part in parts][: len(headers)]
    for report in reports:
        score = report.score
        cells = {part.id: _cell(part.points, part.pending) for part in score.components}
        row = [one_line(score.student), *(cells[id] for id in shown)]
        row.append(_cell(score.total, score.pending))
        table.add_row(*map(Text, row), style="red" if report.refusals else None)
    table.add_section()
    means = [_cell(statistics.component_means[id]) for id in shown]
    row = ["class mean", *means, _cell(statistics.mean)]
    table.add_row(*map(Text, row), style="bold")
    return table


def _cell(points: int, pending: bool = False) -> str:
    return f"{'* ' if pending else ''}{points // 100}.{points % 100:02d}"


def _width(headers: Sequence[str]) -> int:
    """Return the columns that the points need: for the headers, and three more for each line."""
    widths = [max(POINTS_WIDTH, *map(len, header.split())) for header in headers]
    return sum(widths) + POINTS_WIDTH + 3 * (len(headers) + 2)


def _headers(console: Console, parts: Sequence[Component]) -> list[str]:
    """Return the components' titles, or letters explained above the table, or nothing, by width."""
    titles = ["\n".join([*p.title.split(), f"/{format_points(p.points)}"]) for p in parts]
    letters = [f"{chr(ord('A') + n)}\n/{format_points(p.points)}" for n, p in enumerate(parts)]
    for headers in (titles, letters):
        if _width(headers) + ID_WIDTH <= console.width:
            if headers is letters:
                for header, part in zip(letters, parts, strict=True):
                    _say(console, f"{header[0]}: {part.title}")
            return headers
    return []


def _print_troubles(console: Console, reports: Sequence[StudentReport]) -> None:
    """Name what an instructor has to look after: refused submissions and missing results."""
    refused = [(r.score.student, text) for r in reports for text in r.refusals]
    if refused:
        _say(console, "")
        _say(console, f"Not taken: {len(refused)}")
        for student, text in refused:
            _say(console, f"  {one_line(student)}: {one_line(text, 500)}")
    for reason in (AGAIN, NOT_YET):
        waiting = {
            one_line(report.score.student): [
                item.id for item in report.score.items if item.pending and item.reason == reason
            ]
            for report in reports
        }
        lines = [f"  {student}: {_some(ids)}" for student, ids in waiting.items() if ids]
        if lines:
            _say(console, "")
            _say(console, f"{reason.capitalize()}; run the same command once more:")
            for line in lines:
                _say(console, line)


def _some(ids: Sequence[str]) -> str:
    rest = len(ids) - 3
    return ", ".join(ids[:3]) + (f" and {rest} more" if rest > 0 else "")
