"""Results and flags of a job that later ones have replaced: kept, with the time of that."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.gradebook.rows import result_of
from autograder.records import CheckResult, PlannedCheck

MEASURED = "verdict, credit, message, misconception, advice, detail"
"""All of a result but the seconds that it took, which differ each time."""


@dataclass(frozen=True)
class Recording:
    """One recording of results of a job, by their numbers."""

    number: int
    job: int


@dataclass(frozen=True)
class Replaced:
    """A result that another one replaced, and when that was (ISO 8601, UTC)."""

    result: CheckResult
    replaced: str


def keep_replaced(
    connection: sqlite3.Connection,
    recording: Recording,
    results: Sequence[Sequence[Any]],
    flags: Sequence[Sequence[Any]],
) -> None:
    """Keep what these rows are about to replace, where it differs; in the caller's transaction."""
    number, job = recording.number, recording.job
    connection.executemany(
        f"""INSERT INTO earlier_results SELECT {number}, * FROM results
            WHERE job = ? AND position = ? AND ({MEASURED}) IS NOT (?, ?, ?, ?, ?, ?)""",
        [(*row[:4], *row[5:]) for row in results],
    )
    before = connection.execute("SELECT * FROM flags WHERE job = ? ORDER BY position", (job,))
    if [tuple(row) for row in before] != [tuple(row) for row in flags]:
        connection.execute(
            f"INSERT INTO earlier_flags SELECT {number}, * FROM flags WHERE job = ?", (job,)
        )


def read_replaced(
    connection: sqlite3.Connection,
    job: int,
    plan: Sequence[PlannedCheck],
    text: Callable[[int], str],
) -> list[Replaced]:
    """Return the results of a job that were replaced, the first ones first."""
    rows = connection.execute(
        """SELECT earlier_results.*, recorded FROM earlier_results
            JOIN recordings ON recordings.id = replaced_by
            WHERE earlier_results.job = ? ORDER BY replaced_by, position""",
        (job,),
    )
    return [
        Replaced(result_of(row, plan[row["position"]].id, text), row["recorded"]) for row in rows
    ]
