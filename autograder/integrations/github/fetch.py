"""`autograder class fetch`: the class's repositories as a folder of submissions for `grade`.

The newest commit of each repository's default branch is read from git's objects. The folder gets
one folder per student with the files that the course asks for, and handed_in.csv with the commit
and time of each week. Submissions that have not changed since the last run are left alone.
"""

from __future__ import annotations

import csv
import fcntl
import io
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from autograder.author.folders import folder_in_place_of
from autograder.course import Course, Week
from autograder.errors import RemoteError
from autograder.intake.admission import Admission, FileType, Refused, clean_path
from autograder.intake.handed_in_csv import FILE as HANDED_IN
from autograder.intake.handed_in_csv import HEADER
from autograder.intake.week_files import WeekFileFinder, some
from autograder.integrations.git import GitError, Repository
from autograder.integrations.github.remote_git import Access, fetch, make_bare
from autograder.integrations.github.roster_file import StudentRepository
from autograder.integrations.github.state import (
    RepositoryState,
    States,
    WeekState,
    read_states,
    write_states,
)
from autograder.text.files import write_bytes, write_text

REPOSITORIES = ".repositories"
LOCK = ".lock"
TIP = "refs/heads/submitted"
LINK_TARGET = "a link in the repository, which is not followed"


class FetchError(RemoteError):
    """Nothing could be fetched; the message says why and what to do."""


@dataclass(frozen=True)
class FetchedRepository:
    """One student's repository: its present state, whether that is new, and remarks on problems."""

    student: str
    state: RepositoryState | None
    new: bool = False
    remarks: tuple[str, ...] = ()


def _now() -> datetime:
    return datetime.now(UTC)


def fetch_class(
    course: Course,
    roster: Sequence[StudentRepository],
    into: Path,
    access: Access,
    jobs: int,
    now: Callable[[], datetime] = _now,
) -> list[FetchedRepository]:
    """Fetch all repositories of a roster into the folder `into`; return their states.

    `now` is this machine's clock.

    A repository that fails gets a remark, and its files stay as they were. Raises FetchError where
    another run is at work there, and where not one repository could be read.
    """
    into.mkdir(parents=True, exist_ok=True)
    with _locked(into):
        before = read_states(into)
        work = partial(_fetch_repository, course, into, access, before, now)
        with ThreadPoolExecutor(jobs) as pool:
            fetched = list(pool.map(work, roster))
        states = before | {f.student: f.state for f in fetched if f.state}
        write_text(into / HANDED_IN, _handed_in(states, course))
        write_states(into, states)
    if not any(repository.state for repository in fetched):  # an empty one was read, too
        reasons = sorted({remark for repository in fetched for remark in repository.remarks})
        raise FetchError(f"no repository of the roster could be read: {some(reasons)}.")
    return fetched


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            problem = f"another fetch is at work in {folder}"
            raise FetchError(f"{problem}. Wait until it is done.") from error
        yield


def _fetch_repository(
    course: Course,
    into: Path,
    access: Access,
    states: States,
    now: Callable[[], datetime],
    remote: StudentRepository,
) -> FetchedRepository:
    """Fetch one repository, and write its files where there is a new commit."""
    earlier = states.get(remote.student)
    before = (
        earlier if earlier and earlier.url == remote.url else None
    )  # else the roster has changed
    checked = now()
    try:
        repository = make_bare(into / REPOSITORIES / f"{remote.student}.git")
        found = fetch(repository, remote.url, "HEAD", TIP, access)
        commit = repository.tip(TIP) if found else None
        if commit is None:
            # That nothing was there is known from now on.
            seen = before or RepositoryState(remote.url, "", "")
            state = replace(seen, looked=checked.isoformat())
            remark = "its HEAD is no commit" if found else "nothing has been pushed yet"
            return FetchedRepository(remote.student, state, remarks=(remark,))
        target = into / remote.student
        if before and before.commit == commit and _is_there(target):
            return FetchedRepository(remote.student, replace(before, looked=checked.isoformat()))
        remarks = list(_write_files(course, repository, commit, target))
        known = earlier.weeks if earlier else {}
        looked = datetime.fromisoformat(before.looked) if before else None
        weeks = {
            week.id: _week_state(repository, commit, week, known.get(week.id), looked, checked)
            for week in course.weeks
        }
    except (GitError, OSError) as error:
        return FetchedRepository(remote.student, before, remarks=(str(error),))
    told = dict.fromkeys(weeks[name].remark for name in weeks if weeks[name] != known.get(name))
    remarks += filter(None, told)
    reported = before.reported if before else ""
    state = RepositoryState(remote.url, commit, checked.isoformat(), weeks, reported)
    return FetchedRepository(remote.student, state, new=True, remarks=tuple(remarks))


def _is_there(target: Path) -> bool:
    return target.is_dir() or _archive(target).is_file()


def _archive(target: Path) -> Path:
    return target.with_name(f"{target.name}.tar")


def _write_files(
    course: Course, repository: Repository, commit: str, target: Path
) -> Iterator[str]:
    """Write the files of a commit that the course asks for; return remarks for the instructor.

    A tree that intake would refuse (for two names that some systems hold to be one, say) is written
    as an archive, which intake refuses with the reason.
    """
    finder = WeekFileFinder(course.weeks)
    admission = Admission(finder.size_limit, finder.wanted, finder.known)
    tree = repository.tree(commit, finder.size_limit)
    try:
        for member in tree.members():
            admission.admit(member)
    except Refused as refused:
        _write_refused(course, repository, commit, target)
        return iter([f"{target.name} will be refused: {refused}"])
    with folder_in_place_of(target) as folder:
        for path, content in admission.files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content or b"")
            if content is None:  # too large: as large as needed for intake to refuse it
                os.truncate(file, finder.size_limit(path) + 1)
        for path in filter(finder.known, admission.unfollowed):
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.symlink(LINK_TARGET, folder / path)
    _archive(target).unlink(missing_ok=True)
    return (f"{name} is kept by Git LFS and was not read" for name in tree.pointers)


def _write_refused(course: Course, repository: Repository, commit: str, target: Path) -> None:
    finder = WeekFileFinder(course.weeks)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        try:
            for member in repository.tree(commit, finder.size_limit).members():
                if member.kind is FileType.FILE and clean_path(member.name) is not None:
                    content = b"".join(member.chunks()) if finder.size_limit(member.name) else b""
                    info = tarfile.TarInfo(member.name)
                    info.size = len(content)
                    archive.addfile(info, io.BytesIO(content))
        except Refused:
            pass  # the archive ends where reading the tree ends
    write_bytes(_archive(target), packed.getvalue())
    if target.is_dir():
        shutil.rmtree(target)


def _week_state(
    repository: Repository,
    commit: str,
    week: Week,
    known: WeekState | None,
    looked: datetime | None,
    checked: datetime,
) -> WeekState:
    """Return the commit that last changed a week's files, and its hand-in time.

    What counts is what we saw: it came after the last look, at which it was missing, and before
    this one. In between the commit's own word decides, which the student chooses. Without an
    earlier look it came now, for all that anybody knows; a commit that was seen before, even one
    that another took the place of, keeps its time.
    """
    paths = [f"assignments/{week.folder}/{name}" for name in week.files]
    # Files that lie elsewhere may have changed with any commit: then the newest one counts.
    change = repository.last_change(commit, paths) or repository.last_change(commit, ())
    changed, seconds = change or (commit, 0)
    seen = {known.commit: known.received, **known.seen} if known else {}
    if known and changed in seen:
        kept = known.remark if changed == known.commit else ""
        return WeekState(changed, seen[changed], kept, seen)
    claimed = datetime.fromtimestamp(max(0, min(seconds, 2**40)), UTC)
    received = min(max(claimed, looked or checked), checked)
    remark = "" if received == claimed else _why(claimed, looked, received)
    time = received.isoformat(timespec="seconds")
    return WeekState(changed, time, remark, {**seen, changed: time})


def _why(claimed: datetime, looked: datetime | None, received: datetime) -> str:
    """Say why another time counts than the commit's own."""
    says = f"the commit itself says {_minutes(claimed)}"
    if looked is None:
        return (
            f"counts as handed in on {_minutes(received)}, when this repository was looked at for "
            f"the first time; {says}"
        )
    if claimed > received:
        return f"counts as handed in on {_minutes(received)}, when it was seen; {says}"
    return (
        f"counts as handed in on {_minutes(received)}, since it was not there when the repository "
        f"was looked at then; {says}"
    )


def _minutes(time: datetime) -> str:
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _handed_in(states: States, course: Course) -> str:
    """Return handed_in.csv: a line for each student's week."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(HEADER)
    for student, state in sorted(states.items()):
        for week in course.weeks:
            if week.id in state.weeks:
                submitted = state.weeks[week.id]
                row = [student, submitted.received, submitted.commit, week.id, submitted.remark]
                writer.writerow(row)
    return buffer.getvalue()
