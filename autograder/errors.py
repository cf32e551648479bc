"""The errors that people meet: one tree, each with the problem and what to do about it.

The tree, with the module of each class, is drawn in docs/errors.md.
"""

from __future__ import annotations

import copyreg
import errno
from typing import Any


class AutograderError(Exception):
    """Something a person can put right.

    `problem` says what is wrong and where; `remedy` says what to do, where the problem does not.
    The command line shows both in one line, and ends with exit status 2.
    """

    def __init__(self, problem: str, remedy: str = "") -> None:
        super().__init__(problem, remedy)
        self.problem = problem
        self.remedy = remedy

    def __str__(self) -> str:
        if not self.remedy:
            return self.problem
        return f"{_sentence(self.problem)} {_sentence(self.remedy)}"

    def __reduce__(self) -> tuple[Any, ...]:
        """Copy and pickle without calling `__init__`, whose arguments subclasses may change."""
        return copyreg.__newobj__, (type(self), *self.args), self.__dict__  # type: ignore[attr-defined]


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."


class AuthorError(AutograderError):
    """What the course is made from has a mistake in it: file, key and remedy."""


class CantRunError(AutograderError):
    """This machine, or this call, can't do what was asked for: why, and what to do."""


class GraderError(AutograderError):
    """Our own fault: no student pays for it."""


class CantExamineError(GraderError):
    """The examiner's process could not get ready: suite, plan or machine is at fault."""


class InputError(AutograderError):
    """What was given can't be used, an option, a file or a submission: which, and why."""


class OutputError(AutograderError):
    """What was asked for can't be written: what, and what to do."""


class RecordError(AutograderError):
    """What we keep (a gradebook, a queue) can't be used: which, why, and what to do."""


class RemoteError(AutograderError):
    """Git, or another machine, did not do what it was asked for."""


KEPT = "What was finished is kept, and the same command goes on from there"
REFUSALS = {
    errno.ENOENT: ("is not there", "Is its name right?"),
    errno.ENOTDIR: ("can't be used: a part of its path is a file", "Name a folder"),
    errno.EISDIR: ("is a folder", "Name a file"),
    errno.EEXIST: ("is a file, where a folder should be", "Name another one"),
    errno.ENOTEMPTY: ("is not empty", "Name another one"),
    errno.EACCES: ("is closed to this user", "Change its permissions, or name another one"),
    errno.EPERM: ("is closed to this user", "Change its permissions, or name another one"),
    errno.EROFS: ("can't be written: its file system is read-only", "Name another one"),
    errno.ENOSPC: ("can't be written: the disk is full", f"Make room. {KEPT}"),
    errno.EDQUOT: ("can't be written: this user's disk quota is used up", f"Make room. {KEPT}"),
    errno.EFBIG: ("can't be written: it would be too large", f"Raise the limit. {KEPT}"),
    errno.ENAMETOOLONG: ("can't be used: its name is too long", "Name another one"),
    errno.ELOOP: ("can't be used: its links go round in circles", "Name another one"),
}
"""What people can cause and put right: the problem, and the remedy."""


class FileError(AutograderError):
    """The operating system refuses a file or folder: which, why, and what to do."""

    @classmethod
    def of(cls, error: OSError) -> FileError | None:
        """Return what an OSError means to a person; None where it is no refusal of a named file."""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        if error.errno not in REFUSALS or not (error.filename or full):
            return None
        problem, remedy = REFUSALS[error.errno]
        return cls(f"{error.filename or 'a file'} {problem}", remedy)
