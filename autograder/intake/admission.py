"""The gatekeeper of one submission: which of its members are taken, within which limits."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum

from autograder.errors import InputError
from autograder.intake.lookalike_names import oddities, skeleton
from autograder.text.display import one_line

MAX_FILES = 2_000
MAX_SCANNED = 20_000
"""Members of a submission that are looked at, those that are silently skipped included."""
MAX_BYTES = 64 * 1024 * 1024
"""Both an archive itself and all that comes out of it."""
MAX_FILE_BYTES = 1024 * 1024
"""One module of an assignment."""
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""One document of an assignment: a photograph or a scan, which is never opened."""
MAX_DEPTH = 32
MAX_NAME = 1_000
TOO_LARGE = f"it holds more than {MAX_BYTES // 1024 // 1024} MB"

_FROM_MACOS = ("__MACOSX", ".DS_Store", ".AppleDouble", ".Spotlight-V100", ".Trashes", "Icon\r")
_FROM_WINDOWS = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information")
_FROM_TOOLS = (".git", ".venv", "venv", "env", "node_modules", ".idea", ".vscode")
_CACHES = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache")
LEFTOVERS = frozenset((*_FROM_MACOS, *_FROM_WINDOWS, *_FROM_TOOLS, *_CACHES))
_LEFTOVER_STARTS = ("._", "~$")
"""macOS puts a file's attributes into ._NAME; Office locks NAME by ~$NAME."""

_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""After one of these, "yp.sreyal" may read "layers.py"."""
_ENDS = re.compile(r"[. ](?:/|$)")


class Refused(InputError):
    """A submission that is not taken. The message says why and what the student can do."""


class Kind(Enum):
    """What a member is. Only files are ever read."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "device, pipe or other special file"


@dataclass(frozen=True)
class Member:
    """One member of a source, its name as found there. `chunks` reads it, piece by piece.

    `packed` says that it is in an archive that a student packed: there a link or a special file is
    a refusal, and every file is inflated and counted. Elsewhere links are left alone, and files
    that aren't wanted are not read.
    """

    name: str
    kind: Kind
    chunks: Callable[[], Iterator[bytes]]
    packed: bool = False


class Gate:
    """Judges every member of one submission and keeps the files that are wanted.

    `room` says how many bytes the file at a path may have, 0 where it isn't wanted. `files` maps a
    kept file's path to its bytes, or to None where it is larger. `ignored` lists the other files,
    `unfollowed` the links and special files that are in no archive.
    """

    def __init__(self, room: Callable[[str], int]) -> None:
        self.files: dict[str, bytes | None] = {}
        self.ignored: list[str] = []
        self.unfollowed: list[str] = []
        self._room = room
        self._seen: dict[str, str] = {}
        self._scanned = 0
        self._bytes = 0

    def pass_through(self, member: Member) -> None:
        """Take one member. Raises Refused where it, or what has come so far, is not acceptable."""
        self._scanned += 1
        if self._scanned > MAX_SCANNED:
            raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
        path = clean_path(member.name)
        if path is None:
            return
        if member.kind in (Kind.LINK, Kind.SPECIAL):
            if member.packed:
                problem = f"'{one_line(path)}' is a {member.kind.value}"
                raise Refused(f"{problem}; pack plain files and folders only")
            self.unfollowed.append(path)
            return
        self._register(path, member.kind)
        if member.kind is Kind.FILE:
            self._read(path, member)

    def _register(self, path: str, kind: Kind) -> None:
        """Count the member and refuse two names that people or file systems hold to be one."""
        key = self._key(path)
        if key in self._seen and kind is Kind.FILE:
            other = self._seen[key]
            if other == path:
                raise Refused(f"it holds '{one_line(path)}' twice; remove one")
            names = f"'{one_line(other)}' and '{one_line(path)}'"
            odd = oddities(other) or oddities(path)
            why = f"the same on some machines, or to the eye{f' (there is {odd})' if odd else ''}"
            raise Refused(f"the names {names} are {why}; rename one")
        self._seen.setdefault(key, path)
        if len(self._seen) > MAX_FILES:
            problem = (
                f"it has more than {MAX_FILES} files and folders, up to '{one_line(path, 80)}'"
            )
            raise Refused(f"{problem}; hand in your own files only")

    def _key(self, path: str) -> str:
        """Return what `path` has in common with all that may be taken for it.

        For any name that is its case and the way accents are written; for one that looks like a
        wanted file's, its looks.
        """
        if path.isascii() and not _ENDS.search(path):
            return path.casefold()
        looks = "/".join(map(skeleton, path.split("/")))
        if looks != path and self._room(looks):
            path = looks
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())

    def _read(self, path: str, member: Member) -> None:
        room = self._room(path)
        if not room:
            self.ignored.append(path)
            if not member.packed:
                return
        kept = bytearray()
        size = 0
        for chunk in member.chunks():
            self._bytes += len(chunk)
            size += len(chunk)
            if self._bytes > MAX_BYTES:
                problem = f"{TOO_LARGE}, reached in '{one_line(path, 80)}'"
                raise Refused(f"{problem}; leave data and results out")
            if size <= room:
                kept += chunk
        if room:
            self.files[path] = bytes(kept) if size <= room else None


def clean_path(name: str) -> str | None:
    """Return a member's name as a relative path with "/", or None for what is skipped silently.

    Raises Refused for a name that leads out of the submission or can't be shown or compared.
    """
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if not parts or any(is_leftover(part) for part in parts):
        return None
    shown = one_line(name, 100)
    if not (name.isascii() and name.isprintable()) and any(map(_is_unreadable, name)):
        raise Refused(f"the file name '{shown}' has characters that can't be read; rename it")
    if name.startswith("/") or ".." in parts or "\\" in name or re.match("[A-Za-z]:", name):
        problem = f"the name '{shown}' leads, or could lead, out of the submission"
        raise Refused(f"{problem}; pack your folder again with relative names and '/'")
    if len(name) > MAX_NAME or len(parts) > MAX_DEPTH:
        raise Refused(f"the name '{shown}' is too long or in too many folders; shorten it")
    return "/".join(parts)


def is_leftover(part: str) -> bool:
    """Whether a file or folder of this name is what systems and tools leave in every folder."""
    return part in LEFTOVERS or part.startswith(_LEFTOVER_STARTS)


def _is_unreadable(char: str) -> bool:
    """Whether a character breaks a line, stands for nothing, or turns the text around it."""
    return char in _TURNING or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
