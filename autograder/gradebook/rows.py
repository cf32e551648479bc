"""Conversion of records to rows of the gradebook's tables, and back."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict
from typing import Any

from autograder.gradebook.flags import Flag
from autograder.records import CheckResult, Verdict


def storable(text: str | None) -> str | None:
    """Make text storable: SQLite takes no lone surrogates, and messages may quote some."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def result_row(key: str, result: CheckResult) -> tuple[Any, ...]:
    fields = asdict(result)
    return (
        key,
        result.check,
        str(result.verdict),
        result.credit,
        storable(result.message),
        float(result.seconds),
        result.misconception,
        storable(result.advice),
        json.dumps(fields["detail"]),
    )


def result_of(row: sqlite3.Row) -> CheckResult:
    return CheckResult(
        check=row["id"],
        verdict=Verdict(row["verdict"]),
        credit=row["credit"],
        message=row["message"],
        seconds=row["seconds"],
        misconception=row["misconception"],
        advice=row["advice"],
        detail=json.loads(row["detail"]),
    )


def flag_row(key: str, position: int, flag: Flag) -> tuple[Any, ...]:
    """Return the row of a flag, the one at `position` in its job."""
    texts = map(storable, (flag.rule, flag.item, flag.place, flag.evidence))
    return (key, position, *texts)
