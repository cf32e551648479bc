"""roster.csv: the students of a class and the addresses of their repositories."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from autograder.gradebook.ids import student_id
from autograder.gradebook.roster import RosterError
from autograder.intake.handed_in_csv import FILE as HANDED_IN
from autograder.intake.students import is_archive
from autograder.tables.sheet import SheetError, read_content
from autograder.tables.table import MAX_PROBLEMS, Table, TableLine, checked_lines
from autograder.text.display import one_line

HEADER = ["student", "repository"]
SCHEMES = ("https", "ssh", "file")
SCP_ADDRESS = re.compile(r"[\w.+-]+@[\w.-]+:[\w./~+-]+")
"""git@host:owner/name, the short form of an ssh address."""


@dataclass(frozen=True)
class StudentRepository:
    """A student's repository. `student` is an id that can be the name of a folder."""

    student: str
    url: str

    @property
    def slug(self) -> str:
        """The repository as owner/name: the last two parts of its address."""
        path = urlsplit(self.url).path if "://" in self.url else self.url.partition(":")[2]
        return "/".join(path.removesuffix("/").removesuffix(".git").split("/")[-2:])


def read_roster(path: Path) -> list[StudentRepository]:
    """Return the students of a roster, in the order of their ids.

    Raises RosterError for a file that can't be read, and for any line that is not right.
    """
    try:
        # Lines are not quoted, since an address may hold a secret.
        table = Table(str(path), read_content(path), HEADER, quote=False)
    except SheetError as error:
        raise RosterError(str(error)) from error
    repositories: dict[str, StudentRepository] = {}
    problems = checked_lines(table, lambda line: [*_add_line(line, repositories)])
    if problems:
        listed = "\n".join(f"  {problem}" for problem in problems[:MAX_PROBLEMS])
        raise RosterError(f"{path}: nothing was fetched; correct this first:\n{listed}")
    if not repositories:
        raise RosterError(f"{path} names no student.")
    return sorted(repositories.values(), key=lambda repository: repository.student)


def _add_line(line: TableLine, repositories: dict[str, StudentRepository]) -> Iterator[str]:
    """Add one line to `repositories`; yield what is wrong with it."""
    name, url = line["student"], line["repository"]
    student = student_id(name)
    if not name or student != name or is_archive(name) or name.casefold() == HANDED_IN:
        yield f"'{one_line(name)}' can't be a student's id; letters, digits and ._@+- can"
    elif student.casefold() in repositories:
        yield f"{student} is there already"
    problem = _problem(url)
    if problem:
        yield problem
    repositories.setdefault(student.casefold(), StudentRepository(student, url))


def _problem(url: str) -> str:
    """Return why an address can't be used; "" where it can. The address itself is never shown."""
    if SCP_ADDRESS.fullmatch(url):
        return ""
    try:
        parts = urlsplit(url)
        secret = parts.password
    except ValueError:
        return "the address of the repository is none"
    if parts.scheme not in SCHEMES or not parts.path.strip("/"):
        return f"the address of the repository must begin with {', '.join(SCHEMES)}, or git@host:"
    if secret or (parts.scheme == "https" and parts.username):
        return "the address holds a secret; put the token into CLASS_TOKEN instead"
    return ""
