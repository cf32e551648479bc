"""Seconds per submission: the grader in its sandbox against one plain pytest process each.

Both run the same hidden tests of week 1 (all but the training) on the same 20 submissions: the
reference, and the reference with one catalogued mistake each. The grader's time contains the start
of the examiner, a sandbox for each submission, a fresh process for each test, and the diagnosis.
The two take turns, so a machine that is busy meanwhile slows both.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

from autograder import course as courses
from autograder.reference.misconceptions import apply, catalogue_of, solution_files

ROOT = Path(__file__).resolve().parent.parent
SUBMISSIONS, ROUNDS = 20, 3
ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
Files = dict[str, bytes]

_examiner = None


def make_class() -> list[Files]:
    """Return the submissions: the reference, then one mistake each."""
    course = courses.load(ROOT)
    week = course.week(1)
    reference = solution_files(ROOT, week)
    wrong = [apply(mistake, reference) for mistake in catalogue_of(ROOT, course, week)]
    return [reference, *wrong][:SUBMISSIONS]


def examine(files: Files) -> int:
    """Run the unit tests of one submission in the sandbox; return how many passed."""
    global _examiner
    from autograder.grading.examiner import Examiner
    from autograder.sandbox.choose import choose
    from autograder.suite.hidden.sandbox_host import SandboxHost

    if _examiner is None:
        _examiner = Examiner(ROOT, 1, choose(os.getpid() % 64), None)
    checks = {check.id: check for check in _examiner.session.plan}
    unit = {name for name, check in checks.items() if check.item != "week1.accuracy"}
    host = SandboxHost(_examiner.confinement, files, _examiner.limits, _examiner.week.modules)
    try:
        outcomes = _examiner.session.run(host, only=unit)
    finally:
        host.close()
    results = [_examiner.explained(outcome, checks) for outcome in outcomes]
    return sum(result.verdict == "pass" for result in results)


def plain(folder: Path) -> int:
    """Run the same tests by a plain pytest process; return how many passed."""
    suite = ROOT / "assignments" / "week1_backprop" / "hidden"
    command = [sys.executable, "-m", "pytest", "-q", "-c", os.devnull, "--tb=short"]
    command += [
        "--import-mode=importlib",
        "-p",
        "no:cacheprovider",
        "-p",
        "autograder.suite.hidden.pytest_plugin",
    ]
    command += ["--student", str(folder), str(suite), "--ignore", str(suite / "test_accuracy.py")]
    environment = {**os.environ, **ONE_THREAD, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    words = done.stdout.split()
    return int(words[words.index("passed") - 1] if "passed" in words else words[-4])


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


def main() -> None:
    """Print seconds per submission and their ratio, one at a time and on all processors."""
    os.environ.update(ONE_THREAD)
    submissions = make_class()
    with tempfile.TemporaryDirectory() as name:
        folders = []
        for index, files in enumerate(submissions):
            folder = Path(name) / str(index)
            folder.mkdir()
            for file, content in files.items():
                (folder / file).write_bytes(content)
            folders.append(folder)
        print(f"Week 1, unit tests without training, {len(submissions)} submissions")
        for jobs in dict.fromkeys((1, os.cpu_count() or 1)):
            _compare(submissions, folders, jobs)


def _compare(submissions: Sequence[Files], folders: Sequence[Path], jobs: int) -> None:
    pairs = []
    for _ in range(ROUNDS):
        ours, passed = time_grader(submissions, jobs)
        theirs, expected = time_plain(folders, jobs)
        if passed != expected:
            raise SystemExit(f"not the same results: {passed} in the sandbox, {expected} in pytest")
        pairs.append((ours / len(submissions), theirs / len(submissions)))
    ours, theirs = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(
        f"  {jobs} at a time: grader {ours:.3f} s, plain pytest {theirs:.3f} s per submission; "
        f"ratio {ratio:.2f} (median of {ROUNDS} rounds; goal: at most 0.50)"
    )


if __name__ == "__main__":
    main()
