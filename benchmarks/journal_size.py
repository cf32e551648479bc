"""What a large class costs in its journal and its reports: disk, time and memory per student.

A small simulated class is graded for real. Its results are then recorded for many students through
the journal, under other names, with other times, with other numbers in two thirds of the messages
and with one verdict in fifty exchanged. So sizes and times are those of journal and reports alone:
no student code runs. `--real` grades a simulated class of each size instead, which takes as long as
that takes. Each phase runs in a process of its own: its CPU time is measured, since the machine may
have other work, and the peak of its memory.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import random
import re
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import data
from autograder import course as courses
from autograder.author.simulate.class_folder import write_class
from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.grading import run as grading
from autograder.grading.setting import Setting
from autograder.intake.reading import take_in
from autograder.records import CheckResult, PlannedCheck, Verdict
from autograder.report.class_files import write_class as write_reports
from autograder.report.gather import gather

ROOT = Path(__file__).resolve().parent.parent
BOOK = "gradebook.sqlite"
SIZES, BASE = (125, 250, 500, 1000), 12
TINY = {"students": (4, 8), "base": 2, "weeks": (1,)}
OTHER_MESSAGE, OTHER_VERDICT = 2 / 3, 1 / 50
MB = 1e6


@dataclass(frozen=True)
class Graded:
    """One student's week as it was graded."""

    student: str
    week: int
    notices: tuple[str, ...]
    is_empty: bool
    plan: Sequence[PlannedCheck]
    depends: Mapping[str, str] | None
    results: Sequence[CheckResult]
    flags: Sequence[Flag]
    seconds: float


def main(
    students: Sequence[int] = SIZES,
    base: int = BASE,
    weeks: Sequence[int] | None = None,
    graded: Path | None = None,
    is_real: bool = False,
) -> None:
    """Measure classes of each size, and print a table.

    base: number of students that are graded for real; weeks: the numbers of theirs (None: all that
    can be graded); graded: a folder graded before, instead; is_real: grade everybody.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if graded is None and not is_real:
            graded = folder / "base"
            graded_for_real(folder / "class", graded, base, weeks)
        first: dict[str, float] = {}
        for size in students:
            out = folder / str(size)
            fill = partial(recorded, graded) if graded else partial(real, weeks=weeks)
            row = {"students": size, **measured(out, size, fill)}
            first = first or row
            print_row(row, first)


def command_line(arguments: Sequence[str]) -> None:
    """Run with what the command line says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.journal_size", description=__doc__)
    parser.add_argument("--students", type=int, nargs="+", default=SIZES, help="sizes of the class")
    parser.add_argument("--base", type=int, default=BASE, help="students graded for real")
    parser.add_argument("--weeks", type=int, nargs="+", help="default: all that can be graded")
    parser.add_argument("--graded", type=Path, help="a folder graded before, instead of --base")
    parser.add_argument("--real", action="store_true", help="grade every student of each size")
    options = vars(parser.parse_args(arguments))
    main(is_real=options.pop("real"), **options)


def real(out: Path, students: int, weeks: Sequence[int] | None) -> dict[str, float]:
    """Grade a simulated class of this size for real; return what reading and grading took."""
    with watched() as found:
        graded_for_real(out / "class", out, students, weeks)
    return {**apart(read_in, out / "class"), "grade s": found["s"], "grade MB": found["MB"]}


def graded_for_real(folder: Path, out: Path, students: int, weeks: Sequence[int] | None) -> None:
    """Write a simulated class into `folder` and grade it into `out`."""
    course = courses.load(ROOT)
    simulated = write_class(course, ROOT, folder, students, seed=0)
    numbers = [one.week for one in simulated[0].weeks if not weeks or one.week in weeks]
    chosen = [course.week(number) for number in numbers]
    datasets = {
        week.number: week.data if week.data is None or data.cached(week.data) else "digits"
        for week in chosen
    }
    taken = take_in(folder, chosen, course.weeks)
    with Gradebook.open(out / BOOK) as book:
        grading.grade_class(
            course, Setting(ROOT, datasets), taken, book, os.cpu_count() or 1, lambda _: None
        )


def measured(
    out: Path, students: int, fill: Callable[[Path, int], dict[str, float]]
) -> dict[str, float]:
    """Fill a gradebook, then read and report it, each in a process of its own."""
    row = apart(fill, out, students)
    row["journal MB"] = (out / BOOK).stat().st_size / MB
    for phase in (looked_at, planned_again, reported):
        row |= apart(phase, out)
    sizes: Counter[str] = Counter()
    for file in (out / "students").rglob("*.*"):
        sizes[file.suffix] += file.stat().st_size
    row["results.json MB"] = sizes[".json"] / MB
    row["feedback.md MB"] = sizes[".md"] / MB
    before = (out / BOOK).stat().st_size
    jobs = apart(stopped, out)["jobs"]
    row["stopped KB/job"] = ((out / BOOK).stat().st_size - before) / 1e3 / max(jobs, 1)
    return row


def apart(phase: Callable[..., dict[str, float]], *arguments: Any) -> dict[str, float]:
    """Run a phase in a new process, which no earlier one's memory is counted in."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        return pool.submit(phase, *arguments).result()


@contextmanager
def watched() -> Iterator[dict[str, float]]:
    """Measure CPU seconds, and the peak of this process's memory beyond what it had before."""
    found: dict[str, float] = {}
    before, started = peak_mb(), time.process_time()
    yield found
    found["s"] = time.process_time() - started
    found["MB"] = peak_mb() - before


def peak_mb() -> float:
    """Return the peak of this process's memory. `getrusage` would count its parent's with it."""
    status = Path("/proc/self/status").read_text("utf-8")
    found = re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024 / MB


# The phases.


def recorded(base: Path, out: Path, students: int) -> dict[str, float]:
    """Record a class made of what is in `base`, as a run does."""
    course = courses.load(ROOT)
    with Gradebook.open(base / BOOK) as book:
        graded = [list(weeks) for weeks in _graded(book)]
    names = [f"s{number:05}" for number in range(students)]
    class_of = list(zip(names, itertools.cycle(graded), strict=False))
    weeks = sorted({one.week for each in graded for one in each})
    with watched() as found, Gradebook.open(out / BOOK) as book:
        book.start_run("none", "digits", course.salt, {})
        todo = []
        for week in weeks:
            mine = [(s, one) for s, each in class_of for one in each if one.week == week]
            book.add_submissions([_submission(s, one) for s, one in mine], week)
            jobs = [(_job(student, one), one) for student, one in mine]
            book.plan_all([job for job, _ in jobs], mine[0][1].plan, mine[0][1].depends)
            todo += jobs
        for job, one in todo:
            results = list(_varied(one.results, random.Random(job.key)))
            book.record(job.key, results, one.seconds, one.flags)
        book.finish_run()
    return {"record s": found["s"], "record MB": found["MB"]}


def read_in(folder: Path) -> dict[str, float]:
    """Read a class's submissions, which are then in memory until they are graded."""
    course = courses.load(ROOT)
    with watched() as found:
        take_in(folder, course.weeks)
    return {"intake s": found["s"], "intake MB": found["MB"]}


def looked_at(out: Path) -> dict[str, float]:
    """Read what `autograder status` reads."""
    with watched() as found, Gradebook.copy_of(out / BOOK) as book:
        book.standings()
    return {"status s": found["s"], "status MB": found["MB"]}


def planned_again(out: Path) -> dict[str, float]:
    """Hand in and plan everything once more, as a second run does in which nothing changed."""
    return {"again s": _plan_all(out, "")["s"]}


def stopped(out: Path) -> dict[str, float]:
    """Plan everything under other keys, as after a change of the suite; nothing is examined."""
    return _plan_all(out, " of another suite")


def _plan_all(out: Path, suffix: str) -> dict[str, float]:
    count = 0
    with Gradebook.open(out / BOOK) as book:
        by_week: dict[int, list[GradingJob]] = defaultdict(list)
        for student in book.students():
            for week in book.weeks(student):
                if job := book.job(student, week):
                    by_week[week].append(job)
        with watched() as found:
            book.start_run("none", "digits", "", {})
            for jobs in by_week.values():
                plan, depends = book.planned_in(jobs[0]), book.dependencies(jobs[0].key)
                book.plan_all([replace(job, key=job.key + suffix) for job in jobs], plan, depends)
                count += len(jobs)
    return {**found, "jobs": count}


def reported(out: Path) -> dict[str, float]:
    """Gather the reports and write the class's files."""
    course = courses.load(ROOT)
    with watched() as all_of_it:
        with Gradebook.open(out / BOOK) as book, watched() as gathering:
            reports = gather(course, book)
        with watched() as writing:
            write_reports(course, reports, out)
    return {"gather s": gathering["s"], "write s": writing["s"], "reports MB": all_of_it["MB"]}


# The students.


def _graded(book: Gradebook) -> Iterator[Iterator[Graded]]:
    """Yield each student's weeks that have results."""
    for student in book.students():
        yield (one for week in book.weeks(student) if (one := _week(book, student, week)))


def _week(book: Gradebook, student: str, week: int) -> Graded | None:
    job, receipt = book.job(student, week), book.submission(student, week)
    if job is None or receipt is None:
        return None
    return Graded(
        student,
        week,
        receipt.notices,
        not book.has(student, week),
        book.planned_in(job),
        book.dependencies(job.key),
        book.results_of(job),
        book.flags_of(job),
        job.seconds,
    )


def _submission(student: str, one: Graded) -> Submission:
    files = {} if one.is_empty else {"module.py": f"{student} after {one.student}".encode()}
    return Submission(student, files, one.notices)


def _job(student: str, one: Graded) -> GradingJob:
    submission = _submission(student, one)
    key = sha256(f"{student} {one.week} {submission.fingerprint}".encode()).hexdigest()
    return GradingJob(key, student, one.week, submission.fingerprint, "none")


def _varied(results: Sequence[CheckResult], dice: random.Random) -> Iterable[CheckResult]:
    """Yield results as another student might have had them."""
    failed = [one for one in results if one.verdict is not Verdict.PASS]
    for one in results:
        if failed and dice.random() < OTHER_VERDICT:
            one = replace(dice.choice(failed), check=one.check)
        message = one.message
        if dice.random() < OTHER_MESSAGE:
            message = re.sub(r"\d", lambda _: str(dice.randrange(10)), message)
        yield replace(one, message=message, seconds=one.seconds * dice.uniform(0.5, 2))


def print_row(row: Mapping[str, float], first: Mapping[str, float]) -> None:
    """Print one class: each figure, for one student, and as a ratio to the smallest class's."""
    print(f"{row['students']:.0f} students{'':22}in all   per student   of the first size's")
    for name, value in row.items():
        if name == "students":
            continue
        if "/" in name:
            print(f"  {name:26} {value:10.3f}")
            continue
        each, then = value / row["students"], first[name] / first["students"]
        unit = {"MB": 1000, "s": 1000}[name.rpartition(" ")[2]]
        shown = f"{each * unit:10.2f} {'KB' if name.endswith('MB') else 'ms'}"
        print(f"  {name:26} {value:10.2f} {shown} {each / then if then else 1:14.2f}", flush=True)


if __name__ == "__main__":
    command_line(sys.argv[1:])
