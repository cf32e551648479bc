"""Grades a class in a process of its own that SIGKILL ends after so many recorded submissions.

`python -m benchmarks.term_killed ROOT FOLDER OUT TIMES WEEK MOST`; each key of a job that was
recorded is printed. Exit status 0 where all were recorded before.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

from autograder.gradebook.journal import Gradebook
from autograder.grading.class_run import grade_submissions

HERE = Path(__file__).resolve().parent


def killed_after(
    root: Path, folder: Path, out: Path, times: Path, week: int, most: int
) -> list[str]:
    """Grade until so many submissions are recorded; return the keys of their jobs."""
    arguments = [*map(str, (root, folder, out, times, week, most))]
    command = [sys.executable, "-m", "benchmarks.term_killed", *arguments]
    done = subprocess.run(command, cwd=HERE.parent, capture_output=True, text=True, check=False)
    if done.returncode != -signal.SIGKILL:
        said = f"the grading that is to be killed after {most} ended with {done.returncode}"
        sys.exit(f"{said}:\n{done.stderr[-1500:]}")
    return done.stdout.split()


def main(root: Path, folder: Path, out: Path, times: Path, week: int, most: int) -> None:
    """Grade, and be killed when the next submission would be recorded."""
    record, recorded = Gradebook.record, 0

    def counted(book: Gradebook, key: str, *rest: Any) -> None:
        nonlocal recorded
        if recorded == most:
            os.kill(os.getpid(), signal.SIGKILL)
        record(book, key, *rest)
        recorded += 1
        print(key, flush=True, file=sys.__stdout__)

    Gradebook.record = counted  # type: ignore[method-assign, assignment]
    with redirect_stdout(sys.stderr):
        grade_submissions(root, folder, out, week=week, jobs=1, handed_in=times)


if __name__ == "__main__":
    *paths, number, limit = sys.argv[1:]
    course, handed_in, grades, received = map(Path, paths)
    main(course, handed_in, grades, received, int(number), int(limit))
