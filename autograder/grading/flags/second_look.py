"""Runs some passed checks again with other inputs.

Answers that were stored for known inputs give themselves away by that. It is never the verdict: a
check that passed keeps its points, and what differed becomes a flag with both outcomes.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from autograder.gradebook.flags import Flag
from autograder.records import PlannedCheck, Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome

STORED = "stored-answers"
MOST_CHECKS = 10
FRESH = 3
"""So many other inputs have to fail before stored answers are suspected: a check with an unlucky
draw, or code that is right most of the time, is neither."""

NEAR = 0.01
"""Relative error up to which an answer is the right one, rounded or with a small number added: who
has stored answers and none for these inputs is nowhere near."""

WORST = re.compile(r"got (\S+), expected (\S+)\.(?:\s|$)")
"""The worst entry of an array, in a message of expect.close; `compare.pair` writes it."""

TELLING = (Verdict.WRONG, Verdict.RAISED, Verdict.NOT_ATTEMPTED)
"""What says something. Limits can be met by chance, and what is our fault says nothing."""


@dataclass(frozen=True)
class SecondLook:
    """What it takes to run a week's checks again.

    `reference` is run with other inputs too before anybody is suspected. `passed_by_junk` are the
    checks that tell nothing, see `junk`.
    """

    session: GradedSession
    salt: str
    reference: Mapping[str, bytes]
    passed_by_junk: Collection[str] = ()

    def look(
        self, host: SandboxHost, files: Mapping[str, bytes], outcomes: Sequence[Outcome]
    ) -> list[Flag]:
        """Return what a person should look at. `outcomes` are those of the run that counts.

        `host` is where that was: to know that one is looked at again gives nobody a right answer.
        """
        passed = self._telling(outcomes)
        key = f"{self.salt}|second look|{_fingerprint(files)}"
        chosen = self._choose(passed, key)
        if not chosen:
            return []
        host.ours = True  # what is said of these runs no student reads, so nothing is withheld
        stored = self._with_fresh_inputs(host, chosen, key)
        return [self._on_stored(stored)] if stored else []

    def _telling(self, outcomes: Sequence[Outcome]) -> list[str]:
        """Return the checks that passed and that junk would fail, of items that passed altogether.

        Code that is nearly right passes some checks of an item and fails others, now these and now
        those: there, a check that fails the next time says nothing.
        """
        items = {check.id: check.item for check in self.session.plan}
        failed = {items[o.result.check] for o in outcomes if o.result.verdict is not Verdict.PASS}
        found = (o.result.check for o in outcomes)
        return [c for c in found if items[c] not in failed and c not in self.passed_by_junk]

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
    ) -> dict[str, list[str]]:
        """Return what is said of the checks that fail with each of several other inputs, unlike the
        reference: by their ids, one message for each."""
        left, said = set(checks), {check: list[str]() for check in checks}
        ours: LocalHost | None = None
        for number in range(FRESH):
            salt = f"{key}|{number}"
            failed = [o for o in self.session.run(host, only=left, salt=salt) if _failed(o)]
            for outcome in failed:
                said[outcome.result.check].append(outcome.result.message)
            left = {outcome.result.check for outcome in failed}
            if not left:
                return {}
            ours = ours or LocalHost(self.reference)
            right = self.session.run(ours, only=left, salt=salt)
            left -= {o.result.check for o in right if o.result.verdict is not Verdict.PASS}
        # What fails now and then, whatever it is given, stores nothing.
        again = self.session.run(host, only=left) if left else []
        left -= {outcome.result.check for outcome in again if _failed(outcome)}
        return {check: messages for check, messages in said.items() if check in left}

    def _on_stored(self, stored: Mapping[str, Sequence[str]]) -> Flag:
        """Say which checks pass for this course's inputs alone, and how far off the others are."""
        first, *others = (check for check in self.session.plan if check.id in stored)
        numbered = (f"({number}) {said}" for number, said in enumerate(stored[first.id], start=1))
        evidence = (
            f"{first.id} ({first.title}) passed with the inputs of this course's salt, as did all "
            f"checks of {first.item}, and failed with {FRESH} others, with which the reference "
            f"passes: {' '.join(numbered)} Are the answers stored? It is nothing if these are "
            f"nearly right, or if the code treats such inputs in a way that can be defended."
        )
        if others:
            evidence += f" So it was with {', '.join(check.id for check in others)}."
        return Flag(STORED, evidence, first.item)


def _failed(outcome: Outcome) -> bool:
    """Whether a check that had passed gave quite another answer this time."""
    verdict = outcome.fault.verdict if outcome.fault else outcome.result.verdict
    return verdict in TELLING and not nearly_right(outcome.result.message)


def nearly_right(message: str) -> bool:
    """Whether a message's worst entry is off by a little only, of its own size."""
    found = WORST.search(message)
    if found is None:
        return False
    try:
        got, wanted = map(float, found.groups())
    except ValueError:
        return False
    return abs(got - wanted) <= NEAR * abs(wanted)


def _fingerprint(files: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
