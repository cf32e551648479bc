"""The operations of an examiner: planning weeks, examining submissions, and others.

The functions marked as an `operation` run in a process of a pool, which has been set up by `begin`:
one of `pool.ExaminerPool`, or any other of an Executor. `serve` is the whole life of an examiner of
an ExaminerPool.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, TypeVar

from autograder.errors import AutograderError
from autograder.gradebook.flags import Examined
from autograder.gradebook.submission import Submission
from autograder.grading import messages
from autograder.grading.setting import Setting
from autograder.records import CheckResult, PlannedCheck
from autograder.text.display import one_line

PR_SET_PDEATHSIG = 1
Kind = Literal["described", "examined", "text"]
Function = TypeVar("Function", bound=Callable[..., Any])


def operation(kind: Kind, *, untouched: bool = False) -> Callable[[Function], Function]:
    """Mark a function as an operation of examiners, with the kind of its result.

    described: takes a week's number, returns a Plan; examined: takes a Submission, the week's
    number and optionally `report`, returns the same as examine_submission; text: takes values of
    msgpack, returns a text. `untouched`: runs only in an examiner that has examined no submission
    yet, since its answer is used for all later submissions.
    """

    def mark(function: Function) -> Function:
        function.operation = kind  # type: ignore[attr-defined]
        function.untouched = untouched  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Plan:
    """The planned checks of a week, and the dependencies of their results."""

    checks: list[PlannedCheck]
    fingerprint: str
    confinement: str
    versions: dict[str, str]


@operation("described", untouched=True)
def describe(week: int) -> Plan:
    """Return the Plan of this process's examiner of a week."""
    import numpy

    examiner = examiner_of(week)
    versions = {"python": platform.python_version(), "numpy": numpy.__version__}
    return Plan(examiner.plan, examiner.fingerprint, examiner.confinement.name, versions)


@operation("examined")
def examine_submission(
    submission: Submission, week: int, report: Callable[[CheckResult], None] | None = None
) -> tuple[Examined, float]:
    """Examine one submission; return its results and flags, and the time in seconds.

    A failure of the grader gives INFRA results. `report` gets each result as soon as it is known,
    see Examiner.examine.
    """
    from autograder.grading.examiner import infra, refused

    examiner = examiner_of(week)
    started = time.perf_counter()
    if submission.refusal is not None:
        return Examined(refused(examiner.plan, submission.refusal)), 0.0
    try:
        examined = examiner.examine(submission.files, report)
    except Exception as error:  # noqa: BLE001 - a failure of the grader must not stop the class
        traceback.print_exc()
        examined = Examined(infra(examiner.plan, f"{type(error).__name__}: {error}"))
    return examined, time.perf_counter() - started


@operation("text", untouched=True)
def rung_here() -> str:
    """Return the letter of this process's rung of confinement, "" if it can't confine."""
    from autograder.sandbox.choose import NotConfinedError

    try:
        return str(confinement_here().rung)
    except NotConfinedError:
        return ""


# This process.

_begun: tuple[Setting, int] | None = None


def begin(setting: Setting, slot: int) -> None:
    """Make this process an examiner. Its sandboxes use the uid of `slot`, which is its own."""
    global _begun
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process to handle
    _begun = setting, slot


def setting_here() -> Setting:
    """Return the setting that `begin` got."""
    assert _begun is not None, "no examiner: `begin` has not been called"
    return _begun[0]


@cache
def confinement_here() -> Any:
    """Return this process's confinement of student code, created at the first call.

    Raises NotConfinedError if this machine can't confine it, at the latest at the first use.
    """
    from autograder.sandbox import Unconfined
    from autograder.sandbox.choose import choose
    from autograder.sandbox.starter import separate

    assert _begun is not None
    setting, slot = _begun
    if setting.unconfined:
        return Unconfined()
    make = partial(choose, slot, setting.packages)
    # The process that decodes answers of student code gives up root.
    return separate(make, slot) if os.geteuid() == 0 else make()


@cache
def examiner_of(week: int) -> Any:
    """Return this process's examiner of a week, made when first needed."""
    from autograder.grading.examiner import Examiner

    setting = setting_here()
    return Examiner(setting.root, week, confinement_here(), setting.datasets.get(week))


# An examiner of an ExaminerPool.


def serve(channel: socket.socket) -> None:
    """Carry out the parent's requests one by one until it closes the channel."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # sandboxes and folders are tidied up
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    setting = _next_request(channel)
    if setting is None:
        return
    slot = setting.pop("slot")
    setting |= {"root": Path(setting["root"]), "packages": tuple(setting["packages"])}
    begin(Setting(**setting), slot)
    _end_with_server()
    while (request := _next_request(channel)) is not None:
        _do(channel, **request)
        _end_with_server()


def _end_with_server() -> None:
    """Have the kernel kill this process when its parent, the fork server, ends.

    Giving up root resets this setting, so it is repeated after each job.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _next_request(channel: socket.socket) -> dict[str, Any] | None:
    """Return the parent's next request, None if the channel is closed."""
    with channel.makefile("rb", buffering=0) as stream:
        length = int.from_bytes(_exactly(stream, messages.LENGTH_BYTES), "big")
        body = _exactly(stream, length)
    return messages.read_request(body) if body else None


def _exactly(stream: Any, length: int) -> bytes:
    """Return the next `length` bytes, b"" if the channel is closed before."""
    body = bytearray()
    while len(body) < length:
        piece = stream.read(min(length - len(body), 1 << 20))
        if not piece:
            return b""
        body += piece
    return bytes(body)


def _do(channel: socket.socket, job: int, kind: Kind, **asked: Any) -> None:
    """Carry out one request, and send its result or the reason of its failure."""
    try:
        told = _OPERATIONS[kind](channel, job, **asked)
    except AutograderError as error:
        told = _failed(job, error.problem, error.remedy)
    except OSError as error:
        told = _failed(job, str(error), "")
    except Exception as error:  # noqa: BLE001 - it is reported, and the process continues
        traceback.print_exc()
        problem = f"the examiner failed ({type(error).__name__}: {one_line(str(error))})"
        told = _failed(job, problem, "This is a mistake of the grader's own")
    channel.sendall(told)


def _failed(job: int, problem: str, remedy: str) -> bytes:
    problem, remedy = map(messages.fitting, (problem, remedy))
    return messages.written("failed", job, problem=problem, remedy=remedy)


def _describe(channel: socket.socket, job: int, function: str, week: int) -> bytes:
    plan: Plan = resolve_name(function)(week)
    return messages.written(
        "described",
        job,
        checks=messages.fields_of(plan.checks),
        fingerprint=plan.fingerprint,
        confinement=plan.confinement,
        versions=plan.versions,
    )


def _examine(
    channel: socket.socket,
    job: int,
    function: str,
    week: int,
    submission: dict[str, Any],
    reports: bool,
) -> bytes:
    from autograder.grading.examiner import infra

    def report(result: CheckResult) -> None:
        [fields] = messages.fields_of([result])
        channel.sendall(messages.written("checked", job, result=fields))

    def done(examined: Examined, seconds: float) -> bytes:
        return messages.written(
            "examined",
            job,
            results=messages.fields_of(examined.results),
            flags=messages.fields_of(examined.flags),
            seconds=seconds,
        )

    examined, seconds = resolve_name(function)(
        Submission(**submission), week, *([report] if reports else [])
    )
    try:
        return done(examined, seconds)
    except (TypeError, ValueError) as error:  # details of a hidden test that JSON can't hold
        return done(Examined(infra(examiner_of(week).plan, error)), seconds)


def _say(channel: socket.socket, job: int, function: str, values: list[Any]) -> bytes:
    return messages.written("text", job, text=resolve_name(function)(*values))


_OPERATIONS: dict[Kind, Callable[..., bytes]] = {
    "described": _describe,
    "examined": _examine,
    "text": _say,
}
