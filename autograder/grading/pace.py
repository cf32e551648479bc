"""How long a grading takes: what is left, and what took longest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from statistics import fmean

from autograder.text.display import one_line

LONGEST = 5
"""Number of jobs that are named as the longest."""


@dataclass(frozen=True)
class Timed:
    """A submission that was examined, and the seconds that this took."""

    student: str
    week: int
    seconds: float


def seconds_left(
    left: Mapping[int, int], each: Mapping[int, float | None], at_once: int
) -> float | None:
    """Return the expected time of the jobs that are left; None where nothing is known of a week.

    left: numbers of jobs by the week's number; each: seconds of one of them.
    """
    total = 0.0
    for week, count in left.items():
        seconds = each.get(week)
        if count and seconds is None:
            return None
        total += count * (seconds or 0.0)
    return total / max(1, min(at_once, sum(left.values())))


def seconds_each(timed: Iterable[Timed]) -> dict[int, float | None]:
    """Return the mean time of a job of each week; what took no time at all doesn't count."""
    by_week: dict[int, list[float]] = {}
    for one in timed:
        if one.seconds > 0:
            by_week.setdefault(one.week, []).append(one.seconds)
    return {week: fmean(seconds) for week, seconds in by_week.items()}


def duration(seconds: float) -> str:
    """Format a time in seconds: 40 s, 12 min, 2 h 10 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def in_words(seconds: float | None) -> str:
    """Say how long something still takes."""
    return "unknown time left" if seconds is None else f"about {duration(seconds)} left"


def what_took_longest(timed: Iterable[Timed], name_of: Callable[[int], str]) -> list[str]:
    """Return lines that name the longest jobs, and what the jobs of each week took together."""
    jobs = sorted(timed, key=lambda one: (-one.seconds, one.week, one.student))
    jobs = [one for one in jobs if one.seconds > 0]
    if not jobs:
        return []
    longest = (
        f"{one_line(one.student)}, {name_of(one.week)}: {one.seconds:.1f} s"
        for one in jobs[:LONGEST]
    )
    numbers = Counter(one.week for one in jobs)
    totals = (
        f"{name_of(week)}: {sum(one.seconds for one in jobs if one.week == week):.1f} s "
        f"({count} submission{'' if count == 1 else 's'})"
        for week, count in sorted(numbers.items())
    )
    return [f"Took longest: {'; '.join(longest)}", f"Took in all: {'; '.join(totals)}"]
