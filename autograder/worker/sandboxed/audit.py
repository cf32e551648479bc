"""An audit hook that notes unexpected actions of student code: imports, files, processes.

Python code can't remove an audit hook. But the hook runs in the same process as student code, which
can change its notes or forge its answer: a note is a reason for a person to look, and the absence
of notes is no proof of anything.
"""

from __future__ import annotations

import os
import sys
from types import FrameType
from typing import Any

from ..week_drivers import OURS

DIRECT = frozenset(
    (
        *("sys._getframe", "sys._current_frames", "code.__new__", "function.__new__"),
        *("marshal.loads", "exec", "object.__getattr__", "gc.get_referents"),
    )
)
"""Events noted only if a line of the student's causes them directly: libraries often do so.
`object.__getattr__` is Python's own event for `tb_frame`, `gi_frame`, `__code__` and the like, by
whatever way they are asked for."""

NAMED_SECOND = frozenset(("object.__getattr__",))
"""Events whose second argument says what they are about."""

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
"""Events noted if a line of the student's causes them, directly or not, except by an import."""

IMPORT = "import"
"""The event noted if only the import machinery is between it and a line of the student's."""

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
        """Return the notes without duplicates of event and object."""
        return [[*key, *place] for key, place in list(self._notes.items())[:MOST]]

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in NOTABLE or self._busy or len(self._notes) >= MOST:
            return
        self._busy = True  # reading the stack below raises this event too
        try:
            self._judge(event, arguments)
        finally:
            self._busy = False

    def _judge(self, event: str, arguments: tuple[Any, ...]) -> None:
        place = 1 if event in NAMED_SECOND else 0
        what = arguments[place] if len(arguments) > place else ""
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
        """Return the student's frame that causes the current event, if any."""
        frame: FrameType | None = sys._getframe(3)
        for _ in range(DEEPEST):
            if frame is None:
                return None
            file = frame.f_code.co_filename
            if file.startswith(self._folder):
                return frame
            if file.startswith(tuple(OURS)):  # the counting of lines, say
                return None
            if event in DIRECT or file.startswith("<frozen importlib") != (event == IMPORT):
                return None
            frame = frame.f_back
        return None
