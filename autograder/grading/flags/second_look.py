"""Runs some passed checks again with other inputs.

Answers that were stored for known inputs give themselves away by that. It is never the verdict: a
check that passed keeps its points, and what differed becomes a flag with both outcomes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from autograder.gradebook.flags import Flag
from autograder.records import PlannedCheck, Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome

STORED = "stored-answers"
MOST_CHECKS = 8
FRESH = 3
"""So many other inputs have to fail before stored answers are suspected: a check with an unlucky
draw, or code that is right most of the time, is neither."""

TELLING = (Verdict.WRONG, Verdict.RAISED, Verdict.NOT_ATTEMPTED)
"""What says something. Limits can be met by chance, and what is our fault says nothing."""


@dataclass(frozen=True)
class SecondLook:
    """What it takes to run a week's checks again.

    `reference` is run with other inputs too before anybody is suspected.
    """

    session: GradedSession
    salt: str
    reference: Mapping[str, bytes]

    def look(
        self, host: SandboxHost, files: Mapping[str, bytes], outcomes: Sequence[Outcome]
    ) -> list[Flag]:
        """Return what a person should look at. `outcomes` are those of the run that counts.

        `host` is where that was: to know that one is looked at again gives nobody a right answer.
        """
        passed = [o.result.check for o in outcomes if o.result.verdict is Verdict.PASS]
        key = f"{self.salt}|second look|{_fingerprint(files)}"
        chosen = self._choose(passed, key)
        if not chosen:
            return []
        host.ours = True  # what is said of these runs no student reads, so nothing is withheld
        stored = self._with_fresh_inputs(host, chosen, key)
        return [self._on_stored(stored)] if stored else []

    def _choose(self, passed: Collection[str], key: str) -> set[str]:
        """Return about one check an item, of those that are short; which ones, nobody can foresee.

        The salt decides it, and the submission: the same one is looked at in the same way again.
        """
        drawn = {check: hashlib.sha256(f"{key}|{check}".encode()).digest() for check in passed}
        first: dict[str, PlannedCheck] = {}
        for check in sorted(
            (c for c in self.session.plan if c.id in drawn and c.id not in self.session.long),
            key=lambda check: drawn[check.id],
        ):
            first.setdefault(check.item, check)
        return {check.id for check in list(first.values())[:MOST_CHECKS]}

    def _with_fresh_inputs(
        self, host: SandboxHost, checks: Collection[str], key: str
    ) -> list[Outcome]:
        """Return the checks that fail with each of several other inputs, unlike the reference."""
        left, failed = set(checks), list[Outcome]()
        ours: LocalHost | None = None
        for number in range(FRESH):
            salt = f"{key}|{number}"
            failed = [o for o in self.session.run(host, only=left, salt=salt) if _failed(o)]
            left = {outcome.result.check for outcome in failed}
            if not left:
                return []
            ours = ours or LocalHost(self.reference)
            right = self.session.run(ours, only=left, salt=salt)
            left -= {o.result.check for o in right if o.result.verdict is not Verdict.PASS}
        # What fails now and then, whatever it is given, stores nothing.
        again = self.session.run(host, only=left) if left else []
        left -= {outcome.result.check for outcome in again if _failed(outcome)}
        return [outcome for outcome in failed if outcome.result.check in left]

    def _on_stored(self, stored: Sequence[Outcome]) -> Flag:
        """Say which checks pass for this course's inputs alone."""
        first = stored[0]
        check = next(c for c in self.session.plan if c.id == first.result.check)
        evidence = (
            f"{check.id} ({check.title}) passed with the inputs of this course's salt, and failed "
            f"with {FRESH} others, with which the reference passes; the last time: "
            f"{first.result.message} Are the answers stored?{_others(stored)}"
        )
        return Flag(STORED, evidence, check.item)


def _failed(outcome: Outcome) -> bool:
    """Whether a check that had passed gave another answer this time."""
    verdict = outcome.fault.verdict if outcome.fault else outcome.result.verdict
    return verdict in TELLING


def _others(outcomes: Sequence[Outcome]) -> str:
    rest = [outcome.result.check for outcome in outcomes[1:]]
    return f" So it was with {', '.join(rest)}." if rest else ""


def _fingerprint(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
