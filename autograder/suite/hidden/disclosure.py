"""What is said of failed hidden tests: nothing that depends on the inputs of the run that counts.

Student code controls more than texts: an entry, a shape, a dtype, the place where arrays differ,
the line that raises, which comparison fails and which catalogued mistake an answer looks like all
carry a hidden input out. So nothing of the run that counts is said but its verdicts (and credit).
Whatever else is said of a failed check, its message and its diagnosis, comes from a throw-away run
of the same test: inputs of another seed, in a sandbox that never received one of the run that
counts. Which tests are run again depends on verdicts alone: of each item the first that failed,
then of each item the second, and so on. The first ones are tried more than once; the others have a
message all the same, so that who has most failures is not told least. What each of them gave is
compared where failures are explained. Where all that takes too long, the verdict is said.

Of a check that is not attempted it is said which gaps of its item stand in the files.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.hidden.graded_host import GradedHost
from autograder.suite.hosts import Host
from autograder.suite.session import Outcome

MOST_SECONDS = 20.0
"""No throw-away run of a submission starts after this many seconds of them."""

MOST_RUNS = 16
"""Maximum number of checks of a submission that are tried more than once. A class whose submissions
are nearly right never gets there; where nothing works, more tries help nobody."""

MOST_PLAIN = 120
"""Maximum number of further checks that have one throw-away run each."""

TRIES = 3
"""Maximum number of throw-away runs of one test: the first may pass by other inputs."""

MOST_PASSED, MOST_TIMEOUTS = 24, 3
"""After so many throw-away runs of a submission that passed, or ran out of time, no others try
again, or start at all."""

SAYS = {
    Verdict.WRONG: "The answer is wrong for the inputs of this hidden test.",
    Verdict.RAISED: "Your code raised an exception with the inputs of this hidden test.",
    Verdict.NOT_ATTEMPTED: "Something that this check needs is not filled in.",
    Verdict.BLOCKED: "Another item that this check builds on is not filled in.",
    Verdict.TIMEOUT: "Your code took longer than it may in a check.",
    Verdict.MEMORY: "Your code needed more memory than it may in a check.",
    Verdict.CRASH: "Your code ended the process that it ran in.",
    Verdict.OUTPUT: "Your code printed more than it may in a check.",
    Verdict.VIOLATION: "Your code did something that it may not in a check.",
}
"""All that is said of a verdict by itself."""

ELSEWHERE = "With other inputs of the same kind:"
PASSES = "With other inputs of the same kind it is right: look for what is special about some."
NOT_RUN_AGAIN = (
    "There was no time to run it with other inputs, so what came out can't be shown. First mend "
    "what is told of other checks, as it may be the same cause; then try what this check's title "
    "says on a small example of your own."
)


@dataclass
class GradedOutcome(Outcome):
    """The outcome of one test of a hidden suite.

    `salt`: what the inputs were drawn from that the fault belongs to, where the outcome has been
    settled; None before. `by_credit`: the message is the test's own, and a function of the credit.
    `by_itself`: it failed for a reason of its own, whatever other items lack.
    """

    salt: str | None = None
    by_credit: bool = False
    by_itself: bool = False


Again = Callable[[Host, str, str], GradedOutcome]
"""Runs the test with a check's id on a host, with inputs drawn from a salt."""


class Disclosure:
    """Says of failed tests what may be said.

    `gaps`: the texts that open gaps raise, by item. `salt`: that of the throw-away runs.
    """

    def __init__(self, gaps: Mapping[str, Sequence[str]], salt: str):
        self._gaps, self._salt = gaps, f"{salt}|again"

    def settle(
        self,
        outcomes: list[GradedOutcome],
        items: Mapping[str, str],
        host: GradedHost,
        again: Again,
    ) -> list[GradedOutcome]:
        """Return the outcomes as they may be shown; `items` are those of the checks."""
        found = {item: self._open(item, host) for item in set(items.values())}
        settled = [self._by_itself(one, found[items[one.result.check]]) for one in outcomes]
        left = [number for number, known in enumerate(settled) if known is None]
        if left:
            runs = _ThrowAway(host.again(), again, self._salt)
            try:
                for number in _in_turn(left, lambda n: items[outcomes[n].result.check]):
                    settled[number] = runs.settled(outcomes[number])
            finally:
                runs.close()
        return [one for one in settled if one is not None]

    def meanwhile(self, outcome: GradedOutcome) -> GradedOutcome:
        """Return an outcome as it may be shown before `settle`: its verdict in words."""
        shown = _shows_inputs(outcome)
        return _said(outcome, SAYS[outcome.result.verdict]) if shown else outcome

    def _open(self, item: str, host: GradedHost) -> str:
        """Name the gaps of an item that stand in the files, such as "week1.mlp: fill in f, g"."""
        texts = [text for text in self._gaps.get(item, ()) if host.holds(text)]
        return ", ".join([*texts[:1], *(text.rpartition(" ")[2] for text in texts[1:])])

    def _by_itself(self, outcome: GradedOutcome, gaps: str) -> GradedOutcome | None:
        """Return an outcome as it may be shown without a throw-away run; None if that takes one."""
        verdict = outcome.result.verdict
        if verdict is Verdict.NOT_ATTEMPTED and gaps:
            return _said(outcome, gaps)
        if verdict is Verdict.TIMEOUT or not _shows_inputs(outcome):
            return self.meanwhile(outcome)
        return None


def _in_turn(numbers: Sequence[int], item: Callable[[int], str]) -> list[int]:
    """Return the numbers of checks in another order: the first of each item, then the second, ...

    So every item with a failure is told of, however many others have some.
    """
    before: Counter[str] = Counter()
    turns = []
    for number in numbers:
        turns.append((before[item(number)], number))
        before[item(number)] += 1
    return [number for _, number in sorted(turns)]


def _shows_inputs(outcome: GradedOutcome) -> bool:
    """Whether what the outcome says may depend on the inputs."""
    return outcome.result.verdict in SAYS and not outcome.by_credit


def _said(outcome: GradedOutcome, message: str) -> GradedOutcome:
    """Return an outcome with nothing of its run but verdict, credit and time."""
    said = replace(outcome.result, message=message, detail={})
    return GradedOutcome(said, by_itself=outcome.by_itself)


def _with_fault(outcome: GradedOutcome, other: GradedOutcome) -> GradedOutcome:
    """Return an outcome with the fault of a throw-away run, to be explained."""
    return replace(outcome, fault=other.fault, salt=other.salt)


class _ThrowAway:
    """The throw-away runs of one submission, on a host of their own."""

    def __init__(self, host: Host, again: Again, salt: str):
        self._host, self._again, self._salt = host, again, salt
        self._until = time.monotonic() + MOST_SECONDS
        self._runs = self._passed = self._timeouts = 0

    def settled(self, outcome: GradedOutcome) -> GradedOutcome:
        """Return an outcome with what a throw-away run of its test says."""
        verdict = outcome.result.verdict
        other = self._other(outcome)
        if other is None:
            more = NOT_RUN_AGAIN if verdict in (Verdict.WRONG, Verdict.RAISED) else ""
        elif other.result.verdict is Verdict.PASS:
            more = PASSES
        elif other.result.verdict is verdict:
            return _with_fault(_said(outcome, other.result.message), other)
        else:
            more = f"{ELSEWHERE} {other.result.message}"
        said = _said(outcome, f"{SAYS[verdict]} {more}".strip())
        return _with_fault(said, other) if other else said

    def _other(self, outcome: GradedOutcome) -> GradedOutcome | None:
        """Return the first throw-away run of a test that fails, or the last; None without one."""
        found = None
        self._runs += 1
        if self._runs > MOST_RUNS + MOST_PLAIN:
            return None
        for number in range(TRIES if self._runs <= MOST_RUNS else 1):
            late = time.monotonic() > self._until or self._timeouts >= MOST_TIMEOUTS
            if late or (number and self._passed >= MOST_PASSED):
                break
            salt = f"{self._salt}|{number}"
            found = replace(self._again(self._host, outcome.result.check, salt), salt=salt)
            self._passed += found.result.verdict is Verdict.PASS
            self._timeouts += found.result.verdict is Verdict.TIMEOUT
            if found.result.verdict not in (Verdict.PASS, Verdict.TIMEOUT):
                break
        # That a busy machine gave this run too little time is no cause of the failure.
        nothing = (Verdict.INFRA, Verdict.TIMEOUT)
        return None if found is not None and found.result.verdict in nothing else found

    def close(self) -> None:
        """End the sandbox of these runs."""
        self._host.close()


def without_text(fault: Fault, why: str) -> str:
    """Return a message for a fault without anything but its verdict; `why` gives the reason."""
    return f"{SAYS.get(fault.verdict, 'Your code did something else.')} {why}"
