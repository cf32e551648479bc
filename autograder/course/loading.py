"""Loading the course from its TOML files: weeks, rubric and the instructor's settings."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import ConfigDict, Field, ValidationError, model_validator

from autograder.course.model import (
    Component,
    CourseError,
    Extension,
    HandingIn,
    Item,
    Model,
    Notebook,
    Phase,
    Text,
    TrainingSetting,
    Week,
)
from autograder.course.points import format_points

COURSE_FILE = "assignments/course.toml"
GRADING_FILE = "assignments/grading.toml"
RUBRIC_FILE = "assignments/rubric.toml"


class Course(Model):
    """The content of the course's files, checked against each other.

    `phases` and `weeks` are those that the course has; `left_out` are the weeks of phases that its
    file leaves out: to name one of them is no mistake, and nothing of it is graded. `salt` is "",
    `training`, `extensions` and `more` are empty where there is no grading.toml, as in a student's
    tree. `more` are its other tables, as they are: who grades checks them.
    """

    title: Text
    weeks: tuple[Week, ...]
    phases: tuple[Phase, ...]
    left_out: tuple[Week, ...] = ()
    handing_in: HandingIn = HandingIn()
    salt: str = ""
    training: dict[str, TrainingSetting] = Field(default_factory=dict)
    extensions: tuple[Extension, ...] = ()
    more: dict[str, Any] = Field(default_factory=dict)

    @property
    def components(self) -> tuple[Component, ...]:
        """The components of all phases, in the rubric's order."""
        return tuple(component for phase in self.phases for component in phase.components)

    def phase_of(self, week: int) -> Phase | None:
        """Return the phase in which a week's items stand; None for a week without items."""
        return next((one for one in self.phases if week in {i.week for i in one.items}), None)

    def weeks_of(self, phase: str) -> tuple[Week, ...]:
        """Return the weeks of the phase with this id; none where there is no such phase."""
        numbers = {item.week for one in self.phases if one.id == phase for item in one.items}
        return tuple(week for week in self.weeks if week.number in numbers)

    @property
    def known_weeks(self) -> frozenset[str]:
        """The ids of all weeks that its files may name: its own, and those that are left out."""
        return frozenset(week.id for week in (*self.weeks, *self.left_out))

    def due(self, student: str, week: Week) -> datetime | None:
        """Return a student's due date for a week, None where there is none.

        An extension makes nobody later than the class, whose date may have been moved since.
        """
        own = (one.due for one in self.extensions if (one.student, one.week) == (student, week.id))
        return None if week.due is None else max([week.due, *own])

    def week(self, number: int) -> Week:
        """Return a week by its number. Raises CourseError where there is none."""
        for week in self.weeks:
            if week.number == number:
                return week
        raise self._no_week(str(number), ", ".join(str(week.number) for week in self.weeks))

    def week_called(self, name: str) -> Week:
        """Return a week by its number or its id, as a command's option gives it.

        Raises CourseError where there is none.
        """
        for week in self.weeks:
            if name.casefold() in (str(week.number), week.id):
                return week
        known = ", ".join(
            str(week.number) if week.id == f"week{week.number}" else week.id for week in self.weeks
        )
        raise self._no_week(repr(name), known)

    def _no_week(self, name: str, known: str) -> CourseError:
        remedy = f"Choose one of these: {known}"
        if self.left_out:
            left_out = ", ".join(week.id for week in self.left_out)
            remedy += f". Of phases that `phases` leaves out are: {left_out}"
        return CourseError(COURSE_FILE, "week", f"there is no week {name}", remedy)

    def items(self, week: int | None = None) -> tuple[Item, ...]:
        """Return the rubric's items in its order, all of them or one week's."""
        items = (item for component in self.components for item in component.items)
        return tuple(item for item in items if week is None or item.week == week)

    def item(self, id: str) -> Item:
        """Return an item by its id. Raises CourseError where there is none."""
        for item in self.items():
            if item.id == id:
                return item
        remedy = "Correct the id, or add the item to the rubric"
        raise CourseError(RUBRIC_FILE, "items", f"there is no item {id!r}", remedy)


class _Header(Model):
    title: Text
    phases: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)] | None = None
    """The ids of the phases that the course has; None: all of the rubric's."""


class _CourseFile(Model):
    course: _Header
    week: Annotated[tuple[Week, ...], Field(strict=False, min_length=1)]
    handing_in: HandingIn = HandingIn()


class _GradingFile(Model):
    model_config = ConfigDict(extra="allow")

    salt: Text
    training: dict[str, TrainingSetting] = Field(default_factory=dict)
    extension: Annotated[tuple[Extension, ...], Field(strict=False)] = ()


class _RubricFile(Model):
    phase: Annotated[tuple[Phase, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="before")
    @classmethod
    def _has_phases(cls, tables: Any) -> Any:
        """What was a whole rubric before there were phases says what to do with it."""
        if isinstance(tables, dict) and "component" in tables and "phase" not in tables:
            raise ValueError(
                "its components are in no phase: put [[phase]] with an id, a title, the total and "
                "the extra_credit above them, and write [[phase.component]] for [[component]]"
            )
        return tables


def load(root: Path) -> Course:
    """Read the course of a repository, or of the tree that students have, below `root`.

    Raises CourseError, which names the file and the key, for a missing file (grading.toml may be
    missing), a syntax error, a wrong value, or files that contradict each other.
    """
    course = _read(root, COURSE_FILE, _CourseFile)
    rubric = _read(root, RUBRIC_FILE, _RubricFile, parse_float=Decimal)
    _check_weeks(course.week)
    _check_rubric(rubric.phase, course.week)
    phases = _chosen(rubric.phase, course.course.phases)
    left_out = {item.week for phase in rubric.phase if phase not in phases for item in phase.items}
    private: dict[str, Any] = {}
    if (root / GRADING_FILE).exists():
        grading = _read(root, GRADING_FILE, _GradingFile)
        _check_extensions(grading.extension, course.week)
        _check_training(grading.training, course.week)
        ours = {week.id for week in course.week if week.number not in left_out}
        private = {
            "salt": grading.salt,
            "training": grading.training,
            "extensions": tuple(one for one in grading.extension if one.week in ours),
            "more": grading.model_extra or {},
        }
    return Course(
        title=course.course.title,
        weeks=tuple(week for week in course.week if week.number not in left_out),
        phases=phases,
        left_out=tuple(week for week in course.week if week.number in left_out),
        handing_in=course.handing_in,
        **private,
    )


FileModel = TypeVar("FileModel", bound=Model)


def _read(
    root: Path, file: str, model: type[FileModel], parse_float: Callable[[str], Any] = float
) -> FileModel:
    try:
        text = (root / file).read_text(encoding="utf-8")
    except OSError as error:
        problem = f"it can't be read below {root} ({error.strerror})"
        remedy = "Run this from the top of the course's repository"
        raise CourseError(file, "the file", problem, remedy) from error
    except UnicodeDecodeError as error:
        raise CourseError(file, "the file", "it is not UTF-8 text", "Save it as UTF-8") from error
    try:
        return model.model_validate(tomllib.loads(text, parse_float=parse_float))
    except tomllib.TOMLDecodeError as error:
        raise CourseError(file, "the file", f"not valid TOML: {error}", "Correct it") from error
    except ValidationError as error:
        raise explained(file, error) from error


def explained(file: str, error: ValidationError) -> CourseError:
    """Convert pydantic's list of errors to one CourseError: the first in full, then the others."""
    remedies = {"missing": "Add it", "extra_forbidden": "Remove it or correct its spelling"}
    faults = []
    for entry in error.errors():
        steps = [f"#{step + 1}" if isinstance(step, int) else f".{step}" for step in entry["loc"]]
        key = "".join(steps).lstrip(".") or "the file"
        text = entry["msg"].removeprefix("Value error, ")
        text = text[:1].lower() + text[1:]
        if entry["type"] not in remedies:
            text += f" (it is {entry['input']!r:.60})"
        faults.append((key, text, remedies.get(entry["type"], "Correct the value")))
    key, problem, remedy = faults[0]
    for other_key, other_problem, other_remedy in faults[1:]:
        remedy += f"; {other_key}: {other_problem}. {other_remedy}"
    return CourseError(file, key, problem, remedy)


def _check_weeks(weeks: tuple[Week, ...]) -> None:
    for name in ("number", "id", "folder"):
        _check_unique(COURSE_FILE, f"week.{name}", (getattr(week, name) for week in weeks))
    for week in weeks:
        files = (file.casefold() for file in week.files + week.given)
        _check_unique(COURSE_FILE, f"files of {week.id}", files)
        if week.student_tests is not None and week.student_tests not in week.modules:
            problem = f"{week.student_tests!r} is none of the week's modules"
            remedy = "Add it to `modules` or correct it"
            raise CourseError(COURSE_FILE, f"{week.id}.student_tests", problem, remedy)
        for name in {*week.homes, *(other for others in week.homes.values() for other in others)}:
            if name not in week.modules:
                problem = f"{name!r} is none of the week's modules"
                remedy = "Add it to `modules` or correct it"
                raise CourseError(COURSE_FILE, f"{week.id}.homes", problem, remedy)
        for notebook in week.notebooks:
            _check_notebook(notebook, week)


def _check_notebook(notebook: Notebook, week: Week) -> None:
    key = f"{week.id}.notebooks"
    if notebook.module not in week.modules:
        problem = f"{notebook.module!r} is none of the week's modules"
        raise CourseError(COURSE_FILE, key, problem, "Add it to `modules` or correct it")
    if not any(notebook.file in document for document in week.documents):
        problem = f"{notebook.file!r} is none of the week's documents"
        raise CourseError(COURSE_FILE, key, problem, "Add it to `documents` or correct it")


def _check_extensions(extensions: tuple[Extension, ...], weeks: tuple[Week, ...]) -> None:
    known = {week.id for week in weeks}
    for number, extension in enumerate(extensions, start=1):
        if extension.week not in known:
            problem = f"there is no week {extension.week!r}"
            raise CourseError(GRADING_FILE, f"extension#{number}.week", problem, "Correct the id")
    pairs = (f"{extension.student} in {extension.week}" for extension in extensions)
    _check_unique(GRADING_FILE, "extension", pairs, "Keep one of them")


def _check_training(settings: Collection[str], weeks: tuple[Week, ...]) -> None:
    """Check that what is before a dot, as in "week4.digits", is a week's id.

    Only data sets that are files of a hidden suite have dots in their names.
    """
    for name in settings:
        week, dot, _ = name.partition(".")
        if dot and not name.startswith("hidden/") and week not in {each.id for each in weeks}:
            problem = f"there is no week {week!r}"
            remedy = 'Correct it: [training.digits], or [training."week9.digits"] for one week'
            raise CourseError(GRADING_FILE, f"training.{name}", problem, remedy)


def _chosen(phases: tuple[Phase, ...], ids: tuple[str, ...] | None) -> tuple[Phase, ...]:
    """Return the phases that a course has, in the rubric's order."""
    known = [phase.id for phase in phases]
    for id in ids or ():
        if id not in known:
            remedy = f"Choose of these: {', '.join(known)}"
            raise CourseError(COURSE_FILE, "course.phases", f"there is no phase {id!r}", remedy)
    return phases if ids is None else tuple(phase for phase in phases if phase.id in ids)


def _check_rubric(phases: tuple[Phase, ...], weeks: tuple[Week, ...]) -> None:
    components = [component for phase in phases for component in phase.components]
    items = [item for component in components for item in component.items]
    # All are names of columns, and phases and weeks of what a person may change.
    ids = [phase.id for phase in phases]
    columns = (*ids, *(component.id for component in components))
    _check_unique(RUBRIC_FILE, "ids of phases and components", columns)
    _check_unique(RUBRIC_FILE, "ids of phases and weeks", (*ids, *(week.id for week in weeks)))
    _check_unique(RUBRIC_FILE, "item ids", (item.id for item in items))
    for component in components:
        if component.is_open:
            _check_sum(f"component {component.id}", component.most, component.items)
    for phase in phases:
        parts, extra = (
            [part for part in phase.components if part.extra is is_extra]
            for is_extra in (False, True)
        )
        _check_sum(f"{phase.id}.total", phase.total, parts)
        _check_sum(f"{phase.id}.extra_credit", phase.extra_credit, extra)
    _check_one_phase_each(phases)
    known = {week.number: week for week in weeks}
    for item in items:
        if item.week not in known:
            problem = f"there is no week {item.week}"
            remedy = f"Correct `week`, or add the week to {COURSE_FILE}"
            raise CourseError(RUBRIC_FILE, f"item {item.id}", problem, remedy)
        if not item.id.startswith(f"{known[item.week].id}."):
            problem = f"an item of week {item.week} must have an id like {known[item.week].id}.name"
            raise CourseError(RUBRIC_FILE, f"item {item.id}", problem, "Correct its id or its week")
        _check_document(item, known[item.week])
    for week in weeks:
        _check_needed_items(week, {item.id for item in items if item.week == week.number})


def _check_one_phase_each(phases: tuple[Phase, ...]) -> None:
    """Check that no week has items in two phases: a phase is left out with all of its weeks."""
    of_week: dict[int, str] = {}
    for phase in phases:
        for item in phase.items:
            other = of_week.setdefault(item.week, phase.id)
            if other != phase.id:
                problem = f"its week has items in {other}, and this one is in {phase.id}"
                remedy = "Put all items of a week into one phase"
                raise CourseError(RUBRIC_FILE, f"item {item.id}", problem, remedy)


def _check_needed_items(week: Week, items: Collection[str]) -> None:
    """Check that what a week asks for has an item to count in; weeks without items are to come."""
    needed = {"forbidden": "quality", "student_tests": "student_tests"}
    for key, name in needed.items():
        item = f"{week.id}.{name}"
        if items and getattr(week, key) and item not in items:
            problem = f"it counts in the item {item}, which the rubric doesn't have"
            remedy = f"Add the item to {RUBRIC_FILE}, or remove `{key}`"
            raise CourseError(COURSE_FILE, f"{week.id}.{key}", problem, remedy)


def _check_document(item: Item, week: Week) -> None:
    if item.document is None:
        return
    problem = ""
    if item.kind != "manual":
        problem = "only an item of the kind manual is marked by a document"
    elif not any(item.document in document for document in week.documents):
        problem = f"{item.document!r} is none of the documents of {week.id}"
    if problem:
        remedy = f"Remove `document`, or correct it or {COURSE_FILE}"
        raise CourseError(RUBRIC_FILE, f"item {item.id}", problem, remedy)


def _check_unique(file: str, key: str, values: Iterable[Any], remedy: str = "Rename one") -> None:
    repeated = [str(value) for value, count in Counter(values).items() if count > 1]
    if repeated:
        raise CourseError(file, key, f"used more than once: {', '.join(repeated)}", remedy)


def _check_sum(key: str, points: int, parts: Iterable[Item | Component]) -> None:
    total = sum(part.points for part in parts)
    if total != points:
        problem = f"its parts add up to {format_points(total)} points, not {format_points(points)}"
        raise CourseError(RUBRIC_FILE, key, problem, "Correct the points of one of them")
