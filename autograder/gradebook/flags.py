"""Flags: what a person should look at in a submission, beside its results."""

from __future__ import annotations

from dataclasses import dataclass, field

from autograder.records import CheckResult


@dataclass(frozen=True)
class Flag:
    """Something that a person should look at; it takes no point and gives none.

    `rule` is the id of the rule that may be broken, `item` what it concerns, where that is known,
    `place` a file and line such as "neural_net.py:57". `evidence` says what was seen, so that a
    person can see it too. It may quote names and lines of the submission, fit to print.
    """

    rule: str
    evidence: str
    item: str | None = None
    place: str = ""


@dataclass(frozen=True)
class Examined:
    """What examining a submission gave: a result for each planned check, and flags."""

    results: list[CheckResult]
    flags: list[Flag] = field(default_factory=list)
