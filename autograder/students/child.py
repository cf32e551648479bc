"""The program that a student's code runs in on the student's own machine: it answers requests.

Started by `process.Process`. Requests come through its standard input, answers go through its
standard output; what the student's code prints goes where the standard error goes. One process
serves all tests: for each one all modules are executed anew, and the state of the process that the
last test changed is restored. It uses no feature that only some operating systems have.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import json
import os
import re
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from types import FrameType
from typing import Any, BinaryIO, NoReturn

import numpy as np

from ..wire import codec
from ..worker import tensors
from ..worker.dispatch import Dispatcher, import_all
from ..worker.modules import ModuleSpace
from ..worker.serving import Serving
from ..worker.week_drivers import load

READY = "ready"
IMPORT_SEED = 0
"""Seed while modules are imported, as in grading: draws at import are the same for all tests."""

PARENT_SECONDS = 2.0
SLOW_IMPORT_SECONDS = 2.0
"""Time limit for importing all modules beforehand, in seconds, as in grading."""
TORCH = ("torch", "torch.nn.functional", "torch.optim.lr_scheduler", "safetensors.torch")
"""Modules of torch, imported before any test starts, so that no test is charged for it."""

OURS = ("default_rng", "__warningregistry__")
"""Names that seeding replaces in numpy.random, or Python adds to modules; not compared."""

RESTORED = ("builtins", "math", "random", "numpy", "numpy.linalg", "numpy.random", *TORCH[:2])
"""The modules whose contents are put back before each test."""


def main() -> NoReturn:
    """Get ready, say so, and answer requests until there are no more.

    The first argument is a JSON object. folder: where the modules lie; modules: their file names;
    packages: the distributions that they may import on top of numpy; week, week_folders: where the
    week's own drivers and probes lie (week_drivers.load); memory_bytes and
    training_memory_bytes: what a test may use, and one that trains; file_bytes: the largest file
    that may be written; import_first: whether to import all modules before each test, and not on
    demand; this is tried once, and a second READY is sent when the trial has ended.
    """
    settings = json.loads(sys.argv.pop())
    channel = Channel(*_take_pipes())
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    for name in TORCH if "torch" in settings["packages"] else ():
        importlib.import_module(name)
    tensors.prepare()
    own = load(settings["week"], settings["week_folders"])
    tensors.shut(own.allowed)
    folder, sources = settings["folder"], {}
    for name in settings["modules"]:
        with open(f"{folder}/{name}", "rb") as file:
            sources[name] = file.read()
    space = ModuleSpace(sources, folder)
    sys.meta_path.insert(0, _Refused(folder, sources, settings["packages"]))
    _forget_ours()
    surroundings = Surroundings()
    channel.send([0, True, READY])
    import_first, failed = False, dict[str, Any]()
    if settings["import_first"]:
        _limit(settings, large=False)
        import_first, failed = _try_imports(space, surroundings)
        channel.send([0, True, READY])
    begin = channel.receive()
    while True:
        seed, large = begin
        _forget_output()
        surroundings.restore()
        _limit(settings, large)
        with space.active(), warnings.catch_warnings():
            if import_first:
                import_all(space, IMPORT_SEED, failed)
            dispatcher = Dispatcher(folder, failed, own)
            dispatcher.seed(seed)
            channel.send([0, True, READY])
            begin = Serving(channel, dispatcher).until_other()


def _try_imports(space: ModuleSpace, surroundings: Surroundings) -> tuple[bool, dict[str, Any]]:
    """Import all modules; return whether to do so before each test, and the failed imports.

    Not to be done if it takes more than SLOW_IMPORT_SECONDS or changes the shared modules.
    """
    started = time.monotonic()
    with space.active(), warnings.catch_warnings():
        failed = import_all(space, IMPORT_SEED)
    if surroundings.changed:
        return False, {}
    return time.monotonic() - started <= SLOW_IMPORT_SECONDS, failed


class Channel:
    """The two pipes to the parent: whole frames in, whole frames out."""

    def __init__(self, requests: BinaryIO, answers: BinaryIO):
        self._requests, self._answers = requests, answers

    def receive(self, from_ref: Callable[[codec.Ref], Any] = lambda ref: ref) -> Any:
        """Return the next message; end the process where there is none."""
        body_size, buffer_size = codec.HEADER.unpack(self._read(codec.HEADER.size))
        return codec.decode(self._read(body_size), self._read(buffer_size), from_ref)

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while len(view):
            count = self._requests.readinto(view)  # type: ignore[attr-defined]
            if not count:
                os._exit(0)
            view = view[count:]
        return data

    def send(self, answer: list[Any], to_ref: Any = None) -> None:
        """Send [number, True, result] or [number, False, fault]."""
        try:
            chunks = codec.encode(answer, to_ref)
        except (ValueError, OverflowError):  # text that isn't UTF-8, an integer key too large
            chunks = codec.encode([*answer[:2], to_ref(answer[2])])
        for chunk in chunks:
            self._answers.write(chunk)
        self._answers.flush()


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Move the pipes for requests and answers away from the standard streams; return them.

    Afterwards standard input is empty, and standard output goes to standard error.
    """
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def _forget_output() -> None:
    """Empty the file that standard error is. Windows lets nobody do that who has it open twice."""
    with contextlib.suppress(OSError):  # student code has closed it
        os.lseek(2, 0, os.SEEK_SET)
        os.ftruncate(2, 0)


def _end_with_parent(parent: int) -> None:
    """End this process when its parent is gone, whatever the student's code is doing."""
    while os.getppid() == parent:
        time.sleep(PARENT_SECONDS)
    os._exit(0)


def _forget_ours() -> None:
    """Remove the autograder's modules from sys.modules; references to them keep working."""
    for name in list(sys.modules):
        if name.partition(".")[0] in ("msgpack", "autograder"):
            del sys.modules[name]


def _limit(settings: dict[str, Any], large: bool) -> None:
    """Limit memory and files, where the system has such limits for a process."""
    try:
        import resource
    except ImportError:
        return
    most = max(settings["memory_bytes"], settings["training_memory_bytes"])
    now = settings["training_memory_bytes"] if large else settings["memory_bytes"]
    limits = (("AS", now, most), ("FSIZE", *2 * (settings["file_bytes"],)), ("CORE", 0, 0))
    for name, soft, hard in limits:
        with contextlib.suppress(AttributeError, ValueError, OSError):  # not on this system
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (soft, hard))


class Surroundings:
    """The process state that all tests share; restored before each test."""

    def __init__(self) -> None:
        modules = [sys.modules[name] for name in RESTORED if name in sys.modules]
        self._contents = [(vars(module), dict(vars(module))) for module in modules]
        self._errors, self._printing = np.geterr(), np.get_printoptions()
        self._environment = dict(os.environ)
        self._folder, self._depth = os.getcwd(), sys.getrecursionlimit()
        self._streams = sys.stdout, sys.stderr

    @property
    def changed(self) -> list[str]:
        """The names of the RESTORED modules that were rebound or deleted."""
        return [
            name
            for held, contents in self._contents
            for name, value in contents.items()
            if held.get(name, self) is not value and name not in OURS
        ]

    def restore(self) -> None:
        """Put everything back."""
        for held, contents in self._contents:
            held.update(contents)
        np.seterr(**self._errors)
        np.set_printoptions(**self._printing)
        if os.environ != self._environment:
            os.environ.clear()
            os.environ.update(self._environment)
        os.chdir(self._folder)
        sys.setrecursionlimit(self._depth)
        sys.stdout, sys.stderr = self._streams
        torch = sys.modules.get("torch")
        if torch is not None:
            torch.set_default_dtype(torch.float32)
            torch.set_grad_enabled(True)


class _Refused(importlib.abc.MetaPathFinder):
    """Blocks imports by the student's files of installed packages that grading does not have."""

    def __init__(self, folder: str, files: Iterable[str], packages: list[str]):
        own = {file.removesuffix(".py").partition("/")[0] for file in files}
        self._folder, self._packages = folder, packages
        self._known = {*sys.stdlib_module_names, "numpy", *own}

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        top = name.partition(".")[0]
        if top in self._known or not self._asked_by_student():
            return
        if self._packages:
            self._known |= set(_importable(self._packages))
            self._packages = []
        if top not in self._known:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def _asked_by_student(self) -> bool:
        frame: FrameType | None = sys._getframe(2)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        return frame is not None and frame.f_code.co_filename.startswith(self._folder)


def _importable(distributions: Iterable[str]) -> Iterator[str]:
    """Yield the import names of distributions and of all that they require."""
    todo, seen = list(distributions), set[str]()
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in seen:
            continue
        seen.add(name)
        with contextlib.suppress(metadata.PackageNotFoundError):
            needs = metadata.requires(name) or []
            todo += (re.split(r"[^\w.-]", need, maxsplit=1)[0] for need in needs)
    for top, owners in metadata.packages_distributions().items():
        if seen & {re.sub(r"[-_.]+", "-", owner).lower() for owner in owners}:
            yield top
