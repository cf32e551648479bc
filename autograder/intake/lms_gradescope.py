"""Submitters and times in a Gradescope export's submission_metadata.yml, without a YAML library.

Only the few lines that matter are read, by their exact indentation; the rest (results and output,
which students write) is deeper and can't be taken for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from autograder.intake.admission import Refused
from autograder.intake.archives import DAMAGE

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 256 * 1024 * 1024
MAX_LINE_BYTES = 2_000
ID_KEYS = (":sid", ":email", ":name")
"""The keys that identify a submitter, the most reliable first."""

_SUBMISSION = re.compile(r"(?:\"([^\"]+)\"|'([^']+)'|([^\s:'\"][^:]*)):\s*")
_CREATED = re.compile(
    r"  :created_at: (?P<date>[\d-]{10})[ T](?P<time>[\d:]{8})(?:\.\d+)?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:\d\d)"
)
"""A time as Ruby writes it: `2026-11-28 09:12:45.123456000 Z`."""
_FIELD = re.compile(r"  (?P<item>- |  )(?P<key>:[a-z_]+):(?: (?P<value>.*))?")


@dataclass(frozen=True)
class GradescopeRecord:
    """A submission's submitters (their sid, else email, else name), and its time.

    `others` are what else names each of them.
    """

    submitters: list[str]
    received: datetime | None = None
    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read_records(chunks: Iterable[bytes]) -> dict[str, GradescopeRecord]:
    """Return each submission's record, by the name of its folder.

    A submission whose submitters can't be read is left out; where the file can't be read, all are.
    """
    try:
        return _parse(_lines(chunks))
    except (*DAMAGE, Refused):
        return {}  # the folders' own names are the ids then, and the instructor is told


def _lines(chunks: Iterable[bytes]) -> Iterable[str]:
    """Yield the lines, split at "\\n" alone: a name may contain Unicode's other line ends."""
    rest, size = b"", 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_METADATA_BYTES:
            raise Refused(f"{METADATA} is too large")
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE_BYTES:
            rest = rest[:MAX_LINE_BYTES]
        for line in lines:
            yield line[:MAX_LINE_BYTES].decode("utf-8", "replace").rstrip("\r")
    yield rest[:MAX_LINE_BYTES].decode("utf-8", "replace")


def _parse(lines: Iterable[str]) -> dict[str, GradescopeRecord]:
    submitters: dict[str, list[dict[str, str]]] = {}
    times: dict[str, datetime | None] = {}
    broken = set()
    name, in_submitters = "", False
    for line in lines:
        if line[:1] not in ("", " ", "#"):
            match = _SUBMISSION.fullmatch(line)
            name, in_submitters = (match[1] or match[2] or match[3] if match else ""), False
            if name in submitters:
                broken.add(name)
        elif line[:3] == "  :":
            in_submitters = bool(name) and line.rstrip() == "  :submitters:"
            if in_submitters:
                submitters.setdefault(name, [])
            elif name and (created := _CREATED.fullmatch(line.rstrip())):
                times[name] = _time(created)
        elif in_submitters and line:
            field = _FIELD.fullmatch(line)
            value = _scalar(field["value"] or "") if field else None
            if field is None or value is None or not (field["item"] == "- " or submitters[name]):
                broken.add(name)
                continue
            if field["item"] == "- ":
                submitters[name].append({})
            submitters[name][-1][field["key"]] = value
    return {
        name: GradescopeRecord(ids, times.get(name), {_id(one): _others(one) for one in people})
        for name, people in submitters.items()
        if name not in broken and (ids := list(dict.fromkeys(map(_id, people)))) and all(ids)
    }


def _time(match: re.Match[str]) -> datetime | None:
    zone = "+00:00" if match["zone"] in ("Z", "UTC") else match["zone"]
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}")
    except ValueError:
        return None  # 31 February, say


def _id(person: dict[str, str]) -> str:
    return next((person[key] for key in ID_KEYS if person.get(key)), "")


def _others(person: dict[str, str]) -> tuple[str, ...]:
    return tuple(person[key] for key in ID_KEYS if person.get(key))


def _scalar(text: str) -> str | None:
    """Return the value of a YAML scalar on one line, "" for a null; None for anything else."""
    text = text.strip()
    if text in ("", "~", "null", "''", '""'):
        return ""
    if text[0] == "'":
        whole = re.fullmatch(r"'((?:[^']|'')*)'", text)
        return whole[1].replace("''", "'") if whole else None
    if text[0] == '"':
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            return None
        return value if isinstance(value, str) else None
    return None if text[0] in "|>&*!%@`[{#?" else text
