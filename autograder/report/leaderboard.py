"""The class's leaderboard of trained networks, by accuracy and training time."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import ASCII, SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autograder.gradebook.journal import PARTS, Gradebook
from autograder.report.graded import Row
from autograder.text.display import one_line


def ranking(gradebook: Gradebook, week: int, part: str, students: Iterable[str]) -> list[Row]:
    """Return the students' trainings, the most accurate first, among equals the fastest.

    Of trainings that give points it is the one that counts.
    """
    rows = []
    job_of = gradebook.counting_job if part in PARTS else gradebook.job
    for student in students:
        results = gradebook.results_of(job_of(student, week, part))
        result = results[0] if results else None
        accuracy = result.detail.get("accuracy") if result else None
        rows.append(Row(student, accuracy, result.seconds if result else 0.0, result))
    return sorted(rows, key=lambda row: (-(row.accuracy or 0.0), row.seconds, row.student))


def print_board(console: Console, rows: Iterable[Row], title: str) -> None:
    """Print the leaderboard, then the failures and doubts for a person to look at."""
    unicode = console.encoding.lower().startswith("utf")
    table = Table(box=SIMPLE_HEAD if unicode else ASCII, pad_edge=False, title=Text(title))
    table.add_column("student", overflow="fold")
    for header in ("accuracy", "moved", "epochs", "seconds"):
        table.add_column(header, justify="right", no_wrap=True)
    notes = []
    for row in rows:
        detail = row.result.detail if row.result else {}
        shown = [_percent(row.accuracy), _percent(detail.get("accuracy_moved"))]
        shown += [str(detail.get("epochs", "-")), f"{row.seconds:.0f}"]
        table.add_row(*(Text(text) for text in (one_line(row.student), *shown)))
        if row.result and (row.accuracy is None or row.doubts):
            verdict = row.result.verdict
            notes.append(f"{one_line(row.student)}: {verdict}: {one_line(row.result.message, 700)}")
    console.print(table)
    for note in notes:
        console.print(Text(note), soft_wrap=True)


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.2%}"
