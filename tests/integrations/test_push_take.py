"""Commits of every odd kind, read straight from the objects of a real bare repository."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import Course
from autograder.integrations.git import GitError, Repository
from autograder.integrations.push.pushed_commit import CommitSubmissions, read_commit
from tests.pushing import git

FILE, LINK, FOLDER, MODULE = "100644", "120000", "40000", "160000"
NAME = "double.py"
CODE = b"def double(x):\n    return 2 * x\n"
Entries = Mapping[bytes, tuple[str, str]]


class Objects:
    """Writes objects into a repository, however odd."""

    def __init__(self, path: Path):
        self.path = path
        git(path.parent, "init", "-q", "--bare", "-b", "main", str(path))

    def blob(self, content: bytes) -> str:
        return git(self.path, "hash-object", "-w", "--stdin", given=content).strip()

    def file(self, content: bytes = CODE) -> tuple[str, str]:
        return FILE, self.blob(content)

    def tree(self, entries: Entries) -> str:
        """Write a tree as it is given: git itself would not write some of them."""
        raw = b"".join(
            mode.encode() + b" " + name + b"\0" + bytes.fromhex(sha)
            for name, (mode, sha) in sorted(entries.items())
        )
        how = ("hash-object", "-t", "tree", "-w", "--stdin", "--literally")
        return git(self.path, *how, given=raw).strip()

    def commit(self, entries: Entries) -> str:
        return git(self.path, "commit-tree", self.tree(entries), given=b"work").strip()


@pytest.fixture(scope="module")
def course(small) -> Course:
    return courses.load(small)


@pytest.fixture
def objects(tmp_path) -> Objects:
    return Objects(tmp_path / "ada.git")


@pytest.fixture
def read(small, course, objects):
    def read(entries: Entries) -> CommitSubmissions:
        commit = objects.commit(entries)
        return read_commit(small, course, objects.path, "ada", commit, datetime.now(UTC))

    return read


def test_files_are_found_wherever_they_lie(read, objects):
    inner = objects.tree({NAME.encode(): objects.file()})
    taken = read({b"week2_small": (FOLDER, inner), b"README.md": objects.file(b"Hello")})
    assert taken.refusal is None
    assert {n: one.files for n, one in taken.weeks.items()} == {2: {NAME: CODE}}


def test_links_and_submodules_are_not_followed(read, objects):
    """A submodule may have any hash, also one of this repository's."""
    entries = {
        NAME.encode(): (LINK, objects.blob(b"/etc/passwd")),
        b"triple.py": objects.file(),
        b"week2_small": (MODULE, "1" * 40),
    }
    taken = read(entries)
    assert list(taken.weeks) == [3]
    said = " ".join(taken.weeks[3].notices)
    assert "Links and special files are not followed: double.py, week2_small" in said


def test_what_is_pushed_does_not_configure_git(read, objects, tmp_path):
    """Attributes, filters, replacement objects and a .gitconfig change nothing."""
    mark = tmp_path / "mark"
    attributes = b"*.py export-ignore export-subst filter=evil text eol=crlf ident\n"
    config = f'[filter "evil"]\n smudge = touch {mark}\n[core]\n fsmonitor = touch {mark}\n'
    code = CODE + b"# $Format:%H$ $Id$\n"
    entries = {
        b".gitattributes": objects.file(attributes),
        b".gitconfig": objects.file(config.encode()),
        b".gitmodules": objects.file(b'[submodule "a"]\n path = a\n url = --upload-pack=touch\n'),
        NAME.encode(): objects.file(code),
    }
    commit = objects.commit(entries)
    other = objects.commit({NAME.encode(): objects.file(b"replaced = 1\n")})
    git(objects.path, "update-ref", f"refs/replace/{commit}", other)
    blob, lie = entries[NAME.encode()][1], objects.blob(b"lie = 1\n")
    git(objects.path, "update-ref", f"refs/replace/{blob}", lie)
    taken = read(entries)
    assert taken.weeks[2].files == {NAME: code}
    assert not mark.exists()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        (b"..", "leads, or could lead, out of the submission"),
        (b"a\nb.py", "has characters that can't be read"),
        (b"\xff\xfe.py", "has characters that can't be read"),
        ("evil\u202eyp.exe".encode(), "has characters that can't be read"),
        (b"..\\b.py", "leads, or could lead, out of the submission"),
        (b"n" * 2000, "is too long"),
        (b"n" * 200_000, "is too long"),
    ],
)
def test_names_that_can_not_be_shown_are_refused(read, objects, name, why):
    for entries in ({name: objects.file()}, {name: (FOLDER, objects.tree({b"x": objects.file()}))}):
        taken = read({NAME.encode(): objects.file(), **entries})
        assert taken.weeks == {}
        assert why in taken.refusal
        assert taken.refusal.isprintable()


def test_a_backslash_in_a_name_is_read_as_between_folders(read, objects):
    taken = read({NAME.encode(): objects.file(), b"notes\\plan.txt": objects.file()})
    assert taken.weeks[2].files == {NAME: CODE}
    assert any("notes\\plan.txt" in notice for notice in taken.weeks[2].notices)


def test_pointers_of_git_lfs_are_no_files(read, objects):
    pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 1\n"
    taken = read({b"triple.py": objects.file(), b"sketch.png": objects.file(pointer)})
    assert taken.weeks[3].documents == {}
    said = " ".join(taken.weeks[3].notices)
    assert "Only pointers of Git LFS: sketch.png. Commit the files themselves." in said


def test_a_hundred_megabytes_are_counted_and_not_read(read, objects):
    huge = objects.file(bytes(100 << 20))
    taken = read({NAME.encode(): objects.file(), b"data.bin": huge})
    assert taken.weeks[2].files == {NAME: CODE}, "what nobody asks for may be of any size"
    taken = read({NAME.encode(): huge})
    assert taken.weeks == {}, "it is read as far as such a file may go"
    taken = read({NAME.encode(): objects.file(bytes(2 << 20)), b"triple.py": objects.file()})
    assert list(taken.weeks) == [3]


def test_too_many_files_end_the_reading(read, objects):
    _, sha = objects.file()
    many = {b"f%d" % number: (FILE, sha) for number in range(20_001)}
    assert "more than" in read(many).refusal


def test_a_tree_of_trees_ends_the_reading(read, objects):
    """Ten folders in each of ten in each of ten ...: 10^10 of them, without a single file."""
    sha = objects.tree({})
    for _ in range(10):
        sha = objects.tree({b"%d" % number: (FOLDER, sha) for number in range(10)})
    started = time.monotonic()
    assert "more than" in read({b"a": (FOLDER, sha)}).refusal
    assert time.monotonic() - started < 60, "it would read_commit days"


def test_nothing_but_what_was_handed_out_is_nothing_handed_in(read, small, objects, tmp_path):
    stub = small / "assignments/week3_small" / "triple.py"
    stub.write_text("def triple(x):\n    raise NotImplementedError\n")
    try:
        same = stub.read_bytes().replace(b"\n", b"\r\n")
        taken = read({NAME.encode(): objects.file(), b"triple.py": objects.file(same)})
        assert list(taken.weeks) == [2]
        taken = read({b"triple.py": objects.file(same), b"sketch.md": objects.file(b"x")})
        assert list(taken.weeks) == [3]
    finally:
        stub.unlink()


def test_what_git_can_not_read_is_the_graders_fault(small, course, objects):
    missing = objects.commit({NAME.encode(): (FILE, "2" * 40)})
    for commit in (missing, "3" * 40):
        with pytest.raises(GitError):
            read_commit(small, course, objects.path, "ada", commit, datetime.now(UTC))


def test_what_is_written_is_on_top_of_what_was(objects):
    repository = Repository(objects.path)
    for number in range(2):
        files = {"feedback.md": b"%d" % number, "results.json": b"{}"}
        repository.write("refs/heads/grades", files, f"Graded {number}\n")
    assert git(objects.path, "show", "grades:feedback.md") == "1"
    assert git(objects.path, "log", "--format=%s", "grades").split("\n")[:2] == [
        "Graded 1",
        "Graded 0",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can run git as somebody else")
def test_root_runs_git_as_the_owner(objects):
    """What the service writes can be pushed upon by the account whose repository it is."""
    for path in [objects.path, *objects.path.rglob("*")]:
        os.chown(path, 65534, 65534)
    for parent in objects.path.parents:  # the folders of this test run are root's alone
        if "pytest-of-" in str(parent):
            parent.chmod(0o755)
    Repository(objects.path).write("refs/heads/grades", {"a": b"1"}, "Graded\n")
    assert {path.stat().st_uid for path in objects.path.rglob("*")} == {65534}
