"""Which nodes may grade: those that would give the results that the head expects.

What a week's results depend on is compared part by part (see `fingerprint`): Python and packages,
our code, the course's files, its salt, its data, and the confinement. A node that differs in any of
them is refused, and the refusal says in what.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from autograder.course import Course
from autograder.grading import fingerprint
from autograder.grading.cluster.exchange import Proof, WeekProof
from autograder.grading.fingerprint import CONFINEMENT, DIGEST_LENGTH, Parts
from autograder.grading.operations import Plan
from autograder.grading.setting import Setting
from autograder.text.display import one_line

NAMED = 5
"""Number of differences that a refusal names."""

PartsOf = Callable[[int, str], Parts]
"""Takes a week's number and a confinement, returns what the week's results depend on here."""


@dataclass(frozen=True)
class Proved:
    """What a node proved: its places, its confinement, and its plans by the week's number."""

    host: str
    places: int
    confinement: str
    plans: Mapping[int, Plan]

    @property
    def rung(self) -> str:
        """The letter of the rung of confinement."""
        return self.confinement[:1]


def parts_here(course: Course, setting: Setting) -> PartsOf:
    """Return a function that says what a week's results depend on on this machine."""
    known: dict[tuple[int, str], Parts] = {}

    def parts(week: int, confinement: str) -> Parts:
        if (week, confinement) not in known:
            known[week, confinement] = fingerprint.parts_of_week(
                setting.root, course, course.week(week), confinement, setting.datasets[week]
            )
        return known[week, confinement]

    return parts


def proved(proof: Proof, weeks: Collection[int], parts: PartsOf) -> Proved | str:
    """Return what a node proved, or why it is refused."""
    told = {one.week: one for one in proof.weeks}
    names = {one.described.confinement for one in proof.weeks}
    if set(told) != set(weeks) or len(told) != len(proof.weeks) or len(names) != 1:
        return "it proved other weeks than it was asked for"
    [confinement] = names
    faults = _differences(proof.weeks, confinement, parts)
    if faults:
        more = f" and {len(faults) - NAMED} more" if len(faults) > NAMED else ""
        return f"it differs from this machine in {'; '.join(faults[:NAMED])}{more}"
    plans = {}
    for week, one in told.items():
        if one.described.fingerprint != fingerprint.digest(one.parts):
            return f"a file of week {week} changed there while it got ready"
        checks = [check.record() for check in one.described.checks]
        versions = dict(one.described.versions)
        plans[week] = Plan(checks, one.described.fingerprint, confinement, versions)
    return Proved(proof.host, proof.places, confinement, plans)


def _differences(weeks: Sequence[WeekProof], confinement: str, parts: PartsOf) -> list[str]:
    """Name what differs, each once, what is short with both values."""
    found: dict[str, None] = {}
    for one in weeks:
        here, there = parts(one.week, confinement), one.parts
        for name in sorted(here.keys() | there.keys(), key=_importance):
            if here.get(name) != there.get(name):
                found[_difference(name, there.get(name), here.get(name))] = None
    return list(found)


def _importance(name: str) -> tuple[bool, bool, str]:
    """Versions first, then settings, salt and data; files last."""
    versions = name.startswith(fingerprint.VERSIONS)
    file = name.startswith((fingerprint.CODE, fingerprint.TESTS, fingerprint.TOOLS))
    return not versions, file, name


def _difference(name: str, there: str | None, here: str | None) -> str:
    name = one_line(name, 100)
    if there is None or here is None:
        return f"{name} (missing {'there' if there is None else 'here'})"
    if name == CONFINEMENT or not name.startswith(fingerprint.VERSIONS):
        return name
    short = (one_line(text, DIGEST_LENGTH) for text in (there, here))
    return "{} ({} there, {} here)".format(name, *short)


def best(found: Sequence[Proved]) -> str:
    """Return the confinement to grade with: the best rung, of it what most nodes have."""
    counts = {one.confinement: 0 for one in found}
    for one in found:
        counts[one.confinement] += one.places
    return min(counts, key=lambda name: (name[:1], -counts[name], name))


def why_not(one: Proved, chosen: str, plans: Mapping[int, Plan], rung: str | None) -> str:
    """Return why a node that proved itself is refused in this run; "" if it isn't."""
    if rung is not None and one.rung != rung:
        return f"it confines student code by {one.confinement}, and rung {rung} is asked for"
    if one.confinement != chosen:
        return f"it confines student code by {one.confinement}, the others by {chosen}"
    for week, plan in one.plans.items():
        if plan.checks != plans[week].checks or plan.fingerprint != plans[week].fingerprint:
            return f"it plans other checks for week {week}"
    return ""
