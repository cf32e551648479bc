"""GitLab CI: the remarks as a Code Quality report, which merge requests show beside the lines."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any

from autograder.students.ci.outcome import ERROR, Remark
from autograder.text.display import many_lines

FILE = "gl-code-quality-report.json"
LONGEST = 2_000


def code_quality(remarks: Iterable[Remark]) -> str:
    """Return the report as JSON in ASCII; what has no place in the files is left out.

    A fingerprint is the same for the same check in the same file, wherever it stands there: then
    GitLab can tell what is new.
    """
    entries = [_entry(remark, remark.place) for remark in remarks if remark.place]
    return json.dumps(entries, indent=2) + "\n"


def _entry(remark: Remark, place: Any) -> dict[str, Any]:
    digest = hashlib.sha256("\0".join((remark.level, remark.key, place.path)).encode())
    return {
        "description": many_lines(f"{remark.title}\n{remark.message}", LONGEST),
        "check_name": remark.key,
        "fingerprint": digest.hexdigest()[:32],
        "severity": "major" if remark.level == ERROR else "info",
        "location": {"path": place.path, "lines": {"begin": place.line}},
    }
