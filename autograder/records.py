"""What was planned and what was measured: the plain records that the stages pass on."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

FULL_CREDIT = 10_000
"""Credit of a passed check. Credit is an integer, 0 to FULL_CREDIT: nothing is rounded twice."""


class Verdict(StrEnum):
    """How one check ended. Only INFRA is the grader's own fault, and it never costs points."""

    PASS = "pass"
    WRONG = "wrong"
    RAISED = "raised"
    NOT_ATTEMPTED = "not-attempted"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    CRASH = "crash"
    OUTPUT = "output"
    VIOLATION = "violation"
    BLOCKED = "blocked"
    INFRA = "infra"


@dataclass(frozen=True)
class PlannedCheck:
    """One line of the plan, fixed before any student code runs.

    `weight` is this check's share of its item's points, relative to the item's other checks.
    """

    id: str
    item: str
    title: str
    weight: int = 1


@dataclass(frozen=True)
class CheckResult:
    """What one check measured.

    `credit` runs from 0 to FULL_CREDIT: FULL_CREDIT for a pass, anything between for a check with
    partial credit (an accuracy, a share of wrong versions caught), 0 otherwise.
    `message` is text of ours that the student may read. `misconception` is the id of the
    catalogued wrong answer that explains the failure, and `advice` its text.
    `detail` holds JSON values for reports (a training curve, say).
    """

    check: str
    verdict: Verdict
    credit: int = 0
    message: str = ""
    seconds: float = 0.0
    misconception: str | None = None
    advice: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.credit <= FULL_CREDIT:
            raise ValueError(f"credit of {self.check} must be 0..{FULL_CREDIT}, got {self.credit}")


@dataclass(frozen=True)
class ManualMark:
    """Points that a person gave: one line of manual.csv. `points` is in hundredths."""

    student: str
    item: str
    points: int
    comment: str = ""


@dataclass(frozen=True)
class Submission:
    """One student's files of one week.

    `files` maps the names of the assignment's modules, and no others, to contents. `documents`
    maps the names of those handed in to the SHA-256 of their contents: a person opens them, no
    program does. `notices` tell the student what was ignored, left out or missing. Where `refusal`
    is not None nothing was taken. `received` is when it was handed in, with its time zone, and
    `commit` the hash of its commit, each None where nothing says it. `kept` has the documents'
    contents where a person is about to look at them. `fingerprint` is the same for
    the same modules, wherever they were found.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    refusal: str | None = None
    documents: dict[str, str] = field(default_factory=dict)
    received: datetime | None = None
    commit: str | None = None
    kept: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all of the week was handed in."""
        return not (self.files or self.documents or self.refusal)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the modules' names and contents, or of the refusal."""
        if self.refusal is not None:
            return hashlib.sha256(
                b"refused: " + self.refusal.encode("utf-8", "backslashreplace")
            ).hexdigest()
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()
