"""The program inside the sandbox: a ready parent that forks one fresh worker for each test.

For each test the examiner sends the parent one end of a new socket; the forked worker answers
requests on that socket until it is killed, with all that it started. The next worker is forked
ahead, while a test runs; it runs no student code before its own test begins.

The parent imports numpy. Asked to (IMPORT), it imports the student's files too, once for all tests.
From then on it is student code itself, which changes nothing for the examiner: it never believes
more of a sandbox than that a value came out of it. Where that import fails to end, or leaves
threads behind that a fork would lose, the examiner starts over without it. Before it is asked the
parent doesn't even compile a file: a few lines can keep a compiler busy for hours. (The student's
own tests wait for modules that only a worker gets; for them IMPORT means to compile.)

Started as `python -s -S -P -B -c "..." SETTINGS`, where SETTINGS is a JSON object; see `Settings`.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import resource
import signal
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, NoReturn

IMPORT, SPAWN, REAP = b"I", b"S", b"R"
CONTROL = struct.Struct("<cQ")
"""A message to the ready parent: what to do, and the seed that an import is done with."""

READY = b"ready"

NOFILE = 128
KILLING_ROUNDS = 200

PRELOADED = ("numpy.random", "numpy.typing", "abc", "dataclasses", "functools", "math", "typing")
"""What nearly every submission imports: imported once in the parent, so that no worker has to."""

TORCH = ("torch", "torch.nn.functional", "torch.optim.lr_scheduler", "safetensors.torch")
"""The same for submissions that may use torch."""


class Settings:
    """What the launcher tells the ready parent, as attributes of a JSON object.

    folder: where the student's modules lie; modules: their file names; forget: sys.path entries
    to drop once the worker's own imports are done; control: the control socket's descriptor;
    namespace: the examiner's pid namespace, so that killing "everything" is only done in another
    one; memory_bytes (training_memory_bytes for a worker that trains), processes, file_bytes,
    cpu_seconds: limits of one worker (0: none). tests: the file of the student's own tests, for a
    worker that runs those and answers with bits only; with_pytest: whether pytest runs them.
    with_torch: whether torch is imported beforehand. week: the folder below which `week_folders`
    lie, with the week's own drivers and probes. landlock: the rules of what may be opened from here
    on (confined.restrict_files), none where something else sees to that.
    """

    folder: str
    modules: list[str]
    forget: list[str]
    control: int
    namespace: str
    memory_bytes: int
    training_memory_bytes: int
    processes: int
    file_bytes: int
    cpu_seconds: int
    tests: str | None
    with_pytest: bool
    with_torch: bool
    week: str
    week_folders: list[str]
    landlock: list[list[str]]

    def __init__(self, text: str):
        self.__dict__.update(json.loads(text))


def main() -> NoReturn:
    """Get ready, say so, and fork workers until the examiner closes the control socket."""
    settings = Settings(sys.argv[1])
    if settings.landlock:
        from . import confined

        confined.restrict_files(settings.landlock)
    from ...wire import codec
    from .. import dispatch, modules, tensors, week_drivers
    from . import audit, student_tests, tracing

    for name in (*PRELOADED, *(TORCH if settings.with_torch else ())):
        importlib.import_module(name)
    tensors.prepare()
    own = week_drivers.load(settings.week, settings.week_folders)
    _skip_after_fork()
    listener = audit.Listener(settings.folder, [os.getcwd(), *audit.libraries()])

    sources = {}
    for name in settings.modules:
        with open(f"{settings.folder}/{name}", "rb") as file:
            sources[name] = file.read()
    space = modules.ModuleSpace(sources, settings.folder)
    if settings.tests:
        student_tests.prepare(settings.with_pytest)
    space.install()
    _forget(settings.forget)
    control = socket.socket(fileno=settings.control)
    operations: dict[str, Callable[..., Any]] = {
        "notes": listener.notes,
        "trace": tracing.Tracer(settings.folder).call,
    }
    dispatcher = dispatch.Dispatcher(settings.folder, None, own, operations)
    workers: list[int] = []  # the one that is at work, and the one that waits
    _freeze()
    control.sendall(READY)
    while True:
        data, fds, _, _ = socket.recv_fds(control, CONTROL.size, 1)
        if len(data) < CONTROL.size:
            os._exit(0)
        message, seed = CONTROL.unpack(data)
        if message == IMPORT:
            _limit(settings)
            if settings.tests:
                space.compile_all()
            else:
                failed = _import(dispatch, space, seed, settings.namespace)
                dispatcher = dispatch.Dispatcher(settings.folder, failed, own, operations)
            _freeze()
            control.sendall(READY)
        if message == SPAWN:
            pid = os.fork()
            if pid == 0:
                control.close()
                if children_file >= 0:
                    os.close(children_file)
                channel = Wire(socket.socket(fileno=fds[0]), codec)
                dispatcher.warm_up()
                _limit(settings, SPAWN)
                seed, large = channel.receive()
                if large:
                    _limit_memory(settings.training_memory_bytes, settings.training_memory_bytes)
                else:
                    _limit_memory(settings.memory_bytes, settings.memory_bytes)
                if settings.tests:
                    student_tests.serve(channel, settings, seed)
                dispatcher.seed(seed)
                serve(channel, dispatcher)
            os.close(fds[0])
            workers.append(pid)
        elif message == REAP:
            status = _reap(workers.pop(0), workers, settings.namespace)
            control.sendall(status.to_bytes(4, "little", signed=True))


def pid_namespace() -> str:
    """Return what this process's pid namespace is known by; nothing where there are none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _skip_after_fork() -> None:
    """Keep the threading module from rebuilding its table of threads in each forked worker.

    The table has one entry, which is right in a worker too: the parent has a single thread. The
    handler touches so much memory that it takes a tenth of a worker's time.
    """
    handler = getattr(threading, "_after_fork", None)
    if handler is not None:
        handler.__code__ = (lambda: None).__code__


def _forget(paths: list[str]) -> None:
    """Make the worker's own modules unimportable: inside there is numpy and the standard library.

    They stay alive through the references that the code above holds.
    """
    sys.path[:] = [path for path in sys.path if path not in paths]
    package = __name__.partition(".")[0]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("msgpack", package):
            del sys.modules[name]


def _import(dispatch: Any, space: Any, seed: int, namespace: str) -> dict[str, Any]:
    """Import the student's files here; return the faults. Ends the process where that won't do.

    That is so in children that the import forked, where it left threads behind, and where one file
    changed what the others build on: they are not to suffer for it.
    """
    pid, before = os.getpid(), _surroundings()
    failed = dispatch.import_all(space, seed)
    if os.getpid() != pid or _threads() > 1 or _surroundings(before):
        os._exit(0)
    _kill_others([], 0, namespace)
    return failed


def _threads() -> int:
    try:
        return len(os.listdir("/proc/self/task"))
    except OSError:  # no Linux, or not to be seen: what Python knows of
        return threading.active_count()


SURROUNDINGS = ("builtins", "math", "numpy", "random", "torch", "torch.nn.functional")


def _surroundings(before: dict[Any, Any] | None = None) -> dict[Any, Any]:
    """Return what these modules hold, or, of what they held `before`, what is another thing now."""
    modules = {name: vars(sys.modules[name]) for name in SURROUNDINGS if name in sys.modules}
    if before is None:
        return {(name, key): held[key] for name, held in modules.items() for key in held}
    return {
        (name, key): value
        for (name, key), value in before.items()
        if modules.get(name, {}).get(key) is not value
    }


def _freeze() -> None:
    """What exists now is never garbage: a collection in a worker would only copy it."""
    gc.collect()
    gc.freeze()


def _limit(settings: Settings, message: bytes = IMPORT) -> None:
    """Set the limits of a worker, or of the parent before it imports the student's files.

    A worker's are hard ones: student code can lower them, no more. The parent leaves room for the
    workers that it forks: more memory, and processor time that isn't counted in the parent.
    """
    limits = [(resource.RLIMIT_NPROC, settings.processes)]
    limits += [(resource.RLIMIT_FSIZE, settings.file_bytes)]
    if message != IMPORT:
        os.setsid()
        limits += [(resource.RLIMIT_CPU, settings.cpu_seconds)]
    for what, value in limits:
        if value:  # the second of grace is for the signal that says so: at the hard one it's KILL
            grace = 1 if what == resource.RLIMIT_CPU else 0
            resource.setrlimit(what, (value, value + grace))
    _limit_memory(settings.memory_bytes, settings.training_memory_bytes)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (NOFILE, NOFILE))


def _limit_memory(now: int, most: int) -> None:
    """Set how much address space this process may have now, and the most it may ever ask for."""
    if now:
        resource.setrlimit(resource.RLIMIT_AS, (now, max(now, most)))


def _reap(worker: int, spare: list[int], namespace: str) -> int:
    """Kill the worker and everything it started; return how it ended (a wait status)."""
    done, status = os.waitpid(worker, os.WNOHANG)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
    _kill_others(spare, worker, namespace)
    return status


def _kill_others(spare: list[int], worker: int, namespace: str) -> None:
    """Kill every process but this one and the spare worker.

    That is everything in a pid namespace of our own. Without one it is the worker's process group,
    and the children of this process: it may have been made the one that adopts orphans. What
    starts processes faster than they are killed ends the sandbox.
    """
    own = pid_namespace() != namespace
    if not own and worker:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(worker, signal.SIGKILL)
    keep = {1, os.getpid(), *spare}
    for _ in range(KILLING_ROUNDS):
        others = [pid for pid in (_everybody() if own else _children()) if pid not in keep]
        if not others:
            return
        for pid in others:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            for pid in others:
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.001)
    os._exit(1)


def _everybody() -> list[int]:
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def _children() -> list[int]:
    """Return this process's children; none where the system has no list of them."""
    try:
        if children_file >= 0:
            return [int(pid) for pid in os.pread(children_file, 1 << 16, 0).split()]
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


children_file = -1
"""The list of this process's children, where it could not be opened any more (confined.main)."""


class Wire:
    """The worker's end of a channel: whole frames in, whole frames out."""

    def __init__(self, sock: socket.socket, codec: Any):
        self._socket = sock
        self._codec = codec

    def receive(self, from_ref: Any = None) -> Any:
        """Return the next message; end the process where there is none."""
        header = self._read(self._codec.HEADER.size)
        body_size, buffer_size = self._codec.HEADER.unpack(header)
        return self._codec.decode(self._read(body_size), self._read(buffer_size), from_ref)

    def _read(self, size: int) -> bytearray:
        data = bytearray(size)
        view = memoryview(data)
        while len(view):
            count = self._socket.recv_into(view)
            if not count:
                os._exit(0)
            view = view[count:]
        return data

    def send(self, answer: list, to_ref: Any = None) -> None:
        """Send [id, True, result] or [id, False, fault]."""
        try:
            chunks = self._codec.encode(answer, to_ref)
        except (ValueError, OverflowError):  # text that isn't UTF-8, an integer key too large
            chunks = self._codec.encode([*answer[:2], to_ref(answer[2])])
        if len(chunks) < 4:
            self._socket.sendall(b"".join(chunks))
        else:
            for chunk in chunks:
                self._socket.sendall(chunk)


def serve(channel: Wire, dispatcher: Any) -> NoReturn:
    """Answer requests, [id, operation, arguments], until the channel is closed."""
    pid = os.getpid()
    while True:
        number, operation, arguments = channel.receive(dispatcher.from_ref)
        done, result = dispatcher.handle(operation, arguments)
        if os.getpid() != pid:
            os._exit(0)  # a child that student code forked came back up to here
        _flush()
        channel.send([number, done, result], dispatcher.to_ref)


def _flush() -> None:
    """Write out what was printed, so that it is counted with the request it belongs to."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError, OSError):
            continue  # student code may close or replace the streams; that is its own affair
