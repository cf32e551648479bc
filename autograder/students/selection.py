"""Which of a week's public tests are run: some tasks, tests by their names, or all."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from autograder.course import Course, Week
from autograder.errors import InputError
from autograder.records import PlannedCheck


class SelectionError(InputError):
    """No public test is the one that was asked for: what there is instead."""


@dataclass(frozen=True)
class Selection:
    """The tasks and the tests that were asked for; all where nothing was.

    A test is asked for by a part of its name or of its title, whatever the case.
    """

    tasks: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()

    def of(self, course: Course, week: Week, plan: Sequence[PlannedCheck]) -> list[PlannedCheck]:
        """Return the checks of a plan that are meant, in its order.

        Raises SelectionError for a task or a test that is not there.
        """
        tested = list(dict.fromkeys(check.item for check in plan))
        for task in self.tasks:
            if task not in tested:
                raise _no_task(task, [item.id for item in course.items(week.number)], tested)
        for name in self.tests:
            if not any(is_called(check, name) for check in plan):
                known = [check.id.partition("::")[2].partition("[")[0] for check in plan]
                remedy = _nearest(name, known) or "`--task ID` runs all tests of a task"
                raise SelectionError(f"no public test of {week.name} is called {name!r}", remedy)
        return [check for check in plan if self._has(check)]

    def _has(self, check: PlannedCheck) -> bool:
        in_task = not self.tasks or check.item in self.tasks
        return in_task and (not self.tests or any(is_called(check, name) for name in self.tests))


EVERYTHING = Selection()


def is_called(check: PlannedCheck, name: str) -> bool:
    """Tell whether a check's id or title has a text in it."""
    return name.casefold() in f"{check.id}\n{check.title}".casefold()


def _no_task(task: str, items: Sequence[str], tested: Sequence[str]) -> SelectionError:
    if task in items:
        return SelectionError(f"no public test looks at {task}", "Grading does")
    problem = f"there is no task {task!r} in this week"
    return SelectionError(problem, _nearest(task, tested) or f"There are: {', '.join(tested)}")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = difflib.get_close_matches(name, names, n=3, cutoff=0.7)
    return f"Do you mean {' or '.join(near)}?" if near else ""
