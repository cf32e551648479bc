"""A zip file for Canvas's re-upload of submissions, which makes each file in it a comment's.

Canvas reads from a name which upload of which student the file goes with, and refuses all others:
so each student's feedback has the name of a file that Canvas handed out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from autograder.course import Course
from autograder.gradebook.people import KnownPeople
from autograder.intake.lms import CANVAS, CANVAS_ANONYMOUS
from autograder.intake.reading import entries_by_student
from autograder.integrations.gradebooks.fill_column import some
from autograder.integrations.handing_back.letters import HandBackError, HandedBack, Letter, zipped

READABLE = (".md", ".txt", ".py")
"""Endings of uploads whose names suit a text best, the best first."""


def canvas_zip(
    course: Course,
    letters: Mapping[str, Letter],
    submissions: Path,
    known: KnownPeople | None = None,
) -> tuple[bytes, HandedBack]:
    """Return the zip file, and whose feedback is in it.

    `submissions` are those of one assignment, as Canvas handed them out; `known` are the people of
    the gradebook. Raises AutograderError
    where they are something else, or nobody's feedback belongs to them.
    """
    done = HandedBack()
    files: dict[str, bytes] = {}
    unknown, without_file = [], []
    entries = entries_by_student(submissions, course.weeks, course.handing_in.zone, known)
    if not any(_of_canvas(name) for names in entries.values() for name in names):
        raise HandBackError(f"{submissions} is not what Canvas handed out: another system did")
    for student, names in entries.items():
        letter, name = letters.get(student), _carrier(names)
        if letter is None:
            unknown.append(student)
        elif name is None:
            without_file.append(student)
        elif name in files:
            done.remarks.append(f"{student}: {name} is another student's too, so left out")
        else:
            files[name] = _as(name, letter)
            done.letters[student] = letter
    if unknown:
        done.remarks.append(f"In {submissions}, and not graded here: {some(unknown)}")
    if without_file:
        done.remarks.append(
            f"Handed in no file, which a comment's file needs: {some(without_file)}. "
            "`export canvas-comments` reaches them."
        )
    if rest := letters.keys() - entries.keys():
        done.remarks.append(f"Graded here, and not in {submissions}: {some(rest)}")
    if not files:
        raise HandBackError(". ".join(["nobody's feedback has a file in Canvas", *done.remarks]))
    return zipped(files), done


def _carrier(names: tuple[str, ...]) -> str | None:
    """Return the name of the upload with which the feedback goes.

    It is the one whose name suits a text best, of several the latest: comments belong to uploads of
    the last attempt alone, whose numbers are the highest.
    """
    found = []
    for name in names:
        match = _of_canvas(name)
        if match and match["upload"]:
            ending = PurePosixPath(name).suffix.lower()
            rank = READABLE.index(ending) if ending in READABLE else len(READABLE)
            found.append((-rank, int(match["upload"]), name))
    return max(found)[2] if found else None


def _of_canvas(name: str) -> re.Match[str] | None:
    return CANVAS.fullmatch(name) or CANVAS_ANONYMOUS.fullmatch(name)


def _as(name: str, letter: Letter) -> bytes:
    """Return the feedback as a file of this name: a zip file where it is called so."""
    return zipped(letter.files) if name.lower().endswith(".zip") else letter.feedback
