"""roster.csv: the students of a class and the addresses of their repositories."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from autograder.gradebook.ids import student_id
from autograder.gradebook.roster import RosterError
from autograder.intake.handed_in_csv import FILE as HANDED_IN
from autograder.intake.students import is_archive
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
        text = path.read_bytes().decode("utf-8-sig")
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except OSError as error:
        raise RosterError(
            f"{path} can't be read: {error.strerror}. Write one: {','.join(HEADER)}"
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise RosterError(f"{path} is not a CSV file in UTF-8: {error}.") from error
    columns = _columns(rows[0]) if rows else None
    if columns is None:
        raise RosterError(f"{path}, line 1: the header must be {','.join(HEADER)}.")
    repositories: dict[str, StudentRepository] = {}
    problems = []
    for line, row in enumerate(rows[1:], start=2):
        cells = [cell.strip() for cell in row]
        if any(cells):
            if len(cells) == len(rows[0]):
                cells = [cells[column] for column in columns]
            elif len(rows[0]) > len(HEADER):
                problems.append(f"  line {line}: {len(cells)} columns, not {len(rows[0])}")
                continue
            problems += [f"  line {line}: {problem}" for problem in _add_line(cells, repositories)]
    if problems:
        listed = "\n".join(problems[:20])
        raise RosterError(f"{path}: nothing was fetched; correct this first:\n{listed}")
    if not repositories:
        raise RosterError(f"{path} names no student.")
    return sorted(repositories.values(), key=lambda repository: repository.student)


def _columns(header: list[str]) -> tuple[int, int] | None:
    """Return where the student and the repository stand; a class's roster has more columns."""
    heads = [cell.strip().lower() for cell in header]
    student = next((name for name in ("id", HEADER[0]) if name in heads), "")
    if not student or HEADER[1] not in heads or (student == "id" and HEADER[0] in heads):
        return None
    return heads.index(student), heads.index(HEADER[1])


def _add_line(cells: list[str], repositories: dict[str, StudentRepository]) -> Iterator[str]:
    """Add one line to `repositories`; yield what is wrong with it."""
    if len(cells) != len(HEADER):
        yield f"{len(cells)} columns, not {len(HEADER)}"
        return
    name, url = cells
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
