"""submission_metadata.json of Gradescope: submitters, times, due dates and earlier results."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from autograder.errors import InputError
from autograder.gradebook.ids import student_id
from autograder.integrations.gradescope.results import is_number

MAX_BYTES = 256 * 1024 * 1024
"""The file contains the results of all earlier submissions."""
ID_KEYS = ("sid", "email", "name", "id")
"""The keys that identify a student, the most reliable first; as in an export of Gradescope's."""
UNCOUNTED_STATES = ("limited", "failed", "refused")


class MetadataError(InputError):
    """The metadata can't be used; the message says why."""


@dataclass(frozen=True)
class EarlierSubmission:
    """An earlier submission of the same student or group, and its results."""

    received: datetime
    score: float
    results: Mapping[str, Any]

    @property
    def counted(self) -> bool:
        """Whether it counts as a grading.

        Hidden tests were not run where it was over the limit or was refused, and a failure of the
        grader must not cost a grading.
        """
        return self._extra.get("state") not in UNCOUNTED_STATES

    @property
    def _extra(self) -> Mapping[str, Any]:
        extra = self.results.get("extra_data")
        return extra if isinstance(extra, dict) else {}


@dataclass(frozen=True)
class Metadata:
    """Gradescope's metadata of a submission; what is unknown is None or empty.

    `due` is the latest due date of a group's members: each may have an extension.
    """

    student: str = "student"
    received: datetime | None = None
    due: datetime | None = None
    earlier: tuple[EarlierSubmission, ...] = field(default=())


def read_metadata(path: Path) -> Metadata:
    """Read the metadata. Raises MetadataError where there is none, or it is no such JSON."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MetadataError(f"{path} is larger than {MAX_BYTES >> 20} MB")
        metadata = json.loads(path.read_bytes())
    except OSError as error:
        raise MetadataError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{path} is not valid JSON") from error
    if not isinstance(metadata, dict):
        raise MetadataError(f"{path} holds no JSON object")
    users = [user for user in _list(metadata.get("users")) if isinstance(user, dict)]
    dues = [_due(user) or _due(metadata) for user in users] or [_due(metadata)]
    names = (str(user[name]) for user in users[:1] for name in ID_KEYS if user.get(name))
    return Metadata(
        student=student_id(next(names, "student")),
        received=_time(metadata.get("created_at")),
        due=None if None in dues else max(due for due in dues if due),
        earlier=tuple(sorted(_earlier(metadata), key=lambda submission: submission.received)),
    )


def graded_on_that_day(metadata: Metadata, zone: tzinfo) -> int:
    """Count the earlier gradings of the day, in `zone`, on which this was handed in."""
    now = metadata.received
    if now is None:
        return 0
    day = now.astimezone(zone).date()
    counted = (submission.received for submission in metadata.earlier if submission.counted)
    return sum(time <= now and time.astimezone(zone).date() == day for time in counted)


def _earlier(metadata: Mapping[str, Any]) -> Iterator[EarlierSubmission]:
    for entry in _list(metadata.get("previous_submissions")):
        if not isinstance(entry, dict):
            continue
        received = _time(entry.get("submission_time") or entry.get("created_at"))
        if received is not None:
            results = entry["results"] if isinstance(entry.get("results"), dict) else {}
            scores = (entry.get("score"), results.get("score"), 0.0)
            yield EarlierSubmission(received, float(next(filter(is_number, scores))), results)


def _due(owner: Mapping[str, Any]) -> datetime | None:
    assignment = owner.get("assignment")
    return _time(assignment.get("due_date")) if isinstance(assignment, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _time(value: Any) -> datetime | None:
    """Return a time with its zone; None for anything else."""
    try:
        time = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return time if time is not None and time.tzinfo else None
