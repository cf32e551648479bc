"""What a person sees of a grading while it runs: a bar on a terminal, lines elsewhere.

Logs, pipes and batch systems get plain lines and never a control character.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as ProgressBar

from autograder.course import Course
from autograder.gradebook.heartbeat import RunningJob
from autograder.grading.pace import Timed, in_words, seconds_each, seconds_left, what_took_longest
from autograder.grading.run import Progress
from autograder.report.terminal import say
from autograder.text.display import one_line

LINE_SECONDS = 5.0
"""Minimum time from one line to the next."""
QUIET_SECONDS = 60.0
"""Time after which a line says what is running, though nothing has ended."""
NAMES_SHOWN = 3


def console_of_run() -> Console:
    """Return a console of standard output: without a terminal no setting makes it write colours."""
    return Console(highlight=False, force_terminal=None if sys.stdout.isatty() else False)


class Display:
    """Shows the progress of a grading, and keeps what each job took.

    `each` is what one submission of a week took in earlier runs, by the week's number.
    """

    def __init__(
        self, console: Console, course: Course, each: Mapping[int, float | None], at_once: int
    ):
        self._console, self._course = console, course
        self._each, self._at_once = each, at_once
        self._totals: dict[int, int] = {}
        self._progress = Progress(0, 0)
        self._timed: list[Timed] = []
        self._bar: ProgressBar | None = None
        self._said, self._said_at, self._begun = -1, float("-inf"), time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Show the bar meanwhile, where there is a terminal."""
        if not self._console.is_terminal:
            yield
            return
        columns = (
            TextColumn("grading"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[last]}", markup=False),
        )
        with ProgressBar(*columns, console=self._console, transient=True) as self._bar:
            self._bar.add_task("grading", total=None, last="")
            yield

    def report(self, progress: Progress) -> None:
        """Show what has been done; the first call says what is to do."""
        self._totals = self._totals or dict(progress.left)
        self._progress = progress
        if progress.student:
            self._timed.append(Timed(progress.student, progress.week, progress.seconds))
        if self._bar is not None:
            last = f"{one_line(progress.student)}, {self._name(progress.week)}"
            self._bar.update(
                self._bar.task_ids[0],
                total=progress.total,
                completed=progress.done,
                last=last if progress.student else "",
            )
        elif self._is_due(progress.done):
            self._say(self._line())

    def watch(self, running: Sequence[RunningJob]) -> None:
        """Say what is running where nothing has been said for long."""
        quiet = time.monotonic() - self._said_at >= QUIET_SECONDS
        if self._bar is None and quiet and running:
            self._say(f"{self._line()}; running: {self._running(running)}")

    def longest(self) -> list[str]:
        """Return lines that say what took longest."""
        return what_took_longest(self._timed, self._name)

    def _is_due(self, done: int) -> bool:
        ended = self._progress.done == self._progress.total
        waited = time.monotonic() - self._said_at >= LINE_SECONDS
        return bool(self._totals) and self._said != done and (ended or waited)

    def _say(self, line: str) -> None:
        self._said, self._said_at = self._progress.done, time.monotonic()
        say(self._console, line)

    def _line(self) -> str:
        now = self._progress
        weeks = ", ".join(
            f"{self._name(week)}: {total - now.left.get(week, 0)} of {total}"
            for week, total in sorted(self._totals.items())
        )
        total = sum(self._totals.values())
        done = total - sum(now.left.values())
        if done == total:
            return f"graded {done} of {total} ({weeks}) in {self._clock()}"
        each = {**self._each, **seconds_each(self._timed)}
        left = seconds_left(now.with_files, each, self._at_once)
        return f"graded {done} of {total} ({weeks}), {in_words(left)}"

    def _clock(self) -> str:
        return f"{time.monotonic() - self._begun:.0f} s"

    def _running(self, running: Sequence[RunningJob]) -> str:
        now = datetime.now(UTC)
        named = [
            f"{one_line(job.student)}, {self._name(job.week)}: {(now - job.since).seconds} s"
            for job in running[:NAMES_SHOWN]
        ]
        rest = len(running) - len(named)
        return "; ".join(named) + (f" and {rest} more" if rest else "")

    def _name(self, week: int) -> str:
        return self._course.week(week).name if week else ""
