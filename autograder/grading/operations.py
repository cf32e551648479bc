"""What an examiner does: it describes weeks, examines submissions, and runs operations of others.

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
from functools import cache
from pathlib import Path
from pkgutil import resolve_name
from typing import Any, Literal, TypeVar

from autograder.errors import AutograderError
from autograder.gradebook.flags import Examined
from autograder.grading import messages
from autograder.grading.setting import Setting
from autograder.records import CheckResult, PlannedCheck, Submission
from autograder.text.display import one_line

PR_SET_PDEATHSIG = 1
Kind = Literal["described", "examined", "text"]
Function = TypeVar("Function", bound=Callable[..., Any])


def operation(kind: Kind, *, untouched: bool = False) -> Callable[[Function], Function]:
    """Mark a function that examiners may be asked for, with the kind of what it gives.

    described: of a week's number, a Plan; examined: of a Submission, the week's number and
    optionally `report`, what examine_submission gives; text: of values that msgpack can hold, text.
    `untouched`: only an examiner in which no submission has been examined yet is asked, since its
    answer is believed for all submissions that follow.
    """

    def mark(function: Function) -> Function:
        function.operation = kind  # type: ignore[attr-defined]
        function.untouched = untouched  # type: ignore[attr-defined]
        return function

    return mark


@dataclass(frozen=True)
class Plan:
    """What a week's examiner will check, and what its results depend on."""

    checks: list[PlannedCheck]
    fingerprint: str
    confinement: str
    versions: dict[str, str]


@operation("described", untouched=True)
def describe(week: int) -> Plan:
    """Return what this process's examiner of a week will check."""
    import numpy

    examiner = examiner_of(week)
    versions = {"python": platform.python_version(), "numpy": numpy.__version__}
    return Plan(examiner.plan, examiner.fingerprint, examiner.confinement.name, versions)


@operation("examined")
def examine_submission(
    submission: Submission, week: int, report: Callable[[CheckResult], None] | None = None
) -> tuple[Examined, float]:
    """Examine one submission; return what came out, and the seconds that it took.

    What goes wrong on our side is recorded as ours. `report` gets each result as it is there, see
    Examiner.examine.
    """
    from autograder.grading.examiner import infra, refused

    examiner = examiner_of(week)
    started = time.perf_counter()
    if submission.refusal is not None:
        return Examined(refused(examiner.plan, submission.refusal)), 0.0
    try:
        examined = examiner.examine(submission.files, report)
    except Exception as error:  # noqa: BLE001 - a mistake of ours must not stop the class
        examined = Examined(infra(examiner.plan, f"{type(error).__name__}: {error}"))
    return examined, time.perf_counter() - started


@operation("text", untouched=True)
def rung_here() -> str:
    """Return the letter of the rung of this process of a pool, "" where nothing confines."""
    from autograder.sandbox.choose import NotConfinedError

    try:
        return str(confinement_here().rung)
    except NotConfinedError:
        return ""


# This process.

_begun: tuple[Setting, int] | None = None


def begin(setting: Setting, slot: int) -> None:
    """Make this process an examiner. Its sandboxes are those of `slot`, which no other has."""
    global _begun
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process to handle
    _begun = setting, slot


def setting_here() -> Setting:
    """Return what this process was set up with."""
    assert _begun is not None, "no examiner: `begin` has not been called"
    return _begun[0]


@cache
def confinement_here() -> Any:
    """Return what confines student code in this process of a pool; made when first needed.

    Raises NotConfinedError where this machine can't confine it.
    """
    from autograder.sandbox import Unconfined
    from autograder.sandbox.choose import choose
    from autograder.sandbox.starter import separate

    assert _begun is not None
    setting, slot = _begun
    if setting.unconfined:
        return Unconfined()
    confinement = choose(slot, setting.packages)
    if os.geteuid() == 0:  # what decodes strangers' answers needs none of root's rights
        return separate(confinement, slot)
    return confinement


@cache
def examiner_of(week: int) -> Any:
    """Return this process's examiner of a week, made when first needed."""
    from autograder.grading.examiner import Examiner

    setting = setting_here()
    return Examiner(setting.root, week, confinement_here(), setting.datasets.get(week))


# An examiner of an ExaminerPool.


def serve(channel: socket.socket) -> None:
    """Do what the parent asks for, one thing after the other, until it asks for nothing more."""
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
    """Have the kernel end this process with its parent, the fork server, however that ends.

    Giving up root undoes it, so it is asked for after each job, too.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _next_request(channel: socket.socket) -> dict[str, Any] | None:
    """Return what the parent asks for next, None when it is gone."""
    with channel.makefile("rb", buffering=0) as stream:
        length = int.from_bytes(_exactly(stream, messages.LENGTH_BYTES), "big")
        body = _exactly(stream, length)
    return messages.read_request(body) if body else None


def _exactly(stream: Any, length: int) -> bytes:
    """Return the next `length` bytes, none at all where they don't come."""
    body = bytearray()
    while len(body) < length:
        piece = stream.read(min(length - len(body), 1 << 20))
        if not piece:
            return b""
        body += piece
    return bytes(body)


def _do(channel: socket.socket, job: int, kind: Kind, **asked: Any) -> None:
    """Do one thing, and tell what it gave or why it could not be done."""
    try:
        told = _OPERATIONS[kind](channel, job, **asked)
    except AutograderError as error:
        told = _failed(job, error.problem, error.remedy)
    except OSError as error:
        told = _failed(job, str(error), "")
    except Exception as error:  # noqa: BLE001 - it is told, and the process goes on
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
    except (TypeError, ValueError) as error:  # details of a hidden test that are no JSON
        return done(Examined(infra(examiner_of(week).plan, error)), seconds)


def _say(channel: socket.socket, job: int, function: str, values: list[Any]) -> bytes:
    return messages.written("text", job, text=resolve_name(function)(*values))


_OPERATIONS: dict[Kind, Callable[..., bytes]] = {
    "described": _describe,
    "examined": _examine,
    "text": _say,
}
