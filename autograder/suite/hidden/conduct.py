"""How code does its work, where an assignment says how: on whole arrays, and by derived gradients.

For tests that are marked `flag`: what they notice is no wrong answer and costs no point. It becomes
a flag, with the counts as evidence, for a person to look at.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.expect import Wrong
from autograder.text.sandbox_text import clean

LOOPS, NUMERICAL = "loops-over-batch", "numerical-gradient"
BATCH, FEATURES = (4, 64), (6, 96)
"""The two sizes of each kind. Legal loops, over layers or parameters, run alike for both."""

PER_ENTRY = 0.5
"""Lines that may be added for each more example or feature: below one for each, so that a call
which takes its input in a few large portions isn't taken for a loop."""

MOST_CALLS = 3
"""So often may a backward pass call a forward pass of its own, to compute again what it needs."""

EXACT, RIGHT = 1e-13, 1e-5
"""Relative errors: a formula's stay below the first, those of finite differences between the two.
Beyond the second the gradient is wrong, which is the checks' business."""


class Noticed(Wrong):
    """Something that a person should look at: which rule, what was seen, and where."""

    def __init__(self, rule: str, label: str, message: str, place: str = ""):
        super().__init__(label, message)
        self.rule, self.place = rule, place


@dataclass(frozen=True)
class Busy:
    """Lines executed in a file, the busiest of them, and how often it was executed."""

    lines: int = 0
    line: int = 0
    count: int = 0


@dataclass(frozen=True)
class Trace:
    """What one call gave and took. The worker says so: nothing here is more than a hint.

    files: what was executed, for each file, at least that much if not `complete`; again: for each
    function that an earlier call had run too, how often it ran, and how often with an argument
    near, and not equal to, one of the earlier ones; expected: what the result should be, if that is
    looked at.
    """

    result: Any
    complete: bool
    files: Mapping[str, Busy]
    again: Mapping[str, tuple[int, int]]
    expected: np.ndarray | None = None

    def beside(self, expected: np.ndarray) -> Trace:
        """Return the same with the exact value of the result, which finite differences miss."""
        return replace(self, expected=np.asarray(expected, dtype=np.float64))

    def within(self, file: str) -> Trace:
        """Return the same without what was executed in other files than this one."""
        return replace(self, files={name: b for name, b in self.files.items() if name == file})

    @property
    def lines(self) -> int:
        """How many lines were executed."""
        return sum(busy.lines for busy in self.files.values())

    @property
    def busiest(self) -> tuple[str, int]:
        """The place that was executed most often, such as "neural_net.py:57", and how often."""
        if not self.files:
            return "", 0
        file, busy = max(self.files.items(), key=lambda entry: entry[1].count)
        return f"{file}:{busy.line}", busy.count


def trace_of(answer: Any) -> Trace:
    """Read a worker's answer. Raises Fault for one that isn't what was asked for."""
    try:
        files = {clean(name, 60): Busy(*map(int, busy)) for name, busy in answer["files"].items()}
        again = {clean(name, 80): (int(calls), int(near)) for name, calls, near in answer["again"]}
        return Trace(answer["result"], answer["complete"] is True, files, again)
    except (TypeError, ValueError, KeyError, OverflowError, AttributeError):
        raise Fault(Verdict.VIOLATION, "A count that isn't one.") from None


Run = Callable[[int, int], Mapping[str, Trace]]
"""Makes the calls in question for a batch of so many examples with so many features, and returns
them by name, such as "Linear.forward". Names that end in "backward" are those of gradients."""


def on_whole_arrays(run: Run, features: tuple[int, int] = FEATURES) -> None:
    """Nothing in these calls is done example by example or feature by feature.

    And no backward pass gets its gradient from finite differences, which is looked at first: loops
    over entries usually come with them. Where both numbers of features are equal, the code may go
    through them one by one.
    """
    small = run(BATCH[0], features[0])
    sizes = [(run(BATCH[1], features[0]), "a batch of {}", BATCH)]
    if features[1] > features[0]:
        sizes.append((run(BATCH[0], features[1]), "{} features", features))
    for name in (name for name in small if name.endswith("backward")):
        for large, text, (few, many) in reversed(sizes):
            _at_its_point(name, small[name], large[name], text.format(few), text.format(many))
        derived(name, small[name], *(large[name] for large, _, _ in sizes))
    found = [
        said
        for name in small
        for large, text, numbers in sizes
        if (said := _loop(small[name], large[name], text, numbers, name))
    ]
    if found:
        label, message, place = found[0]
        more = "".join(f"; {label}: {message}" for label, message, _ in found[1:])
        raise Noticed(LOOPS, label, message + more, place)


def _loop(
    small: Trace, large: Trace, text: str, numbers: tuple[int, int], name: str
) -> tuple[str, str, str] | None:
    """Say where a call executes more lines for more entries: its name, the counts, the place."""
    grown = (large.lines - small.lines) / (numbers[1] - numbers[0])
    if grown < PER_ENTRY:
        return None
    few, many = (text.format(number) for number in numbers)
    place, share = large.busiest
    most = "" if large.complete else "at least "
    each = "example" if "batch" in text else "feature"
    message = (
        f"{small.lines} lines executed for {few}, {most}{large.lines} for {many}, about "
        f"{grown:.3g} for each {each}; most often {place} ({share} times)"
    )
    return name, message, place


def _at_its_point(name: str, small: Trace, large: Trace, few: str, many: str) -> None:
    """A backward pass evaluates no function beside its own point, or ever more often."""
    for function, (calls, near) in large.again.items():
        before = small.again.get(function, (0, 0))[0]
        forward = function.rpartition(".")[2] in ("forward", "__call__")
        if near or (forward and calls > max(MOST_CALLS, before)):
            beside = f", {near} times very near an argument of the forward pass" if near else ""
            message = (
                f"{function} was called {before} times within it for {few}, {calls} times for "
                f"{many}{beside}: is the gradient one of finite differences?"
            )
            raise Noticed(NUMERICAL, name, message, large.busiest[0])


def derived(name: str, *traces: Trace) -> None:
    """A gradient that is right is right to the last digits, which differences can't be.

    It is looked at for several inputs, and the most exact one counts.
    """
    errors = [_error(trace) for trace in traces]
    if any(error is None or not EXACT < error < RIGHT for error in errors):
        return
    place, _ = traces[0].busiest
    message = (
        f"right to {min(filter(None, errors)):.1e} of its largest entry, where a rounded formula "
        f"leaves about 1e-16: finite differences leave that much (and so do float32 or an epsilon "
        f"that was added); {traces[0].lines} lines executed, most often {place}"
    )
    raise Noticed(NUMERICAL, name, message, place)


def _error(trace: Trace) -> float | None:
    """Return how far a result is from what was expected, of the largest entry; None if unknown."""
    received, wanted = trace.result, trace.expected
    if wanted is None or type(received) is not np.ndarray or received.dtype != np.float64:
        return None
    if received.shape != wanted.shape or not np.isfinite(received).all():
        return None
    return float(np.max(np.abs(received - wanted)) / np.max(np.abs(wanted)))
