"""For public tests: a call works on whole arrays, with no Python loop over examples or features."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograder.suite import expect
from autograder.suite.student import Student

EXAMPLES = FEATURES = (4, 64)
"""The sizes of a small and a large batch; what loops over layers or classes runs alike in both."""

PER_ENTRY = 0.5
"""So many more lines for one more example are a loop over them: a loop runs at least one."""


def run(student: Student, method: Any, *arguments: Any) -> tuple[Any, int]:
    """Call a method of the student's; return its result, and how many lines it ran."""
    answer = student.drive("lines_run", method, *arguments)
    answered = isinstance(answer, list) and len(answer) == 2 and isinstance(answer[1], int)
    expect.that("lines", answered, "they can't be counted.")
    return answer[0], answer[1]


def no_loop(label: str, lines: Callable[[int, int], int]) -> None:
    """Expect that `lines(examples, features)`, which makes a call, does not grow with its input."""
    (few, many), (narrow, wide) = EXAMPLES, FEATURES
    small = lines(few, narrow)
    for what, large in (("examples", lines(many, narrow)), ("features", lines(few, wide))):
        grown = (large - small) / (many - few)
        message = (
            f"it ran {small} lines for {few} {what} and {large} for {many}: there is a loop over "
            f"the {what}. An operation on the whole array does the same at once."
        )
        expect.that(label, grown < PER_ENTRY, message)
