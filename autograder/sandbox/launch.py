"""The description of a worker to start, and its command line, common to all confinements."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autograder.channel.faults import InfraError
from autograder.sandbox.limits import Limits
from autograder.worker.sandboxed.main import pid_namespace
from autograder.worker.week_drivers import WeekFolders

NO_FOLDERS = WeekFolders()


class ProgramMissingError(InfraError):
    """A program that a confinement needs is not installed."""


@dataclass(frozen=True)
class Folder:
    """A folder of the host that a sandbox gets at `target`; read-only unless `writable`."""

    source: str
    target: str
    writable: bool = False


@dataclass(frozen=True)
class Script:
    """A module of the submission whose `main` is run with arguments, instead of a ready parent.

    `threads` is how many threads torch may use.
    """

    module: str
    arguments: tuple[str, ...]
    threads: int = 1


@dataclass(frozen=True)
class Launch:
    """One ready parent to start, or one script to run.

    files: the submission's modules by name; control, output: descriptors that the process
    inherits; tests, with_pytest: see worker.sandboxed.main.Settings; packages: distributions that
    the files may import on top of numpy; folders, gpus: what is mounted beside the files, and the
    device files of the GPUs that are bound; week: the week's own drivers and probes.
    """

    files: Mapping[str, bytes]
    limits: Limits
    control: int
    output: int
    tests: str | None = None
    with_pytest: bool = False
    packages: tuple[str, ...] = ()
    folders: tuple[Folder, ...] = ()
    gpus: tuple[str, ...] = ()
    script: Script | None = None
    week: WeekFolders = NO_FOLDERS


def parent_settings(
    launch: Launch,
    folder: str,
    paths: Mapping[str, str],
    *,
    processes: int,
    landlock: Sequence[Sequence[str]] = (),
) -> dict[str, Any]:
    """Return the settings of the ready parent: worker.sandboxed.main.Settings.

    `folder` holds the submission inside; of `paths` the grader's and the week's are used.
    `processes` is the limit that it sets itself (0: none); `landlock` are the rules of what it may
    open where something else confines it (worker.sandboxed.confined).
    """
    limits = launch.limits
    return {
        "folder": folder,
        "modules": [name for name in launch.files if name.endswith(".py")],
        "forget": [paths["grader"]],
        "control": launch.control,
        "namespace": pid_namespace(),
        "memory_bytes": limits.memory_mb << 20 if limits.address_space else 0,
        "training_memory_bytes": limits.training_memory_mb << 20 if limits.address_space else 0,
        "processes": processes,
        "file_bytes": limits.file_mb << 20,
        "cpu_seconds": limits.cpu_seconds,
        "tests": launch.tests,
        "with_pytest": launch.with_pytest,
        "with_torch": "torch" in launch.packages,
        "landlock": list(landlock),
        "week": paths["week"],
        "week_folders": launch.week.names,
    }


def worker_command(
    python: str,
    launch: Launch,
    folder: str,
    paths: Mapping[str, str],
    *,
    processes: int,
    confined: Mapping[str, Any] | None = None,
    landlock: Sequence[Sequence[str]] = (),
) -> list[str]:
    """Return the command line of the ready parent, or of the script.

    `paths` names its folders: site, grader, week, pytest, and extra for `packages`. `confined`
    makes it shut itself in (worker.sandboxed.confined); the rest is as for `parent_settings`.
    """
    settings = parent_settings(launch, folder, paths, processes=processes, landlock=landlock)
    main = "main"
    if launch.script:
        main = "script"
        settings |= asdict(launch.script)
    start = f"from autograder.worker.sandboxed.{main} import main; main()"
    if confined:
        settings["confined"] = dict(confined)
        start = f"from autograder.worker.sandboxed.confined import main; main({main!r})"
    return python_command(python, launch.with_pytest, launch.packages, paths, start, settings)


def python_command(
    python: str,
    with_pytest: bool,
    packages: Sequence[str],
    paths: Mapping[str, str],
    start: str,
    settings: Mapping[str, Any],
) -> list[str]:
    """Return the command line of a program inside: the statements `start`, with its settings.

    -S and -P keep everything but the standard library off sys.path; -s and -B leave no door and no
    trace in home folders. -I would do the same and ignore PYTHONHASHSEED too, which is pinned so
    that the order of a set is the same in every run.
    """
    path = [paths["site"], paths["grader"]]
    path += [paths["pytest"]] if with_pytest else []
    path += [paths["extra"]] if packages else []
    program = f"import sys; sys.path += {path!r}; {start}"
    return [python, "-s", "-S", "-P", "-B", "-c", program, json.dumps(settings)]


def memory_file(content: bytes) -> int:
    """Return a descriptor of an anonymous file that holds `content`, at its beginning."""
    fd = os.memfd_create("data", 0)
    with os.fdopen(os.dup(fd), "wb") as file:
        file.write(content)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd
