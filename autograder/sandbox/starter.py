"""Privilege separation for a grader run by root: one process starts sandboxes, another examines.

The examiner decodes the data that come out of sandboxes, so a hostile submission could attack it.
It therefore runs as a user of its own, with the single privilege of reading all files, since the
course's files belong to root. It can only request that the starter start a sandbox of the chosen
kind for files that it sends, and limit, query or kill such a sandbox.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import signal
import socket
import stat
import struct
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any, BinaryIO, NoReturn

from autograder.sandbox.cgroup import Events
from autograder.sandbox.choose import NotConfinedError
from autograder.sandbox.launch import Folder, Launch, memory_file
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import Confinement
from autograder.sandbox.running import Running
from autograder.worker.week_drivers import WeekFolders

FIRST_EXAMINER = 63_232
"""Examiners of root run under uid FIRST_EXAMINER + slot, which no sandbox uses."""

LARGEST_MESSAGE = 1 << 16
LARGEST_FILES = 256 << 20
LARGEST_LIMIT = 1_000_000
SHOWN_CHARACTERS = 2_000
PR_SET_KEEPCAPS, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE = 8, 38, 47, 2
DAC_READ_SEARCH = 2
CAPABILITY_VERSION = 0x20080522


def separate(make: Callable[[], Confinement], slot: int) -> Confinement:
    """Give up root in this process; return the confinement that a child, which stays root, makes.

    To be called by root, before the process starts threads; it can't be undone. The child makes it
    while this process goes on; where `make` raises NotConfinedError, so does the first use here.
    Raises OSError.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        ours.close()
        _serve(make, theirs)
    theirs.close()
    _give_up_root(FIRST_EXAMINER + slot)
    return Separated(ours)


# The examiner's side.


class Separated:
    """A confinement whose sandboxes another process starts."""

    confined = True

    def __init__(self, sock: socket.socket):
        self._socket = sock
        self._lock = threading.Lock()

    @cached_property
    def _about(self) -> tuple[str, list[str], str, int | None]:
        """What the other process says first, once it has tried the rungs.

        Raises NotConfinedError where none holds.
        """
        with self._lock:
            try:
                return self._answer()
            except OSError as error:
                raise NotConfinedError(str(error)) from error

    @property
    def rung(self) -> str:
        """The rung of the other process's confinement; as all of these, once that is found."""
        return self._about[0]

    @property
    def layers(self) -> tuple[str, ...]:
        """Its parts in words."""
        return tuple(self._about[1])

    @property
    def name(self) -> str:
        """Its name, which is recorded with every result."""
        return self._about[2]

    @property
    def own_uid(self) -> int | None:
        """The user that student code runs as."""
        return self._about[3]

    def place(self, folder: Folder) -> str:
        raise OSError("a sandbox of this kind gets no folders")

    def start(self, launch: Launch) -> Running:
        """Have a ready parent started. Raises OSError, also for folders, GPUs or a script."""
        if launch.folders or launch.gpus or launch.script:
            raise OSError("a sandbox of this kind gets no folders, GPUs or scripts")
        wanted = {
            "files": _sizes(launch.files),
            "week": {"names": launch.week.names, "files": _sizes(launch.week.files)},
            "limits": asdict(launch.limits),
            "tests": launch.tests,
            "with_pytest": launch.with_pytest,
            "packages": launch.packages,
        }
        contents = (*launch.files.values(), *launch.week.files.values())
        files = memory_file(b"".join(contents))
        try:
            answer = self.ask("start", wanted, fds=[files, launch.control, launch.output])
        finally:
            os.close(files)
        return _Distant(self.ask, *answer)

    def ask(self, what: str, *values: Any, fds: list[int] | None = None) -> Any:
        """Send one request to the other process. Raises OSError if it fails or has ended."""
        _ = self._about  # which comes before any answer
        with self._lock:
            message = json.dumps([what, *values]).encode()
            socket.send_fds(self._socket, [message], fds or [])
            return self._answer()

    def _answer(self) -> Any:
        answer = self._socket.recv(LARGEST_MESSAGE)
        if not answer:
            raise OSError("the process that starts sandboxes is gone")
        result = json.loads(answer)
        if "error" in result:
            raise OSError(result["error"])
        return result["value"]


def _sizes(files: Mapping[str, bytes]) -> list[tuple[str, int]]:
    return [(name, len(content)) for name, content in files.items()]


class _Distant:
    """A sandbox whose first process is a child of the other process."""

    def __init__(self, ask: Callable[..., Any], number: int, pid: int, ours: int):
        self._ask, self._number = ask, number
        self.pid, self.ours = pid, ours
        self._over = False

    def poll(self) -> int | None:
        return self._ask("poll", self._number)

    def admit(self) -> None:
        self._ask("admit", self._number)

    def limit_memory(self, megabytes: int) -> None:
        self._ask("limit_memory", self._number, megabytes)

    def events(self) -> Events:
        return Events(*self._ask("events", self._number))

    def written(self) -> int:
        return self._ask("written", self._number)

    def kill(self) -> None:
        if not self._over:
            self._over = True
            self._ask("kill", self._number)


def _give_up_root(user: int) -> None:
    """Become `user` irrevocably, with CAP_DAC_READ_SEARCH as the only capability.

    If root itself lacks that capability (in a container, say), the user has none, and the
    repository has to be readable by everybody. Raises OSError.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.setgroups([])
    _must(libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    header = struct.pack("<Ii", CAPABILITY_VERSION, 0)
    held = ctypes.create_string_buffer(struct.calcsize("<6I"))
    _must(libc.capget(header, held))
    mask = struct.unpack_from("<6I", held)[1] & 1 << DAC_READ_SEARCH
    _must(libc.capset(header, struct.pack("<6I", mask, mask, mask, 0, 0, 0)))
    if mask:
        # Ambient, so that programs it runs (ruff, in root's home folder) can be read too.
        _must(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, DAC_READ_SEARCH, 0, 0))
    _must(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _must(result: int) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"root's rights could not be given up: {os.strerror(number)}")


# The side that keeps root's rights.


def _serve(make: Callable[[], Confinement], sock: socket.socket) -> NoReturn:
    """Answer the examiner until it has ended; then kill all running sandboxes and exit."""
    running: dict[int, Running] = {}
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the examiner decides when to end
        # A fork inherits the pool's pipes, which must close when the examiner ends.
        keep = sock.fileno()
        os.closerange(3, keep)
        os.closerange(keep + 1, os.sysconf("SC_OPEN_MAX"))
        confinement = _made(make, sock)
        while True:
            message, fds, _, _ = socket.recv_fds(sock, LARGEST_MESSAGE, 3)
            if not message:
                break
            try:
                answer = {"value": _do(confinement, running, json.loads(message), fds)}
            except (OSError, ValueError, TypeError, KeyError) as error:
                answer = {"error": f"{error}"}
            finally:
                for fd in fds:
                    os.close(fd)
            sock.send(json.dumps(answer).encode())
    finally:
        for one in running.values():
            with contextlib.suppress(OSError):
                one.kill()
        os._exit(0)


def _made(make: Callable[[], Confinement], sock: socket.socket) -> Confinement:
    """Make the confinement and describe it to the examiner; end where there is none."""
    try:
        made = make()
    except Exception as error:  # noqa: BLE001 - the examiner is told
        sock.send(json.dumps({"error": str(error)[:SHOWN_CHARACTERS]}).encode())
        if not isinstance(error, (NotConfinedError, OSError)):
            traceback.print_exc()  # our own mistake
        os._exit(0)
    about = [made.rung, made.layers, made.name, made.own_uid]
    sock.send(json.dumps({"value": about}).encode())
    return made


def _do(
    confinement: Confinement, running: dict[int, Running], message: list[Any], fds: list[int]
) -> Any:
    """Carry out one request: start a sandbox, or act on a started one; return the answer."""
    what, *values = message
    if what == "start":
        started = confinement.start(_launch(values[0], fds))
        number = max(running, default=0) + 1
        running[number] = started
        return [number, started.pid, started.ours]
    number, *rest = values
    one = running[number]
    if what == "kill":
        del running[number]
        return one.kill()
    if what == "limit_memory":
        return one.limit_memory(int(rest[0]))
    if what == "events":
        events = one.events()
        return [events.killed, events.refused]
    return {"poll": one.poll, "admit": one.admit, "written": one.written}[what]()


def _launch(wanted: Mapping[str, Any], fds: list[int]) -> Launch:
    """Return the Launch of a request; the first descriptor holds its files, the week's last."""
    content, control, output = fds
    status = os.fstat(content)
    if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_FILES:
        raise ValueError(f"{status.st_size} bytes of files are too many, or no file")
    with open(os.dup(content), "rb") as stream:
        files = _read(stream, wanted["files"])
        week = WeekFolders(tuple(wanted["week"]["names"]), _read(stream, wanted["week"]["files"]))
    return Launch(
        files,
        _limits(wanted["limits"]),
        control,
        output,
        None if wanted["tests"] is None else _name(wanted["tests"]),
        bool(wanted["with_pytest"]),
        tuple(map(_name, wanted["packages"])),
        week=week,
    )


def _limits(wanted: Mapping[str, Any]) -> Limits:
    """Return the limits of a request. Raises ValueError for a number that would be no limit."""
    for name, value in wanted.items():
        if type(value) is not bool and not 0 < value <= LARGEST_LIMIT:
            raise ValueError(f"{name} may not be {value!r}")
    return Limits(**wanted)


def _name(name: object) -> str:
    """Return a text of a request. Raises ValueError for what can't be the name of a file."""
    if not isinstance(name, str) or "\0" in name or {"", ".", ".."} & set(name.split("/")):
        raise ValueError(f"{name!r} is no name of a file here")
    return name


def _read(stream: BinaryIO, sizes: Sequence[tuple[str, int]]) -> dict[str, bytes]:
    """Read concatenated files. Raises ValueError for a name that leads out of the folder.

    The check is needed because some rungs write these files as root.
    """
    if not 0 <= sum(abs(length) for _, length in sizes) <= LARGEST_FILES:
        raise ValueError("there are too many bytes of files")
    return {_name(name): stream.read(length) for name, length in sizes}
