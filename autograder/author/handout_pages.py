"""Handouts as pages for a browser, and what must be so of their pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from autograder.course import Course, Week, load
from autograder.errors import AuthorError
from autograder.pages.formulas import FormulaError
from autograder.pages.markdown import body_of
from autograder.pages.page import page
from autograder.text.files import write_text

PICTURES = "pictures"
"""The folder in a week's folder that holds the pictures of its handout."""

LARGEST_PICTURE = 60_000
"""Bytes; a page carries all of its pictures, and is sent to phones."""

SHORTEST_WORDS = 20
"""Characters of what is said of a picture to those who can't see it."""

SECTIONS = (2, 3)
"""The levels of the headings that are listed as contents."""


class HandoutError(AuthorError):
    """A handout can't be made a page: a picture is missing, or a formula can't be set."""


def handout_of(week: Week) -> str:
    """Return the name of a week's handout: HANDOUT.md where students write README.md themselves."""
    return "HANDOUT.md" if "README.md" in week.files else "README.md"


def texts_of(root: Path, course: Course) -> list[Path]:
    """Return the Markdown files that become pages, relative to `root`.

    These are the handouts, whatever else is to be read in a week's folder, and what holds for all
    weeks; what students write in is not.
    """
    found = []
    for week in course.weeks:
        folder = root / "assignments" / week.folder
        written = {name for names in week.documents for name in names}
        texts = (path for path in sorted(folder.glob("*.md")) if path.name not in written)
        found += [path.relative_to(root) for path in texts]
    return found + [path.relative_to(root) for path in sorted((root / "assignments").glob("*.md"))]


def write_all(root: Path, out: Path) -> list[Path]:
    """Write the pages of all weeks into the folder `out`, each week's in a folder of its own.

    Returns their paths. Raises HandoutError; nothing is written then.
    """
    texts = texts_of(root, load(root))
    pages = {
        out / text.relative_to("assignments").with_suffix(".html"): page_of(root, text, texts)
        for text in texts
    }
    _write(pages.items())
    return list(pages)


def write_beside(tree: Path, course: Course) -> None:
    """Write the page of each text of a students' tree beside it. Raises HandoutError."""
    texts = texts_of(tree, course)
    _write(
        (tree / text.with_suffix(".html"), page_of(tree, text, texts, files_beside=True))
        for text in texts
    )


def _write(pages: Iterable[tuple[Path, str]]) -> None:
    for path, text in pages:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)


def page_of(root: Path, text: Path, texts: list[Path], *, files_beside: bool = False) -> str:
    """Return the page of a text, which leads to the pages of the others.

    Other files are links only where they lie beside the page. Raises HandoutError.
    """
    links = partial(_link, root, text, texts, files_beside)
    try:
        body = body_of(
            (root / text).read_text("utf-8"), partial(_picture, root, text), links, strict=True
        )
    except FormulaError as error:
        raise HandoutError(f"{text.as_posix()}: {error.problem}") from error
    sections = [heading for heading in body.headings if heading.level in SECTIONS]
    return page(body.title, body.html, sections)


def _picture(root: Path, text: Path, source: str) -> bytes:
    path = root / text.parent / source
    if not path.is_file():
        raise HandoutError(f"{text.as_posix()} shows {source}, which isn't there")
    return path.read_bytes()


def _link(root: Path, text: Path, texts: list[Path], files_beside: bool, target: str) -> str | None:
    if re.match(r"(https?:|mailto:|#)", target):
        return target
    name, hash_sign, place = target.partition("#")
    path = Path(os.path.normpath(text.parent / unquote(name)))
    if path in texts:
        return f"{name.removesuffix('.md')}.html{hash_sign}{place}"
    return target if files_beside and (root / path).exists() else None


def picture_faults(root: Path, week: Week) -> list[str]:
    """Return what is wrong with the pictures of a week's handout; nothing where all is well.

    Each file in the folder of pictures is shown by a text beside it, with words for those who
    can't see it; each picture that is shown is there; and all of them are small.
    """
    folder = root / "assignments" / week.folder
    shown = {path.name: dict(_shown(path)) for path in sorted(folder.glob("*.md"))}
    return [
        *(
            f"{name} shows {source}, {problem}"
            for name, pictures in shown.items()
            for source, words in pictures.items()
            for problem in _faults_of(folder / source, words)
        ),
        *(
            f"no text shows {PICTURES}/{path.name}"
            for path in sorted((folder / PICTURES).glob("*"))
            if not any(f"{PICTURES}/{path.name}" in pictures for pictures in shown.values())
        ),
    ]


def _shown(path: Path) -> Iterator[tuple[str, str]]:
    for words, source in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", path.read_text("utf-8")):
        yield source, words


def _faults_of(path: Path, words: str) -> Iterator[str]:
    if not path.is_file():
        yield "which isn't there"
    elif path.stat().st_size > LARGEST_PICTURE:
        yield f"which has more than {LARGEST_PICTURE} bytes"
    if len(words) < SHORTEST_WORDS:
        yield "and says too little to those who can't see it: `![what it shows](...)`"
