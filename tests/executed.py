"""Which functions a change in a module alters: those that a check runs are noted by WatchedHost.

A check that runs none of the altered functions gives what it gave before: each of its steps is the
same. Modules and the bodies of classes are functions here too, since every import runs them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache
from types import CodeType
from typing import Any

from autograder.suite.hidden.watched_host import FOLDER, Function, WatchedHost, name_of

__all__ = ["Function", "WatchedHost", "altered"]


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
        functions[name_of(code)].append(_content(code))
    return dict(functions)


def _all(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all(constant)


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
