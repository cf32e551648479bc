"""The run of a public suite on confined code, with the output of the code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from autograder.channel.faults import Fault
from autograder.course import Course, Week
from autograder.grading.sealing import public_catalogue
from autograder.reference.stub_facts import stub_facts
from autograder.sandbox import Confinement, Limits
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.session import Outcome, SuiteSession


def run_session(
    session: SuiteSession, confinement: Confinement, week: Week, modules: Mapping[str, bytes]
) -> tuple[list[Outcome], dict[str, str]]:
    """Run an open session of a public suite; return the outcomes and what each check printed."""
    limits = Limits(**week.limits.model_dump())
    host = _Host(confinement, modules, limits, week.modules, week.packages)
    printed: dict[str, str] = {}
    try:
        outcomes = session.run(host, report=lambda one: printed.update(host.last(one)))
    finally:
        host.close()
    return outcomes, printed


class _Host(SandboxHost):
    """A host that keeps the output of student code in the last test, for debugging."""

    _printed = ""

    def finish(self, fault: Fault | None) -> None:
        if self._sandbox is not None:
            self._sandbox.drain_all()
        self._printed = self.printed()
        super().finish(fault)

    def last(self, outcome: Outcome) -> dict[str, str]:
        """Return the output of the test just finished by the check's id, each output once."""
        printed, self._printed = self._printed, ""
        return {outcome.result.check: printed}


def shipped_facts(root: Path, course: Course, week: Week) -> dict[str, Any]:
    """Return what the students' tree is shipped with of a week (tests/diagnosis.json)."""
    return {**public_catalogue(root, course, week), **stub_facts(root, course, week)}
