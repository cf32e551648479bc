"""Which columns of a file of Moodle's are which, in whatever language Moodle was.

In English they are known by their names. Elsewhere a grading worksheet is known by its form, which
is the same in every language: first the participants, one word and a number each, and the most that
there is to get directly behind the grades. What isn't clear by that is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from autograder.integrations.gradebooks.matching import key
from autograder.tables.sheet import Sheet, SheetError
from autograder.tables.values import plain_number
from autograder.text.display import one_line

REMEDY = "Download it from Moodle again, with Moodle in English."
WORKSHEET = "Identifier"
ID_NUMBERS = ("ID number", "Username", "ID-Nummer", "Anmeldename")
NO = frozenset(
    (
        "no",
        "nein",
        "non",
        "nee",
        "nej",
        "nei",
        "nao",
        "n\u00e3o",
        "nie",
        "ne",
        "nem",
        "nu",
        "ei",
        "hay\u0131r",
        "\u043d\u0435\u0442",
        "\u043d\u0456",
        "\u03cc\u03c7\u03b9",
        "\u3044\u3044\u3048",
        "\u5426",
        "\u4e0d",
        "\uc544\ub2c8\uc694",
    )
)
"""How languages say that a grade can't be changed."""
_PARTICIPANT = re.compile(r"(\D*[^\W\d_]\D*?)([0-9]+)")


@dataclass(frozen=True)
class WorksheetColumns:
    """The columns of a grading worksheet, by their index; None for one that it doesn't have.

    `ids` are columns of numbers, addresses and logins. `remark` says what was taken for what, where
    that is not by names.
    """

    identifier: int
    grade: int
    maximum: int
    changeable: int | None
    name: int | None
    ids: tuple[int, ...]
    feedback: int | None
    remark: str = ""


def worksheet_columns(sheet: Sheet) -> WorksheetColumns | None:
    """Return the columns of a grading worksheet; None where the file is none.

    Raises SheetError where a column is missing, or it isn't clear which it is.
    """
    identifier = sheet.column(WORKSHEET)
    if identifier is None:
        return _by_form(sheet) if _are_participants(_cells(sheet, 0)) else None
    grade = sheet.required_column(REMEDY, "Grade")
    maximum = sheet.required_column(REMEDY, "Maximum grade")
    sheet.required_column(REMEDY, "Last modified (grade)")
    ids = (sheet.column(name) for name in ("ID number", "Email address", "Username"))
    return WorksheetColumns(
        *(identifier, grade, maximum, sheet.column("Grade can be changed")),
        name=sheet.column("Full name"),
        ids=tuple(column for column in ids if column is not None),
        feedback=sheet.column("Feedback comments"),
    )


def _by_form(sheet: Sheet) -> WorksheetColumns:
    maxima = [
        column
        for column in range(2, len(sheet.header))
        if len(set(_cells(sheet, column))) == 1
        and _is_number(_cells(sheet, column)[0])
        and all(not cell or _is_number(cell) for cell in _cells(sheet, column - 1))
    ]
    if len(maxima) != 1:
        raise SheetError(
            f"{sheet.name} looks like a grading worksheet of Moodle's, and it is not clear which "
            f"column has the maximum grade. {REMEDY}"
        )
    [maximum] = maxima
    changeable = maximum + 1 if maximum + 1 < len(sheet.header) else None
    if changeable is not None:
        _demand_clear_locks(sheet, changeable)
    ids = [sheet.column(name) for name in ID_NUMBERS]
    between = range(1, maximum - 1)
    addresses = [column for column in between if is_address_column(sheet, column)]
    last = len(sheet.header) - 1
    grade, most = (f"'{one_line(sheet.header[column])}'" for column in (maximum - 1, maximum))
    return WorksheetColumns(
        *(0, maximum - 1, maximum, changeable),
        name=1 if len(between) > 1 else None,
        ids=(*addresses, *(column for column in ids if column is not None)),
        feedback=last if last >= maximum + 4 else None,
        remark=f"Read by its form as a grading worksheet of Moodle's: {grade} is filled in, out of "
        f"{most}",
    )


def _demand_clear_locks(sheet: Sheet, column: int) -> None:
    """Raise SheetError where it can't be told which grades are locked."""
    answers = {cell.casefold() for cell in _cells(sheet, column)}
    if len(answers) > 1 and len(answers & NO) != 1:
        listed = ", ".join(f"'{one_line(answer, 30)}'" for answer in sorted(answers)[:4])
        raise SheetError(
            f"{sheet.name}: the column '{one_line(sheet.header[column])}' has {listed}, and it is "
            f"not clear which of them says that a grade is locked. {REMEDY}"
        )


def is_address_column(sheet: Sheet, column: int) -> bool:
    """Whether a column holds e-mail addresses and nothing else."""
    cells = [cell for cell in _cells(sheet, column) if cell]
    return bool(cells) and all(re.fullmatch(r"\S+@\S+", cell) for cell in cells)


def is_column_of_points(sheet: Sheet, column: int) -> bool:
    """Whether a column holds numbers, and "-" or nothing where there is none."""
    return all(cell in ("", "-") or _is_number(cell) for cell in _cells(sheet, column))


def _are_participants(cells: list[str]) -> bool:
    """Whether these are Moodle's names of participants: a word, always the same, and a number."""
    matches = [_PARTICIPANT.fullmatch(cell) for cell in cells]
    return all(matches) and len({key(match[1]) for match in matches if match}) == 1


def _cells(sheet: Sheet, column: int) -> list[str]:
    return [row[column] for row in sheet.rows[1:]]


def _is_number(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9]+(\.[0-9]+)?", plain_number(text)))
