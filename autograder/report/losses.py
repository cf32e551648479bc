"""What was lost, merged, split or left alone at intake: notices.csv, and the end of a run."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.console import Console

from autograder.gradebook.people import Loss
from autograder.report.terminal import say
from autograder.tables.formulas import guard_formula
from autograder.text.display import one_line

NOTICES = "notices.csv"
SHOWN_OF_A_KIND = 5
NAMES_SHOWN = 12


def notices_csv(losses: Iterable[Loss]) -> str:
    """Return the losses as CSV: student, week, kind, notice, read from, read at."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["student", "week", "kind", "notice", "read from", "read at"])
    for one in losses:
        texts = (one.student, one.week, one.kind, one.text, one.source, one.seen)
        writer.writerow([guard_formula(text) for text in texts])
    return buffer.getvalue()


def print_losses(
    console: Console, losses: Sequence[Loss], absent: Sequence[str], path: Path
) -> None:
    """Print what was lost at this run's intake, some of each kind, and who handed in nothing."""
    if absent:
        rest = len(absent) - NAMES_SHOWN
        names = ", ".join(map(one_line, absent[:NAMES_SHOWN]))
        more = f" and {rest} more" if rest > 0 else ""
        say(console, "")
        say(console, f"{len(absent)} in the roster handed in nothing: {names}{more}")
    if not losses:
        return
    kinds: dict[str, list[Loss]] = defaultdict(list)
    for one in losses:
        kinds[one.kind].append(one)
    say(console, "")
    say(console, f"Lost, renamed or left alone at intake: {len(losses)} (all in {path})")
    for kind, each in sorted(kinds.items()):
        for one in each[:SHOWN_OF_A_KIND]:
            whose = f"{one_line(one.student)}: " if one.student else ""
            say(console, f"  {kind}: {whose}{one_line(one.text, 300)}")
        rest = len(each) - SHOWN_OF_A_KIND
        if rest > 0:
            say(console, f"  {kind}: {rest} more")
