"""Grading on push: real bare repositories, real pushes, one service for all of them."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.integrations.push.ledger import FILE, PushState
from tests.pushing import PUBLIC, Clone, Files, Server, git, said, until

WEEK2 = "week2_small/double.py"


@pytest.fixture(scope="module")
def course(small, tmp_path_factory) -> Path:
    """The small course, with public tests of week 2."""
    root = shutil.copytree(small, tmp_path_factory.mktemp("with_public") / "course")
    (root / "assignments/week2_small/tests").mkdir()
    (root / "assignments/week2_small/tests/test_public.py").write_text(PUBLIC)
    return root


@pytest.fixture(scope="module")
def server(course, confinement, tmp_path_factory):
    found = Server(tmp_path_factory.mktemp("server"), course)
    yield found
    found.stop()


@pytest.fixture(scope="module")
def right(course) -> Files:
    return {WEEK2: (course / "solutions" / WEEK2).read_text()}


def wrong(files: Files) -> Files:
    return {name: text.replace("2.0 * x", "x * x") for name, text in files.items()}


def other(files: Files, number: int) -> Files:
    """The same work in a file that isn't the same."""
    return {name: f"{text}\n# {number}\n" for name, text in files.items()}


def row(server: Server, student: str) -> str:
    rows = (server.out / "gradebook.csv").read_text().splitlines()
    return next((line for line in rows if line.startswith(f"{student},")), "")


def test_a_push_is_answered_and_lands_in_the_gradebook(server, right):
    ada = server.student("ada")
    before = datetime.now(UTC) - timedelta(seconds=1)
    commit = ada.commit(wrong(right))
    text = ada.push()
    assert f"{commit[:7]} on main, received" in text
    assert "week2.double 0 / 12 0 of 1 public tests pass" in text
    assert "Probably: You square the numbers." in text
    assert "4 hidden tests were not run; not looked at here: week2.count" in text
    assert text.index("hidden tests were not run") < text.index("Hidden tests: queued")
    assert "Hidden tests: graded week 2" in text
    assert "Autograd" in text
    assert "8 / 20" in text
    assert "2 checks: You square the numbers." in text
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        receipt = book.submission("ada", 2)
        assert book.submission("ada", 3) is None
    assert receipt.commit == commit
    assert before <= datetime.fromisoformat(receipt.received) <= datetime.now(UTC)
    feedback = git(ada.repository, "show", "grades:feedback.md")
    assert feedback == (server.out / "students/ada/feedback.md").read_text()
    git(ada.folder, "fetch", "-q")
    assert git(ada.folder, "show", "origin/grades:feedback.md") == feedback
    until(lambda: "8.00" in row(server, "ada"))


def test_the_same_files_cost_nothing_and_are_never_late(server, right):
    """The limit is one a day: another commit of the same files is answered all the same."""
    ben = server.student("ben", limit=1)
    first = ben.commit(right)
    assert "Gradings left today: 0 of 1" in ben.push()
    ben.commit({"README.md": "Hello."})
    text = ben.push()
    assert "Nothing that is graded has changed" in text
    assert "20 / 20" in text
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        assert book.submission("ben", 2).commit == first
    assert [push.counted is not None for push in server.pushes("ben")] == [True, False]


def test_beyond_the_limit_a_push_is_kept_and_graded_another_day(server, right):
    eve = server.student("eve", limit=1)
    eve.commit(wrong(right))
    eve.push()
    commit = eve.commit(right)
    text = eve.push()
    assert "week2.double 12 / 12 all public tests pass" in text
    assert "You have had the grading with hidden tests of" in text
    assert "graded from" in text
    assert "Hidden tests: graded" not in text
    assert server.pushes("eve")[-1].state is PushState.HELD
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        assert book.submission("eve", 2).commit != commit
    with sqlite3.connect(server.out / "push" / FILE) as ledger:  # a day goes by
        ledger.execute("UPDATE pushes SET counted = '2000-01-01' WHERE student = 'eve'")
    until(lambda: server.pushes("eve")[-1].state is PushState.DONE)
    push = server.pushes("eve")[-1]
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        receipt = book.submission("eve", 2)
    assert receipt.commit == commit
    assert datetime.fromisoformat(receipt.received) == push.received


def test_only_one_branch_counts(server, right):
    kim = server.student("kim")
    kim.commit(right)
    text = kim.push("HEAD:refs/heads/main", "HEAD:refs/heads/second", "HEAD:refs/heads/grades")
    assert "Not graded: second." in text
    assert "The branch grades is the grader's" in text
    assert "20 / 20" in text
    kim.commit(wrong(right))
    git(kim.folder, "tag", "v1")
    text = kim.push("HEAD:refs/heads/topic", "v1")
    assert text == "Not graded: topic, refs/tags/v1. Only the branch main counts."
    assert len(server.pushes("kim")) == 1
    git(kim.folder, "checkout", "-q", "--orphan", "fresh")
    kim.commit({})
    text = kim.push("+HEAD:refs/heads/main")
    assert "Earlier commits are gone from this branch" in text
    assert "8 / 20" in text
    git(kim.repository, "config", "receive.denyDeleteCurrent", "ignore")
    assert "main was deleted: nothing is graded" in kim.push(":refs/heads/main")
    assert len(server.pushes("kim")) == 2


def test_the_first_branch_becomes_the_one_that_counts(server, right):
    lee = server.student("lee")
    git(lee.repository, "symbolic-ref", "HEAD", "refs/heads/trunk")
    lee.commit(right)
    assert "it is not clear which branch counts" in lee.push(
        "HEAD:refs/heads/one", "HEAD:refs/heads/two"
    )
    assert "20 / 20" in lee.push("HEAD:refs/heads/main")
    assert git(lee.repository, "symbolic-ref", "HEAD") == "refs/heads/main\n"


def test_what_is_not_taken_changes_nothing(server, right):
    mia = server.student("mia")
    mia.commit(right)
    mia.push()
    mia.commit({"week2_small/Double.py": ""})
    text = mia.push()
    assert "Not taken: commit" in text
    double = "'week2_small/Double.py' and 'week2_small/double.py'"
    assert f"the names {double} are the same on some machines" in text
    assert "What was graded before stays." in text
    git(mia.folder, "rm", "-rq", "--cached", ".")
    shutil.rmtree(mia.folder / "week2_small")
    mia.commit({"a": ""})
    assert "It holds nothing of any week" in mia.push()
    with Gradebook.open(server.out / "gradebook.sqlite") as book:
        assert book.submission("mia", 2).refusal is None
        assert len(book.results("mia", 2)) > 0


def test_code_of_a_push_runs_confined(server, right, tmp_path):
    """The public suite too: what it prints is shown, what it may not do is not done."""
    mark = tmp_path / "mark"
    tmp_path.chmod(0o777)
    spy = f"\nimport os\nprint(os.path.exists({str(server.out)!r}), '\\x1b[2J')\n"
    spy += f"try:\n    open({str(mark)!r}, 'w')\nexcept OSError:\n    print('no')\n"
    noa = server.student("noa")
    noa.commit({WEEK2: wrong(right)[WEEK2] + spy})
    text = noa.push()
    assert "printed: False \\x1b[2J" in text
    assert "printed: no" in text
    assert not mark.exists()


def test_many_at_once(server, right):
    """Each gets an own answer, whatever the others do."""
    clones = [server.student(f"many{number}") for number in range(4)]
    for number, clone in enumerate(clones):
        clone.commit(other(right if number % 2 else wrong(right), number))
    for number, push in enumerate([clone.begin() for clone in clones]):
        assert ("20 / 20" if number % 2 else "8 / 20") in said(push)


def test_a_service_that_is_killed_is_replaced_and_goes_on(server, right):
    """The terminal waits on; the grading that was lost begins anew, and counts once."""
    oda = server.student("oda", limit=2)
    slow = right[WEEK2].replace("    return 2.0", "    time.sleep(0.7)\n    return 2.0")
    oda.commit({WEEK2: slow.replace("import numpy", "import time\n\nimport numpy")})
    push = oda.begin()
    until(lambda: [one.state for one in server.pushes("oda")] == [PushState.RUNNING])
    first = server.spool.holder()
    children = descendants(first)
    assert children
    server.stop(signal.SIGKILL)
    text = said(push)
    assert "20 / 20" in text
    assert "Gradings left today: 1 of 2." in text
    assert server.pushes("oda")[-1].attempts == 2
    assert server.spool.holder() not in (None, first)
    until(lambda: not any(Path(f"/proc/{child}").exists() for child in children))


def descendants(process: int) -> set[int]:
    listed = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True)
    parents = dict(map(int, line.split()) for line in listed.stdout.splitlines())
    found = {process}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {process}


def test_who_does_not_wait_loses_nothing(server, right):
    """The whole of the pusher's session is killed, the hook with it."""
    pia = server.student("pia")
    pia.commit(other(right, 1))
    push = pia.begin()
    until(lambda: server.pushes("pia"))
    os.killpg(push.pid, signal.SIGKILL)
    push.communicate()
    until(lambda: server.pushes("pia")[-1].state is PushState.DONE)
    assert "All 2 checks passed" in git(pia.repository, "show", "grades:feedback.md")


def test_a_changed_suite_is_noticed(server, course, right):
    """The service starts itself anew; who pushes the same files is graded by the new suite."""
    ray = server.student("ray")
    few = {
        name: text.replace("2.0 * x", "(2.0 if x.size < 5 else 0) * x")
        for name, text in right.items()
    }
    ray.commit(few)
    assert "20 / 20" in ray.push()
    suite = course / "assignments/week2_small/hidden/test_suite.py"
    text = suite.read_text()
    try:
        suite.write_text(text.replace("[1, 3]", "[5, 7]"))
        ray.commit({})
        assert "8 / 20" in ray.push()
    finally:
        suite.write_text(text)


def test_where_a_test_is_at_fault_nothing_is_graded_and_the_pusher_is_not_told_the_cause(
    server, course, right
):
    sam = server.student("sam")
    sam.commit(right)
    suite = course / "assignments/week2_small/hidden/test_suite.py"
    text = suite.read_text()
    try:
        suite.write_text(text.replace("2 * x)", "2 * undefined)"))
        said = sam.push()
    finally:
        suite.write_text(text)
    assert "the grader failed. It costs you no points" in said
    assert "undefined" not in said
    assert "test_double" not in said
    assert server.pushes("sam")[-1].state is PushState.FAILED


def test_without_a_grader_a_push_is_accepted_and_kept(course, right, confinement, tmp_path):
    """Of two pushes that wait, the older one is told that the newer one takes its place."""
    server = Server(tmp_path, course)
    uma = server.student("uma")
    script = uma.repository / "hooks/post-receive"
    script.write_text(script.read_text().replace("\npython=", "\npython=/nowhere"))
    first = uma.commit(wrong(right))
    text = uma.push()
    assert "kept for grading, but the grader is not in its place" in text
    assert len(server.spool.waiting()) == 1
    server.hook("uma", out=None, wait=60)  # a service of somebody else's, which doesn't run
    uma.commit(right)
    older = uma.begin()
    until(lambda: len(server.spool.waiting()) == 2)
    newest = uma.commit({"README.md": "Hello."})
    newer = uma.begin()
    until(lambda: len(server.spool.waiting()) == 3)
    vic = server.student("vic")
    vic.commit(right)
    try:
        assert "20 / 20" in vic.push()
        assert f"Superseded by your newer push {newest[:7]}" in said(older)
        assert "20 / 20" in said(newer)
        states = [push.state for push in server.pushes("uma")]
        assert states == [PushState.SUPERSEDED, PushState.SUPERSEDED, PushState.DONE]
        with Gradebook.open(server.out / "gradebook.sqlite") as book:
            receipt = book.submission("uma", 2)
        times = [push.received for push in server.pushes("uma")]
        assert datetime.fromisoformat(receipt.received) == times[1], "the files came then"
        assert first != receipt.commit != newest
    finally:
        server.stop()


def test_a_terminal_is_let_go(course, right, tmp_path):
    server = Server(tmp_path, course, {"out": None, "wait": 1})
    clone: Clone = server.student("zoe")
    clone.commit(right)
    text = clone.push()
    assert "goes on without you" in text
    assert "git show origin/grades:feedback.md" in text
