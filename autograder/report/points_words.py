"""A student's points in words: what is extra credit is said apart."""

from __future__ import annotations

from autograder.course.points import format_points
from autograder.course.scoring import ComponentScore, ItemScore, PhaseScore, StudentScore

EXCUSED = "excused"
"""The reason of an item that counts neither for nor against a student."""


def points_in_words(score: StudentScore | PhaseScore, *, final: bool = False) -> str:
    """Return, say, "82.4 of 95 points, and 12 of 20 extra"; with `final`, those that count."""
    extra, most = _extra(score, final)
    regular = (score.final if final else score.total) - extra
    text = f"{format_points(regular)} of {format_points(score.max_total)} points"
    return f"{text}, and {format_points(extra)} of {format_points(most)} extra" if most else text


def is_excused(part: ItemScore | ComponentScore | PhaseScore) -> bool:
    """Whether a person excused the student from an item, or from all of a component or a phase."""
    if isinstance(part, ItemScore):
        return part.reason == EXCUSED
    return part.is_open and all(map(is_excused, part.items))


def points_of(part: ItemScore | ComponentScore | PhaseScore) -> str:
    """Return, say, "3.5 of 4", or "excused" where there is nothing to get for this student."""
    if is_excused(part):
        return EXCUSED
    if isinstance(part, PhaseScore):
        return points_in_words(part)
    return f"{format_points(part.points)} of {format_points(part.max_points)}"


def pending_points(score: StudentScore) -> int:
    """Return the points that pending items may still add to `total`."""
    return sum(item.max_points - item.points for item in score.items if item.pending)


def _extra(score: StudentScore | PhaseScore, final: bool) -> tuple[int, int]:
    """Return the extra credit that a student has, and the most that there is of it now."""
    parts = [part for part in score.components if part.extra and part.is_open]
    has = sum(part.final if final else part.points for part in parts)
    return has, sum(part.max_points for part in parts)
