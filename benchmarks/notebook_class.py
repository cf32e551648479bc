"""A class that hands in its derivations as a notebook, whole and in every broken state, graded.

Prints what each case gets: points of the functions (8 in all), the verdicts of the parts that have
less, and what reading it takes. The whole class goes through intake, grading and the reports.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Collection
from pathlib import Path

from autograder.course import load
from autograder.gradebook.journal import Gradebook
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.intake.reading import read_class
from autograder.notebooks.functions import notebook_module
from autograder.report.gather import gather
from tests.notebook_class import CASES, PARTS, ROOT, write_class

TINY = {"names": ("honest", "cell-deleted")}


def main(names: Collection[str] = tuple(CASES)) -> None:
    """Write a class of the cases of these names, grade it, and print a line for each."""
    cases = {name: CASES[name] for name in names}
    course = load(ROOT)
    week = course.week(1)
    (notebook,) = week.notebooks
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "class"
        write_class(folder, cases)
        started = time.perf_counter()
        taken = read_class(folder, [week], course.weeks).submissions
        read = time.perf_counter() - started
        with Gradebook.open(Path(place) / "gradebook.sqlite") as gradebook:
            started = time.perf_counter()
            setting = Setting(ROOT, {1: "digits"})
            grade_class(course, setting, taken, gradebook, os.cpu_count() or 1, lambda _: None)
            graded = time.perf_counter() - started
            reports = {one.score.student: one for one in gather(course, gradebook)}
        print(f"\nNotebooks: {len(cases)} students; taken in {read:.1f} s, graded {graded:.1f} s")
        print(f"{'case':18} {'points':>6} {'read':>8}  parts without full points")
        right = 0
        for name, case in cases.items():
            items = {item.id: item for item in reports[name].score.items}
            mine = [items[f"week1.derive_{part}"] for part in PARTS]
            lost = {
                item.id.removeprefix("week1.derive_"): sorted(
                    {str(c.result.verdict) for c in item.checks if c.result} - {"pass"}
                )
                for item in mine
                if item.points < item.max_points
            }
            seconds = 0.0
            if case.file and case.file.endswith(".ipynb"):
                content = case.make()
                started = time.perf_counter()
                notebook_module(content, notebook)
                seconds = time.perf_counter() - started
            said = "; ".join(f"{part}: {', '.join(verdicts)}" for part, verdicts in lost.items())
            points = sum(item.points for item in mine) / 100
            print(f"{name:18} {points:6.2f} {1000 * seconds:5.0f} ms  {said}")
            right += lost.keys() == case.lost.keys()
        print(f"{right} of {len(cases)} got what they should.")
    if right < len(cases):
        raise SystemExit("some notebooks got something else than they should")


if __name__ == "__main__":
    main()
