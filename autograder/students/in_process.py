"""The host for `check --debug`: a student's code runs in this process, where breakpoint() stops.

Nothing limits it, and the files are run from where they lie, so that an editor's breakpoints and
tracebacks are those of the student's own files. Values cross as they do over a channel.
"""

from __future__ import annotations

import contextlib
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.channel.faults import Fault
from autograder.channel.source_lines import Sources
from autograder.students.child import Surroundings
from autograder.students.host import missing_modules
from autograder.students.inputs import RecordedRemote, Recorder
from autograder.suite.student import Student
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.wire import codec
from autograder.worker.dispatch import Dispatcher
from autograder.worker.modules import ModuleSpace

FOREVER_SECONDS = 1e9
ENDS = {"BdbQuit": SystemExit(0), "KeyboardInterrupt": KeyboardInterrupt(), "Exit": SystemExit(0)}
"""What ends the whole run: the debugger's command `quit` (pytest's raises Exit), and Ctrl-C."""


class InProcessHost:
    """Runs modules for a suite as StudentHost does, but in this process and without limits."""

    reused = False

    def __init__(
        self,
        folder: Path,
        files: Mapping[str, bytes],
        modules: Sequence[str],
        own: WeekWorker = NO_WORKER,
    ):
        self._folder = folder.as_posix()
        self._files = {name: data for name, data in files.items() if name.endswith(".py")}
        self._failed_imports = missing_modules(modules, self._files)
        self._own = own
        self._sources = Sources(self._files)
        self._surroundings = Surroundings()
        self._test = contextlib.ExitStack()
        self.printed = ""
        self.recorder = Recorder()

    def start(
        self,
        seed: int,
        *,
        large: bool = False,
        own: WeekWorker = NO_WORKER,
        group: str | None = None,
    ) -> Student:
        """Begin a test: import the student's modules anew."""
        self._surroundings.restore()
        space = ModuleSpace(self._files, self._folder)
        self._test.enter_context(space.active())
        self._test.enter_context(warnings.catch_warnings())
        dispatcher = Dispatcher(self._folder, own=self._own.drivers)
        dispatcher.seed(seed)
        self.recorder = Recorder()
        remote = DirectRemote(dispatcher, self.recorder, self._sources)
        return Student(remote, self._failed_imports, own.homes)

    def finish(self, fault: Fault | None) -> None:
        """End the test: forget the student's modules."""
        self._test.close()

    def renew(self) -> None:
        """Do nothing: each test imports the modules anew."""

    def close(self) -> None:
        """Put back what tests changed."""
        self._test.close()
        self._surroundings.restore()


class DirectRemote(RecordedRemote):
    """Asks a dispatcher of this process; drivers that ask questions get their answers at once."""

    def __init__(self, dispatcher: Dispatcher, recorder: Recorder, sources: Sources):
        self._dispatcher = dispatcher
        channel = Direct(dispatcher)
        forever = (FOREVER_SECONDS, FOREVER_SECONDS, FOREVER_SECONDS)
        super().__init__(recorder, channel, *forever, sources.place)

    def converse(
        self, answer: Callable[[Any], Any], driver: str, arguments: list[Any]
    ) -> list[Any]:
        """Run a driver that asks questions, and answer each; return a list with its result."""
        dispatcher, handles = self._dispatcher, self._from_ref

        def ask(question: list[Any]) -> Any:
            asked = crossed(question, dispatcher.to_ref, handles)
            return crossed(answer(asked), None, dispatcher.from_ref)

        dispatcher.ask = ask
        return self("converse", driver, arguments)


class Direct:
    """A channel to a dispatcher of this process."""

    def __init__(self, dispatcher: Dispatcher):
        self._dispatcher = dispatcher

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[codec.Ref], Any],
    ) -> tuple[bool, Any]:
        """Carry out one operation; return (True, value) or (False, the description of a fault)."""
        dispatcher = self._dispatcher
        given = crossed(list(arguments), None, dispatcher.from_ref)
        done, result = dispatcher.handle(operation, given)
        if not done and result.get("type") in ENDS:
            raise ENDS[result["type"]]
        sys.stdout.flush()
        try:
            return done, crossed(result, dispatcher.to_ref, from_ref)
        except (ValueError, OverflowError):  # text that isn't UTF-8, an integer too large
            return done, from_ref(dispatcher.to_ref(result))


def crossed(value: Any, to_ref: Any, from_ref: Callable[[codec.Ref], Any]) -> Any:
    """Return a value as it comes out at the other end of a channel."""
    frame = b"".join(bytes(chunk) for chunk in codec.encode(value, to_ref))
    size, rest = codec.HEADER.unpack(frame[: codec.HEADER.size])
    body = frame[codec.HEADER.size : codec.HEADER.size + size]
    return codec.decode(bytearray(body), bytearray(frame[-rest:] if rest else b""), from_ref)
