"""The hook is put in place and taken away; settings, foreign hooks, and what is refused."""

from __future__ import annotations

import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.integrations.push.install import (
    HookError,
    install,
    remove,
    repositories,
    students_of,
)
from autograder.integrations.push.spool import ARRIVED, Spool, parse
from tests.pushing import Clone, Server, environment, git

ROOT = Path(__file__).resolve().parents[2]
FOREIGN = "#!/bin/sh\necho before: $(wc -l)\n"


@pytest.fixture
def server(tmp_path) -> Server:
    """Hooks that only write down what has arrived: no service runs."""
    return Server(tmp_path, ROOT, {"out": None, "wait": 1})


def hook_of(repository: Path) -> Path:
    return repository / "hooks" / "post-receive"


def command(*arguments: object) -> subprocess.CompletedProcess:
    program = [sys.executable, "-m", "autograder", "hook", *map(str, arguments)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, env=environment())


def test_commands_for_a_folder_of_repositories(tmp_path):
    for name in ("ada", "ben"):
        git(tmp_path, "init", "-q", "--bare", f"{name}.git")
    (tmp_path / "notes.txt").write_text("no repository")
    out = tmp_path / "grades"
    for _ in range(2):  # twice is as good as once
        done = command("install", tmp_path, "--out", out, "--limit", 3)
        assert done.returncode == 0, done.stderr
        assert "ada.git: pushes are graded as ada's.\n" in done.stdout
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert "limit=3\n" in hook_of(tmp_path / "ben.git").read_text()
    done = command("status", "--out", out)
    assert done.stdout.startswith("No service runs: the next push starts one.\nNothing has been")
    done = command("remove", tmp_path)
    assert "ben.git: pushes are not graded any more.\n" in done.stdout
    assert not hook_of(tmp_path / "ben.git").exists()
    done = command("serve", "--out", out, "--now")
    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stderr


def test_errors_are_one_sentence(tmp_path):
    done = command("install", tmp_path / "nothing")
    assert done.returncode == 2
    assert done.stderr == (
        f"autograder: {tmp_path}/nothing is no folder. Name bare repositories, or a folder of "
        "them.\n"
    )


def test_a_hook_of_before_is_kept_called_and_comes_back(server):
    clone: Clone = server.student("ada")
    hook = hook_of(clone.repository)
    remove(clone.repository)
    hook.write_text(FOREIGN)
    hook.chmod(0o755)
    assert "the hook of before is called too" in server_said(server)
    clone.commit({"a": "1"})
    assert "before: 1" in clone.push()
    assert len(server.spool.waiting()) == 1
    server_said(server)
    assert remove(clone.repository).endswith("the hook of before is back.")
    assert hook.read_text() == FOREIGN
    assert remove(clone.repository).endswith("there is no hook of ours.")
    assert hook.read_text() == FOREIGN


def server_said(server: Server) -> str:
    repository = server.folder / "ada.git"
    return install(repository, "ada", root=ROOT, out=None, spool=server.spool.path, wait=1)


def test_two_foreign_hooks_are_one_too_many(server):
    repository = server.hook("ada")
    for name in ("post-receive", "post-receive.before-autograder"):
        (repository / "hooks" / name).write_text(FOREIGN)
    with pytest.raises(HookError, match="Keep one of them"):
        server_said(server)


def test_only_bare_repositories(tmp_path, server):
    git(tmp_path, "init", "-q", "work")
    with pytest.raises(HookError, match="has files checked out"):
        install(tmp_path / "work" / ".git", "ada", root=ROOT, out=None, spool=tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(HookError, match="is no bare repository"):
        repositories([tmp_path / "empty"])
    repository = server.hook("ada")
    git(repository, "config", "core.hooksPath", "/etc/hooks")
    with pytest.raises(HookError, match=r"are in /etc/hooks \(core.hooksPath\)"):
        server_said(server)


def test_whose_a_repository_is():
    paths = [Path("/srv/Ada Lovelace.git"), Path("/srv/ben.git")]
    assert list(students_of(paths, None).values()) == ["Ada_Lovelace", "ben"]
    assert students_of(paths[:1], "s0001") == {paths[0]: "s0001"}
    with pytest.raises(HookError, match="give one repository"):
        students_of(paths, "ada")
    with pytest.raises(HookError, match="can't be a student's id; 'etc' could"):
        students_of(paths[:1], "../etc")
    with pytest.raises(HookError, match="would both be"):
        students_of([Path("/srv/ada.git"), Path("/srv/ADA.git")], None)


def test_settings_reach_the_service_whatever_is_in_them(server):
    folder = server.folder / "it's $(touch x)"
    folder.mkdir()
    odd = Server(folder, ROOT, {"out": None, "wait": 1, "branch": "a b'c", "limit": 0})
    clone = odd.student("ada")
    head = clone.commit({"a": "1"})
    clone.push()
    [id] = odd.spool.waiting()
    arrival = odd.spool.read(id)
    assert (arrival.student, arrival.branch, arrival.limit) == ("ada", "a b'c", 0)
    assert arrival.repository == clone.repository
    assert [(c.old, c.new, c.ref) for c in arrival.changes] == [("0" * 40, head, "refs/heads/main")]
    assert not (folder / "x").exists()
    assert stat.S_IMODE((odd.spool.path / ARRIVED / id).stat().st_mode) == 0o600


def test_a_spool_that_can_not_be_written_is_said(server):
    clone = server.student("ada", spool=server.folder / "gone")
    clone.commit({"a": "1"})
    assert "could not be queued for grading" in clone.push()


@pytest.mark.parametrize(
    "text", ["", "student=ada\n\n", "student=ada\nrepository=ada.git\n\n", "limit=x\n\n"]
)
def test_what_no_hook_wrote_is_set_aside(tmp_path, text):
    with pytest.raises(ValueError, match="incomplete"):
        parse("1700000000.000001-12", text)
    spool = Spool(tmp_path)
    spool.make()
    (tmp_path / ARRIVED / "1700000000.000001-12").write_text(text)
    (tmp_path / ARRIVED / "1700000000.000001-12.part").write_text(text)
    [id] = spool.waiting()
    spool.set_aside(id)
    assert spool.waiting() == []


def test_one_service_at_a_time(tmp_path):
    one, two = Spool(tmp_path), Spool(tmp_path)
    one.make()
    assert one.holder() is None
    assert one.acquire()
    assert two.holder() is not None
    assert not two.acquire()
    one.release()
    assert two.acquire()
    two.release()


def test_the_page_for_the_server_names_commands_that_there_are(tmp_path):
    """Every command on it is parsed by the program; what it does has tests of its own."""
    page = (ROOT / "autograder/integrations/push/README.md").read_text("utf-8")
    found = re.findall(r"-m autograder hook (\w+)((?: --?[\w-]+| \S+)*)$", page, re.MULTILINE)
    assert {name for name, _ in found} == {"install", "status", "serve"}
    shown = {name: command(name, "--help").stdout for name, _ in found}
    for name, rest in found:
        for option in re.findall(r"--[\w-]+", rest):
            assert option in shown[name]
