"""Diagnosis of failures: the catalogued misconception that gives the same wrong answer.

A failed test is replayed against each catalogued misconception of its item, with the inputs of the
run in which the answer was given: a student with the same misconception got the same wrong value.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.course import Course, Week
from autograder.records import PlannedCheck
from autograder.reference.misconceptions import (
    Misconception,
    all_forms,
    apply,
    catalogue_of,
    solution_files,
)
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import SuiteSession
from autograder.suite.signature import (
    FEWEST_DIGITS,
    Signature,
    key_of,
    signature,
    turned,
)

RTOL = 1e-6
"""Relative tolerance within which two wrong answers are the same."""


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
        self._catalogue = all_forms(catalogue)
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
        if mistake.key not in self._hosts:
            files = apply(mistake, self._reference)
            self._hosts[mistake.key] = LocalHost(files, like=self._reference_host)
        [outcome] = self._session.run(self._hosts[mistake.key], only={check.id}, salt=salt)
        return signature(outcome.fault) if outcome.fault else None


FEWEST_TO_GUESS = 6
"""A wrong value is a key where its entries have at least so many digits together: others could be
tried one after the other. A million of them take most of a day."""


def public_catalogue(root: Path, course: Course, week: Week) -> dict[str, Any]:
    """Return the explanations that students' trees contain, and the number of hidden tests.

    "wrong_answers" maps checks of the public suite to sealed texts. A failure whose wrong value is
    easily guessed, a truth value or an exception say, is explained in grading alone.
    """
    folder = root / "assignments" / week.folder
    hidden = GradedSession(folder / "hidden", salt="")
    public = SuiteSession(folder / "tests", salt="")
    try:
        diagnoser = Diagnoser(public, solution_files(root, week), catalogue_of(root, course, week))
        sealed = {check.id: seal(check.id, diagnoser.wrong_answers(check)) for check in public.plan}
        return {
            "hidden_tests": len(hidden.plan),
            "wrong_answers": {check: texts for check, texts in sealed.items() if texts},
        }
    finally:
        hidden.close()
        public.close()


def entry(mistake: Misconception) -> dict[str, Any]:
    """Return what a student is told of a mistake, and the module and definition that it is in."""
    return {
        "id": mistake.id,
        "says": mistake.says,
        "at": [f"{mistake.module}.py", mistake.where],
    }


def seal(check: str, answers: Iterable[tuple[Misconception, Signature]]) -> dict[str, str]:
    """Return the explanations of a check's failures, each locked by the wrong value: for entry_of.

    Of several with the same value the first counts, as in `explain`.
    """
    sealed: dict[str, str] = {}
    for mistake, failure in answers:
        if guess_digits(failure) >= FEWEST_TO_GUESS:
            key = key_of(check, failure)
            text = turned(json.dumps(entry(mistake)).encode(), key)
            sealed.setdefault(hashlib.sha256(key).hexdigest()[:16], text.hex())
    # Their order would tell which mistake of the catalogue each one is.
    return dict(sorted(sealed.items()))


def guess_digits(failure: Signature) -> int:
    """Return how many digits somebody would have to guess who has not made the mistake."""
    received = failure.get("received")
    if isinstance(received, bool) or not isinstance(received, dict | float | int):
        return 0
    values = received["values"] if isinstance(received, dict) else [received]
    numbers = {abs(value) for value in values if not isinstance(value, str) and value}
    if not numbers:
        return 0
    step = 10.0 ** (math.floor(math.log10(max(numbers))) - max(FEWEST_DIGITS, 8 - len(values)))
    steps = {round(number / step) for number in numbers}
    return sum(len(str(count).rstrip("0")) for count in steps)


def same(one: Signature, other: Signature) -> bool:
    """Tell whether two failures are the same wrong answer, up to rounding."""
    if one.keys() != other.keys() or one.get("label") != other.get("label"):
        return False
    if "raised" in one:
        return one["raised"] == other["raised"]
    first, second = one["received"], other["received"]
    if not isinstance(first, dict) or not isinstance(second, dict):
        return type(first) is type(second) and first == second
    if first["shape"] != second["shape"]:
        return False
    a, b = (np.array([float(v) for v in part["values"]]) for part in (first, second))
    return bool(np.allclose(a, b, rtol=RTOL, atol=1e-12, equal_nan=True))
