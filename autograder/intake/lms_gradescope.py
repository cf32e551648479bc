"""Who handed in what, from a Gradescope export's submission_metadata.yml, without a YAML library.

Only the few lines that matter are read, by their exact indentation; the rest (results and output,
which students write) is deeper and can't be taken for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from autograder.intake.admission import Refused
from autograder.intake.archives import DAMAGE

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 256 * 1024 * 1024
MAX_LINE = 2_000
KEYS = (":sid", ":email", ":name")
"""What names a submitter, the best first."""

_SUBMISSION = re.compile(r"(?:\"([^\"]+)\"|'([^']+)'|([^\s:'\"][^:]*)):\s*")
_CREATED = re.compile(
    r"  :created_at: (?P<date>[\d-]{10})[ T](?P<time>[\d:]{8})(?:\.\d+)?"
    r" ?(?P<zone>Z|UTC|[+-]\d\d:\d\d)"
)
"""In the form that Ruby writes: `2026-11-28 09:12:45.123456000 Z`."""
_FIELD = re.compile(r"  (?P<item>- |  )(?P<key>:[a-z_]+):(?: (?P<value>.*))?")


@dataclass(frozen=True)
class Record:
    """A submission's submitters (their sid, else email, else name), and when it was made."""

    submitters: list[str]
    received: datetime | None = None


def read_records(chunks: Iterable[bytes]) -> dict[str, Record]:
    """Return each submission's record, by the name of its folder.

    A submission of which the submitters can't be read is left out; so are all where the file can't
    be.
    """
    try:
        return _parse(_lines(chunks))
    except (*DAMAGE, Refused):
        return {}  # the folders' own names are the ids then, and the instructor is told


def _lines(chunks: Iterable[bytes]) -> Iterable[str]:
    """Yield the lines, split at "\\n" alone: the other line ends of Unicode may be in a name."""
    rest, size = b"", 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_METADATA_BYTES:
            raise Refused(f"{METADATA} is too large")
        *lines, rest = (rest + chunk).split(b"\n")
        if len(rest) > MAX_LINE:
            rest = rest[:MAX_LINE]
        for line in lines:
            yield line[:MAX_LINE].decode("utf-8", "replace").rstrip("\r")
    yield rest[:MAX_LINE].decode("utf-8", "replace")


def _parse(lines: Iterable[str]) -> dict[str, Record]:
    found: dict[str, list[dict[str, str]]] = {}
    times: dict[str, datetime | None] = {}
    broken = set()
    name, within = "", False
    for line in lines:
        if line[:1] not in ("", " ", "#"):
            match = _SUBMISSION.fullmatch(line)
            name, within = (match[1] or match[2] or match[3] if match else ""), False
            if name in found:
                broken.add(name)
        elif line[:3] == "  :":
            within = bool(name) and line.rstrip() == "  :submitters:"
            if within:
                found.setdefault(name, [])
            elif name and (when := _CREATED.fullmatch(line.rstrip())):
                times[name] = _time(when)
        elif within:
            field = _FIELD.fullmatch(line)
            value = _scalar(field["value"] or "") if field else None
            if field is None or value is None or not (field["item"] == "- " or found[name]):
                broken.add(name)
                continue
            if field["item"] == "- ":
                found[name].append({})
            found[name][-1][field["key"]] = value
    return {
        name: Record(ids, times.get(name))
        for name, people in found.items()
        if name not in broken and (ids := list(dict.fromkeys(map(_id, people)))) and all(ids)
    }


def _time(match: re.Match[str]) -> datetime | None:
    zone = "+00:00" if match["zone"] in ("Z", "UTC") else match["zone"]
    try:
        return datetime.fromisoformat(f"{match['date']}T{match['time']}{zone}")
    except ValueError:
        return None  # 31 February, say


def _id(person: dict[str, str]) -> str:
    return next((person[key] for key in KEYS if person.get(key)), "")


def _scalar(text: str) -> str | None:
    """Return a value as YAML writes it on one line, "" for nothing; None for anything else."""
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
