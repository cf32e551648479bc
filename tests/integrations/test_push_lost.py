"""A push that could not be queued is found again: in a folder of repositories, and by a service."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from autograder.course import load
from autograder.gradebook.journal import Gradebook
from autograder.integrations.push import commands, hidden, install, lost, messages
from autograder.integrations.push.ledger import FILE, Ledger, Push, PushState
from autograder.integrations.push.pipeline import PushPipeline
from autograder.integrations.push.pushed_commit import CommitSubmissions
from autograder.integrations.push.spool import ID, Arrival, Spool
from tests.integrations.test_push_faults import NoPools
from tests.pushing import Clone, environment, git

ROOT = Path(__file__).resolve().parents[2]
PAST = time.time() - 3600
PATIENT = 60.0


class Repositories:
    """A student's repository on a server, its clone, and the commands on them."""

    def __init__(self, folder: Path, root: Path):
        self.folder, self.root = folder, root
        self.bare = folder / "the server" / "ada.git"
        self.bare.parent.mkdir()
        git(folder, "init", "-q", "--bare", "-b", "main", str(self.bare))
        git(folder, "clone", "-q", str(self.bare), str(folder / "ada"))
        self.clone = Clone(folder / "ada", self.bare)

    def install(self, out: Path) -> None:
        spool = out / "push"
        assert list(
            commands.install_all(
                [self.bare.parent], None, root=self.root, out=out, spool=spool, wait=1
            )
        )

    def push_unseen(self, text: str) -> str:
        """Push while no hook can write anything down; return the commit."""
        hook = self.bare / "hooks" / install.HOOK
        hook.rename(self.folder / "away")
        commit = self.clone.commit({"double.py": text})
        assert self.clone.push() == ""
        (self.folder / "away").rename(hook)
        os.utime(self.bare / "refs/heads/main", (PAST, PAST))
        return commit


@pytest.fixture
def server(small: Path, tmp_path: Path) -> Repositories:
    return Repositories(tmp_path, small)


def found(out: Path, newest: lost.Newest | None = None, grace: float = 0.0) -> list[Arrival]:
    return lost.find(out / "push", newest or {}, grace)


def test_what_no_hook_wrote_down_is_found_with_the_servers_time(server: Repositories) -> None:
    out = server.folder / "the grades"
    server.install(out)
    assert found(out) == []
    commit = server.push_unseen("x = 1\n")
    [arrival] = found(out)
    assert (arrival.student, arrival.repository) == ("ada", server.bare)
    assert [(one.new, one.ref) for one in arrival.changes] == [(commit, "refs/heads/main")]
    assert arrival.received.timestamp() == pytest.approx(PAST, abs=1)
    assert ID.fullmatch(arrival.id)
    assert found(out) == [arrival], "it is the same push each time"


def test_the_last_known_push_is_not_found_again(server: Repositories) -> None:
    out = server.folder / "grades"
    server.install(out)
    commit = server.push_unseen("x = 1\n")
    newest = {(server.bare, "refs/heads/main"): commit}
    assert found(out, newest) == []
    second = server.push_unseen("x = 2\n")
    [arrival] = found(out, newest)
    assert [(one.old, one.new) for one in arrival.changes] == [(commit, second)]


def test_a_hook_that_is_about_to_write_has_its_time(server: Repositories) -> None:
    out = server.folder / "grades"
    server.install(out)
    server.push_unseen("x = 1\n")
    assert found(out, grace=24 * 3600.0) == []


def test_what_was_there_before_the_first_hook_is_no_push(server: Repositories) -> None:
    server.clone.commit({"double.py": "x = 1\n"})
    server.clone.push()
    out = server.folder / "grades"
    server.install(out)
    server.install(out)
    assert found(out) == []
    server.push_unseen("x = 2\n")
    server.install(out)
    assert len(found(out)) == 1


def test_a_new_out_finds_what_was_pushed_meanwhile(server: Repositories) -> None:
    server.install(server.folder / "grades")
    server.push_unseen("x = 1\n")
    other = server.folder / "others"
    server.install(other)
    assert len(found(other)) == 1


def test_repositories_without_our_hook_are_left_alone(server: Repositories) -> None:
    out = server.folder / "grades"
    server.install(out)
    server.push_unseen("x = 1\n")
    install.remove(server.bare)
    assert found(out) == []


@pytest.mark.parametrize("text", ["", "student=ada\n", "student=ada\nrepository=ada.git\n"])
def test_what_is_no_such_file_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / lost.KNOWN).mkdir()
    (tmp_path / lost.KNOWN / "x").write_text(text)
    assert list(lost.repositories(tmp_path)) == []


# A slow repository


def test_a_slow_repository_delays_nobody_else(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git gives no answer for one student's repository; another's push is graded meanwhile."""
    answers, asked = threading.Event(), threading.Event()
    read = PushPipeline._read

    def slow(self: PushPipeline, push: Push, commit: str) -> CommitSubmissions:
        if push.student == "slow":
            asked.set()
            assert answers.wait(PATIENT)
        return read(self, push, commit)

    monkeypatch.setattr(PushPipeline, "_read", slow)
    monkeypatch.setattr(hidden, "grade", lambda *_: SimpleNamespace())
    monkeypatch.setattr(hidden, "our_faults", lambda *_: 0)
    monkeypatch.setattr(hidden, "is_graded", lambda *_: False)
    monkeypatch.setattr(hidden, "commit_feedback", lambda *_: "")
    monkeypatch.setattr(messages, "summary", lambda *_: "summary")
    spool = Spool(tmp_path / "push")
    spool.make()
    ledger = Ledger(spool.path / FILE)
    pipeline = PushPipeline(small, tmp_path, load(small), spool, ledger, NoPools())
    for number, student in enumerate(("slow", "quick")):
        bare = tmp_path / f"{student}.git"
        git(tmp_path, "init", "-q", "--bare", "-b", "main", str(bare))
        git(tmp_path, "clone", "-q", str(bare), student)
        commit = Clone(tmp_path / student, bare).commit({"double.py": f"x = {number}\n"})
        git(tmp_path / student, "push", "-q", "origin", "HEAD:refs/heads/main")
        head = f"student={student}\nrepository={bare}\n"
        text = f"{head}\n{lost.NOTHING} {commit} refs/heads/main\n"
        (spool.path / "arrived" / f"1700000000.00000{number}-1").write_text(text)

    def until(student: str) -> None:
        end = time.monotonic() + PATIENT
        while not any(
            (push.student, push.state) == (student, PushState.DONE) for push in ledger.latest(9)
        ):
            assert time.monotonic() < end
            pipeline.take_arrivals()
            pipeline.step()
            time.sleep(0.005)

    try:
        until("quick")
        assert asked.is_set()
        assert [push.student for push in ledger.latest(9)] == ["quick"]
        answers.set()
        until("slow")
        assert spool.waiting() == []
    finally:
        answers.set()
        pipeline.close()
        ledger.close()


# A service

SERVE = """
import sys
from pathlib import Path
from autograder.integrations.push import commands
commands.serve(Path(sys.argv[1]), Path(sys.argv[2]), None, 1, now=True)
"""


def serve_now(root: Path, out: Path) -> str:
    """Do as `autograder hook serve --now`; return what it said."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE, str(root), str(out)],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr


def test_a_service_with_nothing_to_do_ends_and_starts_nothing(server: Repositories) -> None:
    out = server.folder / "grades"
    server.install(out)
    begun, ended = serve_now(server.root, out).splitlines()
    assert begun.endswith("begins")
    assert ended.endswith("nothing to do: the service ends")


@pytest.mark.prove
def test_a_moved_out_loses_no_push(server: Repositories) -> None:
    out, moved = server.folder / "grades", server.folder / "moved here"
    server.install(out)
    out.rename(moved)
    right = (server.root / "solutions" / "week2_small" / "double.py").read_text()
    server.clone.commit({"double.py": right})
    assert "could not be queued" in server.clone.push()
    server.install(moved)
    assert "a push that was never queued is found again" in serve_now(server.root, moved)
    with Gradebook.open(moved / "gradebook.sqlite") as gradebook:
        assert {str(one.verdict) for one in gradebook.results("ada", 2)} == {"pass"}
    assert "found again" not in serve_now(server.root, moved)
