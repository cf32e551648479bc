"""The program inside the sandbox: a ready parent that forks one fresh worker for each test.

For each test the examiner sends the parent one end of a new socket; the forked worker answers
requests on that socket until it is killed. Whatever a test leaves behind (globals, threads,
processes) is gone before the next one starts.

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
from typing import Any, NoReturn

IMPORT, SPAWN, SPAWN_LARGE, REAP = b"I", b"S", b"L", b"R"
CONTROL = struct.Struct("<cQ")
"""A message to the ready parent: what to do, and the seed of the worker to fork."""

READY = b"ready"

NOFILE = 128

PRELOADED = ("numpy.random", "numpy.typing", "abc", "dataclasses", "functools", "math", "typing")
"""What nearly every submission imports: imported once in the parent, so that no worker has to."""


class Settings:
    """What the launcher tells the ready parent, as attributes of a JSON object.

    folder: where the student's modules lie; modules: their file names; forget: sys.path entries
    to drop once the worker's own imports are done; control: the control socket's descriptor;
    namespace: the examiner's pid namespace, so that killing "everything" is only done in another
    one; memory_bytes (training_memory_bytes for a worker that trains), processes, file_bytes,
    cpu_seconds: limits of one worker (0: none). tests: the file of the student's own tests, for a
    worker that runs those and answers with bits only; with_pytest: whether pytest runs them.
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

    def __init__(self, text: str):
        self.__dict__.update(json.loads(text))


def main() -> NoReturn:
    """Get ready, say so, and fork workers until the examiner closes the control socket."""
    settings = Settings(sys.argv[1])
    from . import codec, dispatch, modules, student_tests

    for name in PRELOADED:
        importlib.import_module(name)

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
    failed: dict[str, Any] = {}
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
            _freeze()
            control.sendall(READY)
        if message in (SPAWN, SPAWN_LARGE):
            pid = os.fork()
            if pid == 0:
                control.close()
                _limit(settings, message)
                channel = socket.socket(fileno=fds[0])
                if settings.tests:
                    student_tests.serve(
                        channel, settings.folder, settings.tests, settings.with_pytest, seed
                    )
                dispatcher = dispatch.Dispatcher(settings.folder, failed)
                dispatcher.seed(seed)
                serve(channel, codec, dispatcher)
            os.close(fds[0])
        elif message == REAP:
            control.sendall(_reap(pid, settings.namespace).to_bytes(4, "little", signed=True))


def _forget(paths: list[str]) -> None:
    """Make the worker's own modules unimportable: inside there is numpy and the standard library.

    They stay alive through the references that the code above holds.
    """
    sys.path[:] = [path for path in sys.path if path not in paths]
    package = __name__.rpartition(".")[0]
    for name in list(sys.modules):
        if name.partition(".")[0] in ("msgpack", package):
            del sys.modules[name]


def _import(dispatch: Any, space: Any, seed: int, namespace: str) -> dict[str, Any]:
    """Import the student's files here; return the faults. Ends the process where that won't do.

    That is so in children that the import forked, and where it left threads behind.
    """
    pid = os.getpid()
    failed = dispatch.import_all(space, seed)
    if os.getpid() != pid or len(os.listdir("/proc/self/task")) > 1:
        os._exit(0)
    _kill(0, namespace)
    return failed


def _freeze() -> None:
    """What exists now is never garbage: a collection in a worker would only copy it."""
    gc.collect()
    gc.freeze()


def _limit(settings: Settings, message: bytes = IMPORT) -> None:
    """Set the limits of a worker, or of the parent before it imports the student's files.

    A worker's are hard ones: student code can lower them, no more. The parent leaves room for the
    workers that it forks: more memory, and processor time that isn't counted in the parent.
    """
    memory = settings.training_memory_bytes if message == SPAWN_LARGE else settings.memory_bytes
    limits = [(resource.RLIMIT_NPROC, settings.processes)]
    limits += [(resource.RLIMIT_FSIZE, settings.file_bytes)]
    most = memory
    if message == IMPORT:
        most = settings.training_memory_bytes
    else:
        os.setsid()
        limits += [(resource.RLIMIT_CPU, settings.cpu_seconds)]
    for what, value in limits:
        if value:  # the second of grace is for the signal that says so: at the hard one it's KILL
            grace = 1 if what == resource.RLIMIT_CPU else 0
            resource.setrlimit(what, (value, value + grace))
    if memory:
        resource.setrlimit(resource.RLIMIT_AS, (memory, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (NOFILE, NOFILE))


def _reap(worker: int, namespace: str) -> int:
    """Kill the worker and everything it started; return how it ended (a wait status)."""
    done, status = os.waitpid(worker, os.WNOHANG)
    _kill(worker, namespace)
    if not done:
        _, status = os.waitpid(worker, 0)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                return status
        except ChildProcessError:
            return status


def _kill(worker: int, namespace: str) -> None:
    """Kill everything but this process: in a pid namespace of our own, every other process.

    Without one (unconfined) it is the worker's process group, if there is a worker.
    """
    with contextlib.suppress(ProcessLookupError):  # it may have ended, and left nothing behind
        if os.readlink("/proc/self/ns/pid") != namespace:
            os.kill(-1, signal.SIGKILL)
        elif worker:
            os.killpg(worker, signal.SIGKILL)


def serve(channel: socket.socket, codec: Any, dispatcher: Any) -> NoReturn:
    """Answer requests on `channel` until it is closed.

    A request is [id, operation, arguments]; an answer [id, True, result] or [id, False, fault].
    """
    pid = os.getpid()
    reader = channel.makefile("rb", buffering=1 << 16)
    while True:
        header = reader.read(codec.HEADER.size)
        if len(header) < codec.HEADER.size:
            os._exit(0)
        body_size, buffer_size = codec.HEADER.unpack(header)
        body = reader.read(body_size)
        buffers = bytearray(buffer_size)
        if buffer_size:
            reader.readinto(buffers)
        number, operation, arguments = codec.decode(body, buffers, dispatcher.from_ref)
        done, result = dispatcher.handle(operation, arguments)
        if os.getpid() != pid:
            os._exit(0)  # a child that student code forked came back up to here
        _flush_and_send(channel, codec, [number, done, result], dispatcher)


def _flush_and_send(channel: socket.socket, codec: Any, answer: list, dispatcher: Any) -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (AttributeError, ValueError, OSError):
            continue  # student code may close or replace the streams; that is its own affair
    try:
        chunks = codec.encode(answer, dispatcher.to_ref)
    except (ValueError, OverflowError):  # text that isn't UTF-8, an integer key too large
        chunks = codec.encode([*answer[:2], dispatcher.to_ref(answer[2])])
    if len(chunks) < 4:
        channel.sendall(b"".join(chunks))
    else:
        for chunk in chunks:
            channel.sendall(chunk)
