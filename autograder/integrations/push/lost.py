"""Pushes that could not be queued: found by comparing the tips of branches with the ledger.

A hook can't always write down what arrived: OUT was moved, the disk was full, the server was busy
with something else. Git has the commit all the same, and tells the student "Everything up-to-date"
the next time. So `hook install` writes down which repositories there are, and the service looks
whether the tip of each graded branch is the last push that it knows.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from autograder.integrations.git import GitError, Repository
from autograder.integrations.push.install import HOOK, is_ours
from autograder.integrations.push.refs import HEADS
from autograder.integrations.push.spool import Arrival, RefChange
from autograder.text.files import write_text

KNOWN = "repositories"
GRACE_SECONDS = 10.0
"""So long after a push its hook may still be about to write it down."""

NOTHING = "0" * 40
Newest = Mapping[tuple[Path, str], str]
"""The commit of the last known push, by repository and ref."""


@dataclass(frozen=True)
class Known:
    """A repository whose pushes are graded. `seen` is the tip that it had before that."""

    student: str
    repository: Path
    branch: str
    limit: int | None
    seen: str

    @property
    def lines(self) -> str:
        """The text of its file."""
        limit = "" if self.limit is None else self.limit
        fields = {"student": self.student, "repository": self.repository, "branch": self.branch}
        fields |= {"limit": limit, "seen": self.seen}
        return "".join(f"{name}={value}\n" for name, value in fields.items())


def note(spool: Path, one: Known, like: Path) -> None:
    """Write down a repository; what it had been seen with before stays. Raises OSError.

    As root it belongs to the owner of `like`, as the spool does.
    """
    folder = spool / KNOWN
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / hashlib.sha256(str(one.repository).encode()).hexdigest()[:32]
    earlier = _read(path)
    if earlier is not None:
        one = Known(one.student, one.repository, one.branch, one.limit, earlier.seen)
    write_text(path, one.lines)
    if os.geteuid() == 0:
        owner = like.stat()
        for made in (folder, path):
            os.chown(made, owner.st_uid, owner.st_gid)


def tip_of(repository: Path, branch: str) -> str:
    """Return the tip of the graded branch, "" where there is none or git can't say."""
    try:
        found = _tip(Repository(repository), branch)
    except GitError:
        return ""
    return found[1] if found else ""


def repositories(spool: Path) -> Iterator[Known]:
    """Yield the repositories that are known and still have our hook."""
    folder = spool / KNOWN
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        one = _read(path)
        try:
            if one is not None and is_ours(one.repository / "hooks" / HOOK):
                yield one
        except OSError:  # the repository is gone, or its hook was taken away
            continue


def find(spool: Path, newest: Newest, grace: float) -> list[Arrival]:
    """Return what was pushed at least `grace` seconds ago and is not the last known push.

    A repository that git can't read is left out: the next push, or the next look, tells of it.
    """
    found = []
    for one in repositories(spool):
        try:
            tip = _tip(Repository(one.repository), one.branch)
        except GitError:
            continue
        if tip is None:
            continue
        ref, commit = tip
        last = newest.get((one.repository, ref), one.seen)
        received = _time_of(one.repository, ref)
        if commit != last and time.time() - received >= grace:
            found.append(_arrival(one, ref, last or NOTHING, commit, received))
    return found


def _tip(repository: Repository, branch: str) -> tuple[str, str] | None:
    """Return the graded branch and its tip; None where nobody has pushed it."""
    ref = HEADS + branch if branch else repository.head()
    commit = repository.tip(ref) if ref else None
    return (ref, commit) if ref and commit else None


def _time_of(repository: Path, ref: str) -> float:
    """Return when the server last wrote a branch: the time of the push, or later if it was packed.

    It never is a time that the student's machine says.
    """
    for path in (repository / ref, repository / "packed-refs"):
        try:
            return min(path.stat().st_mtime, time.time())
        except OSError:
            continue
    return time.time()


def _arrival(one: Known, ref: str, old: str, commit: str, received: float) -> Arrival:
    """Return a push as its hook would have recorded it; the same one always has the same id."""
    seconds, part = divmod(int(received * 1_000_000), 1_000_000)
    return Arrival(
        f"{seconds:09d}.{part:06d}-{int(commit[:10], 16)}",
        one.student,
        one.repository,
        one.branch or None,
        one.limit,
        datetime.fromtimestamp(seconds, UTC).replace(microsecond=part),
        (RefChange(old, commit, ref),),
    )


def _read(path: Path) -> Known | None:
    """Return a repository that was written down; None where the file is no such thing."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return None
    given = dict(line.partition("=")[::2] for line in lines)
    repository, limit = Path(given.get("repository", "")), given.get("limit", "")
    if not given.get("student") or not repository.is_absolute() or not (limit or "0").isdigit():
        return None
    count = int(limit) if limit else None
    return Known(
        given["student"], repository, given.get("branch", ""), count, given.get("seen", "")
    )
