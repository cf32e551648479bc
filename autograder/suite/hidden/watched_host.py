"""A host for trusted code that notes which functions each test runs."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from types import CodeType, FrameType
from typing import Any

from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.student import GradedStudent
from autograder.suite.week_worker import NO_WORKER, WeekWorker

FOLDER = "/reference"
"""Where the files of a LocalHost seem to lie."""

Function = tuple[str, str]
"""A file and the qualified name of a function in it, such as `Linear.forward` or `<module>`."""


class WatchedHost(LocalHost):
    """Code of ours in this process; `executed` are the functions that the last test ran."""

    def __init__(self, files: Mapping[str, bytes]):
        super().__init__(files)
        self.executed: set[Function] = set()
        self._seen: dict[int, CodeType] = {}

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> GradedStudent:
        self._seen = {}
        threading.setprofile(self._note)
        sys.setprofile(self._note)
        return super().start(seed, large=large, own=own)

    def finish(self, fault: Any) -> None:
        sys.setprofile(None)
        threading.setprofile(None)
        super().finish(fault)
        # Threads of earlier tests may still run, and note what they call.
        codes = list(self._seen.values())
        self.executed = {name_of(code) for code in codes if code.co_filename.startswith(FOLDER)}

    def _note(self, frame: FrameType, event: str, argument: object) -> None:
        if event == "call":
            self._seen[id(frame.f_code)] = frame.f_code


def name_of(code: CodeType) -> Function:
    """Return the file and the name of a function."""
    return code.co_filename, code.co_qualname
