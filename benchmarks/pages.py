"""What the class's page and its students' cost: seconds and bytes for classes of each size.

The class is one on paper (tests/paper_class.py): results that no program ran, as many checks as
weeks 1 to 3 have items for, misconceptions of the catalogues, files of the solutions. Each phase is
timed by its CPU time in a process of its own, since the machine may have other work.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from autograder.gradebook.journal import Gradebook
from autograder.report.class_page_file import PAGE, write_class_page
from autograder.report.gather import gather
from autograder.report.publishing import publish
from autograder.report.student_page import Background, student_page
from benchmarks.journal_size import apart
from tests import paper_class

SIZES = (30, 300, 1000)
TINY = {"students": (3, 6)}
KB = 1e3


def main(students: Sequence[int] = SIZES) -> None:
    """Measure classes of these sizes, and print a line for each."""
    print("students  class page: seconds       KB   students' pages: ms each  KB each  KB at most")
    for size in students:
        with tempfile.TemporaryDirectory() as name:
            out = Path(name)
            apart(filled, out, size)
            row = {**apart(class_written, out), **apart(students_written, out)}
        print(
            f"{size:8}  {row['seconds']:19.2f} {row['KB']:8.0f}   {row['ms each']:24.1f} "
            f"{row['KB each']:8.1f} {row['KB at most']:11.1f}",
            flush=True,
        )


def filled(out: Path, students: int) -> dict[str, float]:
    """Write the gradebook of a class, in which points have changed once."""
    course = paper_class.fill(out, students)
    with Gradebook.open(out / paper_class.BOOK) as book:
        publish(course, book, gather(course, book), "grade", out)
    return {}


def class_written(out: Path) -> dict[str, float]:
    """Write the class's page from the reports that a run has gathered anyway."""
    course = paper_class.paper_course()
    with Gradebook.open(out / paper_class.BOOK) as book:
        reports = gather(course, book)
        published = publish(course, book, reports, "grade", out)
        started = time.process_time()
        write_class_page(course, book, reports, out, published, "grade")
        seconds = time.process_time() - started
    return {"seconds": seconds, "KB": (out / PAGE).stat().st_size / KB}


def students_written(out: Path) -> dict[str, float]:
    """Make the pages of all students, with their code and attempts."""
    course = paper_class.paper_course()
    with Gradebook.open(out / paper_class.BOOK) as book:
        reports = gather(course, book)
        background = Background.of(course, book)
        student_page(reports[0], background)  # what is loaded once
        started = time.process_time()
        sizes = [len(student_page(one, background).encode()) / KB for one in reports]
        seconds = time.process_time() - started
    return {
        "ms each": 1000 * seconds / len(reports),
        "KB each": sum(sizes) / len(sizes),
        "KB at most": max(sizes),
    }


if __name__ == "__main__":
    main()
