"""Where submissions lie and where results go: apart from each other, and there until the end."""

from __future__ import annotations

from pathlib import Path

from autograder.errors import InputError, OutputError

STUDENTS = "students"
"""The folder in OUT with what each student gets."""


class MovedError(OutputError):
    """OUT was moved away, or another folder put in its place, while it was graded into."""


def demand_apart(submissions: Path, out: Path) -> None:
    """Raise InputError where the results would lie among the submissions, or these among those.

    Each folder of SUBMISSIONS is a student: the next run would take OUT for one.
    """
    given, results = submissions.resolve(), out.resolve()
    if given == results:
        problem = f"{submissions} can't be both the submissions and the folder of results"
    elif results.is_relative_to(given) and given.is_dir():
        problem = f"the folder of results, {out}, is inside the submissions, {submissions}"
    elif given.is_relative_to(results / STUDENTS):
        problem = f"{submissions} is inside {out / STUDENTS}, where feedback is written"
    else:
        return
    remedy = "Nothing was read or written. Name another folder with --out, beside the submissions"
    raise InputError(problem, remedy)


class Place:
    """A file in OUT that is open; `demand_there` says whether it still has its name."""

    def __init__(self, path: Path):
        self._path, self._file = path, _identity(path)

    def demand_there(self) -> None:
        """Raise MovedError unless the file of the beginning is still found by its name."""
        if _identity(self._path) != self._file:
            problem = f"{self._path.parent} was moved or replaced while it was graded into"
            remedy = (
                "Nothing is lost: what was finished is in the gradebook, wherever it is now. The "
                "same command with --out and that folder goes on from there and writes the reports"
            )
            raise MovedError(problem, remedy)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
