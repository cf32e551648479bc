"""The service's two pools of examiners: one for public suites, one for hidden suites."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.errors import CantExamineError
from autograder.grading.operations import rung_here
from autograder.grading.pool import ExaminerPool, open_pool
from autograder.grading.setting import Setting, datasets_here, why_not_here
from autograder.text.display import one_line

PUBLIC_SLOT, HIDDEN_SLOT = 1024, 1088
"""Users of sandboxes that a concurrent `autograder grade` does not use."""

MOST_PUBLIC = 2
WATCHED = ("autograder", "assignments", "solutions", "data")
ENDINGS = (".py", ".toml")


class Pools:
    """Opened when first needed. `course` may not change while they are open."""

    def __init__(self, root: Path, course: Course, jobs: int):
        self.root, self.course, self.jobs = root, course, jobs
        self._reasons: dict[int, str] = {}
        self._public: ExaminerPool | None = None
        self._hidden: ExaminerPool | None = None

    @cached_property
    def setting(self) -> Setting:
        """The setting with which every process starts."""
        weeks = [week for week in self.course.weeks if not why_not_here(week, rung="")]
        packages = tuple(sorted({name for week in weeks for name in week.packages}))
        return Setting(self.root, datasets_here(weeks), packages=packages)

    def public(self) -> ExaminerPool:
        """Return the pool for public suites."""
        if self._public is None:
            self._public = open_pool(self.setting, min(MOST_PUBLIC, self.jobs), PUBLIC_SLOT)
        return self._public

    def hidden(self) -> ExaminerPool:
        """Return the pool for hidden suites."""
        if self._hidden is None:
            self._hidden = open_pool(self.setting, self.jobs, HIDDEN_SLOT)
        return self._hidden

    def ask(self, function: Callable[..., Any], *values: Any) -> Future:
        """Have an operation done by the public pool."""
        return self.public().submit(function, *values)

    def why_not(self, number: int) -> str:
        """Return why a week can't be graded on this machine; "" if it can."""
        if number not in self._reasons:
            week = self.course.week(number)
            reason = why_not_here(week, rung="")
            if week.packages and not reason:
                try:
                    rung = self.ask(rung_here).result()
                except CantExamineError as error:  # it may work at another time
                    return one_line(str(error), 500)
                reason = why_not_here(week, rung)
            self._reasons[number] = reason
        return self._reasons[number]

    def close(self) -> None:
        """Close both pools; what runs in them is given up. The next use opens a new one."""
        for pool in (self._public, self._hidden):
            if pool is not None:
                pool.give_up()
        self._public = self._hidden = None


def stamp(root: Path) -> int:
    """Return a number that changes with any file that grading depends on."""
    facts = []
    for top in WATCHED:
        for folder, _, names in os.walk(root / top):
            for name in names:
                if name.endswith(ENDINGS):
                    found = os.stat(os.path.join(folder, name))
                    facts.append((folder, name, found.st_mtime_ns, found.st_size))
    return hash(tuple(sorted(facts)))
