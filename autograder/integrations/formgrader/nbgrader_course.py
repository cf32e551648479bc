"""A class as an nbgrader course: sources, notebooks to be marked, and nbgrader's gradebook.

nbgrader shows notebooks and takes marks (its formgrader). It never runs student code here: no
submission lies where its autograder looks for one.
"""

from __future__ import annotations

import fcntl
import json
import os
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nbformat import NotebookNode

from autograder.course import Course, Item, Notebook, Week
from autograder.errors import RecordError
from autograder.gradebook.looked_up import documents_for
from autograder.gradebook.private import PRIVATE, open_private
from autograder.integrations.formgrader.marking import Answer, for_marking
from autograder.records import ManualMark
from autograder.reference.percent_source import grade_id, notebook_of, text_of
from autograder.text.files import write_bytes, write_text

FOLDER = "nbgrader"
DATABASE = "gradebook.db"
LOCK = "nbgrader.lock"
CONFIG = "nbgrader_config.py"


class BusyError(RecordError):
    """Somebody else is writing nbgrader's gradebook; it has one writer at a time."""


@dataclass(frozen=True)
class NotebookSubmission:
    """One student's work in a notebook: its content, other files, and the tests' results.

    `test_texts` maps items to texts for the person who marks, `scores` items that tests grade to
    hundredths of a point. `why_not` says why there is no notebook, where `content` is None.
    """

    student: str
    content: bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    test_texts: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    why_not: str = ""


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Hold the lock on nbgrader's gradebook below `out`. Raises BusyError if it is taken."""
    out.mkdir(parents=True, exist_ok=True)
    with open(out / LOCK, "a+", opener=open_private) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            holder = lock.read(40).strip() or "unknown"
            raise BusyError(
                f"the formgrader of {out} is open already (process {holder}); end it first"
            ) from error
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


def answers_of(course: Course, week: Week, notebook: Notebook) -> list[Answer]:
    """Return the answers of a notebook, its functions and its written parts."""
    function_items = set(notebook.functions.values())

    def belongs(item: Item) -> bool:
        return item.id in function_items or notebook.file in documents_for(course, item)

    return [
        Answer(item.id, item.points, item.title, item.id in function_items)
        for item in course.items(week.number)
        if belongs(item)
    ]


def name_of(notebook: Notebook) -> str:
    """Return nbgrader's name of a notebook: its file without the ending."""
    return notebook.file.removesuffix(".ipynb")


def write_config(folder: Path) -> Path:
    """Write nbgrader's configuration of the course in `folder`, and return its path."""
    text = f"""# Made by `make formgrader`; changes are lost.
c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "neural-network-foundations"
c.CourseDirectory.root = {str(folder)!r}
c.CourseDirectory.db_url = {"sqlite:///" + str(folder / DATABASE)!r}
c.ClearSolutions.begin_solution_delimeter = "BEGIN SOLUTION"
c.ClearSolutions.end_solution_delimeter = "END SOLUTION"
c.Exchange.root = {str(folder / "exchange")!r}
c.NbGrader.logfile = ""
"""
    (folder / "exchange").mkdir(exist_ok=True)  # nothing is exchanged, but nbgrader asks for it
    path = folder / CONFIG
    write_text(path, text, PRIVATE)
    return path


def write_source(course: Course, root: Path, week: Week, notebook: Notebook, folder: Path) -> Path:
    """Write the solution's notebook, with nbgrader's markers, into nbgrader's folder of sources."""
    origin = f"solutions/{week.folder}/{notebook.module}"
    points = {item.id: item.points for item in course.items()}
    text = (root / origin).read_text("utf-8")
    # nbgrader puts a text of its own into gaps, so the stubs' text is left out.
    solution = notebook_of(_without_instead(text), origin, points)
    path = folder / "source" / week.id / notebook.file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text_of(solution), PRIVATE)
    return path


def _without_instead(source: str) -> str:
    lines, kept, inside = source.split("\n"), [], False
    for line in lines:
        inside = (inside or line.strip() == "# INSTEAD") and "END SOLUTION" not in line
        if not inside:
            kept.append(line)
    return "\n".join(kept)


def page_of(
    course: Course, week: Week, notebook: Notebook, work: NotebookSubmission
) -> NotebookNode:
    """Return the notebook that a person sees when marking one student's work."""
    answers = answers_of(course, week, notebook)
    return for_marking(
        work.content, notebook, answers, work.test_texts, sorted(work.files), work.why_not
    )


def changed_answers(
    course: Course,
    week: Week,
    notebook: Notebook,
    work: NotebookSubmission,
    page: NotebookNode,
    folder: Path,
) -> set[str]:
    """Return nbgrader's ids of the answers that changed since they were shown last.

    A changed file beside the notebook (a scan, a photograph) may be any of the written answers.
    """
    student_folder = folder / "autograded" / work.student / week.id
    path = student_folder / notebook.file
    if not path.is_file():
        return set()
    before, now = (
        _answer_texts(cells) for cells in (json.loads(path.read_text("utf-8"))["cells"], page.cells)
    )
    changed = {cell for cell, text in before.items() if now.get(cell) != text}
    names = _other_files(week, notebook, student_folder)
    files = {name: (student_folder / name).read_bytes() for name in names}
    if files != dict(work.files):
        answers = answers_of(course, week, notebook)
        changed |= {grade_id(answer.item) for answer in answers if not answer.by_tests}
    return changed


def _answer_texts(cells: Sequence[Any]) -> dict[str, str]:
    """Return the text and pictures of each answer, by nbgrader's id."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        + json.dumps(cell.get("attachments") or {}, sort_keys=True)
        for cell in cells
        if "nbgrader" in cell["metadata"]
    }


def _other_files(week: Week, notebook: Notebook, student_folder: Path) -> list[str]:
    """Return the names of a student's other documents."""
    names = [name for document in week.documents for name in document if name != notebook.file]
    return [name for name in names if (student_folder / name).is_file()]


def write_submission(
    week: Week, notebook: Notebook, work: NotebookSubmission, page: NotebookNode, folder: Path
) -> None:
    """Write the notebook that a person sees when marking, and the other files beside it.

    Other files have the names that the course gives; those that are no longer handed in are
    deleted.
    """
    student_folder = folder / "autograded" / work.student / week.id
    student_folder.mkdir(parents=True, exist_ok=True)
    for name in set(_other_files(week, notebook, student_folder)) - set(work.files):
        (student_folder / name).unlink()
    for name, content in work.files.items():
        write_bytes(student_folder / name, content, PRIVATE)
    write_text(student_folder / notebook.file, text_of(page), PRIVATE)


def fill_database(
    course: Course,
    week: Week,
    notebook: Notebook,
    submissions: Sequence[NotebookSubmission],
    changed: Mapping[str, set[str]],
    marks: Mapping[tuple[str, str], ManualMark],
    taken_over: Mapping[tuple[str, str], ManualMark],
    folder: Path,
) -> list[ManualMark]:
    """Update nbgrader's gradebook; marks that a person gave there stay.

    `changed` has, by student, nbgrader's ids of the answers that changed since they were shown
    last: they wait for a new mark. `marks` are those of our gradebook, by student and item,
    `taken_over` those that it has from nbgrader. Returns the marks copied from our gradebook to
    nbgrader's: those that came from elsewhere since.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SAWarning

    answers = answers_of(course, week, notebook)
    name = name_of(notebook)
    # nbgrader's own use of SQLAlchemy makes it warn about the order in which it adds objects.
    warnings.filterwarnings("ignore", category=SAWarning)
    copied: list[ManualMark] = []
    with Gradebook(f"sqlite:///{folder / DATABASE}") as book:
        book.update_or_create_assignment(week.id)
        book.update_or_create_notebook(name, week.id)
        for answer in answers:
            cell = grade_id(answer.item)
            kind = "code" if answer.by_tests else "markdown"
            settings = {"max_score": answer.points / 100, "cell_type": kind}
            book.update_or_create_grade_cell(cell, name, week.id, **settings)
            book.update_or_create_solution_cell(cell, name, week.id)
        for work in submissions:
            book.update_or_create_student(work.student)
            book.update_or_create_submission(week.id, work.student)
            for answer in answers:
                key = (work.student, answer.item)
                mark = marks.get(key) if marks.get(key) != taken_over.get(key) else None
                is_changed = grade_id(answer.item) in changed.get(work.student, ())
                _fill_grade(book, week, name, work, answer, mark, is_changed)
                copied += [mark] if mark else []
        book.db.commit()
    return copied


def _fill_grade(
    book: Any,
    week: Week,
    name: str,
    work: NotebookSubmission,
    answer: Answer,
    mark: ManualMark | None,
    is_changed: bool,
) -> None:
    """Fill in one grade: the tests' score, or a mark that is newer than nbgrader's."""
    cell = grade_id(answer.item)
    grade = book.find_grade(cell, name, week.id, work.student)
    if answer.by_tests:
        score = work.scores.get(answer.item)
        grade.auto_score = None if score is None else score / 100
        grade.manual_score = None
        grade.needs_manual_grade = False
        return
    if mark is not None:
        grade.manual_score = mark.points / 100
        grade.needs_manual_grade = False
        comment = book.find_comment(cell, name, week.id, work.student)
        comment.manual_comment = mark.comment or comment.manual_comment
    if grade.manual_score is None or is_changed:
        grade.needs_manual_grade = True
