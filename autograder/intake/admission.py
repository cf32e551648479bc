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
"""Maximum number of files of a submission that may be taken; of others there may be more."""
MAX_SCANNED = 20_000
"""Maximum number of members per submission, including those that are silently skipped."""
MAX_BYTES = 64 * 1024 * 1024
"""Maximum size of all files that may be taken; of others so much is unpacked to see damage."""
MAX_ARCHIVE_BYTES = 256 * 1024 * 1024
"""Maximum size of an archive, and of a tar archive once unpacked: it can only be read whole."""
MAX_FILE_BYTES = 1024 * 1024
"""Maximum size of one module of an assignment."""
MAX_DOCUMENT_BYTES = 16 * 1024 * 1024
"""Maximum size of one document of an assignment: a photograph or a scan, never opened here."""
MAX_DEPTH = 32
MAX_NAME_CHARACTERS = 1_000
TOO_LARGE = "it holds more than {} MB"

_FROM_MACOS = ("__MACOSX", ".DS_Store", ".AppleDouble", ".Spotlight-V100", ".Trashes", "Icon\r")
_FROM_WINDOWS = ("Thumbs.db", "desktop.ini", "$RECYCLE.BIN", "System Volume Information")
_FROM_TOOLS = (".git", ".venv", "venv", "env", "node_modules", ".idea", ".vscode")
_CACHES = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".mypy_cache")
LEFTOVERS = frozenset((*_FROM_MACOS, *_FROM_WINDOWS, *_FROM_TOOLS, *_CACHES))
_LEFTOVER_STARTS = ("._", "~$")
"""macOS puts a file's attributes into ._NAME; Office locks NAME by ~$NAME."""

_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Bidirectional controls: after one of these, "yp.sreyal" may read "layers.py"."""
_INSTALLED = frozenset(("site-packages", "dist-packages", "conda-meta"))
"""Folders that only an environment of Python has: what is in them was installed, not written."""
_CODE = (".py", ".ipynb")

_TRAILING_DOT_OR_SPACE = re.compile(r"[. ](?:/|$)")


class Refused(InputError):
    """A submission that is not taken. The message says why and what the student can do."""


class FileType(Enum):
    """The type of a member or an entry. Only files are ever read."""

    FILE = "file"
    FOLDER = "folder"
    LINK = "link"
    PIPE = "special file (a pipe, say, or a file with holes)"
    SPECIAL = "device or other special file"


@dataclass(frozen=True)
class Member:
    """One member of a folder or an archive, by its name there. `chunks` yields its content.

    `packed` is true for a member of an archive that a student packed: there a device refuses the
    submission, and so does a link in the place of a file that a week asks for; every file is
    inflated, as far as MAX_BYTES reach. Elsewhere links are only listed, and files that no week
    asks for are not read. `other_names` are those by which other programs may call it.
    """

    name: str
    kind: FileType
    chunks: Callable[[], Iterator[bytes]]
    packed: bool = False
    other_names: tuple[str, ...] = ()


class Admission:
    """Checks every member of one submission and keeps the files that may be taken.

    What is odd and can do no harm is left alone with a reason; what could be taken for something
    else, or leads elsewhere, refuses the submission. `size_limit` gives the maximum number of bytes
    of the file at a path, 0 where it is not taken; `wanted` tells whether a week asks for it by
    this or a near name, `asked` whether by this very name. `files` maps a kept file's path to its
    content, or to None where it is too large. `ignored` lists the other files, `unfollowed` the
    links and special files, `odd` what is odd, by what is said of it.
    """

    def __init__(
        self,
        size_limit: Callable[[str], int],
        wanted: Callable[[str], object] | None = None,
        asked: Callable[[str], object] | None = None,
    ) -> None:
        self.files: dict[str, bytes | None] = {}
        self.ignored: list[str] = []
        self.unfollowed: list[str] = []
        self.odd: dict[str, list[str]] = {}
        self._size_limit = size_limit
        self._wanted = wanted or size_limit
        self._asked = asked or self._wanted
        self._paths: dict[str, str] = {}
        self._file_keys: set[str] = set()
        self._folder_keys: set[str] = set()
        self._link_keys: set[str] = set()
        self._scanned = 0
        self._may_be_taken = 0
        self._total_bytes = 0
        self._other_bytes = 0

    def admit(self, member: Member) -> None:
        """Check one member and keep it where a week asks for it.

        Raises Refused where the member, or the submission so far, is not acceptable.
        """
        self._scanned += 1
        if self._scanned > MAX_SCANNED:
            raise Refused(f"it has more than {MAX_SCANNED} entries; hand in your own files only")
        if is_undecodable(member.name) and not self._is_code(skeleton(member.name)):
            self._leave(one_line(member.name, 100), UNDECODABLE)
            return
        path = clean_path(member.name)
        if path is None:
            return
        if "\\" in member.name:
            self._leave(one_line(member.name, 100), WITH_BACKSLASH)
        if folder := installed(path):
            if folder not in self.odd.get(INSTALLED, ()):
                self._leave(folder, INSTALLED)
            return
        if member.kind not in (FileType.FILE, FileType.FOLDER):
            self._admit_link(path, member)
            return
        self._demand_one_name(path, member.other_names)
        if self._register(path, member.kind) and member.kind is FileType.FILE:
            self._read(path, member)

    def _admit_link(self, path: str, member: Member) -> None:
        """List a link or a special file, which is never followed or opened."""
        dangerous = member.kind is FileType.SPECIAL or self._asked(path) or self._stands(path)
        if member.packed and dangerous:
            problem = f"'{one_line(path)}' is a {member.kind.value}"
            raise Refused(f"{problem}; pack plain files and folders only")
        self._link_keys.add(self._key(path))
        self.unfollowed.append(path)

    def _stands(self, path: str) -> bool:
        """Whether there is a file or a folder of a link's name already."""
        return self._key(path) in self._file_keys | self._folder_keys

    def _leave(self, path: str, reason: str) -> None:
        self.odd.setdefault(reason, []).append(path)

    def _is_code(self, path: str) -> bool:
        """Whether a file of this name may be run: two that look the same are no small matter."""
        return path.casefold().endswith(_CODE)

    def _demand_one_name(self, path: str, others: Sequence[str]) -> None:
        """Refuse a file that another program shows under a name that a week asks for."""
        for name in others:
            if self._wanted(clean_path(name) or "") and clean_path(name) != path:
                names = f"'{one_line(name, 80)}' and '{one_line(path, 80)}'"
                raise Refused(
                    f"it has two names for a file, {names}; pack it again with short ones"
                )

    def _register(self, path: str, kind: FileType) -> bool:
        """Count the member; whether it is to be read.

        A name that people or file systems take for an earlier one refuses the submission where
        code is meant; of other files with one name in two spellings both are there to be read.
        """
        key = self._key(path)
        parents = [key[:at] for at, char in enumerate(key) if char == "/"]
        link = next((one for one in (*parents, key) if one in self._link_keys), None)
        if link is not None:
            problem = f"'{one_line(path)}' lies in or has the name of a link"
            raise Refused(f"{problem}; pack plain files and folders only")
        if not self._is_file_or_folder(path, kind, key, parents):
            return False
        self._folder_keys.update(parents)
        if key in self._paths and (kind is FileType.FILE or key in self._file_keys):
            other = self._paths[key]
            if other == path:
                if self._size_limit(path):
                    raise Refused(f"it holds '{one_line(path)}' twice; remove one")
                self._leave(path, TWICE)
                return False
            if self._is_code(key) and (self._wanted(path) or self._wanted(other)):
                names = f"'{one_line(other)}' and '{one_line(path)}'"
                odd = unusual_characters(other) or unusual_characters(path)
                there = f" (there is {odd})" if odd else ""
                why = f"the same on some machines, or to the eye{there}"
                raise Refused(f"the names {names} are {why}; rename one")
            self._leave(f"{other} and {path}", ONE_NAME)
        self._paths.setdefault(key, path)
        if kind is FileType.FILE:
            self._file_keys.add(key)
            self._may_be_taken += bool(self._size_limit(path))
        if self._may_be_taken > MAX_FILES:
            problem = f"it has more than {MAX_FILES} files that may be work"
            raise Refused(f"{problem}, up to '{one_line(path, 80)}'; hand in your own files only")
        return True

    def _is_file_or_folder(
        self, path: str, kind: FileType, key: str, parents: Sequence[str]
    ) -> bool:
        """Whether a name is not both a file and a folder; that refuses where work is meant."""
        inside = next((self._paths[one] for one in parents if one in self._file_keys), None)
        if inside is None and not (kind is FileType.FILE and key in self._folder_keys):
            return True
        if self._size_limit(path) or self._size_limit(inside or path):
            problem = f"'{one_line(inside or path)}' is a file and a folder in it"
            raise Refused(f"{problem}; pack it again")
        self._leave(path, FILE_AND_FOLDER)
        return False

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
            if member.packed:
                self._unpack(path, member)
            return
        content = bytearray()
        for chunk in member.chunks():
            self._total_bytes += len(chunk)
            if self._total_bytes > MAX_BYTES:
                problem = f"{TOO_LARGE.format(MAX_BYTES >> 20)} of work"
                where = f"reached in '{one_line(path, 80)}'"
                raise Refused(f"{problem}, {where}; leave data and results out")
            content += chunk
            if len(content) > limit:
                break
        self.files[path] = bytes(content) if len(content) <= limit else None

    def _unpack(self, path: str, member: Member) -> None:
        """Unpack what is not taken, to see damage, and stop where it is large."""
        for chunk in member.chunks():
            self._other_bytes += len(chunk)
            if self._other_bytes > MAX_BYTES:
                self._leave(path, LARGE)
                return


UNDECODABLE = (
    "Left alone: {}: the name is in no encoding that is known here. If it is work, rename it."
)
WITH_BACKSLASH = "The \\ in a name was read as / between folders: {}. Pack with / next time."
INSTALLED = "Left alone: {}: installed packages are there where your work is graded."
TWICE = "Left alone: {}: it is there twice."
ONE_NAME = "{}: the two are one name on some machines. Keep one of them."
FILE_AND_FOLDER = "Left alone: {}: it is a file and a folder at once."
LARGE = "Not looked at: {}: data as large as that are left alone. Leave data and results out."
"""What is said of odd files, which it names."""


def clean_path(name: str) -> str | None:
    """Return a member's name as a relative path with "/", or None for one to skip silently.

    Some programs for Windows write "\\" between folders. Raises Refused for a name that leads out
    of the submission or can't be shown or compared.
    """
    parts = [part for part in re.split(r"[/\\]", name) if part not in ("", ".")]
    if not parts or any(is_leftover(part) for part in parts):
        return None
    shown = one_line(name, 100)
    if not (name.isascii() and name.isprintable()) and any(map(_is_unreadable, name)):
        raise Refused(f"the file name '{shown}' has characters that can't be read; rename it")
    if name.startswith(("/", "\\")) or ".." in parts or re.match("[A-Za-z]:", name):
        problem = f"the name '{shown}' leads, or could lead, out of the submission"
        raise Refused(f"{problem}; pack your folder again with relative names and '/'")
    if len(name) > MAX_NAME_CHARACTERS or len(parts) > MAX_DEPTH:
        raise Refused(f"the name '{shown}' is too long or in too many folders; shorten it")
    return "/".join(parts)


def installed(path: str) -> str:
    """Return the folder of installed packages in which a file lies; "" for none."""
    parts = path.split("/")
    at = next((at for at, part in enumerate(parts) if part in _INSTALLED), None)
    return "" if at is None else "/".join(parts[: at + 1])


def is_leftover(name: str) -> bool:
    """Whether operating systems or tools leave files or folders of this name everywhere."""
    return name in LEFTOVERS or name.startswith(_LEFTOVER_STARTS)


def _is_unreadable(char: str) -> bool:
    """Whether a character breaks a line, is invisible, or reverses the text around it."""
    return char in _BIDI_CONTROLS or unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp")


def is_undecodable(name: str) -> bool:
    """Whether a name has bytes that are no text, and no other character that can't be read."""
    if name.isascii() or name.count("/") >= MAX_DEPTH:
        return False
    unreadable = [char for char in name if _is_unreadable(char)]
    return bool(unreadable) and all(unicodedata.category(char) == "Cs" for char in unreadable)
