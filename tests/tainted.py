"""Marks what comes from a worker, and notes where a suite expects something that carries a mark.

A suite is run in this process with trusted code. Arrays and numbers that come from it are of
subclasses that pass their mark on to whatever is computed from them; the comparisons of `expect`
note the place where such a thing stands for what is expected. The suites are read from a copy in
which the few built-in functions that would lose the mark (`float(x)`, `np.array(x)`) are replaced.

Truth values and texts carry no mark, nor does the length of a list, nor what received indices pick
from an array of the suite's own.
"""

from __future__ import annotations

import builtins
import operator
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.channel.faults import Fault
from autograder.suite import derivatives, expect
from autograder.suite.hidden.local_host import Local

REWRITTEN = {
    r"(?<![\w.])type\((?=[^()]*\) (?:is|in|not)\b)": "tainted_type(",
    r"(?<![\w.])float\(": "tainted_float(",
    r"(?<![\w.])int\(": "tainted_int(",
    r"(?<![\w.])np\.(array|asarray|ascontiguousarray|full|float64|float32)\(": r"tainted(np.\1)(",
}
"""What is replaced in the copy of a suite; no line moves."""


class Marked(np.ndarray):
    """An array that came from the worker, or was computed from one; `scalar`: it is a number."""

    scalar: bool

    def __array_finalize__(self, other: Any) -> None:
        self.scalar = False

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _by_ufunc(ufunc, method, inputs, kwargs)

    def __array_function__(self, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return mark(func(*unmark(args), **unmark(kwargs)))

    def __getitem__(self, index: Any) -> Any:
        return mark(unmark(self)[unmark(index)])

    def __iter__(self) -> Iterator[Any]:
        return map(mark, iter(unmark(self)))

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(unmark(self))

    def item(self, *index: Any) -> Any:
        return mark(unmark(self).item(*index))

    def tolist(self) -> Any:
        return mark(unmark(self).tolist())


def _by_ufunc(ufunc: Any, method: str, inputs: Any, kwargs: dict[str, Any]) -> Any:
    """Return what a ufunc gives, marked; `out` stays an array, even if it holds one number."""
    given = {name: unmark(value) for name, value in kwargs.items() if name != "out"}
    if "out" in kwargs:
        given["out"] = tuple(
            out.view(np.ndarray) if isinstance(out, Marked) else out for out in kwargs["out"]
        )
    return mark(getattr(ufunc, method)(*unmark(inputs), **given))


BINARY = ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul")
UNARY = ("neg", "pos", "abs")


def _number(kind: type) -> type:
    """Return a subclass of float or int whose results are marked."""

    def ufunc(self: Any, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return _by_ufunc(ufunc, method, inputs, kwargs)

    def function(self: Any, func: Any, types: Any, args: Any, kwargs: Any) -> Any:
        return mark(func(*unmark(args), **unmark(kwargs)))

    made: dict[str, Any] = {"__array_ufunc__": ufunc, "__array_function__": function}
    for name in BINARY:
        does = getattr(operator, f"__{name}__")
        made[f"__{name}__"] = lambda one, other, does=does: mark(does(unmark(one), unmark(other)))
        made[f"__r{name}__"] = lambda one, other, does=does: mark(does(unmark(other), unmark(one)))
    for name in UNARY:
        does = getattr(operator, f"__{name}__")
        made[f"__{name}__"] = lambda one, does=does: mark(does(unmark(one)))
    made["__round__"] = lambda one, *digits: mark(round(unmark(one), *digits))
    return type(f"Marked{kind.__name__.title()}", (kind,), made)


MarkedFloat, MarkedInt = _number(float), _number(int)


def mark(value: Any) -> Any:
    """Return a value with its mark; handles, texts and truth values stay as they are."""
    if isinstance(value, np.ndarray):
        marked = value.view(Marked)
        marked.scalar = False
        return marked
    if isinstance(value, np.generic):
        if value.dtype.kind == "b":
            return value
        marked = np.asarray(value).view(Marked)
        marked.scalar = True
        return marked
    if type(value) in (list, tuple):
        return type(value)(map(mark, value))
    if type(value) is dict:
        return {key: mark(part) for key, part in value.items()}
    return {float: MarkedFloat, int: MarkedInt}.get(type(value), lambda value: value)(value)


def unmark(value: Any) -> Any:
    """Return a value as it would be without this module."""
    if isinstance(value, Marked):
        plain = value.view(np.ndarray)
        return plain[()] if value.scalar else plain
    if type(value) is MarkedFloat:
        return float.__float__(value)
    if type(value) is MarkedInt:
        return int.__int__(value)
    if type(value) in (list, tuple):
        return type(value)(map(unmark, value))
    if type(value) is dict:
        return {key: unmark(part) for key, part in value.items()}
    return value


def is_marked(value: Any) -> bool:
    """Tell whether a value carries a mark, or a part of it does."""
    if type(value) in (list, tuple):
        return any(map(is_marked, value))
    if type(value) is dict:
        return any(map(is_marked, value.values()))
    return isinstance(value, (Marked, MarkedFloat, MarkedInt))


def passing_on(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the function with a result that is marked where an argument is."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        marked = is_marked(args) or is_marked(kwargs)
        result = function(*unmark(args), **unmark(kwargs))
        return mark(result) if marked else result

    return call


@dataclass
class Notes:
    """Where a mark stood for what is expected, as "file:line", since the last `take`."""

    folder: Path
    places: list[str] = field(default_factory=list)

    def add(self) -> None:
        """Note the lines of the suite that lead here, the innermost last."""
        frame, lines = sys._getframe(1), []
        while frame is not None:
            file = Path(frame.f_code.co_filename)
            if file.is_relative_to(self.folder):
                lines.append(f"{file.relative_to(self.folder)}:{frame.f_lineno}")
            frame = frame.f_back
        self.places.append(" < ".join(lines))

    def take(self) -> list[str]:
        """Return the places, each once, and forget them."""
        taken, self.places[:] = list(dict.fromkeys(self.places)), []
        return taken


EXPECTED = {"close": 2, "equal": 2, "array": 2, "dtype": 2, "unchanged": 1}
"""The place of what is expected among the arguments of a comparison."""

NAMES = {"close": "expected", "equal": "expected", "array": "shape", "dtype": "expected"}
"""Its name, where it may be given by that."""

ONLY_FACTS = ("that", "attempted", "repeated", "differ", "shape_of", "raises")


def _comparison(name: str, notes: Notes) -> Callable[..., Any]:
    function = getattr(expect, name)

    @wraps(function)
    def compare(*args: Any, **kwargs: Any) -> Any:
        place = EXPECTED.get(name)
        if place is not None:
            wanted = args[place] if len(args) > place else kwargs.get(NAMES.get(name, ""))
            if is_marked(wanted):
                notes.add()
        result = function(*unmark(args), **unmark(kwargs))
        return mark(result) if name in ("array", "shape_of") else result

    return compare


def _every_way(*ways: Callable[[], Any]) -> Any:
    """Try all ways of `expect.any_of`, whichever is the first to hold; return its result."""
    results: list[Any] = []
    faults: list[Fault] = []
    for way in ways:
        try:
            results.append(way())
        except Fault as fault:
            faults.append(fault)
    if not results:
        raise faults[0]
    return results[0]


@contextmanager
def marking(folder: Path) -> Iterator[Notes]:
    """Mark what local workers give, and note what is expected of suites below `folder`."""
    notes = Notes(folder)
    ask = Local.__call__

    def asked(self: Local, operation: str, *arguments: Any) -> Any:
        return mark(ask(self, operation, *unmark(arguments)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Local, "__call__", asked)
        patch.setattr(derivatives, "vjp", passing_on(derivatives.vjp))
        for name in (*EXPECTED, *ONLY_FACTS):
            patch.setattr(expect, name, _comparison(name, notes))
        patch.setattr(expect, "any_of", _every_way)
        patch.setattr(builtins, "tainted", passing_on, raising=False)
        patch.setattr(builtins, "tainted_type", lambda value: type(unmark(value)), raising=False)
        for kind in (float, int):
            patch.setattr(builtins, f"tainted_{kind.__name__}", passing_on(kind), raising=False)
        yield notes


def copied(root: Path, to: Path, folder: str, suite: str = "hidden") -> Path:
    """Copy a week's suite and what it uses, rewritten so that marks are kept; return its folder."""
    source, target = root / "assignments", to / "assignments"
    if not target.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("*.ipynb", "__pycache__"))
    for part in (suite, "suite_tools"):
        for path in (source / folder / part).rglob("*.py"):
            text = path.read_text("utf-8")
            for pattern, replacement in REWRITTEN.items():
                text = re.sub(pattern, replacement, text)
            (target / path.relative_to(source)).write_text(text, "utf-8")
    return target / folder / suite
