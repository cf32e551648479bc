"""Feedback for a mail program: a message for each student, and a table for a mail merge.

Nothing is sent from here. Each message is a file that mail programs open, and the table has a line
for each student with address, points and the feedback's path, as mail merges take it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path

from autograder.gradebook.private import PRIVATE, PRIVATE_FOLDER
from autograder.integrations.gradebooks.fill_column import FillReport, report_unmatched, some
from autograder.integrations.gradebooks.matching import Person, match
from autograder.integrations.handing_back.letters import HandBackError, HandedBack, Letter, known_of
from autograder.tables.formulas import guard_formula
from autograder.tables.sheet import Sheet, SheetError, read_sheet
from autograder.text.files import write_bytes, write_text

TABLE = "mail_merge.csv"
MESSAGES, FILES = "messages", "feedback"
COLUMNS = ("email", "name", "student", "subject", "points", "attachment")
IDS = ("id", "student", "student id", "username", "login", "SIS Login ID", "ID number")
NAMES = ("name", "full name", "student name")
EMAILS = ("e-mail", "email", "e-mail address", "email address", "mail", "address")
ADDRESS = re.compile(r"(?![=+-])[^\s@,;:<>()\[\]\"\\]+@[^\s@,;:<>()\[\]\"\\]+")
MAX_ADDRESS = 254
GREETING = "Hello{},\n\nthis is the feedback on what you handed in. "


def write_mail(
    letters: Mapping[str, Letter], addresses: Path | None, out: Path, subject: str
) -> HandedBack:
    """Write a message for everybody with an address, their feedback, and the table.

    `addresses` is a CSV file with a column of ids and one of addresses; without it, an id that is
    an address is one. `out` has to be new or empty. Raises AutograderError, and OSError.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise HandBackError(f"{out} is there and not empty", "Name a new folder (--out)")
    if not subject.isprintable() or not subject.strip():
        raise HandBackError("--subject is one line of text")
    done = HandedBack()
    found = _addresses(letters, addresses, done)
    if not found:
        remedy = "Give a CSV file with the columns id and email (--addresses)"
        raise HandBackError(". ".join(["nobody has an address", *done.remarks]), remedy)
    out.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    for folder in (out / MESSAGES, out / FILES):
        folder.mkdir(mode=PRIVATE_FOLDER)
    buffer = io.StringIO()
    table = csv.writer(buffer, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for student, (address, name) in sorted(found.items()):
        letter = letters[student]
        folder = out / FILES / student
        folder.mkdir(mode=PRIVATE_FOLDER)
        for file, content in letter.files.items():
            write_bytes(folder / file, content, PRIVATE)
        message = _message(letter, address, name, subject)
        write_bytes(out / MESSAGES / f"{student}.eml", message, PRIVATE)
        paths = ";".join(str((folder / file).absolute()) for file in letter.files)
        row = [address, name, student, subject, letter.line, paths]
        table.writerow(map(guard_formula, row))
        done.letters[student] = letter
    write_text(out / TABLE, "\ufeff" + buffer.getvalue(), PRIVATE)
    return done


def _addresses(
    letters: Mapping[str, Letter], path: Path | None, done: HandedBack
) -> dict[str, tuple[str, str]]:
    """Return addresses and names by student; whoever has none is named in the remarks."""
    if path is None:
        given = {one: letter.address or one for one, letter in letters.items()}
        found = {one: (text, "") for one, text in given.items() if _is_address(text)}
        if missing := letters.keys() - found.keys():
            done.remarks.append(f"Without an address (--addresses): {some(missing)}")
        return found
    sheet = read_sheet(path)
    email, persons = _persons(sheet)
    report = FillReport()
    matches = match(sorted(letters), persons, known_of(letters))
    report_unmatched(matches, report)
    done.remarks += report.remarks
    found, wrong = {}, []
    for student, person in matches.rows.items():
        address = person.row[email]
        if _is_address(address):
            found[student] = (address, person.names[0])
        else:
            wrong.append(f"{student} on line {person.row.line}")
    if wrong:
        done.remarks.append(f"No address that mail can go to, so left out: {some(wrong)}")
    return found


def _persons(sheet: Sheet) -> tuple[int, list[Person]]:
    """Return the column of addresses, and the rows with whom each may be."""
    email = sheet.column(*EMAILS)
    if email is None:
        raise SheetError(
            f"{sheet.name}: there is no column of addresses (email) among its columns: "
            f"{some(sheet.header)}."
        )
    id_columns = [column for one in IDS if (column := sheet.column(one)) is not None]
    name, first = sheet.column(*NAMES), sheet.column("First name")
    last, aliases = sheet.column("Last name", "Surname"), sheet.column("aliases", "alias")
    persons = []
    for row in sheet.rows[1:]:
        parts = [row[column] for column in (first, last) if column is not None]
        full = row[name] if name is not None else " ".join(filter(None, parts))
        ids = [row[email], *(row[column] for column in id_columns)]
        ids += re.split(r"[;,|]\s*", row[aliases]) if aliases is not None else []
        login = row[email].partition("@")[0]
        shown = full or row[email] or f"line {row.line}"
        persons.append(Person(row, shown, tuple(filter(None, ids)), (full, login)))
    return email, persons


def _is_address(text: str) -> bool:
    return len(text) <= MAX_ADDRESS and text.isascii() and bool(ADDRESS.fullmatch(text))


def _message(letter: Letter, address: str, name: str, subject: str) -> bytes:
    """Return a message that mail programs open as one to be sent."""
    message = EmailMessage(policy=SMTP)
    message["To"] = address
    message["Subject"] = subject
    message["X-Unsent"] = "1"
    who = f" {name}" if name.isprintable() and name else ""
    text = GREETING.format(who) + f"In short: {letter.line}.\n\n"
    message.set_content(text + letter.feedback.decode(), cte="quoted-printable")
    for file, content in letter.files.items():
        if file.endswith(".svg"):
            message.add_attachment(content, "image", "svg+xml", filename=file)
        else:
            message.add_attachment(content, "text", "markdown", filename=file)
    return message.as_bytes()
