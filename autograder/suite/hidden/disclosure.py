"""Filter for messages of failed hidden tests: no text that depends on the tests' inputs.

Student code controls the text of exceptions, the names of types and functions, strings, and the
line that raises: `raise ValueError(repr(x))` reveals x. A failed test whose message quotes the
worker is therefore run again with inputs from another seed, in a sandbox that never receives inputs
of the first run. A message that is the same in both runs is shown; any other one is replaced by a
text of the grader.

What remains is one choice per test: whether the text is the same, or which of the known harmless
texts it is. Numbers of a wrong answer (an entry, a shape) are shown unchanged.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace

from autograder.channel.faults import Fault
from autograder.records import CheckResult, Verdict
from autograder.suite.expect import Wrong
from autograder.suite.hidden.graded_host import GradedHost
from autograder.suite.hosts import Host
from autograder.suite.session import Outcome
from autograder.suite.student import Student

MOST_RUNS = 12
"""Maximum number of different messages per submission that are tested; others are withheld."""

MOST_SECONDS = 6.0
"""No further run starts after this many seconds."""

WHY = (
    "The text is not shown, because it depends on the inputs of this hidden test. "
    "`make check` shows such texts in full."
)
NOT_YET = "Its text is looked into when the other tests have run."
NO_TIME = (
    "The text is not shown, because it was not looked into whether it depends on the inputs of "
    "this hidden test. `make check` shows such texts in full."
)


@dataclass
class GradedOutcome(Outcome):
    """The outcome of one test of a hidden suite.

    `quoting` says that the record's message holds, or may hold, text of the worker's choosing.
    """

    quoting: bool = False


def may_quote(fault: Fault, student: Student | None) -> bool:
    """Tell whether a fault's message may hold text of the worker's choosing."""
    if fault.quoting or student is None:
        return fault.quoting
    return isinstance(fault, Wrong) and not fault.numeric and student.has_said_text


Again = Callable[[Host, str], GradedOutcome]
"""Runs the test with a check's id on a host, with inputs from another seed."""


class Disclosure:
    """Decides which messages of failed tests are shown. `known`: messages known to be harmless."""

    def __init__(self, known: Collection[str]):
        self._known = known

    def settle(
        self, outcomes: list[GradedOutcome], host: GradedHost, again: Again
    ) -> list[GradedOutcome]:
        """Return the outcomes with messages that may be shown."""
        groups = self._groups(outcomes)
        if not groups:
            return outcomes
        other = host.again()
        shown: dict[str, str] = {}
        until = time.monotonic() + MOST_SECONDS
        try:
            for number, (message, outcome) in enumerate(groups.items()):
                second = None
                if number < MOST_RUNS and time.monotonic() < until:
                    second = again(other, outcome.result.check)
                shown[message] = disclosed(outcome, second)
        finally:
            other.close()
        return [_with(outcome, shown) for outcome in outcomes]

    def meanwhile(self, outcome: GradedOutcome) -> GradedOutcome:
        """Return an outcome as shown before `settle`: without any text of the worker.

        Its fault is left out, because it also holds the message.
        """
        message = outcome.result.message
        if self._has_to_be_looked_at(outcome) and outcome.fault is not None:
            message = without_text(outcome.fault, None, NOT_YET)
        return GradedOutcome(replace(outcome.result, message=message))

    def _has_to_be_looked_at(self, outcome: GradedOutcome) -> bool:
        told = outcome.fault is not None and outcome.fault.message in self._known
        return outcome.quoting and not told

    def _groups(self, outcomes: Iterable[GradedOutcome]) -> dict[str, GradedOutcome]:
        """Return the first outcome of each message that has to be tested."""
        groups: dict[str, GradedOutcome] = {}
        for outcome in outcomes:
            if self._has_to_be_looked_at(outcome):
                groups.setdefault(outcome.result.message, outcome)
        return groups


def _with(outcome: GradedOutcome, shown: dict[str, str]) -> GradedOutcome:
    """Return an outcome with the message that is shown instead of its own."""
    message = outcome.result.message
    if not outcome.quoting or message not in shown:
        return outcome
    return replace(outcome, result=replace(outcome.result, message=shown[message]))


def disclosed(first: GradedOutcome, second: GradedOutcome | None) -> str:
    """Return the message to show for `first`; `second` is None if the test was not run again."""
    if second is not None and _says(first.result) == _says(second.result):
        return first.result.message
    assert first.fault is not None
    why = NO_TIME if second is None else WHY
    return without_text(first.fault, second.fault if second else None, why)


def without_text(fault: Fault, other: Fault | None, why: str) -> str:
    """Return a message for a fault without its text; `why` gives the reason for the omission.

    `other` is the fault with other inputs: an exception's type and place are named if equal.
    """
    if isinstance(fault, Wrong):
        return f"{fault.plain} {why}"
    if fault.verdict in (Verdict.RAISED, Verdict.MEMORY):
        same = other is not None and fault.type_name == other.type_name
        what = fault.type_name if same else "An exception"
        place = fault.place if other is not None and fault.place == other.place else ""
        return "\n".join(part for part in (f"{what} was raised. {why}", place) if part)
    return f"{WORDS.get(fault.verdict, 'Your code did something else.')} {why}"


WORDS = {
    Verdict.WRONG: "Your code gave an object where a value is expected.",
    Verdict.NOT_ATTEMPTED: "NotImplementedError was raised.",
    Verdict.VIOLATION: "Your code started more processes or threads than it may.",
    Verdict.CRASH: "Your code ended its process.",
}


def _says(result: CheckResult) -> tuple[Verdict, str]:
    return result.verdict, result.message
