"""The simulated class that is graded where no submissions are given."""

from __future__ import annotations

from pathlib import Path

from autograder import course as courses
from autograder.author.simulate.class_folder import manifest_path, write_class

STUDENTS = 12


def simulate(root: Path, folder: Path, only: int | None = None, *, kept: bool = True) -> None:
    """Write the class into a folder and say so; `only` is the number of its only week.

    kept: the folder stays, so where it is can be said.
    """
    write_class(courses.load(root), root, folder, STUDENTS, seed=0, only=only)
    if not kept:
        print(f"No submissions given: a simulated class of {STUDENTS} is looked at.", flush=True)
        return
    print(f"No submissions given: a simulated class of {STUDENTS} is in {folder}/")
    print(f"(what was planted in it: {manifest_path(folder)})", flush=True)
