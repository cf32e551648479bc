"""Conversion of records to rows of the gradebook's tables, and back."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from typing import Any

from autograder.gradebook.flags import Flag
from autograder.records import CheckResult, Verdict


def storable(text: str | None) -> str | None:
    """Make text storable: SQLite takes no lone surrogates, and messages may quote some."""
    return None if text is None else text.encode("utf-8", "backslashreplace").decode("utf-8")


def result_row(result: CheckResult, keep: Callable[[str], int]) -> tuple[Any, ...]:
    """Return a result's row, without its job and position; `keep` gives the numbers of texts."""
    detail = json.dumps(result.detail)
    texts = (
        storable(result.message or None),
        storable(result.misconception),
        storable(result.advice),
        None if detail == "{}" else detail,
    )
    numbers = (None if text is None else keep(text) for text in texts)
    return (str(result.verdict), result.credit, float(result.seconds), *numbers)


def result_of(row: sqlite3.Row, check: str, text: Callable[[int], str]) -> CheckResult:
    """Return the result of a check; `text` gives a text by its number."""
    message, misconception, advice, detail = (
        None if row[name] is None else text(row[name])
        for name in ("message", "misconception", "advice", "detail")
    )
    return CheckResult(
        check=check,
        verdict=Verdict(row["verdict"]),
        credit=row["credit"],
        message=message or "",
        seconds=row["seconds"],
        misconception=misconception,
        advice=advice,
        detail={} if detail is None else json.loads(detail),
    )


def flag_row(job: int, position: int, flag: Flag) -> tuple[Any, ...]:
    """Return the row of a flag, the one at `position` in its job."""
    texts = map(storable, (flag.rule, flag.item, flag.place, flag.evidence))
    return (job, position, *texts)
