"""Looks in the texts of a students' tree for formulas that tasks ask for, and for what is watched.

Which formulas those are stands in solutions/formulas.toml, what is watched in grading.toml; neither
is shipped. Texts are compared without blanks, line breaks, signs of multiplication and what only
typesetting needs, so that code, docstrings and TeX are alike.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path

from autograder.course import Course
from autograder.errors import AuthorError
from autograder.grading.flags.watched import watched_names

FORMULAS = Path("solutions/formulas.toml")

TYPESETTING = re.compile(r"\\(?:left|right|cdot|q?quad|[bB]igg?|[,;!])(?![a-z])|[\s{}$`*·\\#\"]+")
MOST_WATCHED = 5
"""So many of the watched names in one text are no accident: it is the list, or a part of it."""

BROAD = 8
"""Shorter names, such as "signal", stand in texts about other things."""


def formulas_in(course: Course, root: Path, files: Mapping[str, bytes]) -> list[str]:
    """Say which of the files hold a formula that a task asks for.

    Raises AuthorError for a wrong file of formulas.
    """
    found = []
    texts = {name: plain(data.decode("utf-8", "replace")) for name, data in files.items()}
    for task, formulas, exempt in _asked(course, root):
        for name, text in texts.items():
            if any(fnmatch(name, pattern) for pattern in exempt):
                continue
            said = next((formula for formula in formulas if plain(formula) in text), None)
            if said is not None:
                found.append(f"{name}: {said!r}, which {task} asks for")
    return found


def _asked(course: Course, root: Path) -> list[tuple[str, list[str], list[str]]]:
    """Return each task with its formulas and the files in which they may stand."""
    path = root / FORMULAS
    if not path.is_file():
        return []
    items = {item.id for item in course.items()}
    entries = tomllib.loads(path.read_text("utf-8")).get("asked", [])
    for entry in entries:
        texts = entry.get("formulas")
        if entry.get("task") not in items or not texts or not all(map(plain, texts)):
            raise AuthorError(f"{FORMULAS}: {entry} names no item of the course, or no formula")
    return [(entry["task"], entry["formulas"], entry.get("except", [])) for entry in entries]


def plain(text: str) -> str:
    """Return a text without what says nothing about a formula."""
    text = re.sub(r"(?<=\d)\.0\b", "", text.replace("**", "^").replace("\\n", " "))
    return TYPESETTING.sub("", text)


def watched_in_texts(course: Course, files: Mapping[str, bytes]) -> list[str]:
    """Say which of the files list names that raise a flag where a submission uses them."""
    names = {
        name.encode()
        for entry in watched_names(course)
        for name in entry.names
        if len(name) >= BROAD
    }
    found = []
    for file, data in files.items():
        # What a module of ours uses itself is no list: there only its texts count.
        said = texts_of(data) if file.endswith(".py") else data
        seen = sorted(name.decode() for name in names if name in said)
        if len(seen) >= MOST_WATCHED:
            found.append(f"{file}: names what is watched: {', '.join(seen)}")
    return found


def texts_of(source: bytes) -> bytes:
    """Return the texts in a Python module, one after the other."""
    constants = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant))
    return " ".join(str(node.value) for node in constants).encode()
