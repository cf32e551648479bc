"""Proofs about what students read: a first task at once, times, checkpoints, hints, questions.

Each returns a list of faults as sentences, empty if the claim holds, as those of `prove` do.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autograder.author.asked_formulas import formulas_in
from autograder.course import Course, Week
from autograder.course.hints import HINTS_FILE, LEAST_RUNGS, read_hints
from autograder.errors import AuthorError
from autograder.records import PlannedCheck
from autograder.reference.gaps import find_gaps

STUDENTS_README = Path(__file__).parent / "release_files" / "README.md"
"""What students read before any handout."""

MOST_WORDS = 600
"""README and handout together stay below this before the first task."""

MEASURED = ("quality",)
"""Items that nothing is written for: they have no hints and no checkpoint."""

HEADING = re.compile(r"^(#{1,6}) +(.+)$", re.MULTILINE)
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\b(?:\d+(?: to \d+)?|one|an|half an) (?:minutes?|hours?)\b")
CHECKPOINT = "you should now be able to say why"
QUESTION = re.compile(r"^(?:\d+\.|[-*]) ", re.MULTILINE)

CLOSING = {
    "self-test questions": (r"self-test", 3),
    "questions to explore": (r"explor", 1),
    "a reading list": (r"reading", 2),
}
"""What a handout has after its tasks -> pattern of its heading, and minimum entries of its list."""


@dataclass(frozen=True)
class Section:
    """A part of a handout, from its heading to the next one.

    `place` is where it begins, `tasks` are the ids of items that its heading names.
    """

    heading: str
    text: str
    place: int
    tasks: tuple[str, ...]


@dataclass(frozen=True)
class Handout:
    """What students read of a week, and the tasks that it has to speak of."""

    root: Path
    course: Course
    week: Week

    @property
    def path(self) -> Path:
        """The file; HANDOUT.md where students write a README.md themselves."""
        name = "HANDOUT.md" if "README.md" in self.week.files else "README.md"
        return self.root / "assignments" / self.week.folder / name

    @cached_property
    def text(self) -> str:
        """The handout. Raises AuthorError where there is none."""
        if not self.path.is_file():
            name = self.path.relative_to(self.root).as_posix()
            raise AuthorError(f"{name} is not there", "Write the week's handout")
        return self.path.read_text("utf-8")

    @cached_property
    def sections(self) -> tuple[Section, ...]:
        """The handout's sections in order."""
        # A line in a block of code that begins with # is no heading: its characters are masked.
        masked = CODE_BLOCK.sub(lambda block: re.sub(r"[^\n]", ".", block[0]), self.text)
        heads = list(HEADING.finditer(masked))
        ends = [*(head.start() for head in heads[1:]), len(self.text)]
        known = {item.id for item in self.course.items(self.week.number)}
        found = []
        for head, end in zip(heads, ends, strict=True):
            tasks = tuple(id for id in re.findall(r"`([^`]+)`", head[2]) if id in known)
            found.append(Section(head[2], self.text[head.end() : end], head.start(), tasks))
        return tuple(found)

    @cached_property
    def tasks(self) -> tuple[str, ...]:
        """The ids of items that are graded by tests, or have gaps, but for those measured alone."""
        solution = self.root / "solutions" / self.week.folder
        gaps = {
            gap.task
            for name in self.week.modules
            if (solution / name).is_file()
            for gap in find_gaps((solution / name).read_text("utf-8"), name)
        }
        return tuple(
            item.id
            for item in self.course.items(self.week.number)
            if (item.kind == "auto" or item.id in gaps)
            and item.id.rpartition(".")[2] not in MEASURED
        )


def words(text: str) -> int:
    """Return how many words a text has, which are what blanks divide."""
    return len(text.split())


def late_first_task(handout: Handout) -> list[str]:
    """Say where more is to be read before the first task than somebody new will read."""
    first = next((section for section in handout.sections if section.tasks), None)
    if first is None:
        return ["no heading names a task by its id, as in ### `week1.relu`: forward"]
    readme = STUDENTS_README.read_text("utf-8").partition("](assignments/")[0]
    count = words(readme) + words(handout.text[: first.place])
    if count < MOST_WORDS:
        return []
    return [f"{count} words come before {first.heading!r}: begin with a task of a minute"]


def unfinished_sections(handout: Handout) -> list[str]:
    """Say which tasks have no section, and which sections lack a time or a checkpoint."""
    told = {task for section in handout.sections for task in section.tasks}
    faults = [f"no heading names {task}" for task in handout.tasks if task not in told]
    for section in handout.sections:
        if not section.tasks:
            continue
        text = " ".join(section.text.split())
        if not TIME.search(f"{section.heading} {text}"):
            faults.append(f"{section.heading!r} does not say how many minutes it takes")
        if set(section.tasks) & set(handout.tasks) and CHECKPOINT not in text.lower():
            faults.append(f"{section.heading!r} has no checkpoint ({CHECKPOINT} ...)")
    return faults


def missing_hints(handout: Handout) -> list[str]:
    """Say which tasks have fewer hints than a ladder has rungs, and which hints have no task."""
    ladders = read_hints(handout.root, handout.week.folder)
    known = {item.id for item in handout.course.items(handout.week.number)}
    faults = [f"{HINTS_FILE}: there is no task {task!r}" for task in ladders if task not in known]
    for task in (*handout.tasks, *(task for task in ladders if task not in handout.tasks)):
        count = len(ladders.get(task, ()))
        if count < LEAST_RUNGS and task in known:
            faults.append(f"{HINTS_FILE}: {task} has {count} hints of {LEAST_RUNGS}")
    return faults


def missing_closing(handout: Handout) -> list[str]:
    """Say what a handout lacks of the lists that stand after its tasks."""
    faults = []
    for what, (pattern, least) in CLOSING.items():
        found = [s for s in handout.sections if re.search(pattern, s.heading, re.IGNORECASE)]
        count = max((len(QUESTION.findall(section.text)) for section in found), default=0)
        if count < least:
            faults.append(f"{what}: {count} in a list below a heading of that name, not {least}")
    return faults


def given_away(handout: Handout, checks: Iterable[PlannedCheck]) -> list[str]:
    """Say where handout, hints or titles of checks hold a formula that a task asks for."""
    hints = handout.path.parent / HINTS_FILE
    read: Mapping[str, bytes] = {
        path.relative_to(handout.root).as_posix(): path.read_bytes()
        for path in (handout.path, hints)
        if path.is_file()
    }
    titles = {f"the title of {check.id}": check.title.encode() for check in checks}
    return formulas_in(handout.course, handout.root, {**read, **titles})
