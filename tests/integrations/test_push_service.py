"""A service beside other users: root's, for the repositories of a git account; and `grade`."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.grading.class_run import grade_submissions
from autograder.integrations.push import commands, install
from autograder.integrations.push.ledger import PushState
from autograder.integrations.push.spool import Spool
from tests.pushing import Server, environment, git, said, until

ROOT = Path(__file__).resolve().parents[2]
GIT_USER = 65534
WEEK1 = "assignments/week1_backprop"
SERVE = """
import sys
from pathlib import Path
from autograder.integrations.push import commands
root, out, spool = map(Path, sys.argv[1:])
commands.serve(root, out, spool, 1, now=False)
"""


@contextmanager
def serving(root: Path, out: Path, spool: Path):
    """Run a service that stays, as `autograder hook serve` does."""
    program = [sys.executable, "-c", SERVE, *map(str, (root, out, spool))]
    process = subprocess.Popen(program, cwd=ROOT, env=environment(), start_new_session=True)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can serve for another user")
def test_hooks_of_a_git_account_need_not_read_the_grades(small, confinement):
    """The account that takes pushes reads neither results nor hidden tests."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)
        out, spool, repository = folder / "grades", folder / "spool", folder / "ada.git"
        git(folder, "init", "-q", "--bare", "-b", "main", str(repository))
        git(folder, "clone", "-q", str(repository), str(folder / "ada"))
        shutil.copytree(small / "solutions" / "week2_small", folder / "ada" / "week2_small")
        git(folder / "ada", "add", "-A")
        git(folder / "ada", "commit", "-q", "-m", "work")
        for path in [repository, *repository.rglob("*"), folder / "ada", *folder.rglob("ada/**/*")]:
            os.chown(path, GIT_USER, GIT_USER)
        assert list(commands.install_all([repository], None, root=small, out=None, spool=spool))
        with serving(small, out, spool):
            until(lambda: Spool(spool).holder())
            done = subprocess.run(
                ["git", "push", "-q", "origin", "HEAD:refs/heads/main"],
                cwd=folder / "ada",
                env=environment() | {"HOME": "/nonexistent"},
                user=GIT_USER,
                group=GIT_USER,
                capture_output=True,
                text=True,
                timeout=90,
            )
            assert "20 / 20" in done.stderr, done.stderr
            assert done.returncode == 0
        written = [path for part in ("objects", "refs") for path in (repository / part).rglob("*")]
        assert {path.stat().st_uid for path in written} == {GIT_USER}
        assert (repository / "refs/heads/grades").is_file()
        assert out.stat().st_uid == 0
        assert out.stat().st_mode & 0o077 == 0
        with pytest.raises(install.HookError, match="belong to different users"):
            list(commands.install_all([repository], None, root=small, out=out, spool=out))


def test_a_class_is_graded_beside_a_push(small, confinement, tmp_path):
    """Both write into one gradebook; neither loses anything."""
    server = Server(tmp_path, small)
    try:
        ada = server.student("ada")
        code = (small / "solutions/week2_small/double.py").read_text()
        ada.commit({"double.py": code})
        handed_in = tmp_path / "class" / "ben"
        handed_in.mkdir(parents=True)
        (handed_in / "double.py").write_text(code.replace("2.0 * x", "x * x"))
        push = ada.begin()
        until(lambda: server.pushes("ada"))
        grade_submissions(small, handed_in.parent, server.out)
        assert "20 / 20" in said(push)
        with Gradebook.open(server.out / "gradebook.sqlite") as book:
            assert book.students() == ["ada", "ben"]
            assert all(book.job(name, 2).state == "finished" for name in ("ada", "ben"))
    finally:
        server.stop()


@pytest.mark.prove
def test_a_week_of_the_course_itself(confinement, tmp_path):
    """Week 1 done, all others as they were handed out: those are not graded."""
    server = Server(tmp_path, ROOT)
    try:
        ada = server.student("ada")
        shutil.copytree(ROOT / "assignments", ada.folder / "assignments")
        for solved in (ROOT / "solutions" / "week1_backprop").glob("*.py"):
            shutil.copy(solved, ada.folder / WEEK1 / solved.name)
        ada.commit({})
        text = ada.push()
        assert "week1.linear 4 / 4 all public tests pass" in text
        assert "Hidden tests: graded week 1" in text
        assert "Core Implementations 25 / 25" in text
        assert "Autograd" not in text
        assert server.pushes("ada")[-1].state is PushState.DONE
    finally:
        server.stop()
