"""Takes a gradebook from format 10 to format 11, which replaces nothing without a trace.

A mark is a line of its own, with its time and author; one that is given anew or withdrawn is a
further line. What was recorded of a job before is kept beside its present results, and so is what
counted for each student and item whenever reports were written.
"""

from __future__ import annotations

import sqlite3

MARKS = """CREATE TABLE marks (
        id INTEGER PRIMARY KEY, student TEXT NOT NULL, item TEXT NOT NULL, points INTEGER,
        comment TEXT NOT NULL, given TEXT, author TEXT NOT NULL)"""
"""No points: the mark was withdrawn. Of marks of earlier formats `given` is NULL, `author` ""."""

HISTORY = (
    "CREATE INDEX marks_by_student ON marks (student, item)",
    """CREATE TABLE recordings (
        id INTEGER PRIMARY KEY, job INTEGER NOT NULL, run INTEGER, recorded TEXT NOT NULL,
        seconds REAL NOT NULL)""",
    """CREATE TABLE earlier_results (
        replaced_by INTEGER NOT NULL REFERENCES recordings, job INTEGER NOT NULL,
        position INTEGER NOT NULL, verdict TEXT NOT NULL, credit INTEGER NOT NULL,
        seconds REAL NOT NULL, message INTEGER, misconception INTEGER, advice INTEGER,
        detail INTEGER, PRIMARY KEY (replaced_by, position)) WITHOUT ROWID""",
    """CREATE TABLE earlier_flags (
        replaced_by INTEGER NOT NULL REFERENCES recordings, job INTEGER NOT NULL,
        position INTEGER NOT NULL, rule TEXT NOT NULL, item TEXT, place TEXT NOT NULL,
        evidence TEXT NOT NULL, PRIMARY KEY (replaced_by, position)) WITHOUT ROWID""",
    """CREATE TABLE editions (
        id INTEGER PRIMARY KEY, made TEXT NOT NULL, author TEXT NOT NULL, command TEXT NOT NULL,
        run INTEGER, rubric INTEGER NOT NULL REFERENCES texts)""",
    """CREATE TABLE counted (
        student TEXT NOT NULL, item TEXT NOT NULL, edition INTEGER NOT NULL REFERENCES editions,
        points INTEGER, final INTEGER, most INTEGER, kept INTEGER NOT NULL, reason TEXT NOT NULL,
        job INTEGER, mark INTEGER, override TEXT NOT NULL,
        PRIMARY KEY (student, item, edition)) WITHOUT ROWID""",
)
"""An edition is what counted when reports were written; `counted` holds, of each, what differs from
the edition before. No `points`: not graded. No `most`: the item is no longer there."""


def upgrade_from_10(connection: sqlite3.Connection) -> None:
    """Give the marks room for their history, as part of the caller's transaction."""
    connection.execute("ALTER TABLE runs ADD COLUMN author TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE marks RENAME TO old_marks")
    connection.execute(MARKS)
    connection.execute(
        """INSERT INTO marks (student, item, points, comment, given, author)
            SELECT student, item, points, comment, NULL, '' FROM old_marks ORDER BY student, item"""
    )
    connection.execute("DROP TABLE old_marks")
    for statement in HISTORY:
        connection.execute(statement)
