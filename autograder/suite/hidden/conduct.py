"""Detection of loops over the batch or features, and of gradients by finite differences.

For tests marked `flag`, where an assignment asks for array operations and derived gradients. A
finding costs no points: it becomes a flag, with counts as evidence, for a person to review.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.suite.expect import Wrong
from autograder.text.display import clean

LOOPS, NUMERICAL = "loops-over-batch", "numerical-gradient"
COMPLEX = "complex-numbers"
BATCH, FEATURES = (4, 64), (6, 96)
"""Small and large batch size and feature count; loops over layers run equally often in both."""

PER_ENTRY = 0.5
"""Threshold for loops: executed lines per additional example or feature. A loop executes at least
1; a call that processes its input in a few large chunks stays below the threshold."""

MOST_CALLS = 3
"""Maximum number of forward calls within one backward pass, for recomputing activations."""

EXACT, RIGHT = 1e-13, 1e-5
"""Relative errors: up to EXACT for a formula, between EXACT and RIGHT for finite differences. From
RIGHT on the gradient is wrong, which the checks report."""


class Noticed(Wrong):
    """A finding for a person to review: rule, observation, and place."""

    def __init__(self, rule: str, label: str, message: str, place: str = ""):
        super().__init__(label, message)
        self.rule, self.place = rule, place


@dataclass(frozen=True)
class Busy:
    """Executed lines of a file: their number, the most frequent line, and its count."""

    lines: int = 0
    line: int = 0
    count: int = 0


@dataclass(frozen=True)
class Trace:
    """Result and executed lines of one call, as the worker reported them: a hint, not a proof.

    files: the executed lines by file, lower bounds if not `complete`; again: for each function that
    an earlier call also ran, the number of calls, and of calls with an argument near but not equal
    to an earlier one; expected: the exact result, None if it is not compared; imaginary: the place
    of a line at which a variable was complex, "" if there was none.
    """

    result: Any
    complete: bool
    files: Mapping[str, Busy]
    again: Mapping[str, tuple[int, int]]
    expected: np.ndarray | None = None
    imaginary: str = ""

    def beside(self, expected: np.ndarray) -> Trace:
        """Return a copy with the exact result, for measuring the error of the received one."""
        return replace(self, expected=np.asarray(expected, dtype=np.float64))

    def within(self, file: str) -> Trace:
        """Return a copy with the lines of this file only."""
        return replace(self, files={name: b for name, b in self.files.items() if name == file})

    @property
    def lines(self) -> int:
        """How many lines were executed."""
        return sum(busy.lines for busy in self.files.values())

    @property
    def busiest(self) -> tuple[str, int]:
        """The most frequently executed line, such as "neural_net.py:57", and its count."""
        if not self.files:
            return "", 0
        file, busy = max(self.files.items(), key=lambda entry: entry[1].count)
        return f"{file}:{busy.line}", busy.count


def trace_of(answer: Any) -> Trace:
    """Parse a worker's answer. Raises Fault (violation) for a malformed one."""
    try:
        files = {clean(name, 60): Busy(*map(int, busy)) for name, busy in answer["files"].items()}
        again = {clean(name, 80): (int(calls), int(near)) for name, calls, near in answer["again"]}
        complete = answer["complete"] is True
        place = [clean(answer["complex"][0], 60), int(answer["complex"][1])]
        imaginary = "{}:{}".format(*place) if place[0] else ""
        return Trace(answer["result"], complete, files, again, imaginary=imaginary)
    except (TypeError, ValueError, LookupError, OverflowError, AttributeError):
        raise Fault(Verdict.VIOLATION, "A count that isn't one.") from None


Run = Callable[[int, int], Mapping[str, Trace]]
"""Function of (batch size, number of features): makes the calls and returns their traces by name,
such as "Linear.forward". Names that end in "backward" are gradients."""


def on_whole_arrays(run: Run, features: tuple[int, int] = FEATURES) -> None:
    """The calls do not loop over examples or features; otherwise raises Noticed.

    Backward passes are first checked for finite differences, which usually loop over entries too.
    If both numbers of features are equal, loops over features are not checked.
    """
    small = run(BATCH[0], features[0])
    sizes = [(run(BATCH[1], features[0]), "a batch of {}", BATCH)]
    if features[1] > features[0]:
        sizes.append((run(BATCH[0], features[1]), "{} features", features))
    for name in (name for name in small if name.endswith("backward")):
        for large, text, (few, many) in reversed(sizes):
            _at_its_point(name, small[name], large[name], text.format(few), text.format(many))
        _real(name, small[name], *(large[name] for large, _, _ in sizes))
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
    """Return name, counts and place of a call whose lines grow with the input; None otherwise."""
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
    """A backward pass calls no function near earlier arguments, or more often for larger inputs."""
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


def _real(name: str, *traces: Trace) -> None:
    """No line of a backward pass held a complex number; otherwise raises Noticed."""
    place = next((trace.imaginary for trace in traces if trace.imaginary), "")
    if place:
        message = (
            f"a variable was complex at {place}: a step along complex numbers is finite "
            f"differences by another name (it is nothing where no gradient comes from it)"
        )
        raise Noticed(COMPLEX, name, message, place)


def derived(name: str, *traces: Trace) -> None:
    """The gradient's relative error is that of a formula; otherwise raises Noticed.

    Raises only if the errors for all inputs lie between EXACT and RIGHT.
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
    """Return the largest error relative to the largest expected entry; None if not comparable."""
    received, wanted = trace.result, trace.expected
    if wanted is None or type(received) is not np.ndarray or received.dtype != np.float64:
        return None
    if received.shape != wanted.shape or not np.isfinite(received).all():
        return None
    return float(np.max(np.abs(received - wanted)) / np.max(np.abs(wanted)))
