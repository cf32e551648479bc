"""Gradebooks as earlier versions wrote them, for the tests of upgrades.

format_9.sqlite.gz was written by the last version that wrote format 9. In it are real results of
two students of the simulated class in week 1, and of ada, ben and cleo what a term brings: files
handed in anew, another suite, plans that came to no result, failures of ours, a refused archive, a
training, flags, marks and texts that no encoding has.
"""

from __future__ import annotations

import gzip
import sqlite3
from contextlib import closing
from pathlib import Path

FORMAT_9 = Path(__file__).with_name("format_9.sqlite.gz")

LATER = {
    1: "ALTER TABLE submissions DROP COLUMN documents",
    2: "ALTER TABLE jobs DROP COLUMN part",
    3: "DROP TABLE flags",
    4: "ALTER TABLE submissions DROP COLUMN received",
    5: "ALTER TABLE submissions DROP COLUMN commit_hash",
    6: "DROP TABLE dependencies",
    7: "ALTER TABLE jobs DROP COLUMN dependencies",
    8: "DROP TABLE heartbeats",
}
"""What takes away, of format 9, that which each format did not have yet."""


def write_earlier(path: Path, version: int = 9, *statements: str) -> None:
    """Write the gradebook of format 9 or an earlier one, after some more statements."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.decompress(FORMAT_9.read_bytes()))
    with closing(sqlite3.connect(path)) as raw, raw:
        for number in range(8, version - 1, -1):
            raw.execute(LATER[number])
        for statement in statements:
            raw.execute(statement)
        raw.execute(f"PRAGMA user_version = {version}")
