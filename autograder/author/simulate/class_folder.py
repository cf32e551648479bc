"""A simulated class: submissions as a real one would hand them in, with known mistakes planted."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from autograder.author.folders import folder_in_place_of
from autograder.author.simulate.layouts import LAYOUTS, pack
from autograder.author.simulate.student_week import Author, Dice, Planted, has_content
from autograder.course import Course, Week
from autograder.errors import OutputError
from autograder.text.files import write_text

SCHEMA = "simulated-class/2"

# Kinds of work of the first twelve students in each week, so that a small class has most kinds, and
# the probability of each kind for further students. A truncated archive affects all weeks.
FIRST = (
    *("full", "mistaken", "unfinished", "mistaken", "empty", "truncated"),
    *("syntax-error", "mistaken", "full", "mistaken", "unfinished", "mistaken"),
)
SHARES = {
    "full": 0.17,
    "mistaken": 0.57,
    "unfinished": 0.19,
    "syntax-error": 0.02,
    "endless-loop": 0.02,
    "empty": 0.02,
    "truncated": 0.01,
}
GIVEN_NAMES = (
    "alex amara anton avery bela bo carmen chidi dana diego elif emil farah femi gita hana ivo "
    "jasmin jonas kaya kim lea levi lucia maya milan nadia niko noor oskar pia quinn rafael rosa "
    "sami selma tariq teo uma vera wanda xenia yara yusuf zoe"
)
FAMILY_NAMES = (
    "adeyemi almeida baker berg bianchi castillo chen costa dahl demir diallo eriksen fischer "
    "garcia haddad hansen ito ivanova jansen kaur khan kovacs lin lopez mbeki meyer moreau nguyen "
    "novak okafor olsen park patel popescu rossi sato schmidt silva singh tanaka torres vogel "
    "weber wong yilmaz"
)


class ClassFolderError(OutputError):
    """The folder for a simulated class holds other files."""


@dataclass
class Simulated:
    """One student's submission: its name in the class's folder, and what is in it of each week."""

    student: str
    layout: str
    path: str
    weeks: list[Planted]


def manifest_path(out: Path) -> Path:
    """Return where the ground truth of the class in `out` is kept: beside it, never in it."""
    return out.with_name(f"{out.name}.simulated.json")


def write_class(
    course: Course,
    root: Path,
    out: Path,
    students: int = 12,
    seed: int = 0,
    only: int | None = None,
) -> list[Simulated]:
    """Write a class into the folder `out` and its ground truth into `manifest_path(out)`.

    It hands in the weeks of the first phase that can be graded with numpy alone, or just the week
    `only`: the same files of it in either case. The same arguments give the same files on every
    Python (archives: the same members). An earlier simulated class in `out` is replaced;
    anything else there raises ClassFolderError.
    """
    if students < 1:
        raise ValueError(f"a class needs at least 1 student, got {students}")
    out = out.resolve()
    manifest = manifest_path(out)
    if out.exists() and not _replaceable(out, manifest):
        raise ClassFolderError(
            f"{out} holds something that is not a simulated class; name an empty or new folder"
        )
    first = course.weeks_of(course.phases[0].id)
    there = [week for week in first if has_content(root, week) and not week.packages]
    weeks = there if only is None else [course.week(only)]
    authors = [Author(course, root, week, seed) for week in weeks]
    kinds = _kinds(students, seed, weeks)
    layouts = Dice(seed, "layouts").shuffled(list(LAYOUTS))
    with folder_in_place_of(out) as folder:
        simulated = [
            _submit(folder, authors, seed, number, mine, layouts[number % len(layouts)])
            for number, mine in enumerate(kinds, start=1)
        ]
    truth = {
        "schema": SCHEMA,
        "seed": seed,
        "weeks": [week.number for week in weeks],
        "students": [asdict(one) for one in simulated],
    }
    write_text(manifest, json.dumps(truth, indent=2) + "\n")
    return simulated


def _replaceable(out: Path, manifest: Path) -> bool:
    """Whether a folder holds nothing but what the ground truth beside it names."""
    truth = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {"students": []}
    ours = {one["path"] for one in truth["students"]}
    return out.is_dir() and {path.name for path in out.iterdir()} <= ours


def _kinds(students: int, seed: int, weeks: list[Week]) -> list[list[str]]:
    """Return for each student the kind of their work in each week.

    Every week has the same kinds, assigned to students at random; "truncated" stays the same.
    """
    dice = Dice(seed, "class")
    kinds = list(FIRST[:students])
    while len(kinds) < students:
        kinds.append(dice.pick(list(SHARES), list(SHARES.values())))
    kinds = dice.shuffled(kinds)
    rows: list[list[str]] = [[] for _ in kinds]
    for week in weeks:
        rest = Dice(seed, "class", week.id).shuffled([k for k in kinds if k != "truncated"])
        for row, kind in zip(rows, kinds, strict=True):
            row.append(kind if kind == "truncated" else rest.pop())
    return rows


def _submit(
    folder: Path, authors: list[Author], seed: int, number: int, kinds: list[str], layout: str
) -> Simulated:
    """Write one student's submission into `folder`."""
    dice = Dice(seed, "student", number)
    student = f"s{number:04d}-{dice.pick(GIVEN_NAMES.split())}"
    student += f"-{dice.pick(FAMILY_NAMES.split())}"
    written = [author.write(number, kind) for author, kind in zip(authors, kinds, strict=True)]
    contents = [(author.week, files) for author, (files, _) in zip(authors, written, strict=True)]
    if "truncated" in kinds:
        layout = "zip"
    elif not any(files for _, files in contents):
        layout = "files"
    path = pack(folder, student, layout, contents)
    if "truncated" in kinds:
        archive = folder / path
        archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
    return Simulated(student, layout, path, [planted for _, planted in written])
