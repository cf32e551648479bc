"""Fills points into a column of another system's file, and tells of everybody who got none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from autograder.course.points import format_points
from autograder.integrations.gradebooks.exported_sheet import Sheet
from autograder.integrations.gradebooks.matching import Matched, Person
from autograder.integrations.gradebooks.points_column import Pending, Portion, scaled, written
from autograder.text.display import one_line

NAMED = 12


@dataclass
class Filled:
    """What was done to a file: whose cells got points, by column, and what has to be said."""

    columns: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Target:
    """A column to fill: where it is, and the most that it takes, in hundredths, None if unknown.

    `capped` says that the system refuses more than that. `sign` stands before decimals. `locked`
    tells why a row's cell is not to be touched, None where it may be.
    """

    column: int
    most: int | None
    sign: str
    locked: Callable[[Person], str | None]
    capped: bool = False


def fill_points(
    sheet: Sheet,
    target: Target,
    matched: Matched,
    portions: Mapping[str, Portion],
    pending: Pending,
    filled: Filled,
) -> dict[str, Portion]:
    """Fill a column; return the portions of those whose cells got points.

    Cells of all others stay as they are; `filled` gets a remark that names them.
    """
    name = sheet.header[target.column]
    done: dict[str, Portion] = {}
    left: dict[str, list[str]] = {}
    over = []
    for student, person in matched.rows.items():
        portion = portions[student]
        why = target.locked(person)
        if why is None and portion.pending and pending is Pending.LEAVE:
            why = "not graded completely (--pending so-far fills in the points so far)"
        if why is not None:
            left.setdefault(why, []).append(student)
            continue
        points = scaled(portion.points, portion.max_points, target.most)
        if target.capped and target.most is not None and points > target.most:
            points = target.most
            over.append(student)
        sheet.fill(person.row, target.column, written(points, target.sign))
        done[student] = portion
    filled.columns[name] = list(done)
    most = {portion.max_points for portion in done.values()}
    if target.most and most and most != {target.most}:
        ours = " or ".join(map(format_points, sorted(most)))
        there = format_points(target.most)
        filled.remarks.append(f"{one_line(name)}: points are scaled, {ours} here are {there} there")
    filled.remarks += [
        f"{one_line(name)}: left as it was: {why}: {some(who)}" for why, who in left.items()
    ]
    if over:
        filled.remarks.append(f"{one_line(name)}: more than there is to get, cut off: {some(over)}")
    return done


def tell_unmatched(matched: Matched, filled: Filled) -> None:
    """Say who could not be matched, on either side."""
    filled.remarks += [
        f"Not clear who it is, so left alone: {one_line(one)}" for one in matched.unclear
    ]
    if matched.unknown:
        filled.remarks.append(
            f"Graded here, and without a row in the file: {some(matched.unknown)}"
        )
    if matched.without:
        filled.remarks.append(f"In the file, and without results here: {some(matched.without)}")


def some(names: Iterable[str]) -> str:
    """Name a few and count the others."""
    every = sorted(names)
    shown = ", ".join(one_line(name, 80) for name in every[:NAMED])
    rest = len(every) - NAMED
    return shown + (f" and {rest} more" if rest > 0 else "")
