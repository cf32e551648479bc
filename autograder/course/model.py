"""The parts that a course is made of: weeks, notebooks, items of the rubric, settings."""

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
from autograder.records import FULL_CREDIT


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


class Model(BaseModel):
    """A part that can't be changed, and of which every key is known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Limits(Model):
    """What a submission of a week may use. Times are wall-clock seconds."""

    request_seconds: Seconds
    test_seconds: Seconds
    training_seconds: Seconds
    memory_mb: Count
    training_memory_mb: Count
    processes: Count
    output_kb: Count
    file_mb: Count


class TrainingJob(Model):
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


class Notebook(Model):
    """A notebook that students hand in, and the module that the functions in it make.

    `functions` maps the names of the functions that it asks for to the items that they belong to.
    The notebook is one of the week's documents too: a person marks what is written in it.
    """

    file: FileName
    module: FileName
    functions: Annotated[dict[str, Identifier], Field(min_length=1)]


class Week(Model):
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


class TrainingSetting(Model):
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


class HandingIn(Model):
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


class Extension(Model):
    """A student's own due date for a week, called by its id. `why` is for the instructor alone."""

    student: Text
    week: Text
    due: Moment
    why: str = ""


class Item(Model):
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


class Component(Model):
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
