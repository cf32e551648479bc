"""Rows of the gradebook that stand once, however often they are named: texts, receipts and plans.

Each is found by a digest of its content, and never changed. All functions take part in the
transaction of their caller.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import zlib
from collections.abc import Sequence

DIGEST_BYTES = 16
SHORT = 120
"""Texts of fewer bytes don't become shorter by being compressed."""

Value = str | bytes | int | float | None
"""A value for a row: text of an earlier format comes as its bytes, which may be no UTF-8."""


def keep_text(connection: sqlite3.Connection, text: str | bytes) -> int:
    """Return the number of a text, which is kept if it is new."""
    content = text.encode() if isinstance(text, str) else text
    digest = _digest(content)
    known = connection.execute("SELECT id FROM texts WHERE digest = ?", (digest,)).fetchone()
    if known:
        return int(known[0])
    packed = zlib.compress(content, 9) if len(content) >= SHORT and _is_utf8(content) else content
    cast = "?" if len(packed) < len(content) else "CAST(? AS TEXT)"
    values = (digest, packed if len(packed) < len(content) else content)
    statement = f"INSERT INTO texts (digest, content) VALUES (?, {cast})"
    return _new(connection.execute(statement, values))


def text_of(connection: sqlite3.Connection, number: int) -> str:
    """Return a text by its number."""
    query = "SELECT content FROM texts WHERE id = ?"
    content = connection.execute(query, (number,)).fetchone()[0]
    return zlib.decompress(content).decode() if isinstance(content, bytes) else content


def keep_receipt(connection: sqlite3.Connection, values: Sequence[Value]) -> int:
    """Return the number of what was handed in, which is kept if it is new.

    `values` are the fingerprint, notices, refusal, documents, time and commit.
    """
    digest = _digest_of([values])
    known = connection.execute("SELECT id FROM receipts WHERE digest = ?", (digest,)).fetchone()
    if known:
        return int(known[0])
    columns = "digest, fingerprint, notices, refusal, documents, received, commit_hash"
    texts = ", ".join(["CAST(? AS TEXT)"] * len(values))
    statement = f"INSERT INTO receipts ({columns}) VALUES (?, {texts})"
    return _new(connection.execute(statement, (digest, *values)))


def keep_plan(connection: sqlite3.Connection, checks: Sequence[Sequence[Value]]) -> int:
    """Return the number of a plan, which is kept if it is new.

    `checks` are rows of id, item, title and weight, in the plan's order.
    """
    digest = _digest_of(checks)
    known = connection.execute("SELECT id FROM plans WHERE digest = ?", (digest,)).fetchone()
    if known:
        return int(known[0])
    plan = _new(connection.execute("INSERT INTO plans (digest) VALUES (?)", (digest,)))
    texts = ", ".join(["CAST(? AS TEXT)"] * 3)
    connection.executemany(
        f"INSERT INTO planned VALUES (?, ?, {texts}, ?)",
        [(plan, position, *check) for position, check in enumerate(checks)],
    )
    return plan


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()[:DIGEST_BYTES]


def _digest_of(rows: Sequence[Sequence[Value]]) -> bytes:
    """Return the digest of rows, the same for text and for its bytes."""
    plain = [
        [one.decode("utf-8", "surrogateescape") if isinstance(one, bytes) else one for one in row]
        for row in rows
    ]
    return _digest(json.dumps(plain).encode())


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _new(cursor: sqlite3.Cursor) -> int:
    assert cursor.lastrowid is not None
    return cursor.lastrowid
