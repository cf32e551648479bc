"""Grading a whole class, all weeks: wall time, time per submission, and its parts.

Simulates a class with every week that can be graded and grades it as `make grade` does, on
all processors. The parts are seconds of the examiners, added up over their processes; what is left
of processes x wall time is the journal's writing and the end, when one process has nothing to do.
"""

from __future__ import annotations

import functools
import json
import os
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import data
from autograder import course as courses
from autograder.author.simulate.class_folder import write_class
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading import run as grading
from autograder.grading.operations import examiner_of, operation
from autograder.grading.setting import Setting
from autograder.intake.reading import take_in

ROOT = Path(__file__).resolve().parent.parent
STUDENTS = 20
TINY = {"students": 2}
LOG = "CLASS_SPEED_LOG"
EXAMINERS, SANDBOX, TRAINING = "making examiners", "sandbox start", "training"
STUDENT_TESTS, QUALITY, DIAGNOSIS = "students' own tests", "quality", "diagnosis"


class Stopwatch:
    """Splits time into parts that don't overlap: time counts for the innermost part."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count the time of the body for `name`, except what inner parts take."""
        self._turn()
        self._open.append(name)
        try:
            yield
        finally:
            self._turn()
            self._open.pop()

    def _turn(self) -> None:
        now = time.perf_counter()
        if self._open:
            self.seconds[self._open[-1]] += now - self._since
        self._since = now

    def watch(self, owner: type, method: str, name: str) -> None:
        """Count the time of a method for `name` from now on, inside other parts only."""
        call: Callable[..., Any] = getattr(owner, method)

        @functools.wraps(call)
        def watched(*arguments: Any, **named: Any) -> Any:
            if not self._open:
                return call(*arguments, **named)
            with self.part(name):
                return call(*arguments, **named)

        setattr(owner, method, watched)


@functools.cache
def installed() -> Stopwatch:
    """Return this process's stopwatch, once it watches the parts of an examination."""
    from autograder.grading.diagnosis import Diagnoser
    from autograder.grading.quality import Quality
    from autograder.grading.student_tests import Mutation
    from autograder.sandbox import Sandbox

    watch = Stopwatch()
    for method in ("__init__", "import_modules"):
        watch.watch(Sandbox, method, SANDBOX)
    watch.watch(Diagnoser, "explain", DIAGNOSIS)
    watch.watch(Mutation, "examine", STUDENT_TESTS)
    watch.watch(Quality, "measure", QUALITY)
    return watch


@operation("examined")
def examine_submission(submission: Submission, week: int) -> Any:
    """Examine as the grader does, and record the time of each part."""
    watch = installed()
    watch.seconds.clear()
    suite = f"suite of week {week}"
    with watch.part(EXAMINERS):
        examiner = examiner_of(week)
    with watch.part(suite):
        found, seconds = ORIGINAL(submission, week)
    trained = {check.id for check in examiner.plan if check.item.endswith(".accuracy")}
    watch.seconds[TRAINING] = sum(one.seconds for one in found.results if one.check in trained)
    watch.seconds[suite] -= watch.seconds[TRAINING]
    with open(os.environ[LOG], "a") as log:
        log.write(json.dumps(watch.seconds) + "\n")
    return found, seconds


ORIGINAL = grading.examine_submission


def main(students: int = STUDENTS) -> None:
    """Write the class, grade it twice, and print the table."""
    course = courses.load(ROOT)
    jobs = os.cpu_count() or 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[LOG] = str(log_for_everybody(folder))
        simulated = write_class(course, ROOT, folder / "class", students, seed=0)
        weeks = [course.week(planted.week) for planted in simulated[0].weeks]
        datasets = {
            week.number: week.data if week.data is None or data.cached(week.data) else "digits"
            for week in weeks
        }
        setting = Setting(ROOT, datasets)
        vars(grading)["examine_submission"] = examine_submission
        try:
            first = grade(course, setting, folder, jobs)
            parts: Counter[str] = Counter()
            for line in (folder / "log").read_text().splitlines():
                parts.update(json.loads(line))
            again = grade(course, setting, folder, jobs)
        finally:
            vars(grading)["examine_submission"] = ORIGINAL
    numbers = " and ".join(str(week.number) for week in weeks)
    trained = ", ".join(sorted({name for name in datasets.values() if name}))
    print(f"Class of {students}, weeks {numbers}, trained on {trained}, {jobs} processes")
    print_table(first, parts, jobs, students, len(weeks))
    print(f"  the same command once more, nothing changed: {again['wall']:.1f} s")


def log_for_everybody(folder: Path) -> Path:
    """Make the log, which examiners that have given up root write to as other users."""
    log = folder / "log"
    log.touch()
    log.chmod(0o666)
    folder.chmod(0o711)
    return log


def grade(course: courses.Course, setting: Setting, folder: Path, jobs: int) -> dict[str, float]:
    """Grade the class in `folder`; return the seconds of the run and of its beginnings."""
    started = time.perf_counter()
    seen: list[float] = []
    weeks = [course.week(number) for number in setting.datasets]
    taken = take_in(folder / "class", weeks, course.weeks)
    read = time.perf_counter()

    def report(progress: grading.Progress) -> None:
        seen.append(time.perf_counter())

    with Gradebook.open(folder / "gradebook.sqlite") as gradebook:
        grading.grade_class(course, setting, taken, gradebook, jobs, report)
    wall = time.perf_counter() - started
    return {"wall": wall, "reading": read - started, "pool start": seen[0] - read}


def print_table(
    run: dict[str, float], parts: Counter[str], jobs: int, students: int, weeks: int
) -> None:
    """Print the run's time, and its parts in seconds, per submission and as shares."""
    wall, submissions = run["wall"], students * weeks
    print(
        f"  {wall:.1f} s wall time, {wall / students:.2f} s per student, "
        f"{wall / submissions:.2f} s per student and week"
    )
    # While the class is read and the pool starts, nothing else goes on.
    rows = {
        "reading submissions": run["reading"] * jobs,
        "pool start, plans": run["pool start"] * jobs,
        **{name: parts[name] for name in sorted(parts, key=lambda name: -parts[name])},
    }
    rows["journal, waiting at the end"] = jobs * wall - sum(rows.values())
    print(f"  {'part':28} {'seconds':>8} {'per submission':>15} {'share':>7}")
    for name, seconds in rows.items():
        share = seconds / (jobs * wall)
        print(f"  {name:28} {seconds:8.1f} {seconds / submissions:13.3f} s {share:7.1%}")


if __name__ == "__main__":
    main()
