"""Git repositories on this machine: a commit's files read, files committed to a branch.

Files are read from git's objects. Nothing is checked out, and nothing that was pushed takes
effect: no attributes, filters or hooks, no replacement objects, no submodules. Git itself runs as
the repository's owner.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from autograder.errors import RemoteError
from autograder.intake.admission import MAX_NAME_CHARACTERS, FileType, Member, Refused
from autograder.intake.archives import CHUNK_BYTES
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
TIMEOUT_SECONDS = 30.0
"""Time limit of one git command, except of the one that lists a tree, whose entries are counted."""

COMMITTER = {f"GIT_{role}_{what}": text for role in ("AUTHOR", "COMMITTER") for what, text in
          (("NAME", "autograder"), ("EMAIL", "autograder@invalid"))}  # fmt: skip
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MAX_POINTER_BYTES = 1024
FILE_TYPES = {
    b"040000": FileType.FOLDER,
    b"100644": FileType.FILE,
    b"100664": FileType.FILE,  # of the first versions of git
    b"100755": FileType.FILE,
    b"120000": FileType.LINK,
}
"""File types by mode; any other, a submodule's (160000) say, is a special file."""


class GitError(RemoteError):
    """Git could not do what it was asked for; the message says what, in one line."""


@dataclass
class CommitTree:
    """A commit's members, to be read once.

    `size_limit` gives the maximum size of the file at a path in bytes. `pointers` are the files
    whose content Git LFS keeps elsewhere, known once the members have been read.
    """

    repository: Repository
    commit: str
    size_limit: Callable[[str], int]
    pointers: list[str] = field(default_factory=list)

    def members(self) -> Iterator[Member]:
        """Yield the commit's files and folders by their paths.

        A file above its size limit gets as many zeros as content, which is never read. Raises
        GitError where git fails, and Refused for a name that is far too long.
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
            except BaseException:  # also where the caller stops reading
                listing.kill()
                raise
            if listing.wait(TIMEOUT_SECONDS) != 0:
                raise GitError(f"git could not list the files of {self.commit[:12]}")

    def _member(self, entry: bytes, blobs: _Blobs) -> Member | None:
        attributes, _, path = entry.partition(b"\t")
        mode, _, sha, size = attributes.split()
        name = os.fsdecode(path)
        kind = FILE_TYPES.get(mode, FileType.SPECIAL)
        if kind is not FileType.FILE:
            return Member(name, kind, lambda: iter(()))
        if not size.isdigit():
            raise GitError(f"git has no content of {one_line(name)}")
        length = int(size)
        if length > self.size_limit(name):
            return Member(name, kind, lambda: _zeros(length))
        content = blobs.read(sha, length)
        if length <= MAX_POINTER_BYTES and content.startswith(LFS_POINTER):
            self.pointers.append(name)
            return None
        return Member(name, kind, lambda: iter((content,)))


def _entries(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield the entries of a listing, which end with NUL. Git itself doesn't limit names."""
    rest = b""
    while chunk := stream.read1(CHUNK_BYTES):  # type: ignore[attr-defined]  # a pipe has it
        *entries, rest = (rest + chunk).split(b"\0")
        if len(rest) > MAX_NAME_CHARACTERS + CHUNK_BYTES:
            shown = one_line(os.fsdecode(rest[:100]), 60)
            raise Refused(f"the name '{shown}' is too long; shorten it")
        yield from entries


def _zeros(length: int) -> Iterator[bytes]:
    """Yield as many zeros as a file that is too large has bytes, for admission to count."""
    for start in range(0, length, CHUNK_BYTES):
        yield bytes(min(CHUNK_BYTES, length - start))


class _Blobs:
    """Reads file contents by one `git cat-file --batch`, started on the first read."""

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

    def tree(self, commit: str, size_limit: Callable[[str], int]) -> CommitTree:
        """Return the members of a commit, each up to the maximum size in bytes of its path."""
        return CommitTree(self, commit, size_limit)

    def head(self) -> str | None:
        """Return the full name of the branch that HEAD names, whether it exists or not."""
        return self._ask("symbolic-ref", "-q", "HEAD")

    def tip(self, ref: str) -> str | None:
        """Return the hash of the commit that a full ref name leads to, None if there is none."""
        return self._ask("rev-parse", "-q", "--verify", "--end-of-options", f"{ref}^{{commit}}")

    def contains(self, newer: str, older: str) -> bool:
        """Whether `older` is an ancestor of `newer`."""
        return self._ask("merge-base", "--is-ancestor", older, newer) is not None

    def last_change(self, commit: str, paths: Sequence[str]) -> tuple[str, int] | None:
        """Return the hash and the time (seconds since 1970) of the last commit that changed a path.

        It is `commit` or an ancestor of it; without paths it is `commit` itself. None where no
        commit has anything at these paths. The time is the committer's claim.
        """
        arguments = ("log", "-1", "--format=%H %ct", "--end-of-options", commit, "--", *paths)
        fields = self._do(*arguments, variables={"GIT_LITERAL_PATHSPECS": "1"}).decode().split()
        return (fields[0], int(fields[1])) if fields else None

    def write(self, ref: str, files: Mapping[str, bytes], message: str) -> str:
        """Commit files, and nothing else, on top of a branch; return the commit's hash.

        Raises GitError where that fails; the branch is then as it was.
        """
        lines = []
        for name, content in sorted(files.items()):
            sha = self._do("hash-object", "-w", "--stdin", stdin=content).decode().strip()
            lines.append(f"100644 blob {sha}\t{name}\0")
        tree = self._do("mktree", "-z", stdin="".join(lines).encode()).decode().strip()
        tip = self.tip(ref)
        parent = ["-p", tip] if tip else []
        commit = self._do("commit-tree", *parent, tree, stdin=message.encode(), variables=COMMITTER)
        self._do("update-ref", ref, commit.decode().strip())
        return commit.decode().strip()

    def point_head_at(self, ref: str) -> None:
        """Make HEAD name a branch, for those who clone."""
        self._do("symbolic-ref", "HEAD", ref)

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
        """Start git in this repository; it prints to a pipe."""
        return subprocess.Popen(**self._command(arguments, ENVIRONMENT), stdin=stdin)

    def _ask(self, *arguments: str) -> str | None:
        """Return the one line that git prints, None where it answers no by the exit status 1."""
        done = self._run(*arguments)
        if done.returncode == 1:
            return None
        return self._output(arguments, done).decode("utf-8", "surrogateescape").rstrip("\n")

    def _do(
        self,
        *arguments: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> bytes:
        done = self._run(*arguments, stdin=stdin, variables=variables)
        return self._output(arguments, done)

    def _output(self, arguments: tuple[str, ...], done: subprocess.CompletedProcess) -> bytes:
        if done.returncode:
            raise GitError(f"git {arguments[0]} failed in {self.path}")
        return done.stdout

    def _run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        variables: Mapping[str, str] | None = None,
    ) -> subprocess.CompletedProcess:
        command = self._command(arguments, {**ENVIRONMENT, **(variables or {})})
        try:
            return subprocess.run(**command, input=stdin, timeout=TIMEOUT_SECONDS, check=False)
        except subprocess.TimeoutExpired as error:
            raise GitError(f"git {arguments[0]} took more than {TIMEOUT_SECONDS:.0f} s") from error

    def _command(
        self, arguments: tuple[str, ...], environment: Mapping[str, str]
    ) -> dict[str, Any]:
        settings = [word for option in OPTIONS for word in ("-c", option)]
        drop: dict[str, Any] = {}
        try:
            status = self.path.stat()
        except OSError as error:
            raise GitError(f"{self.path} can't be read: {error.strerror}") from error
        if os.geteuid() == 0 and status.st_uid != 0:
            # Files that git writes must belong to the owner; reading needs none of root's rights.
            drop = {"user": status.st_uid, "group": status.st_gid, "extra_groups": []}
        return {
            "args": ["git", *settings, f"--git-dir={self.path}", *arguments],
            "env": dict(environment),
            "cwd": "/",
            "umask": 0o022,
            "stdout": subprocess.PIPE,
            "stderr": subprocess.DEVNULL,
            **drop,
        }
