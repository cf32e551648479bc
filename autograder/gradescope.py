"""Who handed in what, from a Gradescope export's submission_metadata.yml, without a YAML library.

Only the few lines that matter are read, by their exact indentation; the rest (results and output,
which students write) is deeper and can't be taken for them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from autograder.gate import Refused
from autograder.unpack import DAMAGE

METADATA = "submission_metadata.yml"
MAX_METADATA_BYTES = 256 * 1024 * 1024
MAX_LINE = 2_000
KEYS = (":sid", ":email", ":name")
"""What names a submitter, the best first."""

_SUBMISSION = re.compile(r"(?:\"([^\"]+)\"|'([^']+)'|([^\s:'\"][^:]*)):\s*")
_FIELD = re.compile(r"  (?P<item>- |  )(?P<key>:[a-z_]+):(?: (?P<value>.*))?")


def read_submitters(chunks: Iterable[bytes]) -> dict[str, list[str]]:
    """Return each submission's submitters: their sid, else email, else name.

    A submission of which that can't be read is left out; so are all where the file can't be.
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


def _parse(lines: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[dict[str, str]]] = {}
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
        name: ids
        for name, people in found.items()
        if name not in broken and (ids := list(dict.fromkeys(map(_id, people)))) and all(ids)
    }


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
