"""A small course on a git server: bare repositories with the hook, clones, and real pushes."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from autograder.integrations.push.install import install
from autograder.integrations.push.ledger import FILE, Ledger, Push
from autograder.integrations.push.spool import Spool

Files = dict[str, str]
IDENTITY = [f"GIT_{role}_{what}" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")]
PUBLIC = '''"""Public tests of a small course."""

import numpy as np
import pytest

from autograder.suite import expect


@pytest.mark.item("week2.double")
def test_one(student):
    """One number is doubled."""
    expect.close("double(x)", student.double.double(np.array([3.0])), np.array([6.0]))
'''
DEADLINE = 90.0


def environment() -> dict[str, str]:
    """A user's environment, without anything of this test run's git or settings."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
    return kept | dict.fromkeys(IDENTITY, "ada@example.org") | {"GIT_CONFIG_GLOBAL": os.devnull}


def git(folder: Path, *arguments: str, given: bytes | None = None) -> str:
    """Run git in a folder; it must succeed. Returns what it printed."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=environment(), input=given, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def until(happens: Callable[[], object]) -> None:
    """Wait until something is so; a test that waits for nothing fails."""
    end = time.monotonic() + DEADLINE
    while not happens():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)


@dataclass
class Server:
    """A folder of bare repositories whose pushes are graded for a course, into `out`."""

    folder: Path
    root: Path
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def out(self) -> Path:
        return self.folder / "grades"

    @property
    def spool(self) -> Spool:
        return Spool(self.out / "push")

    def hook(self, student: str, **others: object) -> Path:
        """Make a student's repository, with the hook; return it."""
        repository = self.folder / f"{student}.git"
        if not repository.exists():
            git(self.folder, "init", "-q", "--bare", "-b", "main", str(repository))
        self.spool.make()
        given = {"root": self.root, "out": self.out, "spool": self.spool.path, "jobs": 2}
        install(repository, student, **{**given, **self.settings, **others})
        return repository

    def student(self, name: str, **others: object) -> Clone:
        """Make a student's repository with the hook, and a clone of it."""
        repository = self.hook(name, **others)
        folder = self.folder / "clones" / name
        git(self.folder, "clone", "-q", str(repository), str(folder))
        return Clone(folder, repository)

    def pushes(self, student: str) -> list[Push]:
        """Return what the service noted of a student's pushes, the first one first."""
        path = self.out / "push" / FILE
        if not path.exists():
            return []
        ledger = Ledger(path)
        try:
            return [push for push in reversed(ledger.latest(100)) if push.student == student]
        finally:
            ledger.close()

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End the service, if one runs, and wait for it."""
        holder = self.spool.holder()
        if holder:
            with suppress(ProcessLookupError):
                os.kill(holder, number)
            until(lambda: self.spool.holder() != holder)


@dataclass
class Clone:
    """A student's clone of a repository."""

    folder: Path
    repository: Path

    def commit(self, files: Files) -> str:
        """Write files and commit them, and whatever else has changed; return the hash."""
        for name, text in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text)
        git(self.folder, "add", "-A")
        git(self.folder, "commit", "-q", "--allow-empty", "-m", "work")
        return git(self.folder, "rev-parse", "HEAD").strip()

    def begin(self, *what: str) -> subprocess.Popen[str]:
        """Begin a push, and let it run."""
        return subprocess.Popen(
            ["git", "push", "-q", "origin", *(what or ("HEAD:refs/heads/main",))],
            cwd=self.folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def push(self, *what: str) -> str:
        """Push, and return what the server answered; the push itself must succeed."""
        return said(self.begin(*what))


def said(push: subprocess.Popen[str]) -> str:
    """Wait for a push; return what the server answered, on one line with single spaces."""
    output, _ = push.communicate(timeout=DEADLINE)
    assert push.returncode == 0, output
    lines = [line.rstrip() for line in output.splitlines()]
    assert all(len(line) <= 80 and line.isprintable() for line in lines), lines
    return " ".join(" ".join(line.removeprefix("remote:") for line in lines).split())
