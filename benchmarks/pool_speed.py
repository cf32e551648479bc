"""The pool of examiners: seconds until the first answer, and what a job costs besides its checks.

A refused submission gets results for all of a week's checks without running any: its time is the
overhead of sending a job to an examiner and its results back.
"""

from __future__ import annotations

import time
from pathlib import Path

from autograder.gradebook.submission import Submission
from autograder.grading.operations import describe, examine_submission
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting

ROOT = Path(__file__).resolve().parent.parent
JOBS = 500
TINY = {"jobs": 10}
WEEK = 2
REFUSED = Submission("ada", refusal="it is empty")


def main(jobs: int = JOBS) -> None:
    """Open two pools one after the other, run jobs in the second one, and print the times."""
    for name in ("first", "second"):
        started = time.perf_counter()
        with open_pool(Setting(ROOT, {WEEK: None}), 1) as pool:
            plan = pool.submit(describe, WEEK).result()
            ready = time.perf_counter()
            for _ in range(jobs if name == "second" else 0):
                pool.submit(examine_submission, REFUSED, WEEK).result()
            done = time.perf_counter()
        print(f"{name} pool of this process: {ready - started:.2f} s until a week is described")
    print(f"closed in {time.perf_counter() - done:.2f} s")
    each = 1000 * (done - ready) / jobs
    print(f"{jobs} jobs with {len(plan.checks)} results each: {each:.2f} ms a job")


if __name__ == "__main__":
    main()
