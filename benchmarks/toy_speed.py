"""A toy of 20 functions and 20 checks: whole jobs against one lean pytest process each.

What either costs beside the tests' own work, which is next to nothing. The grader's side is all of
it: the start of an examiner, the hidden suite in a sandbox for each submission, the diagnosis, the
second look with other inputs, the code's quality; one process. pytest's side is a plain test file
beside the module, without plugins that it doesn't need. The two take turns.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from autograder.gradebook.submission import Submission
from autograder.grading.operations import describe, examine_submission
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting
from benchmarks.lean_pytest import lean_pytest
from benchmarks.rows import Row
from benchmarks.toy_course import Files, make_class, plain_tests, write_course

STUDENTS, FUNCTIONS, ROUNDS = 20, 20, 3
TINY = {"students": 2, "functions": 3, "rounds": 1}
SECONDS_GOAL, RATIO_GOAL = 0.10, 0.25


def main(students: int = STUDENTS, functions: int = FUNCTIONS, rounds: int = ROUNDS) -> list[Row]:
    """Print seconds per submission of both, and return the rows of the goals."""
    submissions = make_class(students, functions)
    starts, ours, theirs = [], [], []
    with tempfile.TemporaryDirectory(prefix="autograder-") as name:
        root = Path(name) / "course"
        write_course(root, functions)
        folders = _plain_folders(Path(name), submissions, functions)
        for _ in range(rounds):
            start, seconds, passed = grade(root, submissions)
            lasted, expected = run_pytest(folders)
            if passed != expected:
                raise SystemExit(f"not the same results: {passed}, and {expected} in pytest")
            starts.append(start)
            ours.append((start + seconds) / students)
            theirs.append(lasted / students)
    each, lean = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"Toy of {functions} functions, {students} submissions, one process")
    share = statistics.median(starts) / students
    print(
        f"  grader {each:.3f} s a submission, {share:.3f} s of it for its share of the examiner's "
        f"start; lean pytest {lean:.3f} s"
    )
    print(f"  ratio {ratio:.2f} (median of {rounds} rounds; goal: at most {RATIO_GOAL:.2f})")
    return [
        Row("toy, whole job, one process", each, SECONDS_GOAL),
        Row("the same against lean pytest", ratio, RATIO_GOAL, "times"),
    ]


def grade(root: Path, submissions: Sequence[Files]) -> tuple[float, float, list[int]]:
    """Return the seconds until an examiner is ready, those of all jobs, and how many checks passed.

    Not counted as passed: the checks of quality, which pytest has not.
    """
    passed = []
    started = time.perf_counter()
    with open_pool(Setting(root, {1: None}), 1) as pool:
        pool.submit(describe, 1).result()
        ready = time.perf_counter()
        for number, files in enumerate(submissions):
            submission = Submission(f"student{number}", files)
            examined, _ = pool.submit(examine_submission, submission, 1).result()
            suite = [result for result in examined.results if "::test_" in result.check]
            passed.append(sum(result.verdict == "pass" for result in suite))
    return ready - started, time.perf_counter() - ready, passed


def _plain_folders(place: Path, submissions: Sequence[Files], functions: int) -> list[Path]:
    """Write each submission into a folder of its own, with a test file beside it."""
    folders = []
    for number, files in enumerate(submissions):
        folder = place / f"student{number}"
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        (folder / "test_toy.py").write_text(plain_tests(functions), "utf-8")
        folders.append(folder)
    return folders


def run_pytest(folders: Sequence[Path]) -> tuple[float, list[int]]:
    """Return the seconds of one pytest process after the other, and how many tests passed."""
    started = time.perf_counter()
    passed = [lean_pytest(folder, [str(folder)]) for folder in folders]
    return time.perf_counter() - started, passed


if __name__ == "__main__":
    main()
