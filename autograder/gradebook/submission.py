"""What a student handed in of one week, as intake takes it and the journal knows it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

LATE_IN_CANVAS = "Canvas marks this as handed in late."
"""The notice of a submission whose name says so; how late it was, the export doesn't say."""


@dataclass(frozen=True)
class Submission:
    """One student's files of one week.

    `files` maps the names of the assignment's modules, and of the student's own that these import,
    to contents. `documents` maps the names of those handed in to the SHA-256 of their contents: a
    person opens them, no program does. `notices` tell the student what was ignored, left out or
    missing. Where `refusal` is not None nothing was taken. `received` is when it was handed in,
    with its time zone, and `commit` the hash of its commit, each None where nothing says it. `kept`
    has the documents' contents where a person is about to look at them. `fingerprint` is the same
    for the same modules, wherever they were found.
    """

    student: str
    files: dict[str, bytes] = field(default_factory=dict)
    notices: tuple[str, ...] = ()
    refusal: str | None = None
    documents: dict[str, str] = field(default_factory=dict)
    received: datetime | None = None
    commit: str | None = None
    kept: dict[str, bytes] = field(default_factory=dict, repr=False)

    @property
    def is_empty(self) -> bool:
        """Whether nothing at all of the week was handed in."""
        return not (self.files or self.documents or self.refusal)

    @property
    def fingerprint(self) -> str:
        """SHA-256, in hexadecimal, of the modules' names and contents, or of the refusal."""
        if self.refusal is not None:
            return hashlib.sha256(
                b"refused: " + self.refusal.encode("utf-8", "backslashreplace")
            ).hexdigest()
        digest = hashlib.sha256()
        for name, content in sorted(self.files.items()):
            for part in (name.encode(), content):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()
