"""The explanations that the students' tree contains: sealed by the failures that they explain."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import sys
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from autograder.course import Course, Week
from autograder.grading import fingerprint, user_cache
from autograder.grading.diagnosis import UNKNOWN, Diagnoser, Explanation, common
from autograder.reference.misconceptions import Misconception, catalogue_of, solution_files
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import SuiteSession
from autograder.suite.signature import FEWEST_DIGITS, Pattern, Signature, key_of, turned

SEALS = ("autograder.grading.sealing",)
"""The module whose code, with all that it imports, decides what is sealed: this one."""

KEPT = "sealed"
"""Where in the user's cache this is kept."""

FEWEST_TO_GUESS = 6
"""The wrong values of an item are a key where their entries have at least so many digits together:
others could be tried one after the other. A million of them take most of a day."""


def public_catalogue(root: Path, course: Course, week: Week) -> dict[str, Any]:
    """Return the explanations that students' trees contain, the number of hidden tests, and Python.

    "wrong_answers" maps items of the public suite to sealed texts. Failures whose wrong values are
    easily guessed, a truth value or an exception say, are explained in grading alone, unless the
    handout names the mistake.
    """
    hidden = GradedSession(root / "assignments" / week.folder / "hidden", salt="")
    try:
        return {
            "hidden_tests": len(hidden.plan),
            "python": list(sys.version_info[:2]),
            "wrong_answers": _sealed_once(root, course, week),
        }
    finally:
        hidden.close()


def _sealed_once(root: Path, course: Course, week: Week) -> dict[str, dict[str, str]]:
    """Return the sealed explanations of each item; what was sealed on this machine is kept.

    To seal a week takes about 20 seconds, since every mistake is run.
    """
    key = fingerprint.digest(fingerprint.parts_of_public_suite(root, course, week, SEALS))
    known = user_cache.read(KEPT, key)
    if known is not None:
        with contextlib.suppress(ValueError):  # no longer what was written: seal it again
            return json.loads(known)
    sealed = _sealed(root, course, week)
    user_cache.write(KEPT, key, json.dumps(sealed))
    return sealed


def _sealed(root: Path, course: Course, week: Week) -> dict[str, dict[str, str]]:
    public = SuiteSession(root / "assignments" / week.folder / "tests", salt="")
    try:
        catalogue = catalogue_of(root, course, week)
        diagnoser = Diagnoser(public, solution_files(root, week), catalogue)
        # Each as it is written: in all its other right forms it would take minutes.
        written = [form for one in catalogue for form in one.written()]
        items: dict[str, list[str]] = defaultdict(list)
        for check in public.plan:
            items[check.item].append(check.id)
        sealed = {
            item: seal(
                (mistake, {check: diagnoser.wrong_answers(check, mistake) for check in checks})
                for mistake in written
                if item in mistake.fails
            )
            for item, checks in items.items()
        }
        return {item: texts for item, texts in sealed.items() if texts}
    finally:
        public.close()


def entry(told: Explanation) -> dict[str, Any]:
    """Return what a student is told of a mistake, and the module and definition that it is in."""
    return {"id": told.id or told.at[1], "says": told.says, "at": list(told.at)}


def seal(answers: Iterable[tuple[Misconception, Pattern]]) -> dict[str, str]:
    """Return the explanations of an item's failures, each locked by all of them: for entry_of.

    Of mistakes with the same failures it is told what they have in common, as in grading. What the
    handout names itself is no secret.
    """
    found: dict[bytes, list[Misconception]] = defaultdict(list)
    for mistake, pattern in answers:
        told_anyway = mistake.named and any(pattern.values())
        if UNKNOWN in pattern.values():
            continue
        if told_anyway or guess_digits(pattern) >= FEWEST_TO_GUESS:
            found[key_of(pattern)].append(mistake)
    sealed = {
        hashlib.sha256(key).hexdigest()[:16]: turned(json.dumps(entry(told)).encode(), key).hex()
        for key, mistakes in found.items()
        if (told := common(mistakes)) is not None
    }
    # Their order would tell which mistake of the catalogue each one is.
    return dict(sorted(sealed.items()))


def guess_digits(pattern: Pattern) -> int:
    """Return how many digits somebody would have to guess who has not made the mistake."""
    return sum(_digits(failure) for failure in pattern.values() if failure)


def _digits(failure: Signature) -> int:
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
