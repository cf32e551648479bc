"""Folders of sections in a class: SectionA/{ada,bob} holds two students and is none itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from autograder.gradebook.people import Loss
from autograder.gradebook.roster import Roster
from autograder.intake.admission import FileType
from autograder.intake.class_entries import ClassEntry
from autograder.intake.places import is_aside
from autograder.intake.students import is_archive, paths_below, stem
from autograder.intake.week_files import WeekFileFinder, some
from autograder.text.display import one_line

_SECTION = re.compile(
    r"(?:.*[\W_\d])?(?:section|sect?|group|gruppe|grp|tutorial|tut|lab|class|recitation|discussion"
    r"|seminar|cohort|stream|mon(?:day)?|tue(?:sday)?|wed(?:nesday)?|thu(?:rsday)?|fri(?:day)?)s?(?:[\W_\d].*|[A-Z])?",
    re.IGNORECASE,
)
_VERSION = re.compile(
    r"(?:v|ver|version|attempt|try|final|new|latest|submission|submit|part|week|hw|homework|src"
    r"|assignments?|project|code|work|draft|solutions?)[\W_]*\d*(?:[\W_].*)?",
    re.IGNORECASE,
)
"""Names of a student's own folders: versions, and parts of the work."""

FOLDER = "folder of several"


def split_sections(
    entries: Sequence[ClassEntry],
    finder: WeekFileFinder,
    roster: Roster | None,
    known: Callable[[str], bool],
) -> tuple[list[ClassEntry], list[Loss]]:
    """Return the entries with those in folders of sections in the place of these folders.

    A folder is a section's where the roster knows its parts, or where several folders or archives
    of work lie in it and it is called so, or most folders of the class are like that. Another
    folder in which several students' work seems to lie stays one submission, with a loss that says
    so: it may be somebody's two versions. `known` tells that a name is one of the roster's.
    """
    folders = [entry for entry in entries if entry.kind is FileType.FOLDER]
    inside = {entry.name: _submissions_in(entry, finder) for entry in folders}
    like = [entry for entry in folders if len(inside[entry.name]) > 1]
    most = len(like) > 1 and 2 * len(like) > len(entries)
    found: list[ClassEntry] = []
    losses = []
    for entry in entries:
        parts = inside.get(entry.name, [])
        names = some([part.name for part in parts])
        if parts and _is_section(entry, parts, most, roster, known):
            found += parts
            text = f"The folder {one_line(entry.name)} was read as a section, with these in it"
            losses.append(Loss("", "section", f"{text}: {names}."))
            taken = {part.name for part in parts}
            others = [one for one in entry.inside() if one.name not in taken]
            if others:
                text = f"In {one_line(entry.name)} and nobody's, so left alone"
                losses.append(Loss("", "left alone", f"{text}: {some([o.name for o in others])}."))
            continue
        found.append(entry)
        if len(parts) > 1:
            text = f"{one_line(entry.name)} was taken for one student, and holds several folders "
            text += f"or archives of work: {names}. If these are several students', move them to "
            losses.append(Loss("", FOLDER, f"{text}the top, or list them in roster.csv."))
    return found, losses


def _is_section(
    entry: ClassEntry,
    parts: Sequence[ClassEntry],
    most: bool,
    roster: Roster | None,
    known: Callable[[str], bool],
) -> bool:
    if roster:
        if known(entry.name):
            return False
        if any(known(stem(part)) for part in parts):
            return True
    if len(parts) < 2:
        return False
    return most or bool(_SECTION.fullmatch(entry.name))


def _submissions_in(folder: ClassEntry, finder: WeekFileFinder) -> list[ClassEntry]:
    """Return what in a folder may be a student's submission each; none where it is one itself."""
    try:
        parts = folder.inside()
    except OSError:
        return []  # reading it as a submission says what is wrong
    found = []
    for part in parts:
        if part.kind is FileType.FOLDER:
            own = finder.owner(f"{part.name}/") is not None or is_aside(f"{part.name}/x")
            if own or _VERSION.fullmatch(part.name):
                return []
            if any(map(finder.known, paths_below(part))):
                found.append(part)
        elif finder.known(part.name):
            return []
        elif is_archive(part.name):
            if _VERSION.fullmatch(stem(part)) or finder.owner(f"{stem(part)}/") is not None:
                return []
            found.append(part)
    return found
