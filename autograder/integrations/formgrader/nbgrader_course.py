"""A class as an nbgrader course: sources, what is to be marked, and nbgrader's own gradebook.

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
class HandedIn:
    """What one student handed in for a notebook: its bytes, other files, and what tests say.

    `scores` maps items that tests decide to hundredths of a point; `why_not` says why there is no
    notebook, where there is none.
    """

    student: str
    raw: bytes | None
    files: Mapping[str, bytes] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    scores: Mapping[str, int] = field(default_factory=dict)
    why_not: str = ""


@contextmanager
def only_writer(out: Path) -> Iterator[None]:
    """Be the one who writes nbgrader's gradebook below `out`. Raises BusyError where one is."""
    out.mkdir(parents=True, exist_ok=True)
    with (out / LOCK).open("a+") as lock:
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
    """Return the answers of a notebook: what its functions and its written parts are worth."""
    asked = set(notebook.functions.values())

    def belongs(item: Item) -> bool:
        return item.id in asked or notebook.file in course.documents_for(item)

    return [
        Answer(item.id, item.points, item.title, item.id in asked)
        for item in course.items(week.number)
        if belongs(item)
    ]


def name_of(notebook: Notebook) -> str:
    """Return what nbgrader calls a notebook: its file without the ending."""
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
    write_text(path, text)
    return path


def write_source(course: Course, root: Path, week: Week, notebook: Notebook, folder: Path) -> Path:
    """Write the solution's notebook, with nbgrader's markers, where nbgrader has its sources."""
    origin = f"solutions/{week.folder}/{notebook.module}"
    points = {item.id: item.points for item in course.items()}
    text = (root / origin).read_text("utf-8")
    # Of what a gap's stub says nbgrader knows nothing: it has a text of its own.
    made = notebook_of(_without_instead(text), origin, points)
    path = folder / "source" / week.id / notebook.file
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, text_of(made))
    return path


def _without_instead(source: str) -> str:
    lines, kept, inside = source.split("\n"), [], False
    for line in lines:
        inside = (inside or line.strip() == "# INSTEAD") and "END SOLUTION" not in line
        if not inside:
            kept.append(line)
    return "\n".join(kept)


def page_of(course: Course, week: Week, notebook: Notebook, one: HandedIn) -> NotebookNode:
    """Return the notebook that a person sees of one student."""
    answers = answers_of(course, week, notebook)
    return for_marking(one.raw, notebook, answers, one.said, sorted(one.files), one.why_not)


def changed_answers(
    course: Course, week: Week, notebook: Notebook, one: HandedIn, page: NotebookNode, folder: Path
) -> set[str]:
    """Return nbgrader's ids of the answers that are other ones than when they were shown last.

    Another file beside the notebook (a scan, a photograph) may be any of the written answers.
    """
    place = folder / "autograded" / one.student / week.id
    path = place / notebook.file
    if not path.is_file():
        return set()
    before, now = (
        _parts(cells) for cells in (json.loads(path.read_text("utf-8"))["cells"], page.cells)
    )
    changed = {cell for cell, text in before.items() if now.get(cell) != text}
    files = {name: (place / name).read_bytes() for name in _beside(week, notebook, place)}
    if files != dict(one.files):
        answers = answers_of(course, week, notebook)
        changed |= {grade_id(answer.item) for answer in answers if not answer.by_tests}
    return changed


def _parts(cells: Sequence[Any]) -> dict[str, str]:
    """Return all that a person sees of each answer, by nbgrader's id."""
    return {
        cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
        + json.dumps(cell.get("attachments") or {}, sort_keys=True)
        for cell in cells
        if "nbgrader" in cell["metadata"]
    }


def _beside(week: Week, notebook: Notebook, place: Path) -> list[str]:
    names = [name for document in week.documents for name in document if name != notebook.file]
    return [name for name in names if (place / name).is_file()]


def write_submission(
    week: Week, notebook: Notebook, one: HandedIn, page: NotebookNode, folder: Path
) -> None:
    """Write what a person sees of one student.

    What else was handed in lies beside it, under the names that the course gives; what no longer is
    handed in goes.
    """
    place = folder / "autograded" / one.student / week.id
    place.mkdir(parents=True, exist_ok=True)
    for name in set(_beside(week, notebook, place)) - set(one.files):
        (place / name).unlink()
    for name, content in one.files.items():
        write_bytes(place / name, content)
    write_text(place / notebook.file, text_of(page))


def fill_database(
    course: Course,
    week: Week,
    notebook: Notebook,
    class_: Sequence[HandedIn],
    changed: Mapping[str, set[str]],
    marks: Mapping[tuple[str, str], ManualMark],
    taken: Mapping[tuple[str, str], ManualMark],
    folder: Path,
) -> list[ManualMark]:
    """Bring nbgrader's gradebook up to date; marks that a person gave there stay.

    `changed` names, by student, the answers (nbgrader's ids) that are other ones than when they
    were shown last: they wait for a mark again, until somebody gives one. `marks` are those that
    our gradebook has, by student and item, and `taken` those that it has from nbgrader. Returns the
    marks that nbgrader's gradebook got from ours: those that came from elsewhere since.
    """
    from nbgrader.api import Gradebook
    from sqlalchemy.exc import SAWarning

    answers = answers_of(course, week, notebook)
    name = name_of(notebook)
    # nbgrader's own use of SQLAlchemy makes it warn about the order in which it adds objects.
    warnings.filterwarnings("ignore", category=SAWarning)
    pushed: list[ManualMark] = []
    with Gradebook(f"sqlite:///{folder / DATABASE}") as book:
        book.update_or_create_assignment(week.id)
        book.update_or_create_notebook(name, week.id)
        for answer in answers:
            cell = grade_id(answer.item)
            kind = "code" if answer.by_tests else "markdown"
            worth = {"max_score": answer.points / 100, "cell_type": kind}
            book.update_or_create_grade_cell(cell, name, week.id, **worth)
            book.update_or_create_solution_cell(cell, name, week.id)
        for one in class_:
            book.update_or_create_student(one.student)
            book.update_or_create_submission(week.id, one.student)
            for answer in answers:
                key = (one.student, answer.item)
                ours = marks.get(key) if marks.get(key) != taken.get(key) else None
                again = grade_id(answer.item) in changed.get(one.student, ())
                _fill_grade(book, week, name, one, answer, ours, again)
                pushed += [ours] if ours else []
        book.db.commit()
    return pushed


def _fill_grade(
    book: Any,
    week: Week,
    name: str,
    one: HandedIn,
    answer: Answer,
    ours: ManualMark | None,
    again: bool,
) -> None:
    """Fill in one grade: what the tests gave, or a mark of ours that is newer than nbgrader's."""
    cell = grade_id(answer.item)
    grade = book.find_grade(cell, name, week.id, one.student)
    if answer.by_tests:
        score = one.scores.get(answer.item)
        grade.auto_score = None if score is None else score / 100
        grade.manual_score = None
        grade.needs_manual_grade = False
        return
    if ours is not None:
        grade.manual_score = ours.points / 100
        grade.needs_manual_grade = False
        comment = book.find_comment(cell, name, week.id, one.student)
        comment.manual_comment = ours.comment or comment.manual_comment
    if grade.manual_score is None or again:
        grade.needs_manual_grade = True
