"""Runs one case of the corpus on one rung, and says what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.grading.examiner import solution_files
from autograder.records import CheckResult
from autograder.sandbox import Confinement, Limits
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession

from .corpus import UNTOUCHED, Case
from .traps import Traps, wait_until_none

ROOT = Path(__file__).resolve().parent.parent.parent
LIMITS = Limits(
    request_seconds=1.5,
    test_seconds=4,
    training_seconds=10,
    memory_mb=512,
    training_memory_mb=512,
    processes=32,
    output_kb=1024,
    file_mb=32,
)
"""Smaller than a course's, so that attacks on them end sooner."""

GONE_SECONDS = 0.1

NAMES = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "network", "accuracy")
ATTACKED = {f"week1.{name}" for name in NAMES}
"""The items that a hostile neural_net.py must not get a point for."""


@dataclass
class Seen:
    """What came of a case: its checks' results, the honest file's, and what it reached outside."""

    attacked: list[CheckResult]
    untouched: list[CheckResult]
    sprung: list[str]
    left: list[int]
    learnt: list[Any] = field(default_factory=list)


class Corpus:
    """What all cases are run with: the hidden suite of week 1 and the reference."""

    def __init__(self) -> None:
        course = courses.load(ROOT)
        week = course.week(1)
        self.reference = solution_files(ROOT, week)
        folder = ROOT / "assignments" / week.folder / "hidden"
        self.session = GradedSession(folder, course.salt)
        self.linear = [check.id for check in self.session.plan if check.item == "week1.linear"]

    def files(self, case: Case, facts: Mapping[str, Any]) -> dict[str, bytes]:
        """Return the submission: the case, and the reference's losses beside it."""
        neural_net = case.source(self.reference["neural_net.py"], facts)
        return {"neural_net.py": neural_net, "losses.py": self.reference["losses.py"]}

    def run(self, case: Case, confinement: Confinement, traps: Traps) -> Seen:
        """Run the case's checks in a sandbox, then look at all that it could have reached."""
        files = self.files(case, traps.facts())
        checks = {*self.linear} if case.kind == "honest" else {*case.checks}
        host = SandboxHost(confinement, files, LIMITS)
        try:
            outcomes = self.session.run(host, only={*checks, UNTOUCHED})
        finally:
            host.close()
        left = wait_until_none(traps, GONE_SECONDS)
        learnt = self._learnt(confinement, files) if case.learns else []
        results = [outcome.result for outcome in outcomes]
        return Seen(
            [result for result in results if result.check != UNTOUCHED],
            [result for result in results if result.check == UNTOUCHED],
            traps.sprung(),
            left,
            learnt,
        )

    @staticmethod
    def _learnt(confinement: Confinement, files: Mapping[str, bytes]) -> list[Any]:
        """Run the attack in a sandbox after that, and ask it what it found; both times.

        An attack that dies can't tell: such a case learns nothing and belongs to the others.
        """
        host = SandboxHost(confinement, files, LIMITS)
        try:
            module = host.start(0).neural_net
            layer = module.Linear(4, 3)
            for attack in (layer.forward, layer.backward):
                try:
                    attack([[0.0] * 4])
                except Fault as fault:
                    if fault.fatal:
                        return [f"it can't tell: {fault.message}"]
            return module.FOUND
        finally:
            host.close()

    def close(self) -> None:
        self.session.close()
