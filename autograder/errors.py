"""The errors that people meet: one tree, with the problem and what to do about it.

AutograderError
└── CantExamineError
"""

from __future__ import annotations

import copyreg
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


class CantExamineError(AutograderError):
    """The examiner's process could not get ready: suite, plan or machine is at fault."""
