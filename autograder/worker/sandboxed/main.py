"""The program inside the sandbox: a ready parent that forks one fresh worker for each test.

For each test the examiner sends the parent one end of a new socket; the forked worker answers
requests on that socket until it is killed, with all that it started. The next worker is forked
ahead, while a test runs; it runs no student code before its own test begins.

The parent imports numpy. On the message IMPORT it imports the student's files too, once for all
tests. From then on student code may control the parent; the examiner trusts no answer of a sandbox
anyway. If the import doesn't end, or leaves threads behind, which a fork would lose, the examiner
starts a new sandbox without it. Before IMPORT the parent doesn't compile any file either, since a
few lines can keep a compiler busy for hours. (For the student's own tests, which need modules that
only a worker receives, IMPORT only compiles.)

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
"""A message to the ready parent: its kind, and the seed for an import."""

READY = b"ready"

NOFILE = 128
KILLING_ROUNDS = 200
SMALL_BYTES = 1 << 16
"""Up to here an answer's parts are joined, which copies them, and sent by a single call."""

PRELOADED = ("numpy.random", "numpy.typing", "abc", "dataclasses", "functools", "math", "typing")
"""Modules that nearly every submission imports; the parent imports them once for all workers."""

TORCH = ("torch", "torch.nn.functional", "torch.optim.lr_scheduler", "safetensors.torch")
"""Modules imported in addition for submissions that may use torch."""


class Settings:
    """The launcher's settings for the ready parent, as attributes from a JSON object.

    folder: the folder of the student's modules; modules: their file names; forget: sys.path entries
    to remove after the worker's own imports; control: the control socket's descriptor; namespace:
    the examiner's pid namespace: all processes are killed only in a different one; memory_bytes
    (training_memory_bytes for a worker that trains), processes, file_bytes, cpu_seconds: limits of
    one worker (0: none). tests: the file of the student's own tests, for a worker that runs them
    and answers with bits only; with_pytest: whether pytest runs them. with_torch: whether torch is
    imported in advance. week: the folder that contains `week_folders`, the week's own drivers and
    probes. landlock: rules of the files that may be opened from now on (confined.restrict_files),
    empty if something else confines the process.
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
    """Prepare, send READY, and fork workers until the examiner closes the control socket."""
    settings = Settings(sys.argv.pop())  # a submission that parses its arguments has none
    if settings.landlock:
        from . import confined

        confined.restrict_files(settings.landlock)
    prepare(settings.with_torch, settings.with_pytest)
    fork_workers(settings)


def prepare(with_torch: bool, with_pytest: bool) -> None:
    """Import what all workers need, and nothing of a submission."""
    from ...wire import codec  # noqa: F401
    from .. import dispatch, modules, serving, tensors, week_drivers  # noqa: F401
    from . import audit, numeric_state, ready_made, student_tests, tracing  # noqa: F401

    _lift_data_limit()
    for name in (*PRELOADED, *(TORCH if with_torch else ())):
        importlib.import_module(name)
    tensors.prepare()
    _skip_after_fork()
    if with_pytest:
        importlib.import_module("pytest")


def fork_workers(settings: Settings) -> NoReturn:
    """Load the submission, send READY, and fork workers until the control socket is closed."""
    from ...wire import codec
    from .. import dispatch, modules, serving, tensors, week_drivers
    from . import audit, numeric_state, ready_made, student_tests, tracing

    own = week_drivers.load(settings.week, settings.week_folders)
    tensors.shut(own.allowed)
    ready_made.refuse(settings.week)
    listener = audit.Listener(settings.folder, [os.getcwd(), *audit.libraries()])

    sources = {}
    for name in settings.modules:
        with open(f"{settings.folder}/{name}", "rb") as file:
            sources[name] = file.read()
    space = modules.ModuleSpace(sources, settings.folder)
    space.install()
    state = numeric_state.NumericState()
    _forget(settings.forget)
    control = socket.socket(fileno=settings.control)
    operations: dict[str, Callable[..., Any]] = {
        "notes": listener.notes,
        "trace": tracing.Tracer(settings.folder).call,
    }
    dispatcher: Any = dispatch.Dispatcher(settings.folder, None, own, operations)
    workers: list[int] = []  # the active one, and the waiting one
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
                if not settings.tests:
                    warm_up(dispatcher, codec)
                _limit(settings, SPAWN)
                seed, large = channel.receive()
                if large:
                    _limit_memory(settings.training_memory_bytes, settings.training_memory_bytes)
                else:
                    _limit_memory(settings.memory_bytes, settings.memory_bytes)
                if settings.tests:
                    student_tests.serve(channel, settings, seed)
                dispatcher.handle = state.restored(dispatcher)
                state.restore(dispatcher._catch_warning)
                dispatcher.seed(seed)
                serving.Serving(channel, dispatcher).until_other()
                os._exit(1)
            os.close(fds[0])
            workers.append(pid)
        elif message == REAP:
            status = _reap(workers.pop(0), workers, settings.namespace)
            control.sendall(status.to_bytes(4, "little", signed=True))


def warm_up(dispatcher: Any, codec: Any) -> None:
    """Carry out typical requests once, while this worker waits for its test.

    A forked process copies each page of memory at the first write; the pages written here are
    copied while another test runs. The state that a test can see does not change.
    """
    dispatcher.seed(0)
    array = sys.modules["numpy"].random.default_rng().normal(size=(2, 2))
    _, kept = dispatcher.handle("keep", [array @ array])
    answers = [
        dispatcher.handle(*request)[1] for request in (("import", ["numpy"]), ("fetch", [array]))
    ]
    _, body, *buffers = codec.encode([0, True, [*answers, kept]], dispatcher.to_ref)
    codec.decode(body, bytearray(b"".join(buffers)), dispatcher.from_ref)
    dispatcher.objects.clear()


def pid_namespace() -> str:
    """Return the identifier of this process's pid namespace; "" if the system has none."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def _skip_after_fork() -> None:
    """Keep the threading module from rebuilding its table of threads in each forked worker.

    The parent has a single thread, so the table is right in a worker too. The handler writes to so
    much memory that it would take a tenth of a worker's time.
    """
    handler = getattr(threading, "_after_fork", None)
    if handler is not None:
        handler.__code__ = (lambda: None).__code__


def _forget(paths: list[str]) -> None:
    """Make the worker's own modules unimportable for student code.

    They remain in use by the references of the code above.
    """
    sys.path[:] = [path for path in sys.path if path not in paths]
    package = __name__.partition(".")[0]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("msgpack", package):
            del sys.modules[name]


def _import(dispatch: Any, space: Any, seed: int, namespace: str) -> dict[str, Any]:
    """Import the student's files here; return the faults by module.

    Ends the process in children that the import forked, if the import left threads behind, and if a
    file changed the modules of SURROUNDINGS, which would affect the other files.
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
    except OSError:  # no /proc: the threads that Python knows
        return threading.active_count()


SURROUNDINGS = ("builtins", "math", "numpy", "random", "torch", "torch.nn.functional")


def _surroundings(before: dict[Any, Any] | None = None) -> dict[Any, Any]:
    """Return the attributes of the modules of SURROUNDINGS, or those that differ from `before`."""
    modules = {name: vars(sys.modules[name]) for name in SURROUNDINGS if name in sys.modules}
    if before is None:
        return {(name, key): held[key] for name, held in modules.items() for key in held}
    return {
        (name, key): value
        for (name, key), value in before.items()
        if modules.get(name, {}).get(key) is not value
    }


def _freeze() -> None:
    """Exempt all current objects from garbage collection, which would copy pages in a worker."""
    gc.collect()
    gc.freeze()


def _limit(settings: Settings, message: bytes = IMPORT) -> None:
    """Set the limits of a worker, or of the parent before it imports the student's files.

    A worker gets hard limits, which student code can only lower. The parent's limits leave room for
    its workers: a higher hard limit of memory, and none of processor time.
    """
    limits = [(resource.RLIMIT_NPROC, settings.processes)]
    limits += [(resource.RLIMIT_FSIZE, settings.file_bytes)]
    if message != IMPORT:
        os.setsid()
        limits += [(resource.RLIMIT_CPU, settings.cpu_seconds)]
    for what, value in limits:
        if value:  # SIGXCPU at the soft limit, SIGKILL at the hard one a second later
            grace = 1 if what == resource.RLIMIT_CPU else 0
            resource.setrlimit(what, (value, value + grace))
    _limit_memory(settings.memory_bytes, settings.training_memory_bytes)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (NOFILE, NOFILE))


def _lift_data_limit() -> None:
    """Lift the examiner's own limit, which this process has inherited; a worker gets others."""
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (hard, hard))


def _limit_memory(now: int, most: int) -> None:
    """Set the soft (`now`) and hard limit of this process's address space in bytes; 0: none."""
    if now:
        resource.setrlimit(resource.RLIMIT_AS, (now, max(now, most)))


def _reap(worker: int, spare: list[int], namespace: str) -> int:
    """Kill the worker and everything it started; return its wait status."""
    done, status = os.waitpid(worker, os.WNOHANG)
    if not done:
        with contextlib.suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
        _, status = os.waitpid(worker, 0)
    _kill_others(spare, worker, namespace)
    return status


def _kill_others(spare: list[int], worker: int, namespace: str) -> None:
    """Kill every process but this one and the spare worker.

    In a pid namespace of its own, these are all other processes; otherwise the worker's process
    group and the children of this process, which may adopt orphans. Ends the sandbox if processes
    are left after KILLING_ROUNDS rounds.
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
    """Return this process's children; empty if the system has no list of them."""
    try:
        if children_file >= 0:
            return [int(pid) for pid in os.pread(children_file, 1 << 16, 0).split()]
        with open(f"/proc/self/task/{os.getpid()}/children") as file:
            return [int(pid) for pid in file.read().split()]
    except OSError:
        return []


children_file = -1
"""Descriptor of the list of this process's children, opened by confined.main; -1: not opened."""


class Wire:
    """The worker's end of a channel: whole frames in, whole frames out."""

    def __init__(self, sock: socket.socket, codec: Any):
        self._socket = sock
        self._codec = codec
        self._ahead = b""

    def receive(self, from_ref: Any = None) -> Any:
        """Return the next message; end the process if the channel is closed."""
        data = self._ahead
        while len(data) < self._codec.HEADER.size:
            data += self._some()
        body_size, buffer_size = self._codec.HEADER.unpack_from(data)
        end = self._codec.HEADER.size + body_size
        frame = bytearray(max(end + buffer_size, len(data)))
        frame[: len(data)] = data
        self._fill(memoryview(frame)[len(data) :])
        self._ahead = bytes(frame[end + buffer_size :])
        view = memoryview(frame)
        return self._codec.decode(
            view[self._codec.HEADER.size : end], view[end : end + buffer_size], from_ref
        )

    def _some(self) -> bytes:
        """Return what has come; most messages are small, and come with one call."""
        data = self._socket.recv(1 << 16)
        if not data:
            os._exit(0)
        return data

    def _fill(self, view: memoryview) -> None:
        while len(view):
            count = self._socket.recv_into(view)
            if not count:
                os._exit(0)
            view = view[count:]

    def send(self, answer: list, to_ref: Any = None) -> None:
        """Send [id, True, result] or [id, False, fault]."""
        try:
            chunks = self._codec.encode(answer, to_ref)
        except (ValueError, OverflowError):  # text that isn't UTF-8, an integer key too large
            chunks = self._codec.encode([*answer[:2], to_ref(answer[2])])
        if sum(map(len, chunks)) < SMALL_BYTES:
            self._socket.sendall(b"".join(chunks))
        else:
            for chunk in chunks:
                self._socket.sendall(chunk)
