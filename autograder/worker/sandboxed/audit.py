"""Notes what student code does that no task asks for, as it happens: imports, files, processes.

An audit hook can't be taken off again by Python code. But it runs in the process of the code that
it listens to, which may fill or empty its list or answer for it: what is noted is a reason to look,
and that nothing is noted proves nothing.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from ..week_drivers import is_ours

DIRECT = frozenset(("sys._getframe", "code.__new__", "marshal.loads", "exec"))
"""Noted where a line of the student's asks for it itself: libraries do these all the time."""

INDIRECT = frozenset(
    (
        "open",
        "ctypes.dlopen",
        "ctypes.dlsym",
        "os.system",
        "os.exec",
        "os.fork",
        "os.forkpty",
        "os.kill",
        "os.posix_spawn",
        "pty.spawn",
        "subprocess.Popen",
        "socket.__new__",
        "socket.connect",
        "socket.bind",
        "sys.settrace",
        "sys.setprofile",
        "gc.get_objects",
        "gc.get_referrers",
    )
)
"""Noted where any line of the student's is behind it, except behind an import."""

IMPORT = "import"
"""Noted where only the import machinery stands between."""

NOTABLE = DIRECT | INDIRECT | {IMPORT}
MOST = 40
MOST_TEXT = 120
DEEPEST = 60
HARMLESS = ("/dev/null", "/dev/urandom", "/dev/random")


def libraries() -> list[str]:
    """Return the folders of the interpreter and its packages."""
    return [sys.prefix, sys.base_prefix, *(path for path in sys.path if path)]


class Listener:
    """Listens to this process from now on; `notes` are [event, what, file, line].

    folder: where the student's files lie; free: folders in which it may open files.
    """

    def __init__(self, folder: str, free: list[str]):
        self._folder = folder
        self._free = tuple(os.path.join(path, "") for path in (folder, *free))
        self._busy = False
        self._notes: dict[tuple[str, str], tuple[str, int]] = {}
        sys.addaudithook(self._hear)

    def notes(self) -> list[list[Any]]:
        """Return what was noted, each kind of event with each thing once."""
        return [[*key, *place] for key, place in list(self._notes.items())[:MOST]]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in NOTABLE or self._busy or len(self._notes) >= MOST:
            return
        self._busy = True  # the look at the stack below is such an event too
        try:
            self._judge(event, arguments)
        finally:
            self._busy = False

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        what = arguments[0] if arguments else ""
        what = what[:MOST_TEXT] if type(what) is str else ""
        if event == "open" and (not what or what in HARMLESS or self._may_open(what)):
            return
        frame = self._student_frame(event)
        if frame is not None and (event, what) not in self._notes:
            file = frame.f_code.co_filename.removeprefix(self._folder).lstrip("/")
            self._notes[event, what] = (file[:MOST_TEXT], frame.f_lineno)

    def _may_open(self, path: str) -> bool:
        return os.path.normpath(os.path.join(os.getcwd(), path)).startswith(self._free)

    def _student_frame(self, event: str) -> FrameType | None:
        """Return the frame of the student's that is behind what happens now, if there is one."""
        frame: FrameType | None = sys._getframe(3)
        for _ in range(DEEPEST):
            if frame is None:
                return None
            file = frame.f_code.co_filename
            if file.startswith(self._folder):
                return frame
            if is_ours(file):  # the counting of lines, say
                return None
            if event in DIRECT or file.startswith("<frozen importlib") != (event == IMPORT):
                return None
            frame = frame.f_back
        return None
