"""Installing the hook into bare repositories, and removing it.

The hook is one file with its settings in it. An earlier post-receive hook is kept beside it, is
still called, and is restored when ours is removed.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from autograder.errors import OutputError
from autograder.gradebook import private
from autograder.gradebook.ids import student_id
from autograder.integrations.push.spool import Spool

HOOK = "post-receive"
EARLIER_HOOK = f"{HOOK}.before-autograder"
MARK = "the autograder and shows its answer (autograder hook)"
TEMPLATE = Path(__file__).with_name("post-receive.sh")
HOME = Path(__file__).resolve().parents[3]
WAIT_SECONDS = 60
NO_LIMIT = 0


class HookError(OutputError):
    """A hook can't be put in place or taken away: which, why, and what to do."""


def repositories(paths: Iterable[Path]) -> list[Path]:
    """Return the bare repositories among these paths, and those in folders among them.

    Raises HookError for anything else.
    """
    bare: list[Path] = []
    for path in paths:
        if not path.is_dir():
            raise HookError(f"{path} is no folder. Name bare repositories, or a folder of them.")
        if _is_repository(path):
            bare.append(path.resolve())
            continue
        inside = [p for p in sorted(path.iterdir()) if p.is_dir() and _is_repository(p)]
        if not inside:
            problem = f"{path} is no bare repository, and there is none in it"
            raise HookError(f"{problem}. `git init --bare ada.git` makes one.")
        bare += [repository.resolve() for repository in inside]
    return bare


def students_of(paths: Sequence[Path], student: str | None) -> dict[Path, str]:
    """Return the student of each repository: by the repository's name, or the one given.

    Raises HookError where two would be one student's.
    """
    if student is not None:
        if len(paths) != 1:
            raise HookError("--student names one student: give one repository with it.")
        if student_id(student) != student:
            known = student_id(student)
            raise HookError(f"{student!r} can't be a student's id; {known!r} could.")
        return {paths[0]: student}
    students = {path: student_id(path.name.removesuffix(".git")) for path in paths}
    owners: dict[str, Path] = {}
    for path, name in students.items():
        other = owners.setdefault(name.casefold(), path)
        if other != path:
            raise HookError(f"{other} and {path} would both be {name}'s. Rename one.")
    return students


def install(
    repository: Path,
    student: str,
    *,
    root: Path,
    out: Path | None,
    spool: Path,
    branch: str | None = None,
    limit: int | None = None,
    wait: int = WAIT_SECONDS,
    jobs: int = 0,
) -> str:
    """Put the hook into a repository, in place of an earlier one of ours; say what was done.

    root: the course's repository; out: where results go, None where another user's service reads
    `spool`. limit: gradings a day, NO_LIMIT for any number, None for the course's.

    Raises HookError where that can't be done; nothing has changed then.
    """
    hooks = _hooks(repository)
    hook, kept = hooks / HOOK, hooks / EARLIER_HOOK
    foreign = hook.exists() and not is_ours(hook)
    if foreign and kept.exists():
        problem = f"there is a hook of somebody else's in {hook}, and an earlier one in {kept}"
        raise HookError(f"{problem}. Keep one of them.")
    service = out is not None  # the hook starts one
    lines = _lines(
        {
            "student": student,
            "repository": repository,
            "spool": spool,
            "branch": branch or "",
            "limit": "" if limit is None else limit,
            "wait": wait,
            "python": sys.executable if service else "",
            "home": HOME if service else "",
            "root": root if service else "",
            "out": out or "",
            "jobs": jobs,
            "data": os.environ.get("COURSE_DATA", ""),
        }
    )
    text = TEMPLATE.read_text("utf-8").replace("# SETTINGS\n", lines)
    try:
        hooks.mkdir(exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=f".{HOOK}.", dir=hooks)
        try:
            with os.fdopen(handle, "w") as stream:
                stream.write(text)
            os.chmod(temporary, 0o755)
            if foreign:
                os.replace(hook, kept)
            os.replace(temporary, hook)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HookError(f"{hook} can't be written: {error.strerror}.") from error
    also = f"; the hook of before is called too ({EARLIER_HOOK})" if kept.exists() else ""
    return f"{repository}: pushes are graded as {student}'s{also}."


def remove(repository: Path) -> str:
    """Take the hook away and put that of before in its place; say what was done.

    Raises HookError where that can't be done.
    """
    hooks = _hooks(repository)
    hook, kept = hooks / HOOK, hooks / EARLIER_HOOK
    if not hook.exists() or not is_ours(hook):
        return f"{repository}: there is no hook of ours."
    try:
        if kept.exists():
            os.replace(kept, hook)
            return f"{repository}: the hook of before is back."
        hook.unlink()
    except OSError as error:
        raise HookError(f"{hook} can't be removed: {error.strerror}.") from error
    return f"{repository}: pushes are not graded any more."


def has_hook(repository: Path) -> bool:
    """Whether pushes to a repository were graded already."""
    hook = repository / "hooks" / HOOK
    return hook.exists() and is_ours(hook)


def is_ours(hook: Path) -> bool:
    """Whether a hook is one that `install` wrote."""
    return MARK in hook.read_text("utf-8", errors="replace")[:500]


def make_private(out: Path, like: Path | None = None) -> None:
    """Make the folder of results and the spool in it, closed to other users of the machine.

    Hooks run as the owner of the repository `like`, and so does the service that they start. Raises
    HookError where the folder is somebody else's.
    """
    new = not out.exists()
    try:
        private.make_private(out)
        if like is not None and new and os.geteuid() == 0:
            os.chown(out, like.stat().st_uid, like.stat().st_gid)
        if like is not None and out.stat().st_uid != like.stat().st_uid:
            problem = f"{like} and {out} belong to different users, and hooks run as the first"
            remedy = "Choose another --out, or give --spool and run `autograder hook serve`"
            raise HookError(f"{problem}. {remedy}.")
    except OSError as error:
        raise HookError(f"{out} can't be made or closed to others: {error.strerror}.") from error
    Spool(out / "push").make(like)


def _lines(values: Mapping[str, object]) -> str:
    """Return the hook's settings as lines of shell. Raises HookError for one that is no line."""
    for name, value in values.items():
        if re.search(r"[\n\0]", str(value)):
            raise HookError(f"{name} has a line end in it: {str(value)!r}.")
    return "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())


def _is_repository(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def _hooks(repository: Path) -> Path:
    """Return the folder from which git runs a repository's hooks, if it is the repository's own."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    command = ["git", "-c", "safe.directory=*", f"--git-dir={repository}", "rev-parse"]
    command += ["--is-bare-repository", "--git-path", "hooks"]
    done = subprocess.run(
        command, cwd=repository, env=clean, capture_output=True, text=True, check=False
    )
    bare, _, hooks = done.stdout.rstrip("\n").partition("\n")
    if done.returncode or not hooks:
        raise HookError(f"git can't read {repository}: {done.stderr.strip()[:200]}")
    if bare != "true":
        problem = f"{repository} has files checked out"
        raise HookError(f"{problem}. Students push to a bare repository (git init --bare).")
    hooks_folder = (repository / hooks).resolve()
    if hooks_folder != (repository / "hooks").resolve():
        problem = f"the hooks of {repository} are in {hooks_folder} (core.hooksPath)"
        raise HookError(f"{problem}, which is not its own. Unset that, or call ours from there.")
    return repository / "hooks"
