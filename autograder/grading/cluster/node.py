"""The side of a node: what Dask calls there, and the node's own pool of examiners.

A node reads the course from its own checkout. It is asked for a proof first: it plans each week in
an examiner of its own, which tries its confinement, and lists what the results depend on there.
Only then does it take jobs, of the run that it proved itself to. It keeps one examiner for each
thread of its Dask worker; when no job came for IDLE_SECONDS, its head is taken to be gone, and the
examiners end.
"""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from pathlib import Path
from pkgutil import resolve_name
from typing import Any

from autograder import course as courses
from autograder.errors import AutograderError, CantExamineError
from autograder.gradebook.submission import Submission
from autograder.grading import fingerprint, messages
from autograder.grading.cluster.exchange import answer
from autograder.grading.cluster.slots import Slots
from autograder.grading.operations import Plan, describe
from autograder.grading.pool import ExaminerPool
from autograder.grading.setting import Setting
from autograder.text.display import one_line

IDLE_SECONDS = 60.0
WATCH_SECONDS = 1.0


def do(what: str, body: bytes) -> bytes:
    """Carry out a request of the head, "begin" or "examine"; return an Answer, never raise.

    It is called in the threads of a Dask worker. Nothing of the request is logged.
    """
    try:
        return _REQUESTS[what](**messages.read_request(body))
    except AutograderError as error:
        return answer("done", "", _failed(error.problem, error.remedy))
    except Exception as error:  # noqa: BLE001 - the head says it, with this node's name
        problem = f"the node failed ({type(error).__name__}: {one_line(str(error), 500)})"
        return answer("done", "", _failed(problem, "This is a mistake of the grader's own"))


async def end(run: str) -> bool:
    """End the examiners of a run now, and whatever they run. Returns whether there were any."""
    return await asyncio.to_thread(_end, run)


class _Begun:
    """A run that this node has begun: its examiners, and what they proved."""

    def __init__(self, run: str, setting: Setting, places: int):
        self.run, self.setting, self.places = run, setting, places
        self.slots = Slots(places)
        self.pool = ExaminerPool(setting, places, self.slots.first)
        self.confinement = ""
        self.proof = b""
        self._running = 0
        self._used = time.monotonic()
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self._running += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._running -= 1
            self._used = time.monotonic()

    @property
    def is_idle(self) -> bool:
        """Whether it has had nothing to do for long."""
        with self._lock:
            return not self._running and time.monotonic() - self._used > IDLE_SECONDS

    def close(self) -> None:
        """Give up what runs."""
        self.pool.give_up()
        self.slots.close()


_begun: _Begun | None = None
_beginning = threading.Lock()


def _begin(
    run: str,
    course: str,
    datasets: Mapping[int, str | None],
    unconfined: bool,
    packages: list[str],
    places: int,
) -> bytes:
    """Get ready for a run; return the proof."""
    global _begun
    with _beginning:
        if _begun is not None and _begun.run != run:
            return answer("busy")
        if _begun is None:
            root = Path(course) if course else fingerprint.HOME
            setting = Setting(root, datasets, unconfined, tuple(packages))
            begun = _Begun(run, setting, places)
            try:
                begun.confinement, begun.proof = _proof(begun)
            except BaseException:
                begun.close()
                raise
            _begun = begun
            threading.Thread(target=_end_when_idle, args=[begun], daemon=True).start()
        with _begun:
            return answer("done", _begun.confinement, _begun.proof)


def _proof(begun: _Begun) -> tuple[str, bytes]:
    """Return the name of the confinement, and the proof as a message with its length before it."""
    setting, pool = begun.setting, begun.pool
    course = courses.load(setting.root)
    plans: dict[int, Plan] = {
        week: future.result()
        for week, future in {week: pool.submit(describe, week) for week in setting.datasets}.items()
    }
    names = {plan.confinement for plan in plans.values()}
    if len(names) != 1:
        problem = f"its examiners differ in their confinement: {', '.join(sorted(names))}"
        raise CantExamineError(problem, "`autograder doctor` there says what holds")
    weeks = []
    for week, plan in plans.items():
        parts = fingerprint.parts_of_week(
            setting.root, course, course.week(week), plan.confinement, setting.datasets[week]
        )
        _demand_loaded(parts)
        described = {
            "kind": "described",
            "job": 0,
            "checks": messages.fields_of(plan.checks),
            "fingerprint": plan.fingerprint,
            "confinement": plan.confinement,
            "versions": plan.versions,
        }
        weeks.append({"week": week, "described": described, "parts": parts})
    [name] = names
    host = socket.gethostname()
    return name, messages.written("proof", 0, host=host, places=begun.places, weeks=weeks)


_loaded: dict[str, str] = {}


def _demand_loaded(parts: fingerprint.Parts) -> None:
    """Raise CantExamineError if a module of ours is another one now than when it was loaded.

    A worker lives through many runs, and files are read anew for each proof.
    """
    code = {name: part for name, part in parts.items() if name.startswith(fingerprint.CODE)}
    changed = sorted(name for name, part in code.items() if _loaded.get(name, part) != part)
    if changed:
        problem = f"since it was started, our code has changed: {', '.join(changed[:5])}"
        raise CantExamineError(problem, "Start it anew")
    _loaded.update(code)


def _examine(run: str, function: str, week: int, submission: dict[str, Any]) -> bytes:
    """Have a submission examined; return the examiner's message, written anew."""
    begun = _begun
    if begun is None or begun.run != run:
        return answer("stranger")
    with begun:
        operation = resolve_name(function)
        try:
            done = begun.pool.submit(operation, Submission(**submission), week)
        except RuntimeError:  # the pool was given up before
            return answer("stranger")
        try:
            examined, seconds = done.result()
        except CancelledError:  # or is given up meanwhile
            return answer("stranger")
        told = messages.written(
            "examined",
            0,
            results=messages.fields_of(examined.results),
            flags=messages.fields_of(examined.flags),
            seconds=seconds,
        )
        return answer("done", begun.confinement, told)


def _failed(problem: str, remedy: str) -> bytes:
    problem, remedy = map(messages.fitting, (problem, remedy))
    return messages.written("failed", 0, problem=problem, remedy=remedy)


def _end(run: str) -> bool:
    global _begun
    with _beginning:
        begun = _begun
        if begun is None or begun.run != run:
            return False
        _begun = None
        begun.close()
        return True


def _end_when_idle(begun: _Begun) -> None:
    while _begun is begun:
        if begun.is_idle:
            _end(begun.run)
        time.sleep(WATCH_SECONDS)


_REQUESTS: dict[str, Callable[..., bytes]] = {"begin": _begin, "examine": _examine}
