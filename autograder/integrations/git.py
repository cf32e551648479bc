"""A commit's files read straight from git's objects, and files committed to a branch of ours.

Nothing is checked out, and nothing that was pushed is obeyed: no attributes, filters or hooks of
it, no replacement objects, no submodules. Git itself runs as the repository's owner.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from autograder.errors import RemoteError
from autograder.intake.admission import MAX_NAME, Kind, Member, Refused
from autograder.intake.archives import CHUNK
from autograder.text.display import one_line

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_NO_REPLACE_OBJECTS": "1",  # refs/replace can be pushed, and shows another commit
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_ALLOW_PROTOCOL": "",
    "GIT_TERMINAL_PROMPT": "0",
}
OPTIONS = ("safe.directory=*", f"core.hooksPath={os.devnull}", "core.fsmonitor=false", "gc.auto=0")
SECONDS = 30.0
"""For one command of git, except that which lists a tree: there every entry is counted."""

NOBODY = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in
          (("NAME", "autograder"), ("EMAIL", "autograder@invalid"))}  # fmt: skip
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MAX_POINTER = 1024
MODES = {b"040000": Kind.FOLDER, b"100644": Kind.FILE, b"100755": Kind.FILE, b"120000": Kind.LINK}
"""100664, of the first versions of git, is a file too; a submodule (160000) is not."""


class GitError(RemoteError):
    """Git could not do what it was asked for; the message says what, in one line."""


@dataclass
class Tree:
    """A commit's members, to be read once. `pointers` are files that Git LFS keeps elsewhere."""

    repository: Repository
    commit: str
    room: Callable[[str], int]
    pointers: list[str] = field(default_factory=list)

    def members(self) -> Iterator[Member]:
        """Yield what the commit holds, by its path, folders included.

        `room` says how many bytes the file at a path may have: one that has more is counted, and
        its content is never read. Raises GitError where git fails, and Refused for a name that is
        far too long.
        """
        with _Blobs(self.repository) as blobs, self.repository.start(
            "ls-tree", "-r", "-t", "-z", "-l", "--full-tree", self.commit
        ) as listing:  # fmt: skip
            assert listing.stdout is not None
            try:
                for entry in _entries(listing.stdout):
                    member = self._member(entry, blobs)
                    if member is not None:
                        yield member
            except BaseException:  # whoever reads has had enough of it, say
                listing.kill()
                raise
            if listing.wait(SECONDS) != 0:
                raise GitError(f"git could not list the files of {self.commit[:12]}")

    def _member(self, entry: bytes, blobs: _Blobs) -> Member | None:
        facts, _, path = entry.partition(b"\t")
        mode, _, sha, size = facts.split()
        name = os.fsdecode(path)
        kind = Kind.FILE if mode == b"100664" else MODES.get(mode, Kind.SPECIAL)
        if kind is not Kind.FILE:
            return Member(name, kind, lambda: iter(()))
        if not size.isdigit():
            raise GitError(f"git has no content of {one_line(name)}")
        length = int(size)
        if length > self.room(name):
            return Member(name, kind, lambda: _zeros(length))
        content = blobs.read(sha, length)
        if length <= MAX_POINTER and content.startswith(LFS_POINTER):
            self.pointers.append(name)
            return None
        return Member(name, kind, lambda: iter((content,)))


def _entries(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what NUL bytes end. Git itself sets no limit to the length of a name."""
    rest = b""
    while chunk := stream.read1(CHUNK):  # type: ignore[attr-defined]
        *entries, rest = (rest + chunk).split(b"\0")
        if len(rest) > MAX_NAME + CHUNK:
            shown = one_line(os.fsdecode(rest[:100]), 60)
            raise Refused(f"the name '{shown}' is too long; shorten it")
        yield from entries


def _zeros(length: int) -> Iterator[bytes]:
    """Yield as many bytes as a file has that is too large to be kept, for the gate to count."""
    for start in range(0, length, CHUNK):
        yield bytes(min(CHUNK, length - start))


class _Blobs:
    """One `git cat-file` that gives one file after the other; started when first asked."""

    def __init__(self, repository: Repository):
        self._repository = repository
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _Blobs:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.__exit__(None, None, None)

    def read(self, sha: bytes, length: int) -> bytes:
        if self._process is None:
            self._process = self._repository.start("cat-file", "--batch", stdin=subprocess.PIPE)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(sha + b"\n")
            self._process.stdin.flush()
            head = self._process.stdout.readline().split()
            content = self._process.stdout.read(length + 1)
        except OSError as error:
            raise GitError(f"git could not read {sha.decode()[:12]}: {error.strerror}") from error
        if head[1:] != [b"blob", str(length).encode()] or len(content) != length + 1:
            raise GitError(f"git could not read {sha.decode()[:12]}")
        return content[:-1]


@dataclass(frozen=True)
class Repository:
    """A bare repository on this machine, by the path of the folder that holds its objects."""

    path: Path

    def tree(self, commit: str, room: Callable[[str], int]) -> Tree:
        """Return the members of a commit; `room` says how large the file at a path may be."""
        return Tree(self, commit, room)

    def head(self) -> str | None:
        """Return the full name of the branch that HEAD names, whether it exists or not."""
        return self._ask("symbolic-ref", "-q", "HEAD")

    def tip(self, ref: str) -> str | None:
        """Return the hash of the commit that a ref of this full name leads to, None without."""
        return self._ask("rev-parse", "-q", "--verify", "--end-of-options", f"{ref}^{{commit}}")

    def contains(self, newer: str, older: str) -> bool:
        """Whether `older` is among the commits that led to `newer`."""
        return self._ask("merge-base", "--is-ancestor", older, newer) is not None

    def last_change(self, commit: str, paths: Sequence[str]) -> tuple[str, int] | None:
        """Return the hash and the time (seconds since 1970) of the last commit that changed a path.

        It is `commit` or one that led to it; without paths it is `commit` itself. None where no
        commit has anything at these paths. The time is what the commit says: whoever made it chose
        it.
        """
        arguments = ("log", "-1", "--format=%H %ct", "--end-of-options", commit, "--", *paths)
        said = self._do(*arguments, more={"GIT_LITERAL_PATHSPECS": "1"}).decode().split()
        return (said[0], int(said[1])) if said else None

    def write(self, ref: str, files: Mapping[str, bytes], message: str) -> str:
        """Commit files, and nothing else, on top of a branch; return the commit's hash.

        Raises GitError where that fails; the branch is then as it was.
        """
        lines = []
        for name, content in sorted(files.items()):
            sha = self._do("hash-object", "-w", "--stdin", given=content).decode().strip()
            lines.append(f"100644 blob {sha}\t{name}\0")
        tree = self._do("mktree", "-z", given="".join(lines).encode()).decode().strip()
        tip = self.tip(ref)
        parent = ["-p", tip] if tip else []
        commit = self._do("commit-tree", *parent, tree, given=message.encode(), more=NOBODY)
        self._do("update-ref", ref, commit.decode().strip())
        return commit.decode().strip()

    def point_head_at(self, ref: str) -> None:
        """Make HEAD name a branch, for those who clone."""
        self._do("symbolic-ref", "HEAD", ref)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start git in this repository; it prints to a pipe."""
        return subprocess.Popen(**self._command(arguments, ENVIRONMENT), stdin=stdin)

    def _ask(self, *arguments: str) -> str | None:
        """Return what git prints on one line, None where it says no by the exit status 1."""
        done = self._run(*arguments)
        if done.returncode == 1:
            return None
        return self._output(arguments, done).decode("utf-8", "surrogateescape").rstrip("\n")

    def _do(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> bytes:
        done = self._run(*arguments, given=given, more=more)
        return self._output(arguments, done)

    def _output(self, arguments: tuple[str, ...], done: subprocess.CompletedProcess) -> bytes:
        if done.returncode:
            raise GitError(f"git {arguments[0]} failed in {self.path}")
        return done.stdout

    def _run(
        self, *arguments: str, given: bytes = b"", more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        command = self._command(arguments, {**ENVIRONMENT, **(more or {})})
        try:
            return subprocess.run(**command, input=given, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took more than {SECONDS:.0f} s") from error

    def _command(
        self, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        settings = [word for option in OPTIONS for word in ("-c", option)]
        drop: dict[str, Any] = {}
        try:
            found = self.path.stat()
        except OSError as error:
            raise GitError(f"{self.path} can't be read: {error.strerror}") from error
        if os.geteuid() == 0 and found.st_uid != 0:
            # What git writes has to be its owner's, and what it reads needs none of root's rights.
            drop = {"user": found.st_uid, "group": found.st_gid, "extra_groups": []}
        return {
            "args": ["git", *settings, f"--git-dir={self.path}", *arguments],
            "env": dict(environment),
            "cwd": "/",
            "umask": 0o022,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.DEVNULL,
            **drop,
        }
