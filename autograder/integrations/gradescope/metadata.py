"""submission_metadata.json: who handed in, when, by when it was due, and what was graded before."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from autograder.errors import InputError
from autograder.intake.students import student_id
from autograder.integrations.gradescope.results import is_number

MAX_BYTES = 256 * 1024 * 1024
"""It holds the results of all earlier submissions."""
NAMES = ("sid", "email", "name", "id")
"""What names a student, the best first; as in an export of Gradescope's."""
NOT_COUNTED = ("limited", "failed", "refused")


class MetadataError(InputError):
    """The metadata can't be used; the message says why."""


@dataclass(frozen=True)
class Earlier:
    """An earlier submission of the same student or group, and its results.

    `counted` says whether hidden tests were run for it: not where it came over the limit or was not
    taken; and where the grader failed, that shall cost nobody a grading.
    """

    when: datetime
    score: float
    results: Mapping[str, Any]

    @property
    def counted(self) -> bool:
        """Whether it counts as a grading."""
        return self._extra.get("state") not in NOT_COUNTED

    @property
    def _extra(self) -> Mapping[str, Any]:
        extra = self.results.get("extra_data")
        return extra if isinstance(extra, dict) else {}


@dataclass(frozen=True)
class Metadata:
    """What Gradescope says of a submission; a time is None, a list empty, where it doesn't.

    `due` is the latest due date of those who handed in together: each may have an extension.
    """

    student: str = "student"
    received: datetime | None = None
    due: datetime | None = None
    earlier: tuple[Earlier, ...] = field(default=())


def read_metadata(path: Path) -> Metadata:
    """Read the metadata. Raises MetadataError where there is none, or it is no such JSON."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise MetadataError(f"{path} is larger than {MAX_BYTES >> 20} MB")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise MetadataError(f"{path} can't be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise MetadataError(f"{path} is not valid JSON") from error
    if not isinstance(found, dict):
        raise MetadataError(f"{path} holds no JSON object")
    users = [user for user in _list(found.get("users")) if isinstance(user, dict)]
    dues = [_due(user) or _due(found) for user in users] or [_due(found)]
    names = (str(user[name]) for user in users[:1] for name in NAMES if user.get(name))
    return Metadata(
        student=student_id(next(names, "student")),
        received=_time(found.get("created_at")),
        due=None if None in dues else max(due for due in dues if due),
        earlier=tuple(sorted(_earlier(found), key=lambda one: one.when)),
    )


def graded_on_that_day(metadata: Metadata, zone: tzinfo) -> int:
    """Count the gradings of the day, in `zone`, on which this was handed in, before it was."""
    now = metadata.received
    if now is None:
        return 0
    day = now.astimezone(zone).date()
    times = (one.when for one in metadata.earlier if one.counted and one.when <= now)
    return sum(when.astimezone(zone).date() == day for when in times)


def _earlier(found: Mapping[str, Any]) -> Iterator[Earlier]:
    for one in _list(found.get("previous_submissions")):
        if not isinstance(one, dict):
            continue
        when = _time(one.get("submission_time") or one.get("created_at"))
        if when is not None:
            results = one["results"] if isinstance(one.get("results"), dict) else {}
            scores = (one.get("score"), results.get("score"), 0.0)
            yield Earlier(when, float(next(filter(is_number, scores))), results)


def _due(owner: Mapping[str, Any]) -> datetime | None:
    assignment = owner.get("assignment")
    return _time(assignment.get("due_date")) if isinstance(assignment, dict) else None


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _time(value: Any) -> datetime | None:
    """Return a time with its zone; None for anything else."""
    try:
        when = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return when if when is not None and when.tzinfo else None
