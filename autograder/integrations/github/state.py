"""State of a class's repositories that is kept between two runs, in one file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from autograder.errors import RecordError
from autograder.text.files import write_text

FILE = ".fetched.json"
"""It lies beside the submissions; names that begin with a dot are no submissions."""
SCHEMA = "nnf/fetched/v1"


class StateError(RecordError):
    """The file can't be used: it is none of ours, or of another version."""


@dataclass(frozen=True)
class WeekState:
    """The commit that last changed a week's files, and its hand-in time (ISO, UTC).

    `seen` has the hand-in times of all commits that were ever the last, by their hashes; `remark`
    says where the time comes from, if it is not the commit's own.
    """

    commit: str
    received: str
    remark: str = ""
    seen: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RepositoryState:
    """One student's repository at the last check, at the time `looked` (ISO, UTC).

    `commit` is the newest of the default branch, "" where there was none yet. `reported` is the
    digest of the last report to the student, "" for none.
    """

    url: str
    commit: str
    looked: str
    weeks: dict[str, WeekState] = field(default_factory=dict)
    reported: str = ""


States = dict[str, RepositoryState]


def read_states(folder: Path) -> States:
    """Return the states by student; none where nothing was fetched yet."""
    path = folder / FILE
    try:
        data = json.loads(path.read_text("utf-8"))
        if data["schema"] != SCHEMA:
            raise ValueError(f"its schema is {data['schema']!r}")
        return {student: _state(entry) for student, entry in data["students"].items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        problem = f"{path} can't be used ({type(error).__name__}: {error})"
        raise StateError(
            f"{problem}. Take a copy from before. Or delete it: everything is fetched anew then, "
            "and counts as handed in at that time, since nobody knows when it came."
        ) from error


def _state(entry: dict[str, Any]) -> RepositoryState:
    weeks = {name: WeekState(**week) for name, week in entry["weeks"].items()}
    return RepositoryState(**{**entry, "weeks": weeks})


def write_states(folder: Path, states: States) -> None:
    """Write the states, which replace the earlier file."""
    students = {student: asdict(state) for student, state in sorted(states.items())}
    write_text(folder / FILE, json.dumps({"schema": SCHEMA, "students": students}, indent=1) + "\n")
