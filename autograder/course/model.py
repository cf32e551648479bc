"""Models of the course: weeks, notebooks, rubric items and settings."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    field_validator,
    model_validator,
)

from autograder.course.points import parse_points
from autograder.errors import AuthorError


class CourseError(AuthorError):
    """Something in the course's files is wrong or missing: where, what, and what to do."""

    def __init__(self, file: str, key: str, problem: str, remedy: str) -> None:
        super().__init__(f"{file}: {key}: {problem}", remedy)
        self.file, self.key = file, key


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
FolderName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$")]
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


ItemKind = Literal["auto", "manual", "training"]
Moment = Annotated[datetime, AfterValidator(_with_zone)]
Zone = Annotated[str, AfterValidator(_time_zone)]
Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class Model(BaseModel):
    """Base of all models: immutable, strict, and without unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(Model):
    """What a submission of a week may use. Times are wall-clock seconds.

    A key that is left out has the value that suits a week of NumPy modules.
    """

    request_seconds: Seconds = 5.0
    test_seconds: Seconds = 20.0
    training_seconds: Seconds = 180.0
    memory_mb: Count = 1024
    training_memory_mb: Count = 2048
    processes: Count = 32
    output_kb: Count = 4096
    file_mb: Count = 32


class TrainingJob(Model):
    """A week's training job: the script, its data and its limits.

    `script` is one of the week's modules, `data` an image set, `folder_mb` how much the script may
    write. `memory_mb` is main memory, not a GPU's.
    """

    script: FileName
    data: Text
    epochs: Count
    minutes: Count
    memory_mb: Count
    folder_mb: Count


class Notebook(Model):
    """A notebook that students hand in, and the module made of its functions.

    `functions` maps the names of the functions that it asks for to their items. The notebook is
    also one of the week's documents: a person marks its text.
    """

    file: FileName
    module: FileName
    functions: Annotated[dict[str, Identifier], Field(min_length=1)]


class Week(Model):
    """One assignment: its folder under assignments/ and the files that a student hands in.

    Each of `documents`, which a person marks, is the names that it may have: one of them is handed
    in. `student_tests` is the one of `modules` that holds the student's own tests, `data` the data
    set of the week's training threshold: the name of one in data/, or a file of the week's hidden
    suite such as "hidden/spirals.npz"; either is None where the week has none. `given` are
    modules that students get complete: they are neither handed in nor graded. `packages` are the
    distributions that its code may import on top of numpy, with all that they need; `forbidden` are
    modules, classes and functions of theirs that students have to write themselves. `job` is what
    the training job runs. `notebooks` are where some of the modules come from: their functions are
    taken out of what is handed in. `due` is when it has to be handed in, None where it may come any
    time. `worker` are the folders, relative to assignments/, with the drivers and probes that its
    suites ask for; None: its own `worker/`, where there is one. `homes` maps a module to the others
    in which students may define its names instead.
    """

    number: Count
    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    folder: FolderName
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
    worker: Annotated[tuple[FolderName, ...], Field(strict=False)] | None = None
    homes: dict[FileName, FileNames] = {}
    due: Moment | None = None
    limits: Limits = Limits()

    @field_validator("data")
    @classmethod
    def _stays_hidden(cls, data: str | None) -> str | None:
        """A data set holds test data, so a file of it lies where nothing is given to students."""
        if data is not None and data.endswith(".npz") and not data.startswith("hidden/"):
            raise ValueError('must be a data set\'s name, or a file such as "hidden/spirals.npz"')
        return data if data is None or not data.endswith(".npz") else _relative_file(data)

    @property
    def name(self) -> str:
        """What to call it: "week 1", or its id where that says more."""
        return f"week {self.number}" if self.id == f"week{self.number}" else self.id

    @property
    def sources(self) -> tuple[str, ...]:
        """The modules that are handed in as files; the others come from notebooks."""
        from_notebooks = {notebook.module for notebook in self.notebooks}
        return tuple(name for name in self.modules if name not in from_notebooks)

    def notebook(self, name: str) -> Notebook | None:
        """Return the notebook that is called `name` or makes the module `name`, if one does."""
        matching = (book for book in self.notebooks if name in (book.file, book.module))
        return next(matching, None)

    @property
    def files(self) -> tuple[str, ...]:
        """All files that a student may hand in: modules, then documents by each of their names."""
        return self.sources + tuple(name for document in self.documents for name in document)

    @property
    def asked(self) -> tuple[tuple[str, ...], ...]:
        """The files that a student is asked for, each with all names that it may have."""
        return (*((name,) for name in self.sources), *self.documents)


class TrainingSetting(Model):
    """How a network is trained to measure its accuracy, and the points for an accuracy.

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


class HandingIn(Model):
    """Rules for handing in: the deduction for lateness, and the number of gradings per day.

    `late` holds pairs (days after the due date, share of the points that is kept), linear in
    between; empty: nothing is lost. `whole_days` counts a day that has begun as a whole one.
    `late_days` may each student spend over the term, by `late_days_spent` in their favour or only
    where they ask. `gradings_per_day` limits the gradings on push by the days of `time_zone`; None:
    no limit.
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
    late_days: Annotated[int, Field(ge=0)] = 0
    late_days_spent: Literal["automatically", "on request"] = "automatically"
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


class Extension(Model):
    """A student's own due date for a week, given by its id. `why` is for the instructor only;
    `nothing_yet` says that the student has handed in nothing, so that the id can't be checked."""

    student: Text
    week: Text
    due: Moment
    why: str = ""
    nothing_yet: bool = False


class Item(Model):
    """One line of the rubric. `points` is in hundredths, `week` the number of its week.

    `kind` says who gives the points: the suites, a person, or the training job. `document` is the
    document by which a manual item is marked, where the week has several. `beyond`: the course
    asks for it beyond the texts that it is made from.
    """

    id: Identifier
    title: Text
    points: Points
    week: Count
    kind: ItemKind
    document: FileName | None = None
    beyond: bool = False


class Component(Model):
    """A part of the rubric. `points` is in hundredths; extra credit comes on top of the total.

    `to_come` are those of its points whose items are not written yet: those of later weeks.
    """

    id: Identifier
    title: Text
    points: Points
    extra: bool = False
    to_come: Points = 0
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
        """Whether it has items; the component of a later week has none yet."""
        return bool(self.items)

    @property
    def most(self) -> int:
        """The points that its items give, where it is open."""
        return self.points - self.to_come


class Phase(Model):
    """A part of the course with totals of its own: its components, and what they add up to.

    `total` and `extra_credit` are in hundredths of a point; extra credit comes on top of the total.
    A component of a later phase that has no items yet holds a place in the form.
    """

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Text
    total: Points
    extra_credit: Points = 0
    components: Annotated[
        tuple[Component, ...], Field(strict=False, min_length=1, validation_alias="component")
    ]

    @property
    def items(self) -> tuple[Item, ...]:
        """The items of its components, in the rubric's order."""
        return tuple(item for component in self.components for item in component.items)
