"""The operations of a worker: import, get, set, call, operate, keep, fetch, probe, drive ...

A Dispatcher holds the objects that handles refer to and carries out one request at a time. It runs
in the same process as student code, which could change it, so the examiner treats every answer as a
value that student code chose.
"""

from __future__ import annotations

import _random
import functools
import importlib
import random
import warnings
from collections.abc import Callable, Mapping
from sys import version_info
from types import TracebackType
from typing import Any

import numpy as np

from ..wire.codec import Ref
from ..wire.operators import operate
from . import tensors
from .modules import ModuleSpace
from .week_drivers import WeekDrivers

MAX_TEXT = 400
MAX_FRAMES = 8
THERE_ARE = (
    "There are Python's own modules, the assignment's packages, and those of your own files that "
    "lie beside the assignment's: move it there, and hand it in."
)
UNGUARDED = 'Your code ended Python. Put a main() below `if __name__ == "__main__":`.'


_numpy_default_rng = np.random.default_rng
_streams = np.random.SeedSequence(0)


@functools.wraps(_numpy_default_rng)
def default_rng(seed: Any = None) -> np.random.Generator:
    """Replace numpy's default_rng: without a seed, return a stream derived from the test's seed.

    So a submission gives the same results each time, even if it draws its initial weights from a
    generator without a seed.
    """
    return _numpy_default_rng(_streams.spawn(1)[0] if seed is None else seed)


def _nobody(question: list[Any]) -> Any:
    raise RuntimeError("there is nobody to be asked")


class Dispatcher:
    """Carries out requests on the student's objects; `own` has the drivers and probes.

    `failed_imports` maps modules whose import failed to their faults; `more` has operations in
    addition to those of every worker. Who makes it sets `ask`, by which drivers for `converse` ask
    whoever sends the requests.
    """

    def __init__(
        self,
        folder: str,
        failed_imports: dict[str, Any] | None = None,
        own: WeekDrivers | None = None,
        more: Mapping[str, Callable[..., Any]] | None = None,
    ):
        own = own or WeekDrivers()
        self.folder = folder
        self.failed_imports = failed_imports or {}
        self.objects: list[Any] = []
        self.caught: list[str] = []
        self.ask: Callable[[list[Any]], Any] = _nobody
        self.operations: dict[str, Callable[..., Any]] = {
            "import": self._import,
            "get": getattr,
            "set": self._set,
            "call": lambda function, args, kwargs: function(*args, **kwargs),
            "operate": operate,
            "keep": self._keep,
            "fetch": lambda value: value,
            "probe": own.probe,
            "drive": lambda name, args: own.driver(name)(*args),
            "prepare": lambda name, args: own.driver(name)(*args),
            "converse": lambda name, args: own.driver(name)(self.ask, *args),
            "reset": self.reset,
            "warnings": lambda: [text[:MAX_TEXT] for text in self.caught[:20]],
            **(more or {}),
        }

    def seed(self, seed: int) -> None:
        """Seed the global generators, and start to collect the warnings of this test.

        A forked process would otherwise repeat the stream of the one that it was forked from.
        """
        global _streams
        _streams = np.random.SeedSequence(seed)
        np.random.default_rng = default_rng
        np.random.seed(seed % 2**32)  # noqa: NPY002 - student code may use it
        tensors.seed(seed)
        # Not `random.seed`: that asks builtins, which a submission may have changed.
        _random.Random.seed(random._inst, seed)
        warnings.simplefilter("always")
        warnings.showwarning = self._catch_warning

    def reset(self, seed: int) -> None:
        """Begin another test in this worker: forget the objects and warnings of the last one."""
        self.objects.clear()
        self.caught.clear()
        self.seed(seed)

    def _catch_warning(self, message: Any, category: Any, *args: Any, **kwargs: Any) -> None:
        self.caught.append(f"{category.__name__}: {message}")

    def to_ref(self, value: Any) -> Ref:
        """Keep `value` here and return the handle that stands for it."""
        self.objects.append(value)
        return Ref(len(self.objects) - 1, type_name(value))

    def from_ref(self, ref: Ref) -> Any:
        """Return the object that a handle stands for."""
        return self.objects[ref.number]

    def handle(self, operation: str, arguments: list[Any]) -> tuple[bool, Any]:
        """Carry out one request; return (True, result) or (False, description of the fault).

        All exceptions of student code are caught, including SystemExit and KeyboardInterrupt, and
        become the answer.
        """
        if operation == "batch":
            return self._handle_all(arguments[0])
        if operation == "import" and arguments[0] in self.failed_imports:
            return False, self.failed_imports[arguments[0]]
        try:
            result = self.operations[operation](*arguments)
            if operation in ("import", "keep", "probe", "prepare"):
                return True, self.to_ref(result)
            return True, tensors.as_values(result)
        except BaseException as error:  # noqa: BLE001 - see above
            return False, describe_exception(error, self.folder)

    def _handle_all(self, requests: list[list[Any]]) -> tuple[bool, Any]:
        """Carry out several requests; return the first fault, or the last one's result."""
        done, result = True, None
        for operation, arguments in requests:
            done, result = self.handle(operation, arguments)
            if not done:
                break
        return done, result

    def _import(self, name: str) -> Any:
        return importlib.import_module(name)

    @staticmethod
    def _set(target: Any, name: str, value: Any) -> None:
        setattr(target, name, value)

    @staticmethod
    def _keep(value: Any) -> Any:
        """Keep a copy of an array that shares no memory with the request it came in."""
        return value.copy() if type(value) is np.ndarray else value


def import_all(
    space: ModuleSpace, seed: int, known: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Import every module of a submission; return the faults of failed imports by module.

    `known` are faults returned by an earlier call; these modules are not imported again.
    """
    failed: dict[str, Any] = dict(known or {})
    Dispatcher(space.folder).seed(seed)
    for name in [name for name in space.sources if name not in failed]:
        try:
            importlib.import_module(name)
        except BaseException as error:  # noqa: BLE001 - an answer, as in Dispatcher.handle
            failed[name] = describe_exception(error, space.folder)
    return failed


def describe_exception(error: BaseException, folder: str) -> dict[str, Any]:
    """Describe an exception by plain values: kind, type, text, and [file, line] of its frames.

    Only frames in the student's files are listed. `__str__` and other attributes of the exception
    may run student code, so the text is read once, with all exceptions caught, and cut to MAX_TEXT
    characters.
    """
    name, text = type_name(error), ""
    frames = _student_frames(error.__traceback__, folder)
    try:
        if isinstance(error, SyntaxError):
            if (error.filename or "").startswith(folder):
                frames.append([_file(error.filename or "", folder), int(error.lineno or 0)])
            text = f"{error.msg} (Python {version_info[0]}.{version_info[1]} read this)"
        elif isinstance(error, ModuleNotFoundError):
            text = f"{error}. {THERE_ARE}"
        elif isinstance(error, SystemExit):
            text = f"{error}. {UNGUARDED}"
        else:
            text = str(error)
        text = text[:MAX_TEXT].encode(errors="replace").decode() if type(text) is str else ""
    except BaseException as second:  # noqa: BLE001 - its `__str__` can raise anything
        text = f"(no text: its __str__ raised {type_name(second)})"
    kind = "raised"
    if type(error) is NotImplementedError:
        kind = "not-attempted"
    elif issubclass(type(error), MemoryError):
        kind = "memory"
    elif issubclass(type(error), BlockingIOError) or text == "can't start new thread":
        kind = "processes"
    return {"kind": kind, "type": name[:60], "text": text, "frames": frames}


def type_name(value: Any) -> str:
    """Return the name of the type of `value`, whatever its metaclass says."""
    return type.__dict__["__name__"].__get__(type(value))


def _file(path: str, folder: str) -> str:
    """Return a path relative to the submission's folder."""
    return path.removeprefix(folder).lstrip("/")


def _student_frames(traceback: TracebackType | None, folder: str) -> list[list[Any]]:
    """Return [file name, line] for each traceback entry in the student's files."""
    frames: list[list[Any]] = []
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename.startswith(folder):
            frames.append([_file(code.co_filename, folder), traceback.tb_lineno])
        traceback = traceback.tb_next
    if len(frames) > MAX_FRAMES:  # a deep recursion: keep its first and last frames
        frames = frames[: MAX_FRAMES // 2] + frames[-MAX_FRAMES // 2 :]
    return frames
