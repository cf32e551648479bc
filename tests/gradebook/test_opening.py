"""A gradebook that can't be written is read as it is; what can't be set up leaves nothing."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest

from autograder.gradebook import journal
from autograder.gradebook.journal import Gradebook, GradebookError
from autograder.gradebook.opening import explained
from autograder.gradebook.submission import Submission


def hand_in(gradebook: Gradebook, student: str) -> None:
    gradebook.start_run("rung", "digits", "salt", {})
    gradebook.add_submission(Submission(student, {"double.py": b"1"}), 2)
    gradebook.finish_run()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "grades" / "gradebook.sqlite"
    with Gradebook.open(path) as gradebook:
        hand_in(gradebook, "ada")
    return path


@pytest.fixture
def read_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root may write everywhere, so it is told that it may not."""
    monkeypatch.setattr(journal, "is_writable", lambda path: False)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_read_only_gradebook_is_read_and_left_as_it_is(path: Path, read_only: None) -> None:
    before = contents(path.parent)
    with Gradebook.read(path) as gradebook:
        assert gradebook.students() == ["ada"]
        hand_in(gradebook, "into the copy in memory")
    assert contents(path.parent) == before


def test_it_is_read_while_another_program_writes(path: Path, read_only: None) -> None:
    with Gradebook.open(path) as writer:
        hand_in(writer, "ben")
        with Gradebook.read(path) as gradebook:
            assert gradebook.students() == ["ada", "ben"]


def test_what_was_copied_out_of_a_running_program_is_read_with_its_journal(
    path: Path, tmp_path: Path, read_only: None
) -> None:
    copy = tmp_path / "copy"
    copy.mkdir()
    with Gradebook.open(path) as writer:
        hand_in(writer, "ben")
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", copy)
    before = contents(copy)
    assert before["gradebook.sqlite-wal"]
    with Gradebook.read(copy / path.name) as gradebook:
        assert gradebook.students() == ["ada", "ben"]
    assert contents(copy) == before


def test_one_that_can_be_written_is_read_in_place(path: Path) -> None:
    with Gradebook.read(path) as gradebook:
        hand_in(gradebook, "ben")
    with Gradebook.read(path) as gradebook:
        assert gradebook.students() == ["ada", "ben"]


def test_there_is_nothing_to_read_where_there_is_no_gradebook(tmp_path: Path) -> None:
    with pytest.raises(GradebookError, match=r"there is no .*none/gradebook\.sqlite"):
        Gradebook.read(tmp_path / "none" / "gradebook.sqlite")
    assert not list(tmp_path.iterdir())


def test_a_mistake_of_ours_is_no_fault_of_the_file(path: Path) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"), explained(path):
        sqlite3.connect(":memory:").execute("SELECT 1 FROM absent")


def test_what_can_not_be_set_up_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "SCHEMA", ["PRAGMA max_page_count = 1", *journal.SCHEMA])
    with pytest.raises(GradebookError, match=r"the disk is full .*Make room"):
        Gradebook.open(tmp_path / "grades" / "gradebook.sqlite")
    assert not list(tmp_path.iterdir())


def test_a_full_disk_keeps_what_is_in_the_gradebook(path: Path) -> None:
    with Gradebook.open(path) as gradebook:
        pages = gradebook._value("PRAGMA page_count")
        gradebook._db.execute(f"PRAGMA max_page_count = {pages}")
        gradebook.start_run("rung", "digits", "salt", {})
        large = Submission("ben", {"double.py": b"1"}, notices=("x" * 100_000,))
        with pytest.raises(GradebookError, match=r"gradebook\.sqlite can't be written: the disk"):
            gradebook.add_submission(large, 2)
        assert gradebook.students() == ["ada"]
