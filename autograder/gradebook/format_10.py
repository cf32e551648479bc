"""Takes a gradebook from format 9, whose every job repeated its plan and texts, to format 10."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial

from autograder.gradebook.shared_rows import Value, keep_plan, keep_receipt, keep_text

MOVED = ("flags", "results", "planned", "jobs", "submissions")
"""The tables that are made anew, those that name others first."""


REMEMBERED = 50_000
"""Number of texts whose numbers are remembered during an upgrade."""


@dataclass(frozen=True)
class _Shared:
    """Gives the numbers of plans and texts, and keeps those that are new."""

    plan: Callable[[tuple[tuple[Value, ...], ...]], int]
    text: Callable[[bytes | None], int | None]


def upgrade_from_9(connection: sqlite3.Connection, tables: Iterable[str]) -> None:
    """Move all rows into the `tables` of format 10, as part of the caller's transaction.

    What can't be read, or means nothing, is moved as it is: whoever reads it finds it as before.
    """
    for name in ("submissions_by_student", "jobs_by_student"):
        connection.execute(f"DROP INDEX IF EXISTS {name}")
    for name in MOVED:
        connection.execute(f"ALTER TABLE {name} RENAME TO old_{name}")
    for statement in tables:
        connection.execute(statement)
    factory = connection.text_factory
    connection.text_factory = bytes  # what is no UTF-8 is moved, too
    try:
        _move_submissions(connection)
        shared = _Shared(
            cache(partial(keep_plan, connection)),
            lru_cache(REMEMBERED)(partial(_keep, connection)),
        )
        for job in connection.execute("SELECT * FROM old_jobs ORDER BY rowid").fetchall():
            _move_job(connection, job, shared)
        _move_strays(connection)
    finally:
        connection.text_factory = factory
    # Where SQLite overwrites what it frees, as in Debian, that would be a second copy on the disk.
    overwrites = connection.execute("PRAGMA secure_delete").fetchone()[0]
    connection.execute("PRAGMA secure_delete = OFF")
    for name in MOVED:
        connection.execute(f"DROP TABLE old_{name}")
    connection.execute(f"PRAGMA secure_delete = {overwrites}")


def _move_submissions(connection: sqlite3.Connection) -> None:
    fields = ("fingerprint", "notices", "refusal", "documents", "received", "commit_hash")
    for row in connection.execute("SELECT * FROM old_submissions ORDER BY id"):
        receipt = keep_receipt(connection, [row[field] for field in fields])
        connection.execute(
            "INSERT INTO submissions VALUES (CAST(? AS TEXT), ?, ?, ?)",
            (row["student"], row["week"], row["run"], receipt),
        )


def _move_job(connection: sqlite3.Connection, job: sqlite3.Row, shared: _Shared) -> None:
    """Move a job with its plan, results and flags."""
    query = "SELECT id, item, title, weight FROM old_planned WHERE job = CAST(? AS TEXT)"
    key = job["key"]
    rows = connection.execute(f"{query} ORDER BY position, id", (key,))
    checks = tuple(map(tuple, rows))
    texts = ("key", "student", "fingerprint", "confinement", "state", "part", "dependencies")
    columns = job.keys()
    values = ", ".join("CAST(? AS TEXT)" if name in texts else "?" for name in columns)
    number = connection.execute(
        f"INSERT INTO jobs ({', '.join(columns)}, plan) VALUES ({values}, ?)",
        (*job, shared.plan(checks)),
    ).lastrowid
    assert number is not None
    positions = {check[0]: position for position, check in enumerate(checks)}
    results = connection.execute("SELECT * FROM old_results WHERE job = CAST(? AS TEXT)", (key,))
    connection.executemany(
        "INSERT INTO results VALUES (?, ?, CAST(? AS TEXT), ?, ?, ?, ?, ?, ?)",
        [
            (number, positions[row["id"]], *_values(row, shared.text))
            for row in results
            if row["id"] in positions
        ],
    )
    connection.execute(
        """INSERT INTO flags SELECT ?, position, rule, item, place, evidence FROM old_flags
            WHERE job = CAST(? AS TEXT)""",
        (number, key),
    )


def _values(row: sqlite3.Row, text: Callable[[bytes | None], int | None]) -> Iterable[Value]:
    """Return a result's values from its verdict on."""
    yield from (row["verdict"], row["credit"], row["seconds"], text(row["message"] or None))
    yield from (text(row["misconception"]), text(row["advice"]))
    yield text(None if row["detail"] == b"{}" else row["detail"])


def _keep(connection: sqlite3.Connection, text: bytes | None) -> int | None:
    return None if text is None else keep_text(connection, text)


def _move_strays(connection: sqlite3.Connection) -> None:
    """Keep the rows that belong to no job, and the results of checks that were never planned."""
    no_job = "WHERE job NOT IN (SELECT key FROM old_jobs)"
    planned = "SELECT 1 FROM old_planned WHERE job = old_results.job AND id = old_results.id"
    no_check = f"{no_job} OR NOT EXISTS ({planned})"
    for name, where in (("planned", no_job), ("results", no_check), ("flags", no_job)):
        rows = connection.execute(f"SELECT * FROM old_{name} {where}").fetchall()
        connection.executemany(
            "INSERT INTO strays VALUES (?, ?)", [(name, json.dumps(_readable(row))) for row in rows]
        )


def _readable(row: Sequence[Value]) -> list[Value]:
    """Return a row's values, with what is no UTF-8 in escapes."""
    return [
        one.decode("utf-8", "backslashreplace") if isinstance(one, bytes) else one for one in row
    ]
