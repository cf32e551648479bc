"""A simulated class: submissions as a real one would hand them in, with known mistakes planted."""

from __future__ import annotations

import ast
import json
import random
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from autograder.atomic import folder_in_place_of, write_text
from autograder.course import Course, CourseError, Week
from autograder.misconceptions import Misconception, MisconceptionError, load
from autograder.simulate_files import LAYOUTS, pack
from autograder.stubs import StubError, find_gaps, render

KNOWN_ERRORS = (CourseError, FileExistsError, MisconceptionError, StubError)
T = TypeVar("T")
SCHEMA = "simulated-class/1"

# What the first twelve students are, so that the smallest class shows everything once, and how
# likely each kind is from there on.
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


@dataclass
class Planted:
    """What was planted in one submission: the ground truth that grading can be compared with.

    `fails` are the items that can't get full points because of mistakes and gaps left open. The
    student's own tests are apart: their points depend on `tests`, which is "unwritten",
    "reference", "subset" or one of the week's examples. `missing` are modules that were not handed
    in; `broken` names the module with a syntax error or the function with an endless loop.
    """

    student: str
    kind: str
    layout: str
    path: str
    misconceptions: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    tests: str | None = None
    broken: str | None = None


class Dice:
    """Draws that come out alike on every Python: all are built on `Random.random`."""

    def __init__(self, *seed: object) -> None:
        self._random = random.Random("/".join(map(str, seed))).random

    def chance(self, share: float) -> bool:
        """Return True in this share of the calls."""
        return self._random() < share

    def between(self, low: int, high: int) -> int:
        """Return an integer from low to high, both included."""
        return low + int(self._random() * (high - low + 1))

    def pick(self, options: Sequence[T], weights: Sequence[float] | None = None) -> T:
        """Return one of the options."""
        weights = weights or [1.0] * len(options)
        point = self._random() * sum(weights)
        for option, weight in zip(options, weights, strict=True):
            point -= weight
            if point < 0:
                return option
        return options[-1]

    def shuffled(self, options: Sequence[T]) -> list[T]:
        """Return the options in a random order."""
        return [option for _, option in sorted(((self._random(), o) for o in options), key=_first)]


def _first(pair: tuple[float, object]) -> float:
    return pair[0]


def manifest_path(out: Path) -> Path:
    """Return where the ground truth of the class in `out` is kept: beside it, never in it."""
    return out.with_name(f"{out.name}.simulated.json")


def write_class(
    course: Course, root: Path, out: Path, students: int = 12, seed: int = 0, week: int = 1
) -> list[Planted]:
    """Write a class into the folder `out` and its ground truth into `manifest_path(out)`.

    The same arguments give the same files on every Python (archives: the same members). An
    earlier simulated class in `out` is replaced; anything else there raises FileExistsError.
    """
    if students < 1:
        raise ValueError(f"a class needs at least 1 student, got {students}")
    out = out.resolve()
    manifest = manifest_path(out)
    if out.exists() and not _replaceable(out, manifest):
        raise FileExistsError(
            f"{out} holds something that is not a simulated class; name an empty or new folder"
        )
    author = _Author(course, root, course.week(week), seed)
    dice = Dice(seed, "class")
    kinds = list(FIRST[:students])
    while len(kinds) < students:
        kinds.append(dice.pick(list(SHARES), list(SHARES.values())))
    kinds = dice.shuffled(kinds)
    layouts = dice.shuffled(list(LAYOUTS))
    planted = []
    with folder_in_place_of(out) as folder:
        for number, kind in enumerate(kinds, start=1):
            layout = layouts[number % len(layouts)]
            planted.append(author.submit(folder, number, kind, layout))
    truth = {
        "schema": SCHEMA,
        "seed": seed,
        "week": week,
        "students": [asdict(one) for one in planted],
    }
    write_text(manifest, json.dumps(truth, indent=2) + "\n")
    return planted


def _replaceable(out: Path, manifest: Path) -> bool:
    """Whether a folder holds nothing but what the ground truth beside it names."""
    truth = json.loads(manifest.read_text("utf-8")) if manifest.exists() else {"students": []}
    ours = {one["path"] for one in truth["students"]}
    return out.is_dir() and {path.name for path in out.iterdir()} <= ours


class _Author:
    """Writes submissions for one week."""

    def __init__(self, course: Course, root: Path, week: Week, seed: int) -> None:
        self.week, self.seed = week, seed
        self.items = [item.id for item in course.items(week.number) if item.kind == "auto"]
        solution = root / "solutions" / week.folder
        self.sources = {name: (solution / name).read_text("utf-8") for name in week.modules}
        self.documents = {
            name: (root / "assignments" / week.folder / name).read_text("utf-8")
            for name in week.documents
        }
        self.examples = {
            path.stem: path.read_text("utf-8")
            for path in sorted((solution / "student_tests").glob("*.py"))
        }
        catalogue = load(solution)
        # The further down in this order, the rarer: a few mistakes are common, most are not.
        self.catalogue = Dice(seed, "catalogue").shuffled(catalogue)
        self.gaps = [
            (name, gap)
            for name, source in self.sources.items()
            if name != week.student_tests
            for gap in find_gaps(source, name)
        ]
        self.tasks = list(dict.fromkeys(gap.task for _, gap in self.gaps))

    def submit(self, folder: Path, number: int, kind: str, layout: str) -> Planted:
        """Write one student's submission into `folder`."""
        dice = Dice(self.seed, "student", number)
        student = f"s{number:04d}-{dice.pick(GIVEN_NAMES.split())}"
        student += f"-{dice.pick(FAMILY_NAMES.split())}"
        planted = Planted(student, kind, layout, student)
        files = {} if kind == "empty" else self._files(dice, planted)
        if kind in ("empty", "truncated"):
            planted.layout = {"empty": "files", "truncated": "zip"}[kind]
            planted.fails, planted.tests = sorted(self.items), None
        planted.path = pack(folder, student, planted.layout, self.week.folder, files)
        if kind == "truncated":
            archive = folder / planted.path
            archive.write_bytes(archive.read_bytes()[: archive.stat().st_size // 2])
        return planted

    def _files(self, dice: Dice, planted: Planted) -> dict[str, str]:
        """Return the student's files, name -> text, and note in `planted` what is wrong there."""
        if planted.kind == "unfinished":
            planted.unfinished = self._left_out(dice)
        mistakes = {"mistaken": dice.between(1, 3), "unfinished": dice.between(0, 1)}
        edited = self._mistaken(dice, planted, mistakes.get(planted.kind, 0))
        if planted.kind == "endless-loop":
            edited = self._endless(dice, planted, edited)
        planted.missing = self._not_handed_in(dice, planted)
        files = {
            name: _with_gaps(text, name, tuple(planted.unfinished))
            for name, text in edited.items()
            if name not in planted.missing
        }
        if self.week.student_tests:
            files[self.week.student_tests] = self._tests(dice, planted)
        if planted.kind == "syntax-error":
            planted.broken = dice.pick([name for name, _ in self.gaps])
            files[planted.broken] = without_a_colon(dice, files[planted.broken])
        planted.fails = sorted({*planted.fails, *planted.unfinished})
        return files | self.documents

    def _left_out(self, dice: Dice) -> list[str]:
        """Choose the tasks that a student did not get to: the last ones, or a few in between."""
        if dice.chance(0.6):
            return self.tasks[dice.between(1, len(self.tasks) - 1) :]
        skipped = dice.shuffled(self.tasks)[: dice.between(1, min(3, len(self.tasks)))]
        return [task for task in self.tasks if task in skipped]

    def _not_handed_in(self, dice: Dice, planted: Planted) -> list[str]:
        """Choose modules to leave away: about half of those in which nothing was done."""
        done = {name for name, gap in self.gaps if gap.task not in planted.unfinished}
        mine = dict.fromkeys(name for name, _ in self.gaps)
        return [name for name in mine if name not in done and dice.chance(0.5)]

    def _mistaken(self, dice: Dice, planted: Planted, count: int) -> dict[str, str]:
        """Make `count` mistakes in different functions, none in a gap that is left open."""
        sources = dict(self.sources)
        left = list(self.catalogue)
        used: list[str] = []
        left_open = tuple(planted.unfinished)
        while left and len(used) < count:
            weights = [1 / (1 + self.catalogue.index(mistake)) for mistake in left]
            mistake = dice.pick(left, weights)
            left.remove(mistake)
            name, place = f"{mistake.module}.py", f"{mistake.module}.{mistake.where}"
            edited = _edited(mistake, sources[name])
            if edited is None or any(_overlap(place, other) for other in used):
                continue
            if _with_gaps(edited, name, left_open) == _with_gaps(sources[name], name, left_open):
                continue
            sources[name] = edited
            used.append(place)
            planted.misconceptions.append(mistake.id)
            planted.fails += mistake.fails
        return sources

    def _endless(self, dice: Dice, planted: Planted, sources: dict[str, str]) -> dict[str, str]:
        """Put a loop whose condition stays true at the start of one function's gap."""
        name, gap = dice.pick(self.gaps)
        planted.broken = f"{name}: {gap.where}"
        planted.fails.append(gap.task)
        lines = sources[name].split("\n")
        loop = ["count = 1", "while count > 0:", "    count += 1"]
        lines[gap.first : gap.first] = [gap.indent + line for line in loop]
        return sources | {name: "\n".join(lines)}

    def _tests(self, dice: Dice, planted: Planted) -> str:
        """Return the student's own tests: all, some, weak or wrong ones, or none."""
        name = self.week.student_tests
        varieties = ["reference", "subset", *self.examples]
        if planted.kind == "full":
            planted.tests = "reference"
        elif planted.kind == "unfinished" and dice.chance(0.5):
            planted.tests = "unwritten"
        else:
            planted.tests = dice.pick(varieties, [0.3, 0.45, *[0.15] * len(self.examples)])
        if planted.tests in self.examples:
            return self.examples[planted.tests]
        text = render(self.sources[name], name, lambda gap: planted.tests == "unwritten")
        return some_tests(dice, text) if planted.tests == "subset" else text


@lru_cache(maxsize=128)
def _with_gaps(source: str, name: str, left_open: tuple[str, ...]) -> str:
    """Return a solution without its markers, and with the gaps of these tasks left open."""
    return render(source, name, lambda gap: gap.task in left_open)


def _edited(mistake: Misconception, source: str) -> str | None:
    """Apply a mistake to a source with others in it already; None where it no longer fits."""
    try:
        return mistake.apply(source)
    except MisconceptionError:
        return None


def _overlap(one: str, other: str) -> bool:
    """Whether two dotted places are the same or one lies in the other."""
    return f"{one}.".startswith(f"{other}.") or f"{other}.".startswith(f"{one}.")


def some_tests(dice: Dice, source: str) -> str:
    """Return a test module with 40 to 80 % of its test functions, at least one."""
    tests = [
        node
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test")
    ]
    keep = max(1, len(tests) * dice.between(40, 80) // 100)
    lines = source.split("\n")
    for test in sorted(dice.shuffled(tests)[keep:], key=lambda node: -node.lineno):
        first = min([test.lineno, *(node.lineno for node in test.decorator_list)])
        del lines[first - 1 : test.end_lineno]
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(lines)).rstrip("\n") + "\n"


def without_a_colon(dice: Dice, source: str) -> str:
    """Return a module that is no Python: the colon that opens one block is missing."""
    lines = source.split("\n")
    openers = [
        number
        for number, line in enumerate(lines)
        if re.fullmatch(r"\s*(class|def|for|if|while)\b.*:", line)
    ]
    number = dice.pick(openers)
    lines[number] = lines[number][:-1]
    return "\n".join(lines)
