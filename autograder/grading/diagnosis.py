"""Diagnosis of failures: the catalogued misconception that gives the same wrong answer.

A failed test is replayed against each catalogued misconception of its item, with the inputs of the
run in which the answer was given: a student with the same misconception got the same wrong value.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.channel.faults import Fault
from autograder.course import Course, Week
from autograder.records import PlannedCheck
from autograder.reference.misconceptions import (
    Misconception,
    apply,
    catalogue_of,
    solution_files,
)
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import SuiteSession
from autograder.suite.signature import Signature, same, signature


class Diagnoser:
    """Explains failures of one suite by the catalogue of its assignment."""

    def __init__(
        self,
        session: SuiteSession,
        reference: Mapping[str, bytes],
        catalogue: Sequence[Misconception],
    ):
        self._session = session
        self._reference = reference
        self._catalogue = catalogue
        self._reference_host = LocalHost(reference)
        self._hosts: dict[str, LocalHost] = {}
        self._known: dict[tuple[str, str | None], list[tuple[Misconception, Signature]]] = {}

    def explain(
        self, check: PlannedCheck, fault: Fault, salt: str | None = None
    ) -> Misconception | None:
        """Return the misconception that gives the same failure of `check`, if one does.

        `salt` is what the inputs were drawn from, None for the session's own.
        """
        observed = signature(fault)
        if observed is None:
            return None
        for mistake, known in self.wrong_answers(check, salt):
            if same(observed, known):
                return mistake
        return None

    def wrong_answers(
        self, check: PlannedCheck, salt: str | None = None
    ) -> list[tuple[Misconception, Signature]]:
        """Return the failure that each misconception of the check's item gives in this check."""
        if (check.id, salt) not in self._known:
            self._known[check.id, salt] = [
                (mistake, failure)
                for mistake in self._catalogue
                if check.item in mistake.fails and (failure := self._replay(check, mistake, salt))
            ]
        return self._known[check.id, salt]

    def _replay(
        self, check: PlannedCheck, mistake: Misconception, salt: str | None
    ) -> Signature | None:
        if mistake.id not in self._hosts:
            files = apply(mistake, self._reference)
            self._hosts[mistake.id] = LocalHost(files, like=self._reference_host)
        [outcome] = self._session.run(self._hosts[mistake.id], only={check.id}, salt=salt)
        return signature(outcome.fault) if outcome.fault else None


def public_catalogue(root: Path, course: Course, week: Week) -> dict[str, Any]:
    """Return the wrong answers that students' trees contain, and the number of hidden tests.

    "wrong_answers" maps each check of the public suite to the failures with an explanation: the
    wrong values, the texts, and the module and definition; never the edits or the reference.
    """
    folder = root / "assignments" / week.folder
    hidden = GradedSession(folder / "hidden", salt="")
    public = SuiteSession(folder / "tests", salt="")
    try:
        diagnoser = Diagnoser(public, solution_files(root, week), catalogue_of(root, course, week))
        answers = {check.id: entries(diagnoser.wrong_answers(check)) for check in public.plan}
        return {
            "hidden_tests": len(hidden.plan),
            "wrong_answers": {check: entries for check, entries in answers.items() if entries},
        }
    finally:
        hidden.close()
        public.close()


def entries(answers: Iterable[tuple[Misconception, Signature]]) -> list[Signature]:
    return [
        {
            "id": mistake.id,
            "says": mistake.says,
            "at": [f"{mistake.module}.py", mistake.where],
            **failure,
        }
        for mistake, failure in answers
    ]
