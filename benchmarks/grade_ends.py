"""What `autograder grade` takes before its first job and after its last one.

A real command in a process of its own, on a folder with one submission, from its start until its
exit, less the seconds of its job, which stand in the gradebook. What is left is the beginning
(imports, confinement, reading, plans) and the end (reports, table, examiners' end). Then the same
command once more, which has nothing left to grade.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograder import course as courses
from autograder.author.simulate.student_week import Author
from autograder.gradebook.journal import Gradebook
from benchmarks.rows import Row

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, WEEK, GOAL = 5, 1, 0.9
TINY = {"rounds": 1}
STUDENT = "ada"


def main(rounds: int = ROUNDS, week: int = WEEK) -> list[Row]:
    """Print the seconds, and return the row of the goal."""
    ends, jobs, again = [], [], []
    with tempfile.TemporaryDirectory(prefix="autograder-") as name:
        submissions = Path(name) / "class"
        hand_in(submissions / STUDENT, week)
        for turn in range(rounds):
            out = Path(name) / f"grades{turn}"
            wall = grade(submissions, out, week)
            job = seconds_in(out / "gradebook.sqlite", week)
            ends.append(wall - job)
            jobs.append(job)
            again.append(grade(submissions, out, week))
    both, job, nothing = map(statistics.median, (ends, jobs, again))
    print(f"`autograder grade` of one submission of week {week} (medians of {rounds} runs)")
    print(f"  {both:.2f} s before the job and after it (goal: at most {GOAL}); the job {job:.2f} s")
    print(f"  once more, with nothing left to grade: {nothing:.2f} s")
    return [Row("`grade` before its first job and after its last", both, GOAL)]


def hand_in(folder: Path, number: int) -> None:
    """Write a right solution of a week, as it is handed in."""
    course = courses.load(ROOT)
    files, _ = Author(course, ROOT, course.week(number), seed=0).write(1, "full")
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def grade(submissions: Path, out: Path, week: int) -> float:
    """Grade a class by the command; return its seconds. Raises SystemExit if it fails."""
    command = [sys.executable, "-m", "autograder", "grade", "--week", str(week)]
    command += ["--submissions", str(submissions), "--out", str(out)]
    started = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    if done.returncode:
        raise SystemExit(f"`grade` failed: {done.stdout[-500:]}{done.stderr[-500:]}")
    return wall


def seconds_in(path: Path, week: int) -> float:
    """Return the seconds of the student's job in a gradebook. Raises SystemExit without one."""
    with Gradebook.read(path) as gradebook:
        job = gradebook.job(STUDENT, week)
    if job is None or job.state != "finished":
        raise SystemExit(f"{STUDENT} has no finished job of week {week} in {path.name}")
    return job.seconds


if __name__ == "__main__":
    main()
