"""Admission: which files of a submission are accepted, by their names, kinds and sizes."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

from autograder.errors import InputError
from autograder.intake.lookalike_names import skeleton, unusual_characters
from autograder.text.display import one_line

MAX_FILES = 2_000
MAX_SCANNED = 20_000
"""Maximum number of members per submission, including those that are silently skipped."""
MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of an archive, and of all its members together once unpacked."""
MAX_FILE_BYTES = 1024 * 1024
"""Maximum size of one module of an assignment."""
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Maximum size of one document of an assignment: a photograph or a scan, never opened here."""
MAX_DEPTH = 32
MAX_NAME_CHARACTERS = 1_000
TOO_LARGE = f"it holds more than {MAX_BYTES // 1024 // 1024} MB"

_FROM_MACOS = ("__MACOSX", ".DS_Store", ".AppleDouble", ".Spotlight-V100", ".Trashes", "Icon\r")
_FROM_WINDOWS = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information")
_FROM_TOOLS = (".git", ".venv", "venv", "env", "node_modules", ".idea", ".vscode")
_CACHES = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache")
LEFTOVERS = frozenset((*_FROM_MACOS, *_FROM_WINDOWS, *_FROM_TOOLS, *_CACHES))
_LEFTOVER_STARTS = ("._", "~$")
"""macOS puts a file's attributes into ._NAME; Office locks NAME by ~$NAME."""

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls: after one of these, "yp.sreyal" may read "layers.py"."""
_TRAILING_DOT_OR_SPACE = re.compile(r"[. ](?:/|$)")


class Refused(InputError):
    """A submission that is not taken. The message says why and what the student can do."""


class FileType(Enum):
    """The type of a member or an entry. Only files are ever read."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    SPECIAL = "device, pipe or other special file"


@dataclass(frozen=True)
class Member:
    """One member of a folder or an archive, by its name there. `chunks` yields its content.

    `packed` is true for a member of an archive that a student packed: there a link or a special
    file refuses the submission, and every file is inflated and counted. Elsewhere links are only
    listed, and files that no week asks for are not read. `other_names` are those by which other
    programs may call it.
    """

    name: str
    kind: FileType
    chunks: Callable[[], Iterator[bytes]]
    packed: bool = False
    other_names: tuple[str, ...] = ()


class Admission:
    """Checks every member of one submission and keeps the files that may be taken.

    `size_limit` gives the maximum number of bytes of the file at a path, 0 where it is not taken;
    `wanted` tells whether a week asks for it by name, if not all are that have a limit. `files`
    maps a kept file's path to its content, or to None where it is too large. `ignored` lists the
    other files, `unfollowed` the links and special files outside archives.
    """

    def __init__(
        self, size_limit: Callable[[str], int], wanted: Callable[[str], object] | None = None
    ) -> None:
        self.files: dict[str, bytes | None] = {}
        self.ignored: list[str] = []
        self.unfollowed: list[str] = []
        self._size_limit = size_limit
        self._wanted = wanted or size_limit
        self._paths: dict[str, str] = {}
        self._file_keys: set[str] = set()
        self._folder_keys: set[str] = set()
        self._scanned = 0
        self._total_bytes = 0

    def admit(self, member: Member) -> None:
        """Check one member and keep it where a week asks for it.

        Raises Refused where the member, or the submission so far, is not acceptable.
        """
        self._scanned += 1
        if self._scanned > MAX_SCANNED:
            raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
        path = clean_path(member.name)
        if path is None:
            return
        if member.kind in (FileType.LINK, FileType.SPECIAL):
            if member.packed:
                problem = f"'{one_line(path)}' is a {member.kind.value}"
                raise Refused(f"{problem}; pack plain files and folders only")
            self.unfollowed.append(path)
            return
        self._demand_one_name(path, member.other_names)
        self._register(path, member.kind)
        if member.kind is FileType.FILE:
            self._read(path, member)

    def _demand_one_name(self, path: str, others: Sequence[str]) -> None:
        """Refuse a file that another program shows under a name that a week asks for."""
        for name in others:
            if self._wanted(clean_path(name) or "") and clean_path(name) != path:
                names = f"'{one_line(name, 80)}' and '{one_line(path, 80)}'"
                raise Refused(
                    f"it has two names for a file, {names}; pack it again with short ones"
                )

    def _register(self, path: str, kind: FileType) -> None:
        """Count the member; refuse a name that people or file systems take for an earlier one."""
        key = self._key(path)
        parents = [key[:at] for at, char in enumerate(key) if char == "/"]
        inside = next((self._paths[one] for one in parents if one in self._file_keys), None)
        if inside is not None or (kind is FileType.FILE and key in self._folder_keys):
            problem = f"'{one_line(inside or path)}' is a file and a folder in it"
            raise Refused(f"{problem}; pack it again")
        self._folder_keys.update(parents)
        if key in self._paths and (kind is FileType.FILE or key in self._file_keys):
            other = self._paths[key]
            if other == path:
                raise Refused(f"it holds '{one_line(path)}' twice; remove one")
            names = f"'{one_line(other)}' and '{one_line(path)}'"
            odd = unusual_characters(other) or unusual_characters(path)
            why = f"the same on some machines, or to the eye{f' (there is {odd})' if odd else ''}"
            raise Refused(f"the names {names} are {why}; rename one")
        self._paths.setdefault(key, path)
        if kind is FileType.FILE:
            self._file_keys.add(key)
        if len(self._paths) > MAX_FILES:
            problem = (
                f"it has more than {MAX_FILES} files and folders, up to '{one_line(path, 80)}'"
            )
            raise Refused(f"{problem}; hand in your own files only")

    def _key(self, path: str) -> str:
        """Return a key that `path` shares with all names that could be taken for it.

        Names that differ in case or in the encoding of accents share a key; so do a wanted file's
        name and any that looks like it.
        """
        if path.isascii() and not _TRAILING_DOT_OR_SPACE.search(path):
            return path.casefold()
        lookalike = "/".join(map(skeleton, path.split("/")))
        if lookalike != path and self._wanted(lookalike):
            path = lookalike
        return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())

    def _read(self, path: str, member: Member) -> None:
        limit = self._size_limit(path)
        if not limit:
            self.ignored.append(path)
            if not member.packed:
                return
        content = bytearray()
        size = 0
        for chunk in member.chunks():
            self._total_bytes += len(chunk)
            size += len(chunk)
            if self._total_bytes > MAX_BYTES:
                problem = f"{TOO_LARGE}, reached in '{one_line(path, 80)}'"
                raise Refused(f"{problem}; leave data and results out")
            if size <= limit:
                content += chunk
        if limit:
            self.files[path] = bytes(content) if size <= limit else None


def clean_path(name: str) -> str | None:
    """Return a member's name as a relative path with "/", or None for one to skip silently.

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
    if len(name) > MAX_NAME_CHARACTERS or len(parts) > MAX_DEPTH:
        raise Refused(f"the name '{shown}' is too long or in too many folders; shorten it")
    return "/".join(parts)


def is_leftover(name: str) -> bool:
    """Whether operating systems or tools leave files or folders of this name everywhere."""
    return name in LEFTOVERS or name.startswith(_LEFTOVER_STARTS)


def _is_unreadable(char: str) -> bool:
    """Whether a character breaks a line, is invisible, or reverses the text around it."""
    return char in _BIDI_CONTROLS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")
