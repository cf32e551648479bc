"""Which functions a check runs, and which a change in a module alters.

A check that runs none of the altered functions gives what it gave before: each of its steps is the
same. Modules and the bodies of classes are functions here too, since every import runs them.
"""

from __future__ import annotations

import sys
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import lru_cache
from types import CodeType, FrameType
from typing import Any

from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker

FOLDER = "/reference"
"""Where the files of a LocalHost seem to lie."""

Function = tuple[str, str]
"""A file and the qualified name of a function in it, such as `Linear.forward` or `<module>`."""


class WatchedHost(LocalHost):
    """Code of ours in this process; `executed` are the functions that the last test ran."""

    def __init__(self, files: Mapping[str, bytes]):
        super().__init__(files)
        self.executed: set[Function] = set()
        self._seen: dict[int, CodeType] = {}

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> GradedStudent:
        self._seen = {}
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return super().start(seed, large=large, own=own)

    def finish(self, fault: Any) -> None:
        sys.setprofile(None)
        threading.setprofile(None)
        super().finish(fault)
        codes = self._seen.values()
        self.executed = {_name(code) for code in codes if code.co_filename.startswith(FOLDER)}

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            self._seen[id(frame.f_code)] = frame.f_code


def altered(file: str, before: bytes, after: bytes) -> set[Function]:
    """Return the functions that differ in what they do between two versions of a file.

    Where they stand does not count. How a function is called (its name and parameters) belongs to
    what surrounds it as well: it can be looked at without being run.
    """
    old, new = _functions(file, before), _functions(file, after)
    return {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}


@lru_cache(maxsize=16)
def _functions(file: str, source: bytes) -> dict[Function, list[tuple[Any, ...]]]:
    """Return what every function of a file does; several of one name are told in their order."""
    functions: defaultdict[Function, list[tuple[Any, ...]]] = defaultdict(list)
    for code in _all(compile(source, f"{FOLDER}/{file}", "exec", dont_inherit=True)):
        functions[_name(code)].append(_content(code))
    return dict(functions)


def _all(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all(constant)


def _name(code: CodeType) -> Function:
    return code.co_filename, code.co_qualname


def _content(code: CodeType) -> tuple[Any, ...]:
    """Return all that a function's own instructions are; of the functions in it, their headers."""
    constants = tuple(
        _header(constant)
        if isinstance(constant, CodeType)
        else (type(constant).__name__, repr(constant))
        for constant in code.co_consts
    )
    names = (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars)
    return (code.co_code, constants, names, code.co_exceptiontable, _header(code))


def _header(code: CodeType) -> tuple[Any, ...]:
    parameters = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    counts = (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount)
    return (code.co_qualname, parameters, counts, code.co_flags)
