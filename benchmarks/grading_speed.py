"""Seconds per submission: the grader in its sandbox against one lean pytest process each.

    python -m benchmarks.grading_speed [--submissions 20] [--rounds 3]

Both run the same hidden tests of week 1 (all but the training) on the same submissions: the
reference, and the reference with one catalogued mistake each. The grader does the whole job: the
start of the examiner, a sandbox for each submission, the diagnosis, the flags and the second look
with other inputs, the student's own tests, the code's quality. pytest loads no plugins that it
doesn't need. The two take turns, so a machine that is busy meanwhile slows both.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from autograder import course as courses
from autograder.reference.misconceptions import apply, catalogue_of, solution_files
from benchmarks.lean_pytest import ONE_THREAD, lean_pytest
from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS, ROUNDS = 20, 3
TINY = {"submissions": 2, "rounds": 1}
GOALS = (0.35, 0.40)
"""Ratios to reach, with one process and with all."""

Files = dict[str, bytes]

_examiner = None


def make_class(count: int) -> list[Files]:
    """Return so many submissions: the reference, then one mistake each."""
    course = courses.load(ROOT)
    week = course.week(1)
    reference = solution_files(ROOT, week)
    wrong = [apply(mistake, reference) for mistake in catalogue_of(ROOT, course, week)]
    return [reference, *wrong][:count]


def examine(files: Files) -> int:
    """Run the unit tests of one submission in the sandbox; return how many passed."""
    global _examiner
    from autograder.grading.examiner import Examiner
    from autograder.sandbox.choose import choose

    if _examiner is None:
        _examiner = Examiner(ROOT, 1, choose(os.getpid() % 64), None)
    trained = _examiner.session.training
    results = _examiner.examine(files, training=False).results
    suite = {check.id for check in _examiner.session.plan} - trained
    return sum(result.verdict == "pass" for result in results if result.check in suite)


def plain(folder: Path) -> int:
    """Run the same tests by a plain pytest process; return how many passed."""
    suite = ROOT / "assignments" / "week1_backprop" / "hidden"
    options = ["--import-mode=importlib", "-p", "autograder.suite.hidden.pytest_plugin"]
    options += ["-m", "not training and not flag", "--student", str(folder), str(suite)]
    return lean_pytest(folder, options, path=str(ROOT))


def time_grader(submissions: Sequence[Files], jobs: int) -> tuple[float, list[int]]:
    """Return the seconds for all submissions, examiners' start included, and what passed."""
    context = multiprocessing.get_context("spawn")
    started = time.perf_counter()
    with ProcessPoolExecutor(jobs, context) as pool:
        passed = list(pool.map(examine, submissions))
    return time.perf_counter() - started, passed


def time_plain(folders: Sequence[Path], jobs: int) -> tuple[float, list[int]]:
    """Return the seconds for all submissions, `jobs` pytest processes at a time."""
    started = time.perf_counter()
    with ThreadPoolExecutor(jobs) as pool:
        passed = list(pool.map(plain, folders))
    return time.perf_counter() - started, passed


def main(submissions: int = SUBMISSIONS, rounds: int = ROUNDS) -> list[Row]:
    """Print seconds per submission and their ratio, one at a time and on all processors.

    Returns the rows of the goals.
    """
    os.environ.update(ONE_THREAD)
    made = make_class(submissions)
    with tempfile.TemporaryDirectory() as name:
        folders = []
        for index, files in enumerate(made):
            folder = Path(name) / str(index)
            folder.mkdir()
            for file, content in files.items():
                (folder / file).write_bytes(content)
            folders.append(folder)
        print(f"Week 1, whole jobs without training, {len(made)} submissions")
        at_once = dict.fromkeys((1, os.cpu_count() or 1))
        return [_compare(made, folders, jobs, rounds) for jobs in at_once]


def _compare(submissions: Sequence[Files], folders: Sequence[Path], jobs: int, rounds: int) -> Row:
    pairs = []
    for _ in range(rounds):
        ours, passed = time_grader(submissions, jobs)
        theirs, expected = time_plain(folders, jobs)
        if passed != expected:
            raise SystemExit(f"not the same results: {passed} in the sandbox, {expected} in pytest")
        pairs.append((ours / len(submissions), theirs / len(submissions)))
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    goal = GOALS[jobs > 1]
    print(
        f"  {jobs} at a time: grader {ours:.3f} s, lean pytest {theirs:.3f} s per submission; "
        f"ratio {ratio:.2f} (median of {rounds} rounds; goal: at most {goal:.2f})"
    )
    what = "week 1 without training against lean pytest, one process"
    if jobs > 1:
        what = f"the same with all {jobs} processors busy"
    return Row(what, ratio, goal, "times")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--submissions", type=int, default=SUBMISSIONS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    main(**vars(parser.parse_args()))
