"""What was planned and what was measured: the plain records that the stages pass on."""

from __future__ import annotations

from dataclasses import dataclass, field
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
