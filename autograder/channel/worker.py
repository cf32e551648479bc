"""The program inside the sandbox: a ready parent that forks one fresh worker for each test.

The parent imports numpy and compiles the student's files, and never runs a line of them. For each
test the examiner sends it one end of a new socket; the forked worker answers requests on that
socket until it is killed. Whatever a test leaves behind (globals, threads, processes) is gone
before the next one starts.

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

SPAWN, SPAWN_LARGE, REAP = b"S", b"L", b"R"
CONTROL = struct.Struct("<cQ")
"""A message to the ready parent: what to do, and the seed of the worker to fork."""

READY = b"ready"

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
    space.compile_all()
    if settings.tests:
        student_tests.prepare(settings.with_pytest)
    space.install()
    _forget(settings.forget)
    control = socket.socket(fileno=settings.control)
    # What exists now is never garbage; a collection in a worker would only copy it, page by page.
    gc.collect()
    gc.freeze()
    control.sendall(READY)
    while True:
        data, fds, _, _ = socket.recv_fds(control, CONTROL.size, 1)
        if len(data) < CONTROL.size:
            os._exit(0)
        message, seed = CONTROL.unpack(data)
        if message in (SPAWN, SPAWN_LARGE):
            pid = os.fork()
            if pid == 0:
                control.close()
                _limit(settings, large=message == SPAWN_LARGE)
                channel = socket.socket(fileno=fds[0])
                if settings.tests:
                    student_tests.serve(
                        channel, settings.folder, settings.tests, settings.with_pytest
                    )
                dispatcher = dispatch.Dispatcher(settings.folder)
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


def _limit(settings: Settings, large: bool) -> None:
    """Set the limits of one worker. They are hard ones: student code can lower them, not more."""
    os.setsid()
    for what, value in (
        (resource.RLIMIT_AS, settings.training_memory_bytes if large else settings.memory_bytes),
        (resource.RLIMIT_NPROC, settings.processes),
        (resource.RLIMIT_FSIZE, settings.file_bytes),
        (resource.RLIMIT_CPU, settings.cpu_seconds),
    ):
        if value:
            resource.setrlimit(what, (value, value))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(128, most), min(128, most)))


def _reap(worker: int, namespace: str) -> int:
    """Kill the worker and everything it started; return how it ended (a wait status).

    In a pid namespace of our own "everything" is every process but this one and the namespace's
    first. Without one it is the worker's process group.
    """
    done, status = os.waitpid(worker, os.WNOHANG)
    if os.readlink("/proc/self/ns/pid") != namespace:
        target, kill = -1, os.kill
    else:
        target, kill = worker, os.killpg
    with contextlib.suppress(ProcessLookupError):  # it may have ended, and left nothing behind
        kill(target, signal.SIGKILL)
    if not done:
        _, status = os.waitpid(worker, 0)
    while True:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                return status
        except ChildProcessError:
            return status


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
    chunks = codec.encode(answer, dispatcher.to_ref)
    if len(chunks) < 4:
        channel.sendall(b"".join(chunks))
    else:
        for chunk in chunks:
            channel.sendall(chunk)
