"""Which checks of a suite pass code that has stored answers, and junk for all other inputs.

Such a check tells nothing of stored answers, and the second look doesn't draw it: one of a shape,
say, or one whose inputs are always the same. The junk has the right form and nothing right in it,
and whatever the suite asked with other salts is answered rightly. These checks are listed in the
suite's own folder, by `python -m autograder.grading.flags.junk WEEK > FILE`, and a test of the
project holds the list against the suite.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.records import Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

FILE = "passed_by_junk.txt"
LEARNED, SALTS = "learned", ("junk 0", "junk 1", "junk 2")

JUNK = '''

def _junk_everything(names):
    import functools
    import types

    import numpy as np

    from autograder.grading.flags.junk import SEEN as seen

    rng = np.random.default_rng(7)
    depth = [0]

    def junk(value):
        if isinstance(value, np.ndarray):
            if value.dtype.kind == "f":
                return rng.uniform(0.1, 3.0, size=value.shape).astype(value.dtype)
            if value.dtype.kind in "iu":
                return (value + 1).astype(value.dtype)
            return ~value if value.dtype.kind == "b" else value
        if isinstance(value, (bool, np.bool_)):
            return not value
        if isinstance(value, (float, np.floating)):
            return type(value)(rng.uniform(0.1, 3.0))
        if isinstance(value, (int, np.integer)):
            return type(value)(value + 1)
        if isinstance(value, str):
            return value + "junk"
        if type(value) in (list, tuple):
            return type(value)(junk(entry) for entry in value)
        if type(value) is dict:
            return {key: junk(entry) for key, entry in value.items()}
        if is_torch(value):
            if not value.dtype.is_floating_point:
                return value + 1 if str(value.dtype) != "torch.bool" else ~value
            return 0.3 + 1.7 * value.flip(0) if value.ndim else 0.3 + 1.7 * value
        if value is not None and type(value).__module__ != names["__name__"]:
            try:
                return value * 1.7 + 0.3  # something of the suite's that computes
            except (TypeError, AttributeError, ValueError):
                return value
        return value

    def is_torch(value):
        return type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "dtype")

    def copied(value):
        if is_torch(value):
            return value.detach().clone()
        return value.copy() if isinstance(value, np.ndarray) else value

    def same(one, other):
        if is_torch(one):
            return one.shape == other.shape and bool((one == other).all())
        return np.array_equal(one, other, equal_nan=True)

    def attributes(thing):
        try:
            return dict(vars(thing))
        except TypeError:
            slots = (n for c in type(thing).__mro__ for n in getattr(c, "__slots__", ()))
            return {name: getattr(thing, name) for name in slots if hasattr(thing, name)}

    def places(arguments, result=None):
        """Yield each place that may hold answers of a call: a thing or container, and the key."""
        known, waiting = {}, [*arguments, result]
        while waiting and len(known) < 400:
            thing = waiting.pop()
            if id(thing) in known or isinstance(thing, (type, types.ModuleType)):
                continue
            if type(thing) in (list, tuple, set):
                entries = dict(enumerate(thing))
            elif isinstance(thing, dict):
                entries = dict(thing)
            elif type(thing).__module__ in ("builtins", "numpy") or is_torch(thing):
                continue
            elif isinstance(thing, np.random.Generator):
                continue
            else:
                entries = attributes(thing)
            known[id(thing)] = thing
            for key, value in entries.items():
                if isinstance(value, (np.ndarray, float)) or is_torch(value):
                    yield thing, key, value
                else:
                    waiting.append(value)

    def state(arguments, result=None):
        return {
            (id(thing), key): (value, copied(value))
            for thing, key, value in places(arguments, result)
        }

    def spoil(before, arguments, result):
        done = set()
        for thing, key, value in list(places(arguments, result)):
            known = before.get((id(thing), key))
            in_place = known is not None and known[0] is value
            if in_place and same(known[1], value) or id(value) in done:
                continue
            if any(value is argument for argument in arguments):
                continue  # a cached input
            done.add(id(value))
            try:
                if in_place and not isinstance(value, float):
                    held = value.data if is_torch(value) else value
                    held[...] = junk(held)
                elif isinstance(thing, (list, dict)):
                    thing[key] = junk(value)
                else:
                    setattr(thing, key, junk(value))
            except (AttributeError, TypeError, ValueError, RuntimeError):
                pass  # read-only: what is returned is junk all the same

    def wrapped(function, is_start):
        @functools.wraps(function)
        def call(*arguments, **named):
            depth[0] += 1
            try:
                asked = (*arguments, *named.values())
                known = depth[0] == 1 and seen.is_known(names["__name__"], function, asked, places)
                before = state(asked) if depth[0] == 1 and not known else {}
                result = function(*arguments, **named)
                if depth[0] == 1 and not known and not is_start:
                    spoil(before, asked, result)
                    result = junk(result)
                return result
            finally:
                depth[0] -= 1

        return call

    special = ("__init__", "__enter__", "__exit__", "__new__", "__iter__", "__next__", "__len__")
    for name, value in list(names.items()):
        if isinstance(value, types.FunctionType) and value.__module__ == names["__name__"]:
            if name != "_junk_everything":
                names[name] = wrapped(value, False)
        elif isinstance(value, type) and value.__module__ == names["__name__"]:
            for key, method in list(vars(value).items()):
                if isinstance(method, types.FunctionType) and key not in special[1:]:
                    setattr(value, key, wrapped(method, key == "__init__"))


_junk_everything(globals())
'''
"""Put at the end of a module: each outermost call that isn't known gives junk of the right form, in
what it returns and in what it changes."""


class Seen:
    """The calls that have been seen, by what is called, and with what arrays, numbers and texts."""

    def __init__(self) -> None:
        self.calls: set[bytes] = set()
        self.is_learning = False

    def is_known(
        self, module: str, function: Any, arguments: Sequence[Any], places: Callable[..., Any]
    ) -> bool:
        """Whether a call may be answered rightly; while learning, every one is."""
        digest = hashlib.sha256(f"{module}.{function.__qualname__}".encode())
        for value in (*arguments, *(held for _, _, held in places(arguments))):
            digest.update(_content(value))
        if self.is_learning:
            self.calls.add(digest.digest())
        return digest.digest() in self.calls


SEEN = Seen()


def _content(value: Any) -> bytes:
    if type(value).__module__.partition(".")[0] == "torch" and hasattr(value, "detach"):
        value = value.detach().numpy()
    if isinstance(value, np.ndarray):
        return str(value.shape).encode() + value.tobytes()
    if isinstance(value, (int, float, str, np.generic, type(None))):
        return repr(value).encode()
    if type(value) in (list, tuple):
        return b"[" + b",".join(map(_content, value)) + b"]"
    return type(value).__name__.encode()


def junk_of(reference: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return modules that answer like the reference in form, and like nothing in substance."""
    return {
        name: source + JUNK.encode() if name.endswith(".py") else source
        for name, source in reference.items()
    }


def passed_by_junk(session: GradedSession, reference: Mapping[str, bytes]) -> list[str]:
    """Return the ids of the checks that junk passes with some inputs, of those that a second look
    may draw."""
    asked = {check.id for check in session.plan} - session.long
    host = LocalHost(junk_of(reference))
    SEEN.calls.clear()
    SEEN.is_learning = True
    session.run(host, only=asked, salt=LEARNED)
    SEEN.is_learning = False
    outcomes = [o for salt in SALTS for o in session.run(host, only=asked, salt=salt)]
    return sorted({o.result.check for o in outcomes if o.result.verdict is Verdict.PASS})


def listed(folder: Path) -> frozenset[str]:
    """Return the checks that the list in a suite's folder names; none where there is no list."""
    path = folder / FILE
    return frozenset(path.read_text("utf-8").splitlines()) if path.is_file() else frozenset()


def main(week: str) -> None:
    """Print the list of a week, by its number or id."""
    from autograder import course as courses
    from autograder.reference.misconceptions import solution_files

    root = Path.cwd()
    course = courses.load(root)
    found = course.week(int(week)) if week.isdigit() else course.week_called(week)
    session = GradedSession(root / "assignments" / found.folder / "hidden", course.salt)
    try:
        print("\n".join(passed_by_junk(session, solution_files(root, found))))
    finally:
        session.close()


if __name__ == "__main__":
    from autograder.grading.flags import junk

    junk.main(sys.argv[1])
