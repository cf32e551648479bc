"""`autograder new`: creates a week that can be graded at once; writes all files or none."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from autograder.author import new_week_files as texts
from autograder.author.new_week_files import QUALITY, NewItem, NewWeek
from autograder.course import (
    COURSE_FILE,
    GRADING_FILE,
    RUBRIC_FILE,
    Course,
    load,
)
from autograder.course.hints import HINTS_FILE
from autograder.course.points import format_points, parse_points
from autograder.errors import InputError
from autograder.reference.gaps import make_stub

WORD = r"[a-z][a-z0-9_]{0,23}"
NAME = re.compile(rf"week([1-9][0-9]{{0,3}})_({WORD})")
ITEM = re.compile(rf"({WORD})(?:=([0-9.]+))?")
IMPORTED = ("np", "npt", "annotations")
"""Names that the module of a new week imports."""

POINTS = 1000
"""Points of an item that names none, in hundredths."""

NEEDS_MORE = {
    "student_tests": "students' own tests need `student_tests` in the week's table",
    "performance": "a training job needs a `[week.job]`",
}
"""Item names with a special meaning that a new week can't have -> what they need."""


class NewWeekError(InputError):
    """A week of this name can't be made; nothing was written."""


def new_week(
    root: Path,
    name: str,
    title: str | None = None,
    items: str | None = None,
    phase: str | None = None,
) -> NewWeek:
    """Describe the week that `name` ("week9_hello") and the options of the command ask for.

    `items` is a list like "greet=4,count=6"; without it there is one item, called like the topic.
    `phase` is the id of the rubric's phase in which they count; without it, the last that has any.
    Raises NewWeekError for a name, a number or an item that can't be had, and CourseError where the
    course itself is wrong.
    """
    matched = NAME.fullmatch(name)
    if matched is None:
        raise NewWeekError(
            f"{name!r} is no name of a week",
            "Write week, its number, and a topic in small letters, as in week9_hello",
        )
    number, topic = int(matched[1]), matched[2]
    _check_topic(topic)
    course = load(root)
    week = NewWeek(
        number,
        topic,
        title or topic.replace("_", " ").capitalize(),
        _items(items or topic),
        _phase(course, phase),
    )
    _check_free(root, course, week)
    return week


def _phase(course: Course, id: str | None) -> str:
    """Return the id of the phase that is asked for, or of the last one that has items."""
    known = [phase.id for phase in course.phases]
    if id is None:
        return next((one.id for one in reversed(course.phases) if one.items), known[-1])
    if id not in known:
        problem = f"the course has no phase {id!r}"
        raise NewWeekError(problem, f"Choose one of these: {', '.join(known)}")
    return id


def _check_topic(topic: str) -> None:
    """Raise NewWeekError if the topic is a keyword, or the name of an importable module."""
    if keyword.iskeyword(topic):
        problem = f"{topic!r} is a word of Python's own"
    elif importlib.util.find_spec(topic) is not None:
        problem = f"Python has a module called {topic!r} already, and would import one of the two"
    else:
        return
    raise NewWeekError(problem, "Choose another topic, as in week9_hello")


def _items(text: str) -> tuple[NewItem, ...]:
    """Read the items of a new week: "greet=4,count=6"; one without points has 10."""
    found = []
    for part in text.split(","):
        matched = ITEM.fullmatch(part.strip())
        if matched is None:
            remedy = "Write names in small letters with their points, as in greet=4,count=6"
            raise NewWeekError(f"{part.strip()!r} is no item", remedy)
        name = matched[1]
        if name in NEEDS_MORE:
            raise NewWeekError(
                f"{name!r} is no item of a new week: {NEEDS_MORE[name]}", "Leave it out"
            )
        if keyword.iskeyword(name) or name in IMPORTED:
            problem = f"the item {name!r} can't be the name of a function in the module"
            raise NewWeekError(problem, "Choose another name")
        try:
            points = POINTS if matched[2] is None else parse_points(matched[2])
        except ValueError as error:
            raise NewWeekError(f"the item {name!r}: {error}", "Correct its points") from error
        if points == 0:
            raise NewWeekError(f"the item {name!r} is worth nothing", "Give it points")
        found.append(NewItem(name, points))
    names = [item.name for item in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NewWeekError(f"items that are named twice: {', '.join(twice)}", "Rename one")
    if set(names) == {QUALITY}:
        raise NewWeekError("quality alone is no week", "Add an item that has a function")
    return tuple(found)


def _check_free(root: Path, course: Course, week: NewWeek) -> None:
    """Check that nothing of the course has the week's number, id or folders yet."""
    everything = (*course.weeks, *course.left_out)
    for other in everything:
        if other.number == week.number or other.id == week.id:
            taken = {known.number for known in everything}
            free = next(number for number in count(week.number) if number not in taken)
            raise NewWeekError(
                f"number {week.number} is taken by {other.id} ({other.title})",
                f"Choose another number: {free} is free",
            )
    for component in course.components:
        if component.id == week.folder:
            problem = f"{RUBRIC_FILE} has a component called {week.folder} already"
            raise NewWeekError(problem, "Remove it, or choose another topic")
    for place in ("assignments", "solutions"):
        if (root / place / week.folder).exists():
            problem = f"{place}/{week.folder} is there already"
            raise NewWeekError(problem, "Remove it, or choose another topic")


def files_of(week: NewWeek) -> dict[str, str]:
    """Return the texts of all files of a new week, by their paths below the repository."""
    assignment, solutions = f"assignments/{week.folder}", f"solutions/{week.folder}"
    reference = texts.solution(week)
    items = {f"{week.id}.{item.name}" for item in week.items}
    return {
        f"{solutions}/{week.module}": reference,
        f"{solutions}/misconceptions.toml": texts.catalogue(week),
        f"{solutions}/other_styles/{texts.OTHER_STYLE}/{week.module}": texts.other_solution(week),
        f"{assignment}/README.md": texts.handout(week),
        f"{assignment}/{HINTS_FILE}": texts.hints(week),
        f"{assignment}/{week.module}": make_stub(reference, week.module, items),
        f"{assignment}/hidden/test_{week.topic}.py": texts.hidden_suite(week),
        f"{assignment}/tests/test_public_{week.topic}.py": texts.public_suite(week),
    }


def write_week(root: Path, week: NewWeek) -> list[str]:
    """Write a new week into the repository and return the paths of what was written or changed.

    Everything is written beside its place first, under temporary names; then it is renamed, in an
    order in which the course loads at any moment. If anything fails, all is as it was.
    """
    files = files_of(week)
    changed = {
        COURSE_FILE: _text(root, COURSE_FILE) + texts.course_table(week),
        RUBRIC_FILE: _with_component(_text(root, RUBRIC_FILE), week),
    }
    _check_loads(root, changed)
    with _all_or_nothing() as put:
        for place in ("solutions", "assignments"):
            folder = Path(place) / week.folder
            inside = {
                Path(name).relative_to(folder): text
                for name, text in files.items()
                if Path(name).is_relative_to(folder)
            }
            put.folder(root / folder, inside)
        for name, text in changed.items():
            put.file(root / name, text)
    return [*files, *changed]


def _text(root: Path, name: str) -> str:
    text = (root / name).read_text("utf-8")
    return text if text.endswith("\n") else f"{text}\n"


def _with_component(rubric: str, week: NewWeek) -> str:
    """Return the rubric with the week's component at the end of its phase, whose total is raised.

    Everything else stays as it is.
    """
    places = [found.start() for found in re.finditer(r"^\[\[phase\]\]", rubric, re.MULTILINE)]
    ids = [phase["id"] for phase in tomllib.loads(rubric)["phase"]]
    if len(places) != len(ids):
        problem = f"{RUBRIC_FILE} has phases that do not begin with a line [[phase]]"
        raise NewWeekError(problem, "Write them so")
    number = ids.index(week.phase)
    start, end = places[number], [*places, len(rubric)][number + 1]
    # Blank lines and comments at its end belong to what follows.
    after = re.search(r"(?:\n(?:#.*)?)+\Z", rubric[start:end])
    end = start + after.start() if after else end
    block = rubric[start:end]
    total = re.search(r"""^total\s*=\s*["']?([0-9.]+)["']?""", block, re.MULTILINE)
    if total is None:
        raise NewWeekError(f"{RUBRIC_FILE}: {week.phase} has no line `total = ...`", "Add it")
    points = format_points(parse_points(total[1]) + week.points)
    block = block[: total.start(1)] + points + block[total.end(1) :]
    component = texts.rubric_component(week).rstrip("\n")
    return f"{rubric[:start]}{block}\n{component}{rubric[end:]}"


def _check_loads(root: Path, changed: dict[str, str]) -> None:
    """Load the course as it will be, from a folder of its own. Raises CourseError."""
    with tempfile.TemporaryDirectory(prefix="autograder-") as folder:
        there = Path(folder)
        (there / COURSE_FILE).parent.mkdir()
        for name, text in changed.items():
            (there / name).write_text(text, "utf-8")
        if (root / GRADING_FILE).exists():
            shutil.copyfile(root / GRADING_FILE, there / GRADING_FILE)
        load(there)


class _Writer:
    """Writes files under temporary names, then renames them; `undo` reverts the renames."""

    def __init__(self) -> None:
        self.staged: list[tuple[Path, Path]] = []
        self.replaced: list[tuple[Path, bytes | None]] = []

    def folder(self, target: Path, files: dict[Path, str]) -> None:
        """Stage a new folder with these files."""
        staged = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
        self.staged.append((staged, target))
        staged.chmod(0o755)
        for name, text in files.items():
            path = staged / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")

    def file(self, target: Path, text: str) -> None:
        """Stage the new text of a file that is there."""
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
        self.staged.append((Path(name), target))
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
        shutil.copymode(target, name)

    def put(self) -> None:
        """Rename everything to its final name, in the order in which it was staged."""
        for staged, target in self.staged:
            before = target.read_bytes() if target.is_file() else None
            os.rename(staged, target)
            self.replaced.append((target, before))

    def undo(self) -> None:
        """Restore what was there before."""
        for target, before in reversed(self.replaced):
            if before is None:
                shutil.rmtree(target)
            else:
                target.write_bytes(before)

    def clean(self) -> None:
        """Remove what was staged and never put in place."""
        for staged, _ in self.staged:
            if staged.is_dir():
                shutil.rmtree(staged)
            else:
                staged.unlink(missing_ok=True)


@contextmanager
def _all_or_nothing() -> Iterator[_Writer]:
    """Yield a writer; at the end of the block all staged files are put in place, or none.

    Raises NewWeekError for errors of the file system.
    """
    writer = _Writer()
    try:
        yield writer
        writer.put()
    except BaseException as error:
        writer.undo()
        if not isinstance(error, OSError):
            raise
        problem = f"{error.filename or 'a file'} can't be written: {error.strerror or error}"
        remedy = "Nothing was changed. Make room or give yourself the right to write there"
        raise NewWeekError(problem, remedy) from error
    finally:
        writer.clean()


def next_steps(week: NewWeek) -> Sequence[str]:
    """Return what to edit next, in working order."""
    program = ".venv/bin/python -m autograder"
    assignment, solutions = f"assignments/{week.folder}", f"solutions/{week.folder}"
    return (
        f"{solutions}/{week.module}: the task; what stands between the markers is left to students",
        f"{program} stubs: writes {assignment}/{week.module} anew from it",
        f"{assignment}/hidden/test_{week.topic}.py: the tests that give points",
        f"{assignment}/tests/test_public_{week.topic}.py: the tests that students get",
        f"{solutions}/misconceptions.toml: what students get wrong, and what they are told",
        f"{solutions}/other_styles/{texts.OTHER_STYLE}/: a second right solution",
        f"{assignment}/README.md and {HINTS_FILE}: the handout, and hints for each task",
        f"{program} author check --week {week.number}: proves all of it",
    )
