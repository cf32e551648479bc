"""What was lost at intake, for the instructor: what looked like work and was not taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import PurePosixPath

from autograder.course import Week
from autograder.gradebook.people import Loss
from autograder.intake.admission import INSTALLED, Admission
from autograder.intake.helpers import NOT_WORK
from autograder.intake.notices import ARCHIVE, OTHER, kind_of_file
from autograder.intake.week_files import TAKEN_FOR, WeekFiles, some

_WORK = (".py", ".ipynb", ".pdf", ".docx", ".doc", ".odt", ".tex", ".rmd", ".heic")
_OF_WORK = re.compile(r"not taken|may each be meant|is there \d+ times")

NOT_TAKEN, RENAMED, ODD = "not taken", "taken under another name", "odd file"
AS_HANDED_OUT = "as handed out"


def upload_losses(
    student: str,
    notices: Sequence[str],
    ignored: Collection[str],
    admission: Admission,
    wanted: Callable[[str], object],
) -> Iterator[Loss]:
    """Yield what was lost of a whole upload.

    `notices` are those of the system's export, `ignored` the paths that no week has taken; `wanted`
    tells whether a week may ask for a file.
    """
    for notice in notices:
        yield Loss(student, "export", notice)
    work = [path for path in ignored if _looks_like_work(path)]
    if work:
        yield Loss(student, NOT_TAKEN, f"It looks like work and was not taken: {some(work)}.")
    archives = [path for path in ignored if kind_of_file(path) == ARCHIVE]
    if archives:
        yield Loss(
            student, NOT_TAKEN, f"Archives in a submission are not opened: {some(archives)}."
        )
    links = [path for path in admission.unfollowed if wanted(path)]
    if links:
        yield Loss(student, NOT_TAKEN, f"Links are not followed: {some(links)}.")
    for said, paths in admission.odd.items():
        if said != INSTALLED:
            yield Loss(student, ODD, said.format(some(paths)))


def _looks_like_work(path: str) -> bool:
    name = PurePosixPath(path).name.lower()
    ours = not NOT_WORK.isdisjoint(path.split("/")[:-1])
    return name.endswith(_WORK) and kind_of_file(path) == OTHER and not ours


def week_losses(student: str, week: Week, files: WeekFiles) -> Iterator[Loss]:
    """Yield what was lost of a week, or taken though it is called something else."""
    for notice in files.notices:
        if TAKEN_FOR in notice:
            yield Loss(student, RENAMED, notice, week.id)
        elif _OF_WORK.search(notice):
            yield Loss(student, NOT_TAKEN, notice, week.id)
