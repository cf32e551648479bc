"""One student's files of one week: the solution with gaps left open and known mistakes made."""

from __future__ import annotations

import ast
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TypeVar

from autograder.author.simulate.layouts import Content, sample_document
from autograder.course import COURSE_FILE, Course, CourseError, Week
from autograder.reference.gaps import find_gaps, render
from autograder.reference.misconceptions import (
    Misconception,
    MisconceptionError,
    catalogue_of,
    own_packages,
)
from autograder.reference.percent_source import notebook_of, text_of

T = TypeVar("T")
DOCUMENT_SHARE = 0.8
"""Probability that a student hands in a document."""


@dataclass
class Planted:
    """What was planted in one week of a submission: the ground truth to compare grading with.

    `fails` are the items that can't get full points because of mistakes and gaps left open. The
    student's own tests are apart: their points depend on `tests`, which is "unwritten",
    "reference", "subset" or one of the week's examples. `missing` are modules and documents that
    were not handed in; `broken` names the module with a syntax error or the function with an
    endless loop.
    """

    week: int
    kind: str
    misconceptions: list[str] = field(default_factory=list)
    unfinished: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    fails: list[str] = field(default_factory=list)
    tests: str | None = None
    broken: str | None = None


class Dice:
    """Random draws that are the same on every Python version: all use `Random.random`."""

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


def has_content(root: Path, week: Week) -> bool:
    """Whether a week is there to be simulated and graded: its solution and its hidden suite."""
    solution = root / "solutions" / week.folder
    hidden = root / "assignments" / week.folder / "hidden"
    return all((solution / name).is_file() for name in week.modules) and any(hidden.glob("test_*"))


class Author:
    """Writes submissions for one week. Raises CourseError where the week isn't there yet."""

    def __init__(self, course: Course, root: Path, week: Week, seed: int) -> None:
        if not has_content(root, week):
            problem = "it has no solution and hidden suite yet to make submissions from"
            raise CourseError(COURSE_FILE, week.id, problem, "Choose another week")
        self.week, self.seed = week, seed
        self.items = [item.id for item in course.items(week.number) if item.kind == "auto"]
        solution = root / "solutions" / week.folder
        self.sources = {name: (solution / name).read_text("utf-8") for name in week.modules}
        packages = own_packages(solution, week)
        self.sources |= {name: data.decode() for name, data in packages.items()}
        self.assignment = root / "assignments" / week.folder
        self.examples = {
            path.stem: path.read_text("utf-8")
            for path in sorted((solution / "student_tests").glob("*.py"))
        }
        # The further down in this order, the rarer: a few mistakes are common, most are not.
        ordered = Dice(seed, "catalogue").shuffled(catalogue_of(root, course, week))
        self.catalogue = [(mistake, 1 / (1 + place)) for place, mistake in enumerate(ordered)]
        self.gaps = [
            (name, gap)
            for name, source in self.sources.items()
            if name != week.student_tests
            for gap in find_gaps(source, name)
            if gap.statements  # what is written in words is marked by hand
        ]
        self.points = {item.id: item.points for item in course.items()}
        self.tasks = list(dict.fromkeys(gap.task for _, gap in self.gaps))

    def write(self, number: int, kind: str) -> tuple[dict[str, Content], Planted]:
        """Return the files of student `number`, name -> content, and what is wrong in them."""
        dice = Dice(self.seed, "student", number, self.week.id)
        planted = Planted(self.week.number, kind)
        files = {} if kind == "empty" else self._files(dice, planted)
        if kind in ("empty", "truncated"):
            planted = Planted(self.week.number, kind, fails=sorted(self.items))
        return files, planted

    def _files(self, dice: Dice, planted: Planted) -> dict[str, Content]:
        if planted.kind == "unfinished":
            planted.unfinished = self._left_out(dice)
        mistakes = {"mistaken": dice.between(1, 3), "unfinished": dice.between(0, 1)}
        edited = self._mistaken(dice, planted, mistakes.get(planted.kind, 0))
        if planted.kind == "endless-loop":
            edited = self._endless(dice, planted, edited)
        planted.missing = self._not_handed_in(dice, planted)
        files: dict[str, str] = {
            name: self._rendered(text, name, planted)
            for name, text in edited.items()
            if name not in planted.missing
        }
        if self.week.student_tests:
            files[self.week.student_tests] = self._tests(dice, planted, self.week.student_tests)
        if planted.kind == "syntax-error":
            planted.broken = dice.pick([name for name, _ in self.gaps])
            files[planted.broken] = without_a_colon(dice, files[planted.broken])
        planted.fails = sorted({*planted.fails, *planted.unfinished})
        contents: dict[str, Content] = {**files, **self._documents(dice, planted)}
        for notebook in self.week.notebooks:
            source = contents.pop(notebook.module, None)
            if isinstance(source, str):
                made = notebook_of(source, notebook.module, self.points)
                contents[notebook.file] = text_of(made)
        return contents

    def _documents(self, dice: Dice, planted: Planted) -> dict[str, Content]:
        """Return the documents that are handed in, each under one of its names."""
        documents: dict[str, Content] = {}
        for names in self.week.documents:
            notebook = next(filter(None, map(self.week.notebook, names)), None)
            if notebook:  # it comes, or not, with its functions
                if notebook.module in planted.missing:
                    planted.missing.append("|".join(names))
                continue
            if planted.kind != "full" and not dice.chance(DOCUMENT_SHARE):
                planted.missing.append("|".join(names))
                continue
            templates = [name for name in names if (self.assignment / name).is_file()]
            name = dice.pick(templates or names)
            sample = sample_document(name)
            if templates:  # with something of the student's own in it: only that counts
                written = sample.encode() if isinstance(sample, str) else sample
                sample = (self.assignment / name).read_bytes() + b"\n" + written
            documents[name] = sample
        return documents

    def _left_out(self, dice: Dice) -> list[str]:
        """Choose the tasks that a student left open: the last ones, or 1 to 3 arbitrary ones."""
        if dice.chance(0.6):
            return self.tasks[dice.between(1, len(self.tasks) - 1) :]
        skipped = dice.shuffled(self.tasks)[: dice.between(1, min(3, len(self.tasks)))]
        return [task for task in self.tasks if task in skipped]

    def _not_handed_in(self, dice: Dice, planted: Planted) -> list[str]:
        """Choose the modules that are not handed in: about half of those without any work."""
        done = {name for name, gap in self.gaps if gap.task not in planted.unfinished}
        mine = dict.fromkeys(name for name, _ in self.gaps)
        return [name for name in mine if name not in done and dice.chance(0.5)]

    def _mistaken(self, dice: Dice, planted: Planted, count: int) -> dict[str, str]:
        """Make `count` mistakes in different functions, none in a gap that is left open."""
        sources = dict(self.sources)
        left = list(self.catalogue)
        used: list[str] = []
        while left and len(used) < count:
            number = dice.pick(range(len(left)), [weight for _, weight in left])
            mistake, _ = left.pop(number)
            name, place = f"{mistake.module}.py", f"{mistake.module}.{mistake.where}"
            edited = _edited(mistake, sources[name])
            if edited is None or any(_overlap(place, other) for other in used):
                continue
            seen = self._rendered(edited, name, planted)
            if seen == self._rendered(sources[name], name, planted):
                continue
            sources[name] = edited
            used.append(place)
            planted.misconceptions.append(mistake.id)
            planted.fails += mistake.fails
        return sources

    def _rendered(self, source: str, name: str, planted: Planted) -> str:
        """Return a module as it is handed in: no markers, and the gaps not filled in left open."""
        mine = {gap.task for module, gap in self.gaps if module == name}
        return _with_gaps(source, name, tuple(t for t in planted.unfinished if t in mine))

    def _endless(self, dice: Dice, planted: Planted, sources: dict[str, str]) -> dict[str, str]:
        """Put a loop whose condition stays true at the start of one function's gap."""
        name, gap = dice.pick([(name, gap) for name, gap in self.gaps if gap.where])
        planted.broken = f"{name}: {gap.where}"
        planted.fails.append(gap.task)
        lines = sources[name].split("\n")
        loop = ["count = 1", "while count > 0:", "    count += 1"]
        lines[gap.first : gap.first] = [gap.indent + line for line in loop]
        return sources | {name: "\n".join(lines)}

    def _tests(self, dice: Dice, planted: Planted, name: str) -> str:
        """Return the student's own tests: all, some, weak or wrong ones, or none."""
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


@lru_cache(maxsize=1024)
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
    """Whether two dotted names are the same or one contains the other."""
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
    """Return a module with a syntax error: the colon that opens one block is missing."""
    lines = source.split("\n")
    openers = [
        number
        for number, line in enumerate(lines)
        if re.fullmatch(r"\s*(class|def|for|if|while)\b.*:", line)
    ]
    number = dice.pick(openers)
    lines[number] = lines[number][:-1]
    return "\n".join(lines)
