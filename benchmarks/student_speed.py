"""One student's weeks in one process, an empty week, and two processes against one.

Real jobs in pools of examiners that are ready: every week that NumPy alone can grade, as a right
solution, trained on the digits. One process does the jobs one by one, then two processes do the
same jobs at once, in turns. The start of the examiners and the journal are not in these seconds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path

from autograder import course as courses
from autograder.gradebook.submission import Submission
from autograder.grading.operations import describe, examine_submission
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting, embedded_for
from autograder.reference.gaps import render
from autograder.reference.misconceptions import solution_files
from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parent.parent
STUDENTS, ROUNDS, WEEKS = 2, 3, (1, 2, 3)
TINY = {"students": 1, "rounds": 1, "weeks": (3,)}
PROCESSES = 2
WEEKS_GOAL, EMPTY_GOAL, SCALING_GOAL = 4.5, 0.1, 1.9


def main(students: int = STUDENTS, rounds: int = ROUNDS, weeks: Sequence[int] = WEEKS) -> list[Row]:
    """Print the seconds of each week, of empty ones and the ratio; return the rows of the goals."""
    course = courses.load(ROOT)
    datasets = {week: embedded_for(course.week(week)) for week in weeks}
    setting = Setting(ROOT, datasets)
    many = (os.cpu_count() or 1) >= PROCESSES
    full: dict[int, list[float]] = {week: [] for week in weeks}
    empty: dict[int, list[float]] = {week: [] for week in weeks}
    ratios = []
    with open_pool(setting, 1) as one, open_pool(setting, PROCESSES, first_slot=1) as two:
        for pool, processes in ((one, 1), (two, PROCESSES if many else 0)):
            make_ready(pool, weeks, processes)
        for turn in range(rounds):
            jobs = class_of(students, weeks, turn)
            alone = 0.0
            for submission, week in jobs:
                seconds = timed(one, submission, week)
                full[week].append(seconds)
                alone += seconds
            for week in weeks:
                empty[week].append(timed(one, Submission("empty"), week))
            if many:
                ratios.append(alone / together(two, jobs))
    return table(full, empty, ratios, students * len(weeks))


def make_ready(pool: Executor, weeks: Sequence[int], processes: int) -> None:
    """Have each process plan and examine every week once, so that nothing is done first later."""
    if processes:
        for week in weeks:
            pool.submit(describe, week).result()
        for week in weeks:
            jobs = class_of(processes, [week], turn=-1)
            together(pool, jobs)


def class_of(students: int, weeks: Sequence[int], turn: int) -> list[tuple[Submission, int]]:
    """Return the jobs of a class of right solutions, week by week, unlike those of other turns."""
    jobs = []
    for number in weeks:
        week = courses.load(ROOT).week(number)
        right = {
            name: render(source.decode(), name, lambda gap: False)
            for name, source in solution_files(ROOT, week).items()
        }
        for student in range(students):
            files = {
                name: f"{source}\n# Student {student}, turn {turn}.\n".encode()
                for name, source in right.items()
            }
            jobs.append((Submission(f"student{student}", files), number))
    return jobs


def timed(pool: Executor, submission: Submission, week: int) -> float:
    """Return the seconds of one job. Raises SystemExit where the grader failed."""
    started = time.perf_counter()
    check(pool.submit(examine_submission, submission, week).result())
    return time.perf_counter() - started


def together(pool: Executor, jobs: Sequence[tuple[Submission, int]]) -> float:
    """Return the seconds until all jobs are done that were submitted at once."""
    started = time.perf_counter()
    futures = [pool.submit(examine_submission, submission, week) for submission, week in jobs]
    for future in futures:
        check(future.result())
    return time.perf_counter() - started


def check(outcome: tuple) -> None:
    """Raise SystemExit if a check of a job has no result because the grader failed."""
    failed = [result for result in outcome[0].results if result.verdict == "infra"]
    if failed:
        raise SystemExit(f"the grader failed in {failed[0].check}: {failed[0].message}")


def table(
    full: Mapping[int, list[float]],
    empty: Mapping[int, list[float]],
    ratios: Sequence[float],
    jobs: int,
) -> list[Row]:
    """Print what was measured, and return the rows of the goals."""
    weeks = list(full)
    medians = {week: statistics.median(full[week]) for week in weeks}
    nothing = {week: statistics.median(empty[week]) for week in weeks}
    print("One student's weeks in one process, trained on digits (medians)")
    print(f"  {'':8} {'right':>8} {'empty':>9}")
    for week in weeks:
        print(f"  week {week:<3} {medians[week]:6.2f} s {nothing[week]:7.3f} s")
    total = sum(medians.values())
    print(f"  together {total:5.2f} s (goal: at most {WEEKS_GOAL})")
    rows = [
        Row(f"one student, {named(weeks)}, one process", total, WEEKS_GOAL),
        Row("an empty submission of a week (the slowest one)", max(nothing.values()), EMPTY_GOAL),
    ]
    if ratios:
        ratio = statistics.median(ratios)
        print(
            f"  {jobs} jobs by {PROCESSES} processes {ratio:.2f} times as fast as by one "
            f"(median of {len(ratios)} rounds; goal: at least {SCALING_GOAL})"
        )
        what = f"{PROCESSES} processes against one"
        rows.append(Row(what, ratio, SCALING_GOAL, "times", at_least=True))
    else:
        print(f"  {PROCESSES} processes against one: not measured, there is one processor here")
    return rows


def named(weeks: Sequence[int]) -> str:
    """Return what to call some weeks: "weeks 1, 2, 3"."""
    return f"week{'s' if len(weeks) > 1 else ''} {', '.join(map(str, weeks))}"


if __name__ == "__main__":
    main()
