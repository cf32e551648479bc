"""The parent's side of the process for a student's code: requests, deadlines, output, end."""

from __future__ import annotations

import contextlib
import itertools
import json
import math
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from autograder.channel.endings import fault_of_ending
from autograder.channel.faults import Fault, InfraError
from autograder.course import Limits
from autograder.records import Verdict
from autograder.students.child import READY
from autograder.students.processor_time import ProcessorTime
from autograder.suite.week_worker import NO_WORKER, WeekWorker
from autograder.wire import codec

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
PROGRAM += "from autograder.students.child import main; main()"
ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
    "PYTHONIOENCODING": "utf-8",
}
"""As in grading: one thread, and fixed string hashes, so the order of sets is the same."""

HOMES = ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP")
"""Variables that name folders in which programs leave files: the check's own folder."""

START_SECONDS = 120.0
"""Time limit for starting, in seconds; the first import of PyTorch is slow."""
TRIAL_SECONDS = 5.0
"""Time limit for the trial import of all modules; beyond it, imports happen on demand."""

IMPORT_SECONDS = 20.0
"""Time limit for imports before a test, in seconds; they do not count as the test's time."""

END_SECONDS = 1.0
MOST_WAITED = 6.0
"""On a machine that is too busy to wait for: the limit, times this, on the wall clock."""

UNKNOWN_CAUSE = (
    "If the computer was busy with other programs, that may be why: run the check again."
)
"""Where the system doesn't tell how long a process waits for a processor."""

LOOK_SECONDS = 0.05
"""Interval in seconds between checks of the deadline and of the size of the output."""

KEPT_BYTES = 64 << 10
TRAINING_CAPS = codec.Caps(buffers=256 << 20)


class Process:
    """Runs a submission's modules for all tests, until a test exceeds a limit or ends it.

    A thread of the parent checks the limits and kills the process where one is exceeded. `over`
    then holds the reason, and the next test needs a new process.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        limits: Limits,
        packages: tuple[str, ...] = (),
        own: WeekWorker = NO_WORKER,
        import_first: bool = True,
    ):
        """`own` has the drivers and probes; `import_first` is as in `child.main`."""
        self._limits = limits
        self._import_first = import_first
        self._scratch = Path(tempfile.mkdtemp(prefix="check-"))
        folder = self._scratch / "submission"
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        settings = {
            "folder": str(folder),
            "modules": list(files),
            "packages": packages,
            "week": str(own.base),
            "week_folders": own.names,
            "memory_bytes": limits.memory_mb << 20,
            "training_memory_bytes": limits.training_memory_mb << 20,
            "file_bytes": limits.file_mb << 20,
            "import_first": import_first,
        }
        self.over: Fault | None = None
        self._deadline, self._latest, self._seconds = math.inf, math.inf, 0.0
        self._numbers = itertools.count(1)
        self._caps = codec.Caps()
        self._ready = False
        self._output = self._scratch / "output"
        with self._output.open("ab") as output:
            self._process = self._start(json.dumps(settings), output)
        self.clock = ProcessorTime(self._process.pid)
        self._closed = threading.Event()
        threading.Thread(target=self._look, daemon=True, name="limits").start()

    def _start(self, settings: str, output: Any) -> subprocess.Popen[bytes]:
        # A process group of its own can be killed with all that the student's code started.
        own: dict[str, Any] = {"process_group": 0} if hasattr(os, "killpg") else {}
        scratch = str(self._scratch)
        return subprocess.Popen(
            [sys.executable, "-s", "-P", "-B", "-c", PROGRAM, settings],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            cwd=scratch,
            env={**os.environ, **ENVIRONMENT, **dict.fromkeys(HOMES, scratch)},
            **own,
        )

    def get_ready(self) -> bool:
        """Wait until the process is ready for its first test; return at once if it already was.

        False: it ended, or was killed, in the trial import; modules must be imported on demand.
        Raises InfraError where it doesn't even start.
        """
        if self._ready:
            return True
        try:
            self._ready = self._receive(START_SECONDS)[2] == READY
        except (OSError, EOFError, codec.CodecError) as error:
            self.kill()
            said = self.printed().strip().splitlines()[-1:] or [type(error).__name__]
            raise InfraError(f"the process for your code did not get ready: {said[0]}") from error
        if self._import_first:
            with contextlib.suppress(OSError, EOFError, codec.CodecError):
                self._receive(TRIAL_SECONDS)
                return True
            self.kill()
            return False
        return True

    def begin(self, seed: int, *, large: bool) -> None:
        """Begin a test: `seed` is for the global generators, `large` says that it trains.

        Raises InfraError where the process is gone.
        """
        try:
            self._caps = TRAINING_CAPS if large else codec.Caps()
            self._send([seed, large], IMPORT_SECONDS)
            self._receive(IMPORT_SECONDS)
        except (OSError, EOFError, codec.CodecError) as error:
            self._end(self._ending())
            raise InfraError("the process for your code is gone before its test") from error

    def request(
        self,
        operation: str,
        *arguments: Any,
        seconds: float,
        from_ref: Callable[[codec.Ref], Any],
    ) -> tuple[bool, Any]:
        """Ask for one operation; return (True, value) or (False, the description of a fault).

        `seconds` bounds the whole exchange. Raises a fatal Fault where there is no answer.
        """
        if self.over is not None:
            raise self.over
        number = next(self._numbers)
        try:
            self._send([number, operation, list(arguments)], seconds)
            answered, done, result = self._receive(seconds, from_ref)
            if answered != number or type(done) is not bool:
                raise codec.CodecError("it belongs to no request")
            self._look_at_output()
        except (OSError, EOFError):
            self._end(self._ending())
        except (codec.CodecError, ValueError, TypeError) as error:
            self._end(Fault(Verdict.VIOLATION, f"A malformed answer: {error}."))
        if self.over is not None:
            raise self.over
        return done, result

    def _send(self, message: list[Any], seconds: float) -> None:
        self._seconds, self._deadline = seconds, self.clock.now() + seconds
        self._latest = time.monotonic() + MOST_WAITED * seconds
        assert self._process.stdin is not None
        for chunk in codec.encode(message):
            self._process.stdin.write(chunk)
        self._process.stdin.flush()

    def _receive(
        self, seconds: float, from_ref: Callable[[codec.Ref], Any] = lambda ref: ref
    ) -> Any:
        self._seconds, self._deadline = seconds, min(self._deadline, self.clock.now() + seconds)
        self._latest = min(self._latest, time.monotonic() + MOST_WAITED * seconds)
        body, buffers = codec.check_header(self._read(codec.HEADER.size), self._caps)
        answer = codec.decode(self._read(body), bytearray(self._read(buffers)), from_ref)
        self._deadline = self._latest = math.inf
        return answer

    def _read(self, size: int) -> bytes:
        assert self._process.stdout is not None
        data = self._process.stdout.read(size)
        if len(data) < size:
            raise EOFError
        return data

    def _look(self) -> None:
        """Kill the process at its deadline or output limit; clean up once it ended by itself."""
        while not self._closed.wait(LOOK_SECONDS):
            if self.clock.now() >= self._deadline:
                cause = "" if self.clock.known else f" {UNKNOWN_CAUSE}"
                text = f"No answer within {self._seconds:.1f} seconds.{cause}"
                self._end(Fault(Verdict.TIMEOUT, text))
            elif time.monotonic() >= self._latest:
                self._end(self._too_busy())
            self._look_at_output()
            if self._process.poll() is not None:
                self.kill()  # its child processes could hold the pipe open
                return

    def _too_busy(self) -> Fault:
        """Return the fault for a request that got next to no time of a processor."""
        text = (
            f"No answer within {MOST_WAITED * self._seconds:.0f} seconds, but the computer was "
            "busy with other programs for most of them. This says nothing about your code: close "
            "some of them, and run the check again."
        )
        return Fault(Verdict.TIMEOUT, text, busy=True)

    def _look_at_output(self) -> None:
        kilobytes = self._limits.output_kb
        with contextlib.suppress(OSError):  # the file has been removed
            if self._output.stat().st_size > kilobytes << 10:
                text = f"Your code printed more than {kilobytes} kB in one test."
                self._end(Fault(Verdict.OUTPUT, text))

    def _end(self, fault: Fault) -> None:
        """Kill the process; `over` keeps the first reason."""
        fault.fatal = True
        self.over = self.over or fault
        self.kill()

    def _ending(self) -> Fault:
        """Return the fault for a process that ended by itself, or that only closed its pipes."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            return fault_of_ending(self._process.wait(END_SECONDS))
        return fault_of_ending(-9)

    @property
    def has_ended(self) -> bool:
        """Whether another process is needed for the next test."""
        return self.over is not None or self._process.poll() is not None

    def printed(self) -> str:
        """Return the beginning of what was printed since the test began."""
        with contextlib.suppress(OSError), self._output.open("rb") as output:
            return output.read(KEPT_BYTES).decode(errors="replace")
        return ""

    def kill(self) -> None:
        """Kill the process, and its process group where the system has them."""
        with contextlib.suppress(OSError):
            if hasattr(os, "killpg"):
                os.killpg(self._process.pid, signal.SIGKILL)
            else:
                self._process.kill()

    def close(self) -> None:
        """End the process and remove what was written for it."""
        self._closed.set()
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            with contextlib.suppress(OSError):  # unsent data is not needed
                pipe.close()
        shutil.rmtree(self._scratch, ignore_errors=True)
