"""Counts of the Python lines that a call executes, and of the functions that it runs again.

The counting runs in the same process as student code, which could falsify it. The counts cost no
points; they are evidence for a person, who has the files.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ...wire.operators import operate
from ..week_drivers import OURS

MOST_LINES = 50_000
"""Number of lines after which counting stops; far more than any vectorised call executes."""

MOST_FUNCTIONS = 20
KEPT_ENTRIES = 1 << 14
KEPT_ARRAYS = 16
"""Largest arrays (entries), and number of arrays per function, that are kept for comparison."""

ALL_LOOKED_AT, LOOK_EVERY = 2_000, 50
"""Number of lines of which all are looked at for complex numbers, and of how many one later."""

NEAR = 0.01
"""Largest step of finite differences, relative to the largest entry of the array."""


class Tracer:
    """Calls functions of the files in `folder` while it counts.

    Lines of library code count for the student's line that caused them, such as the loop in
    `np.apply_along_axis`. Arguments of earlier calls are kept, so that a later call which evaluates
    the same functions at slightly different arguments (finite differences) is noticed.
    """

    def __init__(self, folder: str):
        self._folder = folder
        self._known: dict[CodeType, list[np.ndarray]] = {}

    def call(self, function: Callable[..., Any] | str, arguments: list[Any]) -> dict[str, Any]:
        """Call `function(*arguments)`; return a dict of its result and the counts.

        function: a callable, or the symbol of an operator.
        lines: number of executed lines; complete: False if counting stopped at MOST_LINES;
        files: for each of the student's files [lines, the line executed most often, its count];
        again: for each function that an earlier call ran too [name, calls, calls with an argument
        close to an earlier one]; complex: [file, line] of the first line of the student's at which
        a variable held a complex number, ["", 0] if there was none.
        """
        self._lines = 0
        self._places: Counter[tuple[str, int]] = Counter()
        self._again: dict[CodeType, list[int]] = {}
        self._new: dict[CodeType, list[np.ndarray]] = {}
        self._complex: list[Any] = ["", 0]
        called = partial(operate, function) if isinstance(function, str) else function
        before = sys.gettrace()
        sys.settrace(self._enter)
        try:
            result = called(*arguments)
        finally:
            sys.settrace(before)
        for code, arrays in self._new.items():
            self._known[code] = (self._known.get(code, []) + arrays)[-KEPT_ARRAYS:]
        again = [[code.co_qualname[:80], *counts] for code, counts in self._again.items()]
        return {
            "result": result,
            "lines": self._lines,
            "complete": self._lines <= MOST_LINES,
            "files": self._by_file(),
            "again": again[:MOST_FUNCTIONS],
            "complex": self._complex,
        }

    def _by_file(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for (path, line), count in self._places.most_common():
            file = path.removeprefix(self._folder).lstrip("/")
            found.setdefault(file, [0, line, count])[0] += count
        return found

    def _enter(self, frame: FrameType, event: str, argument: Any) -> Any:
        """Decide how the lines of a new frame are counted."""
        file = frame.f_code.co_filename
        if file.startswith(self._folder):
            self._remember(frame)
            return self._own_line
        if file.startswith((*OURS, "<frozen")):
            return None
        return self._library_line

    def _own_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            self._count(frame.f_code.co_filename, frame.f_lineno)
        if not self._complex[0] and (_is_complex(argument) or self._holds_complex(frame)):
            file = frame.f_code.co_filename.removeprefix(self._folder).lstrip("/")
            self._complex = [file, frame.f_lineno]
        return self._own_line

    def _holds_complex(self, frame: FrameType) -> bool:
        """Whether a variable is complex; every so many lines is enough in a long loop."""
        often = self._lines < ALL_LOOKED_AT or self._lines % LOOK_EVERY == 0
        return often and any(_is_complex(value) for value in frame.f_locals.values())

    def _library_line(self, frame: FrameType, event: str, argument: Any) -> Any:
        if event == "line":
            asking: FrameType | None = frame
            while asking is not None and not asking.f_code.co_filename.startswith(self._folder):
                asking = asking.f_back
            if asking is not None:
                self._count(asking.f_code.co_filename, asking.f_lineno)
        return self._library_line

    def _count(self, file: str, line: int) -> None:
        self._lines += 1
        self._places[file, line] += 1
        if self._lines > MOST_LINES:
            sys.settrace(None)

    def _remember(self, frame: FrameType) -> None:
        """Keep the arrays that a function is called with, and compare them with earlier ones."""
        code = frame.f_code
        names = code.co_varnames[: code.co_argcount]
        values = (frame.f_locals.get(name) for name in names)
        arrays = [v for v in values if type(v) is np.ndarray and 0 < v.size <= KEPT_ENTRIES]
        if code in self._known:
            counts = self._again.setdefault(code, [0, 0])
            counts[0] += 1
            counts[1] += any(_near(a, b) for a in arrays for b in self._known[code])
        if len(self._new.setdefault(code, [])) < KEPT_ARRAYS:
            self._new[code] += [array.copy() for array in arrays]


def _is_complex(value: object) -> bool:
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind == "c"
    return type(value) is complex


def _near(one: np.ndarray, other: np.ndarray) -> bool:
    """Tell whether two arrays differ, but by no more than NEAR."""
    if one.shape != other.shape or one.dtype.kind not in "fc" or other.dtype.kind not in "fc":
        return False
    return 0.0 < float(np.max(np.abs(one - other))) <= NEAR * float(np.max(np.abs(other)))
