"""A push that the grader fails on counts as a grading until an instructor releases it.

The pipeline itself, with a grader that fails when it is told to, and one push a day.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.course import load
from autograder.errors import InputError
from autograder.integrations.push import commands, hidden, messages
from autograder.integrations.push.ledger import FILE, Ledger, Push, PushState
from autograder.integrations.push.pipeline import MAX_ATTEMPTS, PushPipeline
from autograder.integrations.push.spool import Spool
from tests.pushing import git

MONDAY = datetime(2026, 10, 5, 12, tzinfo=UTC)
DOUBLE = "week2_small/double.py"


class NoPools:
    """Runs nothing: the public suites are there at once, and the hidden ones are replaced."""

    jobs, setting = 1, None

    def why_not(self, number: int) -> str:
        return ""

    def ask(self, function: Callable, *arguments: object) -> Future[str]:
        answer: Future[str] = Future()
        answer.set_result("public")
        return answer

    def hidden(self) -> None:
        return None

    def close(self) -> None:
        return None


@dataclass
class Class:
    """A student's repository, and the pipeline that grades it; `fails` says how."""

    folder: Path
    root: Path
    monkeypatch: pytest.MonkeyPatch
    fails: str = ""
    gradings: int = 0
    now: datetime = MONDAY
    said: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.out, self.repository = self.folder / "grades", self.folder / "eve.git"
        git(self.folder, "init", "-q", "--bare", "-b", "main", str(self.repository))
        git(self.folder, "clone", "-q", str(self.repository), "clone")
        self.spool = Spool(self.out / "push")
        self.spool.make()
        self.ledger = Ledger(self.out / "push" / FILE)
        self.monkeypatch.setattr(hidden, "grade", self._grade)
        self.monkeypatch.setattr(hidden, "our_faults", lambda *_: int(self.fails == "a check"))
        self.monkeypatch.setattr(hidden, "commit_feedback", lambda *_: "")
        self.monkeypatch.setattr(hidden, "is_graded", lambda *_: False)
        self.monkeypatch.setattr(messages, "summary", lambda *_: "summary")
        self.pipeline = PushPipeline(
            self.root, self.out, load(self.root), self.spool, self.ledger, NoPools(),
            now=lambda: self.now,
        )  # fmt: skip

    def _grade(self, *_: object) -> object:
        self.gradings += 1
        if self.fails == "all of it":
            raise RuntimeError("the grader fell over")
        return SimpleNamespace()

    def push(self, text: str) -> None:
        """Commit a text as the work, and let its push arrive."""
        clone = self.folder / "clone"
        path = clone / "assignments" / DOUBLE
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {text}\n")
        old = "0" * 40 if not self.pushes() else git(clone, "rev-parse", "HEAD").strip()
        git(clone, "add", "-A")
        git(clone, "commit", "-q", "--allow-empty", "-m", text)
        git(clone, "push", "-q", "origin", "HEAD:refs/heads/main")
        new = git(clone, "rev-parse", "HEAD").strip()
        self.now += timedelta(minutes=1)
        id = f"{int(self.now.timestamp())}.000000-1"
        settings = f"student=eve\nrepository={self.repository}\nlimit=1\n"
        change = f"{old} {new} refs/heads/main\n"
        (self.spool.path / "arrived" / id).write_text(f"{settings}\n{change}")
        self.go_on()
        self.said = (self.spool.path / "answers" / id).read_text().splitlines()

    def go_on(self) -> None:
        """Let the pipeline do all that it can."""
        self.pipeline.take_arrivals()
        end = time.monotonic() + 60
        while self.pipeline.busy:
            self.pipeline.take_arrivals()
            self.pipeline.step()
            assert time.monotonic() < end
            time.sleep(0.005)

    def pushes(self) -> list[Push]:
        return list(reversed(self.ledger.latest(100)))

    def states(self) -> list[PushState]:
        return [push.state for push in self.pushes()]


@pytest.fixture
def eve(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Class]:
    found = Class(tmp_path, small, monkeypatch)
    yield found
    found.pipeline.close()
    found.ledger.close()


@pytest.mark.parametrize("how", ["all of it", "a check"])
def test_failing_the_grader_is_no_way_around_the_limit(eve: Class, how: str) -> None:
    eve.fails = how
    eve.push("one")
    assert eve.states() == [PushState.FAILED]
    assert eve.gradings == MAX_ATTEMPTS
    assert "until your instructor" in " ".join(eve.said)
    for text in ("two", "three", "one"):  # the last one has the files of the first once more
        eve.push(text)
        assert eve.states()[-1] is PushState.HELD
    assert eve.gradings == MAX_ATTEMPTS, "nothing more was graded on that day"
    eve.fails = ""
    eve.now += timedelta(days=1)
    eve.go_on()
    eve.pipeline.step()
    eve.go_on()
    assert eve.states()[-1] is PushState.DONE, "the next day has a grading of its own"


def test_a_push_between_two_tries_does_not_make_the_first_one_free(eve: Class) -> None:
    eve.fails = "all of it"
    eve.push("one")
    first = eve.ledger.set(eve.pushes()[0], PushState.RUNNING, eve.pushes()[0].counted_day)
    eve.ledger.set(first, PushState.WAITING, first.counted_day)  # as if it were to be tried again
    eve.fails = ""
    eve.push("two")
    assert eve.states() == [PushState.SUPERSEDED, PushState.HELD]


def test_an_instructor_gives_the_grading_back(eve: Class) -> None:
    eve.fails = "all of it"
    eve.push("one")
    eve.push("two")
    assert eve.states() == [PushState.FAILED, PushState.HELD]
    lines = commands.release(eve.root, eve.out, None, ["eve"], again=True)
    assert len(lines) == 2
    assert lines[0].endswith("counts no more.")
    eve.fails = ""
    eve.pipeline.step()
    eve.go_on()
    assert eve.states() == [PushState.FAILED, PushState.DONE], "the newer one is graded today"
    assert commands.release(eve.root, eve.out, None, [], again=True) == [
        "There is nothing to release: no push that ended by our fault counts."
    ]


def test_what_is_released_is_graded_again_and_counts_then(eve: Class) -> None:
    eve.fails = "a check"
    eve.push("one")
    (line, _) = commands.release(eve.root, eve.out, None, [], again=True)
    assert line.endswith("counts no more, and is graded again.")
    eve.fails = ""
    eve.go_on()
    (push,) = eve.pushes()
    assert (push.state, push.counted) == (PushState.DONE, "2026-10-05")
    with closing(sqlite3.connect(eve.out / "push" / FILE)) as opened:
        assert opened.execute("SELECT count(*) FROM released").fetchone() == (1,)


def test_who_has_nothing_to_be_released_is_named(eve: Class) -> None:
    eve.push("one")
    assert eve.states() == [PushState.DONE]
    with pytest.raises(InputError, match="no push of adda, eve ended by our fault"):
        commands.release(eve.root, eve.out, None, ["eve", "adda"], again=True)


def test_the_status_says_what_counts_by_our_fault(eve: Class) -> None:
    eve.fails = "all of it"
    eve.push("one")
    lines = commands.status(eve.root, eve.out, None)
    assert "Ended by our fault, and counted until they are released: 1" in lines
    assert "  of eve; `autograder hook release` releases them" in lines
