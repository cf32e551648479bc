"""The grader's side of a template: the confined process from which sandboxes are forked.

worker.sandboxed.template says what a template is, and why a sandbox that comes from it is as closed
as one that bubblewrap makes anew. A template is started once for a confinement and kind of
sandbox; it ends with the process that started it.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import struct
import subprocess
import threading
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autograder.sandbox.cgroup import Events, Group
from autograder.sandbox.launch import memory_file
from autograder.sandbox.own_time import STEP_SECONDS, OwnTime
from autograder.sandbox.waiting import readable
from autograder.worker.sandboxed.template import END, ENDED, HERE, LENGTH, READY, START

START_SECONDS, FORK_SECONDS, END_SECONDS = 60.0, 10.0, 5.0
SHOWN_CHARACTERS = 300
CREDENTIALS = struct.Struct("3i")


class Template:
    """A running template.

    `start` starts it, with the descriptors of its socket and for its output. `close` ends it, and
    all sandboxes with it. Raises OSError if it doesn't get ready.
    """

    def __init__(self, start: Callable[[int, int], subprocess.Popen[bytes]]):
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._patience = START_SECONDS
        said, output = os.pipe()
        try:
            with theirs:
                self._process = start(theirs.fileno(), output)
        except BaseException:
            self._socket.close()
            os.close(said)
            raise
        finally:
            os.close(output)
        # It ends with this object, or with this process at the latest.
        self.close = weakref.finalize(self, _end, os.getpid(), self._socket, self._process)
        with open(said, "rb") as log:
            if self._receive()[0] != READY:
                self.close()
                text = log.read().decode(errors="replace").strip().splitlines()[-1:]
                reason = "".join(text)[:SHOWN_CHARACTERS] or "no word"
                raise OSError(f"the process that sandboxes are forked from ended: {reason}")
        self._patience = FORK_SECONDS
        self._lock = threading.Lock()

    @property
    def runs(self) -> bool:
        """Whether it still takes requests."""
        return self._process.poll() is None

    def fork(
        self,
        request: Mapping[str, Any],
        folders: Sequence[tuple[str, Mapping[str, bytes]]],
        control: int,
        output: int,
        group: Group | None,
    ) -> Forked:
        """Have a sandbox forked; it is in `group` before any process of it but the first exists.

        `request` are the fields of worker.sandboxed.template.Request without the folders, which
        have their files here. Raises OSError.
        """
        with self._lock:
            try:
                return self._fork(_content(request, folders), control, output, group)
            except BaseException:
                # Its answer may still come, and would be taken for the next one's.
                self.close()
                raise

    def _fork(self, content: int, control: int, output: int, group: Group | None) -> Forked:
        go, ours = os.pipe()
        try:
            socket.send_fds(self._socket, [START], [content, control, output, go])
        finally:
            os.close(content)
            os.close(go)
        try:
            pid, number = self._born()
            end = os.pidfd_open(pid)
            forked = Forked(self, pid, number, end, group)
            if group is not None:
                group.add([pid])
            os.write(ours, b"1")
            return forked
        finally:
            os.close(ours)

    def _born(self) -> tuple[int, int]:
        """Return a new sandbox's pid, as this process sees it, and its number in the template."""
        pid = number = 0
        while not (pid and number):
            message, sender = self._receive()
            if message == HERE:
                pid = sender
            elif message.isdigit() and int(message):
                number = int(message)
            elif message.startswith(b"-"):
                error = -int(message)
                raise OSError(error, f"no sandbox could be forked: {os.strerror(error)}")
            else:
                raise OSError("the process that sandboxes are forked from came to a sudden end")
        return pid, number

    def _receive(self) -> tuple[bytes, int]:
        """Return the next message and its sender's pid; nothing at the end. Raises OSError."""
        clock = OwnTime()
        until = clock.begin() + self._patience
        while not readable(self._socket, seconds=STEP_SECONDS):
            if clock.now() > until:
                raise TimeoutError("the process that sandboxes are forked from gives no answer")
        try:
            data, ancillary, _, _ = self._socket.recvmsg(64, socket.CMSG_SPACE(CREDENTIALS.size))
        except ConnectionError:
            return b"", 0
        for level, kind, value in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_CREDENTIALS):
                return data, CREDENTIALS.unpack(value)[0]
        return data, 0

    def over(self, number: int) -> None:
        """Let it forget a sandbox whose first process has ended."""
        with contextlib.suppress(OSError):  # the template has ended too
            self._socket.send(ENDED.pack(END, number))


def _end(owner: int, sock: socket.socket, process: subprocess.Popen[bytes]) -> None:
    """End a template, and all sandboxes with it; not in a fork of the process that started it."""
    if os.getpid() != owner:
        return
    sock.close()
    process.kill()
    process.wait()


def _content(request: Mapping[str, Any], folders: Sequence[tuple[str, Mapping[str, bytes]]]) -> int:
    """Return a descriptor of what worker.sandboxed.template.Request reads."""
    sizes = [
        [place, [[name, len(text)] for name, text in files.items()]] for place, files in folders
    ]
    head = json.dumps({**request, "folders": sizes}).encode()
    texts = [text for _, files in folders for text in files.values()]
    return memory_file(b"".join([LENGTH.pack(len(head)), head, *texts]))


class Forked:
    """A sandbox from a template; `pid` is the first process of its pid namespace."""

    ours = 1

    def __init__(self, template: Template, pid: int, number: int, end: int, group: Group | None):
        self.pid = pid
        self._template, self._number, self._end, self._group = template, number, end, group
        self._over = False

    def poll(self) -> int | None:
        """Return 0 once its first process has ended, whose status nobody here learns."""
        return 0 if self._over or self._gone(0) else None

    def _gone(self, seconds: float) -> bool:
        return bool(readable(self._end, seconds=seconds))

    def admit(self) -> None:
        """All its processes are in its cgroup: its first one was, before it started any."""

    def limit_memory(self, megabytes: int) -> None:
        """Set the memory limit of all processes together, in MiB; no effect without a cgroup."""
        if self._group is not None:
            self._group.limit_memory(megabytes)

    def events(self) -> Events:
        """Return the kernel's counts up to now; zeros without a cgroup."""
        return Events() if self._group is None else self._group.events()

    def written(self) -> int:
        """Return 0: its file systems are limited themselves."""
        return 0

    def kill(self) -> None:
        """Kill its first process, and with it the whole namespace; wait for the end."""
        if self._over:
            return
        with contextlib.suppress(ProcessLookupError):  # it has ended by itself
            signal.pidfd_send_signal(self._end, signal.SIGKILL)
        gone = self._gone(END_SECONDS)
        self._over = True
        os.close(self._end)
        if gone:
            self._template.over(self._number)
        else:  # stuck in the kernel: with its template at least nothing new can start beside it
            self._template.close()
        if self._group is not None:
            self._group.close()
