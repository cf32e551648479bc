"""The gradebook's tables, and the upgrades from earlier formats.

What repeats stands once: texts in `texts`, the checks of a plan in `planned`, whoever is graded by
them, and what was handed in in `receipts`, however many runs saw it. A submission, a job and a
result only name these rows.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from autograder.gradebook.format_10 import upgrade_from_9
from autograder.gradebook.format_11 import HISTORY, MARKS, upgrade_from_10
from autograder.gradebook.overrides import OVERRIDES

SCHEMA_VERSION = 12
APPLICATION_ID = 0x4E4E4642

TABLES = (
    """CREATE TABLE texts (
        id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, content NOT NULL)""",
    """CREATE TABLE receipts (
        id INTEGER PRIMARY KEY, digest BLOB NOT NULL UNIQUE, fingerprint TEXT NOT NULL,
        notices TEXT NOT NULL, refusal TEXT, documents TEXT NOT NULL, received TEXT,
        commit_hash TEXT)""",
    """CREATE TABLE submissions (
        student TEXT NOT NULL, week INTEGER NOT NULL, run INTEGER NOT NULL REFERENCES runs,
        receipt INTEGER NOT NULL REFERENCES receipts,
        PRIMARY KEY (student, week, run)) WITHOUT ROWID""",
    "CREATE INDEX submissions_by_run ON submissions (run)",
    """CREATE TABLE plans (
        id INTEGER PRIMARY KEY AUTOINCREMENT, digest BLOB NOT NULL UNIQUE)""",
    """CREATE TABLE planned (
        plan INTEGER NOT NULL REFERENCES plans, position INTEGER NOT NULL, id TEXT NOT NULL,
        item TEXT NOT NULL, title TEXT NOT NULL, weight INTEGER NOT NULL,
        PRIMARY KEY (plan, position)) WITHOUT ROWID""",
    """CREATE TABLE jobs (
        id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, run INTEGER NOT NULL REFERENCES runs,
        student TEXT NOT NULL, week INTEGER NOT NULL, fingerprint TEXT NOT NULL,
        confinement TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('planned', 'finished')),
        seconds REAL NOT NULL, turn INTEGER NOT NULL, part TEXT NOT NULL, dependencies TEXT,
        plan INTEGER NOT NULL REFERENCES plans)""",
    "CREATE INDEX jobs_by_student ON jobs (student, week)",
    "CREATE INDEX jobs_by_turn ON jobs (turn)",
    """CREATE TABLE results (
        job INTEGER NOT NULL REFERENCES jobs, position INTEGER NOT NULL, verdict TEXT NOT NULL,
        credit INTEGER NOT NULL, seconds REAL NOT NULL, message INTEGER REFERENCES texts,
        misconception INTEGER REFERENCES texts, advice INTEGER REFERENCES texts,
        detail INTEGER REFERENCES texts,
        PRIMARY KEY (job, position)) WITHOUT ROWID""",
    """CREATE TABLE flags (
        job INTEGER NOT NULL REFERENCES jobs, position INTEGER NOT NULL, rule TEXT NOT NULL,
        item TEXT, place TEXT NOT NULL, evidence TEXT NOT NULL,
        PRIMARY KEY (job, position)) WITHOUT ROWID""",
    "CREATE TABLE strays (origin TEXT NOT NULL, content TEXT NOT NULL)",
)
"""The tables that format 10 brought. A result belongs to the check at its position in its job's
plan; no message is "", no detail is {}. `strays` holds rows of earlier formats that belong to no
job or to no check, which nothing reads."""

DEPENDENCIES = """CREATE TABLE dependencies (
        digest TEXT PRIMARY KEY, parts TEXT NOT NULL) WITHOUT ROWID"""

HEARTBEATS = """CREATE TABLE heartbeats (
        run INTEGER PRIMARY KEY REFERENCES runs, pid INTEGER NOT NULL, host TEXT NOT NULL,
        at_once INTEGER NOT NULL, heard TEXT NOT NULL, running TEXT NOT NULL)"""

SCHEMA = (
    """CREATE TABLE runs (
        id INTEGER PRIMARY KEY, started TEXT NOT NULL, finished TEXT, confinement TEXT NOT NULL,
        data TEXT NOT NULL, salt_digest TEXT NOT NULL, versions TEXT NOT NULL,
        author TEXT NOT NULL DEFAULT '')""",
    MARKS,
    *HISTORY,
    *TABLES,
    DEPENDENCIES,
    HEARTBEATS,
    OVERRIDES,
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA_VERSION}",
)

UPGRADES: dict[int, str | Callable[[sqlite3.Connection], None]] = {
    1: "ALTER TABLE submissions ADD COLUMN documents TEXT NOT NULL DEFAULT '{}'",
    2: "ALTER TABLE jobs ADD COLUMN part TEXT NOT NULL DEFAULT 'suite'",
    3: """CREATE TABLE flags (
        job TEXT NOT NULL REFERENCES jobs, position INTEGER NOT NULL, rule TEXT NOT NULL, item TEXT,
        place TEXT NOT NULL, evidence TEXT NOT NULL,
        PRIMARY KEY (job, position)) WITHOUT ROWID""",
    4: "ALTER TABLE submissions ADD COLUMN received TEXT",
    5: "ALTER TABLE submissions ADD COLUMN commit_hash TEXT",
    6: DEPENDENCIES,
    7: "ALTER TABLE jobs ADD COLUMN dependencies TEXT",
    8: HEARTBEATS,
    9: lambda connection: upgrade_from_9(connection, TABLES),
    10: upgrade_from_10,
    11: OVERRIDES,
}
"""The statement or function that upgrades each earlier format to the next one."""
