"""What a week's sandboxes refuse of the packages that it may use: the list beside its hidden suite.

The list is for graders alone. It reaches a sandbox beside the week's drivers and probes, where
`worker.sandboxed.ready_made` reads it before any student code runs.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.course import CourseError
from autograder.suite.week_worker import WeekWorker
from autograder.worker.sandboxed.ready_made import LIST
from autograder.worker.week_drivers import WeekFolders

FILE = "refused.toml"
"""The list's name, in the folder of a hidden suite."""

KEYS = {"operators", "code", "unread", "instead"}


@dataclass(frozen=True, eq=False)
class RefusingWorker(WeekWorker):
    """A week's drivers and probes, in sandboxes that refuse what the list `refused` names."""

    refused: bytes = b"[]"

    @cached_property
    def folders(self) -> WeekFolders:
        """The folders' files, and the list."""
        files = WeekWorker(self.base, self.names).folders.files
        return WeekFolders(self.names, {**files, LIST: self.refused})


def refusing(worker: WeekWorker, suite: Path) -> WeekWorker:
    """Return a week's worker with the list of its hidden suite, itself where there is none.

    Raises CourseError for a list that can't be used.
    """
    path = suite / FILE
    if not path.is_file():
        return worker
    refused = json.dumps(_read(path)).encode()
    return RefusingWorker(worker.base, worker.names, worker.homes, refused)


def the_list_alone(folders: WeekFolders) -> WeekFolders:
    """Return the list without drivers and probes, for a script, which needs none of these."""
    return WeekFolders((), {LIST: folders.files[LIST]} if LIST in folders.files else {})


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        tables: list[dict[str, Any]] = tomllib.loads(path.read_text("utf-8"))["refused"]
        for table in tables:
            if set(table) != KEYS:
                raise ValueError(f"a table has {', '.join(sorted(table))}")
            for pattern in (table["operators"], *(names for _, names in table["code"])):
                re.compile(pattern)
    except (KeyError, TypeError, ValueError, re.error) as error:
        place = f"assignments/.../{path.parent.name}/{path.name}"
        remedy = f"Write tables [[refused]] with {', '.join(sorted(KEYS))}"
        raise CourseError(place, "refused", f"it can't be used: {error}", remedy) from error
    return tables
