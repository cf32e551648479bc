"""The course as objects: its weeks, its rubric and the instructor's settings, read from TOML."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeVar
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from autograder.points import format_points, parse_points
from autograder.records import FULL_CREDIT

COURSE_FILE = "assignments/course.toml"
GRADING_FILE = "assignments/grading.toml"
RUBRIC_FILE = "autograder/rubric.toml"


class CourseError(Exception):
    """Something in the course's files is wrong or missing: where, what, and what to do."""

    def __init__(self, file: str, key: str, problem: str, remedy: str) -> None:
        self.file, self.key, self.problem, self.remedy = file, key, problem, remedy
        super().__init__(f"{file}: {key}: {problem}. {remedy}.")


def _relative_file(name: str) -> str:
    path = PurePosixPath(name)
    leads_away = path.is_absolute() or {".", ".."} & set(name.split("/"))
    if not path.name or leads_away or set("\\|") & set(name):
        raise ValueError("must be a file name relative to the week's folder")
    return str(path)


def _alternatives(entry: Any) -> Any:
    """Return the file names of one entry: "a.pdf|a.png" stands for either of the two."""
    return tuple(entry.split("|")) if isinstance(entry, str) else entry


Text = Annotated[str, Field(min_length=1)]
Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?$")]
FileName = Annotated[str, AfterValidator(_relative_file)]
FileNames = Annotated[tuple[FileName, ...], Field(strict=False)]
Document = Annotated[FileNames, BeforeValidator(_alternatives)]
Documents = Annotated[tuple[Document, ...], Field(strict=False)]
Points = Annotated[int, BeforeValidator(parse_points)]


def _with_zone(when: datetime) -> datetime:
    if when.tzinfo is None:
        raise ValueError("must say its time zone, as in 2026-10-12T23:59:00+02:00")
    return when


def _time_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError("is no time zone such as Europe/Berlin or UTC") from error
    return name


Kind = Literal["auto", "manual", "training"]
Moment = Annotated[datetime, AfterValidator(_with_zone)]
Zone = Annotated[str, AfterValidator(_time_zone)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(_Model):
    """What a submission of a week may use. Times are wall-clock seconds."""

    request_seconds: Seconds
    test_seconds: Seconds
    training_seconds: Seconds
    memory_mb: Count
    training_memory_mb: Count
    processes: Count
    output_kb: Count
    file_mb: Count


class TrainingJob(_Model):
    """A week's training job: what is run, on which data, for how long at most.

    `script` is one of the week's modules, `data` an image set, `folder_mb` how much the script may
    write. `memory_mb` is main memory, not a GPU's.
    """

    script: FileName
    data: Text
    epochs: Count
    minutes: Count
    memory_mb: Count
    folder_mb: Count


class Notebook(_Model):
    """A notebook that students hand in, and the module that the functions in it make.

    `functions` maps the names of the functions that it asks for to the items that they belong to.
    The notebook is one of the week's documents too: a person marks what is written in it.
    """

    file: FileName
    module: FileName
    functions: Annotated[dict[str, Identifier], Field(min_length=1)]


class Week(_Model):
    """One assignment: its folder under assignments/ and the files that a student hands in.

    Each of `documents`, which a person marks, is the names that it may have: one of them is handed
    in. `student_tests` is the one of `modules` that holds the student's own tests, `data` the data
    set of the week's training threshold; either is None where the week has none. `given` are
    modules that students get complete: they are neither handed in nor graded. `packages` are the
    distributions that its code may import on top of numpy, with all that they need; `forbidden` are
    modules, classes and functions of theirs that students have to write themselves. `job` is what
    the training job runs. `notebooks` are where some of the modules come from: their functions are
    taken out of what is handed in. `due` is when it has to be handed in, None where it may come any
    time.
    """

    number: Count
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    folder: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]
    title: Text
    modules: Annotated[FileNames, Field(min_length=1)]
    documents: Documents = ()
    notebooks: Annotated[tuple[Notebook, ...], Field(strict=False)] = ()
    given: FileNames = ()
    data: str | None = None
    student_tests: str | None = None
    packages: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    forbidden: Annotated[tuple[Text, ...], Field(strict=False)] = ()
    job: TrainingJob | None = None
    due: Moment | None = None
    limits: Limits

    @property
    def name(self) -> str:
        """What to call it: "week 1", or its id where that says more."""
        return f"week {self.number}" if self.id == f"week{self.number}" else self.id

    @property
    def sources(self) -> tuple[str, ...]:
        """The modules that are handed in as they are; the others come from notebooks."""
        made = {notebook.module for notebook in self.notebooks}
        return tuple(name for name in self.modules if name not in made)

    def notebook(self, name: str) -> Notebook | None:
        """Return the notebook that is called `name` or makes the module `name`, if one does."""
        found = (one for one in self.notebooks if name in (one.file, one.module))
        return next(found, None)

    @property
    def files(self) -> tuple[str, ...]:
        """All that a student may hand in: modules, then documents under each of their names."""
        return self.sources + tuple(name for document in self.documents for name in document)

    @property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """What a student is asked for, each under the names that it may have."""
        return (*((name,) for name in self.sources), *self.documents)


class Watched(_Model):
    """What raises a flag, for a person to look at, where a submission uses it; and why.

    `names` are full names of modules, functions and classes; `weeks` the ids of the weeks for which
    it holds, all of them where it is left out.
    """

    names: Annotated[tuple[Text, ...], Field(strict=False, min_length=1)]
    why: Text
    weeks: Annotated[tuple[Text, ...], Field(strict=False)] = ()


class TrainingSetting(_Model):
    """How a network is trained for its accuracy, and what an accuracy is worth.

    `curve` holds pairs (test accuracy, share of the points), both in 0..1.
    """

    epochs: Count
    batch_size: Count
    lr: Seconds
    curve: Annotated[
        tuple[Annotated[tuple[Share, Share], Field(strict=False)], ...],
        Field(strict=False, min_length=2),
    ]

    @field_validator("curve")
    @classmethod
    def _rises(cls, curve: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(b[0] <= a[0] or b[1] < a[1] for a, b in pairwise(curve)):
            raise ValueError("accuracies must rise from pair to pair and shares must not fall")
        if curve[0][1] != 0 or curve[-1][1] != 1:
            raise ValueError("the first share must be 0 and the last one 1")
        return curve

    def credit(self, accuracy: float) -> int:
        """Return the credit, 0..FULL_CREDIT, for a test accuracy; NaN is worth nothing.

        Linear between the curve's points and rounded down, so only the last point gives all.
        """
        if not accuracy > self.curve[0][0]:
            return 0
        if accuracy >= self.curve[-1][0]:
            return FULL_CREDIT
        for (x0, y0), (x1, y1) in pairwise(self.curve):
            if accuracy <= x1:
                share = y1 if accuracy == x1 else y0 + (y1 - y0) * (accuracy - x0) / (x1 - x0)
                return int(round(FULL_CREDIT * share, 6))
        raise AssertionError("the curve's last point was passed above")


class HandingIn(_Model):
    """What holds for handing in: how late is too late, and how often hidden tests are run.

    `late` holds pairs (days after the due date, share of the points that is kept), straight lines
    between them; empty: nothing is lost. `whole_days` counts a day that has begun as a whole one.
    `gradings_per_day` limits the gradings on push by the days of `time_zone`; None: no limit.
    """

    grace_minutes: Annotated[int, Field(ge=0)] = 0
    late: Annotated[
        tuple[
            Annotated[
                tuple[Annotated[float, Field(ge=0, allow_inf_nan=False)], Share],
                Field(strict=False),
            ],
            ...,
        ],
        Field(strict=False),
    ] = ()
    whole_days: bool = False
    gradings_per_day: Count | None = None
    time_zone: Zone = "UTC"

    @property
    def zone(self) -> ZoneInfo:
        """The time zone itself."""
        return ZoneInfo(self.time_zone)

    @field_validator("late")
    @classmethod
    def _falls(cls, late: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        if any(b[0] <= a[0] or b[1] > a[1] for a, b in pairwise(late)):
            raise ValueError("days must rise from pair to pair and shares must not")
        return late


class Extension(_Model):
    """A student's own due date for a week, called by its id. `why` is for the instructor alone."""

    student: Text
    week: Text
    due: Moment
    why: str = ""


class Item(_Model):
    """One line of the rubric. `points` is in hundredths, `week` the number of its week.

    `kind` says who gives the points: the suites, a person, or the training job.

    `document` names what a manual item is marked by, where the week has several documents.
    """

    id: Identifier
    title: Text
    points: Points
    week: Count
    kind: Kind
    document: FileName | None = None


class Component(_Model):
    """A part of the rubric. `points` is in hundredths; `extra` comes on top of the total."""

    id: Identifier
    title: Text
    points: Points
    extra: bool = False
    items: Annotated[tuple[Item, ...], Field(strict=False)] = ()

    @model_validator(mode="before")
    @classmethod
    def _pass_kind_on(cls, table: Any) -> Any:
        """An item without a `kind` has its component's."""
        if not isinstance(table, dict) or "kind" not in table:
            return table
        rest = {key: value for key, value in table.items() if key != "kind"}
        items = rest.get("items", [])
        if isinstance(items, list):
            rest["items"] = [
                {"kind": table["kind"], **item} if isinstance(item, dict) else item
                for item in items
            ]
        return rest

    @property
    def is_open(self) -> bool:
        """Whether it has items already; the component of a later week has none."""
        return bool(self.items)


class Course(_Model):
    """Everything that the course's files say, checked against each other.

    `salt` is "", `training` and `extensions` are empty where there is no grading.toml, as in a
    student's tree.
    """

    title: Text
    weeks: tuple[Week, ...]
    components: tuple[Component, ...]
    watched: tuple[Watched, ...] = ()
    handing_in: HandingIn = HandingIn()
    salt: str = ""
    training: dict[str, TrainingSetting] = {}
    extensions: tuple[Extension, ...] = ()

    def due(self, student: str, week: Week) -> datetime | None:
        """Return when a student has to hand in a week, None where it may come any time."""
        granted = [
            one.due for one in self.extensions if (one.student, one.week) == (student, week.id)
        ]
        return granted[0] if granted else week.due

    def watched_in(self, week: Week) -> tuple[Watched, ...]:
        """Return what raises a flag in a week."""
        return tuple(entry for entry in self.watched if not entry.weeks or week.id in entry.weeks)

    def week(self, number: int) -> Week:
        """Return a week by its number. Raises CourseError where there is none."""
        for week in self.weeks:
            if week.number == number:
                return week
        known = ", ".join(str(week.number) for week in self.weeks)
        problem = f"there is no week {number}"
        raise CourseError(COURSE_FILE, "week", problem, f"Choose one of these: {known}")

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
        problem = f"there is no week {name!r}"
        raise CourseError(COURSE_FILE, "week", problem, f"Choose one of these: {known}")

    def items(self, week: int | None = None) -> tuple[Item, ...]:
        """Return the rubric's items in its order, all of them or one week's."""
        every = (item for component in self.components for item in component.items)
        return tuple(item for item in every if week is None or item.week == week)

    def item(self, id: str) -> Item:
        """Return an item by its id. Raises CourseError where there is none."""
        for item in self.items():
            if item.id == id:
                return item
        remedy = "Correct the id, or add the item to the rubric"
        raise CourseError(RUBRIC_FILE, "items", f"there is no item {id!r}", remedy)

    def documents_for(self, item: Item) -> tuple[str, ...]:
        """Return the names of all files by which a manual item may be marked."""
        if item.kind != "manual":
            return ()
        documents = self.week(item.week).documents
        chosen = (part for part in documents if item.document is None or item.document in part)
        return tuple(name for document in chosen for name in document)

    def training_setting(self, dataset: str) -> TrainingSetting:
        """Return how to train on a data set. Raises CourseError where nothing says it."""
        if dataset not in self.training:
            problem = f"there are no settings for the data set {dataset!r}"
            raise CourseError(GRADING_FILE, f"training.{dataset}", problem, "Add this table")
        return self.training[dataset]


class _Header(_Model):
    title: Text


class _CourseFile(_Model):
    course: _Header
    week: Annotated[tuple[Week, ...], Field(strict=False, min_length=1)]
    watched: Annotated[tuple[Watched, ...], Field(strict=False)] = ()
    handing_in: HandingIn = HandingIn()


class _GradingFile(_Model):
    salt: Text
    training: dict[str, TrainingSetting] = {}
    extension: Annotated[tuple[Extension, ...], Field(strict=False)] = ()


class _RubricFile(_Model):
    total: Points
    extra_credit: Points
    component: Annotated[tuple[Component, ...], Field(strict=False, min_length=1)]


def load(root: Path) -> Course:
    """Read the course of a repository, or of the tree that students have, below `root`.

    Raises CourseError, which names the file and the key, for a missing file (grading.toml may be
    missing), a syntax error, a wrong value, or files that contradict each other.
    """
    course = _read(root, COURSE_FILE, _CourseFile)
    rubric = _read(root, RUBRIC_FILE, _RubricFile, parse_float=Decimal)
    _check_weeks(course.week)
    _check_watched(course)
    _check_rubric(rubric, course.week)
    private: dict[str, Any] = {}
    if (root / GRADING_FILE).exists():
        grading = _read(root, GRADING_FILE, _GradingFile)
        _check_extensions(grading.extension, course.week)
        private = {
            "salt": grading.salt,
            "training": grading.training,
            "extensions": grading.extension,
        }
    return Course(
        title=course.course.title,
        weeks=course.week,
        components=rubric.component,
        watched=course.watched,
        handing_in=course.handing_in,
        **private,
    )


FileModel = TypeVar("FileModel", bound=_Model)


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
        raise _explain(file, error) from error


def _explain(file: str, error: ValidationError) -> CourseError:
    """Turn pydantic's list of errors into one CourseError: the first in full, then the others."""
    remedies = {"missing": "Add it", "extra_forbidden": "Remove it or correct its spelling"}
    found = []
    for entry in error.errors():
        steps = [f"#{step + 1}" if isinstance(step, int) else f".{step}" for step in entry["loc"]]
        key = "".join(steps).lstrip(".") or "the file"
        text = entry["msg"].removeprefix("Value error, ")
        text = text[:1].lower() + text[1:]
        if entry["type"] not in remedies:
            text += f" (it is {entry['input']!r:.60})"
        found.append((key, text, remedies.get(entry["type"], "Correct the value")))
    key, problem, remedy = found[0]
    for other in found[1:]:
        remedy += f"; {other[0]}: {other[1]}. {other[2]}"
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


def _check_watched(course: _CourseFile) -> None:
    known = {week.id for week in course.week}
    for number, entry in enumerate(course.watched, start=1):
        for name in sorted(set(entry.weeks) - known):
            problem = f"there is no week {name!r}"
            raise CourseError(COURSE_FILE, f"watched#{number}.weeks", problem, "Correct the id")


def _check_extensions(extensions: tuple[Extension, ...], weeks: tuple[Week, ...]) -> None:
    known = {week.id for week in weeks}
    for number, one in enumerate(extensions, start=1):
        if one.week not in known:
            problem = f"there is no week {one.week!r}"
            raise CourseError(GRADING_FILE, f"extension#{number}.week", problem, "Correct the id")
    pairs = (f"{one.student} in {one.week}" for one in extensions)
    _check_unique(GRADING_FILE, "extension", pairs, "Keep one of them")


def _check_rubric(rubric: _RubricFile, weeks: tuple[Week, ...]) -> None:
    components = rubric.component
    items = [item for component in components for item in component.items]
    _check_unique(RUBRIC_FILE, "component.id", (component.id for component in components))
    _check_unique(RUBRIC_FILE, "item ids", (item.id for item in items))
    for component in components:
        if component.is_open:
            _check_sum(f"component {component.id}", component.points, component.items)
    _check_sum("total", rubric.total, [part for part in components if not part.extra])
    _check_sum("extra_credit", rubric.extra_credit, [part for part in components if part.extra])
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
    twice = [str(value) for value, count in Counter(values).items() if count > 1]
    if twice:
        raise CourseError(file, key, f"used more than once: {', '.join(twice)}", remedy)


def _check_sum(key: str, points: int, parts: Iterable[Item | Component]) -> None:
    added = sum(part.points for part in parts)
    if added != points:
        problem = f"its parts add up to {format_points(added)} points, not {format_points(points)}"
        raise CourseError(RUBRIC_FILE, key, problem, "Correct the points of one of them")
