"""The hints of a week: hints.toml beside its handout, a ladder of rungs for each task."""

from __future__ import annotations

import tomllib
from pathlib import Path

from autograder.errors import AuthorError

HINTS_FILE = "hints.toml"

LEAST_RUNGS = 3
"""Minimum rungs of a ladder: the shape, one entry by hand, a worked analogue elsewhere."""


def read_hints(root: Path, folder: str) -> dict[str, tuple[str, ...]]:
    """Return the ladders of the week in `folder`, by the ids of their tasks; none without a file.

    Raises AuthorError for a file that can't be read, or that holds anything but ladders.
    """
    path = root / "assignments" / folder / HINTS_FILE
    if not path.is_file():
        return {}
    name = path.relative_to(root).as_posix()
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise AuthorError(f"{name}: not valid TOML: {error}", "Correct it") from error
    return {task: _ladder(name, task, table) for task, table in tables.items()}


def _ladder(name: str, task: str, table: object) -> tuple[str, ...]:
    """Return the rungs of one table, without the blank lines around them."""
    rungs = table.get("hints") if isinstance(table, dict) and len(table) == 1 else None
    if not isinstance(rungs, list) or not all(isinstance(r, str) and r.strip() for r in rungs):
        remedy = f'Write a table like ["{task}"] with nothing but hints = ["...", "...", "..."]'
        raise AuthorError(f"{name}: {task} is no list of hints", remedy)
    return tuple(rung.strip() for rung in rungs)
