"""A zip file for Moodle's 'Upload multiple feedback files in a zip'.

Moodle reads whose a file is from the name of the folder that it lies in, NAME_NUMBER_PLUGIN: what
stands before the first underscore is not looked at, and the number is the participant's in this one
assignment. It stands in the folders that Moodle handed out, and in the grading worksheet.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.people import KnownPeople
from autograder.intake.lms import MOODLE
from autograder.intake.reading import entries_by_student
from autograder.integrations.gradebooks.fill_column import FillReport, report_unmatched, some
from autograder.integrations.gradebooks.matching import match
from autograder.integrations.gradebooks.moodle import worksheet_persons
from autograder.integrations.handing_back.letters import (
    HandBackError,
    HandedBack,
    Letter,
    known_of,
    zipped,
)
from autograder.tables.sheet import read_sheet

PLUGIN = "assignsubmission_file_"


def moodle_zip(
    course: Course,
    letters: Mapping[str, Letter],
    worksheet: Path | None,
    submissions: Path | None,
    known: KnownPeople | None = None,
) -> tuple[bytes, HandedBack]:
    """Return the zip file, and whose feedback is in it.

    The participants' numbers come from a grading worksheet, or from what Moodle handed out. Raises
    AutograderError where they can't be had.
    """
    if (worksheet is None) == (submissions is None):
        problem = "the numbers by which Moodle knows the participants of this assignment are needed"
        raise HandBackError(
            problem, "Give the grading worksheet (--worksheet) or what was graded (--submissions)"
        )
    done = HandedBack()
    if worksheet is not None:
        folders = _of_worksheet(worksheet, letters, done)
    else:
        assert submissions is not None
        folders = _of_export(course, submissions, known, sorted(letters), done)
    files: dict[str, bytes] = {}
    for folder, students in folders.items():
        if len(students) > 1:
            names = f"{some(students)}: one folder of Moodle's, {folder}, is of them all"
            done.remarks.append(f"Left out, as each would read the others': {names}")
            continue
        letter = letters[students[0]]
        done.letters[letter.student] = letter
        files |= {f"{folder}/{name}": content for name, content in letter.files.items()}
    if not files:
        raise HandBackError(". ".join(["nobody's feedback has a folder in Moodle", *done.remarks]))
    return zipped(files), done


def _of_worksheet(
    path: Path, letters: Mapping[str, Letter], done: HandedBack
) -> dict[str, list[str]]:
    """Return the folders' names, each with the student, by a grading worksheet."""
    report = FillReport()
    matches = match(sorted(letters), worksheet_persons(read_sheet(path)), known_of(letters))
    report_unmatched(matches, report)
    done.remarks += report.remarks
    folders: dict[str, list[str]] = {}
    for student, person in matches.rows.items():
        number = re.sub(r"\D", "", person.ids[0])
        if number:
            folders.setdefault(folder_name(person.display_name, number), []).append(student)
        else:
            done.remarks.append(f"{student}: Moodle's number is missing on line {person.row.line}")
    return folders


def _of_export(
    course: Course,
    path: Path,
    known: KnownPeople | None,
    students: Sequence[str],
    done: HandedBack,
) -> dict[str, list[str]]:
    """Return the folders' names, each with its students, by what Moodle handed out."""
    folders: dict[str, list[str]] = {}
    entries = entries_by_student(path, course.weeks, course.handing_in.zone, known)
    if not any(MOODLE.fullmatch(name) for names in entries.values() for name in names):
        raise HandBackError(f"{path} is not what Moodle handed out: another system did")
    unnumbered, unknown = [], []
    for student, names in entries.items():
        found = [entry for name in names if (entry := MOODLE.fullmatch(name))]
        if not found:
            continue
        if not found[0]["number"]:
            unnumbered.append(student)
        elif student in students:
            folder = folder_name(found[0]["who"], found[0]["number"])
            folders.setdefault(folder, []).append(student)
        else:
            unknown.append(student)
    if unnumbered:
        done.remarks.append(
            f"Without Moodle's number in the name, so left out: {some(unnumbered)}. The grading "
            "worksheet has it (--worksheet)."
        )
    if unknown:
        done.remarks.append(f"In {path}, and not graded here: {some(unknown)}")
    if rest := set(students) - entries.keys():
        done.remarks.append(f"Graded here, and not in {path}: {some(rest)}")
    return folders


def folder_name(name: str, number: str) -> str:
    """Return a folder's name that Moodle takes for this participant's.

    The name helps people only. It may hold no underscore, which would shift the number's place.
    """
    shown = re.sub(r'[\x00-\x1f"*/:<>?\\|_]+', " ", name).strip(" .~")
    return f"{shown or 'Participant'}_{number}_{PLUGIN}"
