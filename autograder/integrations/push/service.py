"""The service that grades pushes: one process, which ends after a while without work.

A hook starts it where none runs; `autograder hook serve` runs one that stays. It holds the spool's
lock, so there is one at a time, and whatever ends it, the next one continues where it was.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from autograder import course as courses
from autograder.grading.operations import rung_here
from autograder.integrations.push import lost
from autograder.integrations.push.hidden import write_whole_class
from autograder.integrations.push.ledger import FILE, Ledger
from autograder.integrations.push.pipeline import PushPipeline, note
from autograder.integrations.push.pools import Pools, stamp
from autograder.integrations.push.spool import LOG, Arrival, Spool

PAUSE_SECONDS, LONG_PAUSE_SECONDS = 0.03, 0.5
IDLE_SECONDS = 600.0
LOST_SECONDS = 300.0
"""Pushes that no hook could write down are looked for at the beginning, and then so often."""
TABLES_SECONDS = 20.0
"""The class's tables are written when nothing is being graded, or at least this often."""
MAX_LOG_BYTES = 4 << 20


class Changed(Exception):
    """The course or the grader has changed since the service read it."""


def run(
    root: Path, out: Path, spool_folder: Path, jobs: int, idle: float | None = IDLE_SECONDS
) -> bool:
    """Serve until there is nothing to do; False where another service does already.

    Hooks write to `spool_folder`. It ends after `idle` seconds without work; None: never.
    Raises CourseError, SpoolError or LedgerError where something can't be used. Where the course or
    the grader has changed, the process starts itself anew.
    """
    spool = Spool(spool_folder)
    if not spool.acquire():
        return False
    os.umask(0o022)  # sandboxes run as other users; what is private lies in a private folder
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)
    ledger = Ledger(out / "push" / FILE)
    course = courses.load(root)
    pools = Pools(root, course, jobs)
    service = _Service(root, out, idle, PushPipeline(root, out, course, spool, ledger, pools))
    try:
        service.serve()
    except Changed:
        note("the course or the grader has changed: starting anew")
        service.close()
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])
    except BaseException:
        # Threads waiting for a sandbox would keep the process alive; all records are on disk.
        service.close()
        raise
    service.close()
    ledger.close()
    return True


class Stopped(BaseException):
    """The service was asked to end."""


def _stop(number: int, _: object) -> None:
    raise Stopped(signal.Signals(number).name)


class _Service:
    def __init__(self, root: Path, out: Path, idle: float | None, pipeline: PushPipeline):
        self.root, self.out, self.idle, self.pipeline = root, out, idle, pipeline
        self.stamp = stamp(root)
        self.changed = False
        self.written = 0.0
        self._finder = ThreadPoolExecutor(1, "lost pushes")
        self._looking: Future[list[Arrival]] | None = None
        self._looked: float | None = None
        self._tables = ThreadPoolExecutor(1, "tables")
        self._writing: Future | None = None

    def serve(self) -> None:
        """Process pushes until there is nothing to do."""
        pipeline, spool = self.pipeline, self.pipeline.spool
        note(f"service {os.getpid()} begins")
        spool.tidy()
        pipeline.resume()
        if self.idle != 0 or spool.waiting() or pipeline.busy:
            pipeline.pools.ask(rung_here)  # its processes start while the first push is read
        worked = time.monotonic()
        while True:
            if self._has_changed():
                if not pipeline.running and not pipeline.answering:
                    raise Changed
                pipeline.step(start=False)
                time.sleep(PAUSE_SECONDS)
                continue
            if spool.is_released():
                pipeline.release_held()
                self._looked = None
            arrived = pipeline.take_arrivals() + self._take_lost()
            pipeline.step()
            self._write_tables()
            if arrived or pipeline.busy or self._writing or self._looking:
                worked = time.monotonic()
                time.sleep(PAUSE_SECONDS)
            elif self._is_over(time.monotonic() - worked):
                spool.release()
                if not spool.waiting() or not spool.acquire():
                    note("nothing to do: the service ends")
                    return
            else:
                time.sleep(
                    PAUSE_SECONDS
                    if time.monotonic() - worked < IDLE_SECONDS
                    else LONG_PAUSE_SECONDS
                )

    def _take_lost(self) -> int:
        """Look from time to time, in another thread, for pushes that no hook could write down.

        Returns how many were found.
        """
        if self._looking is not None:
            if not self._looking.done():
                return 0
            found = self._looking.result()
            self._looking = None
            self.pipeline.take_lost(found)
            return len(found)
        now = time.monotonic()
        if self._looked is None or now - self._looked > LOST_SECONDS:
            self._looked = now
            newest = self.pipeline.ledger.newest_commits()
            grace = 0.0 if self.idle == 0 else lost.GRACE_SECONDS
            path = self.pipeline.spool.path
            self._looking = self._finder.submit(lost.find, path, newest, grace)
        return 0

    def _has_changed(self) -> bool:
        """Whether the course or the grader has changed; checked when a push has arrived."""
        if not self.changed and self.pipeline.spool.waiting():
            self.changed = stamp(self.root) != self.stamp
        return self.changed

    def _is_over(self, seconds: float) -> bool:
        """Whether the process can end after so many seconds without work."""
        if self.idle is None or seconds < self.idle:
            return False
        # Pushes that wait for another day keep the process alive, but no examiners.
        self.pipeline.pools.close()
        return not self.pipeline.ledger.open_pushes()

    def _write_tables(self) -> None:
        """Start writing the class's tables in another thread: for a large class it takes long."""
        if self._writing is not None:
            if not self._writing.done():
                return
            error = self._writing.exception()
            if error is not None:
                note("".join(traceback.format_exception(error)))
            self._writing = None
        recent = time.monotonic() - self.written < TABLES_SECONDS
        if self.pipeline.graded and not (self.pipeline.cases and recent):
            self.pipeline.graded, self.written = False, time.monotonic()
            self._writing = self._tables.submit(write_whole_class, self.pipeline.course, self.out)

    def close(self) -> None:
        """End the pools; the next service continues with what was running."""
        self.pipeline.close()
        self._tables.shutdown(wait=False, cancel_futures=True)
        self._finder.shutdown(wait=False, cancel_futures=True)


def start_log(folder: Path) -> None:
    """Start a new log file once the old one is long; the old one is kept."""
    path = folder / LOG
    if path.exists() and path.stat().st_size > MAX_LOG_BYTES:
        path.replace(path.with_suffix(".log.old"))
