"""The cgroup of one sandbox, by which the kernel limits its memory and number of processes.

Where this process may create cgroups (usually as root), they are created below `autograder` at the
top of each hierarchy, version 2 or 1. Limits that a hierarchy lacks are left to other layers.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from autograder.sandbox.own_time import OwnTime

PARENT = "autograder"
CONTROLLERS = ("memory", "pids")
PATIENCE = 0.5
"""Maximum wait in seconds for a group to become empty, or for its memory to be released."""

_numbers = itertools.count()


@dataclass(frozen=True)
class Hierarchies:
    """The root folder of each controller's cgroups; version 2 has one folder for both."""

    memory: Path | None = None
    pids: Path | None = None

    @property
    def all(self) -> list[Path]:
        """The folders without duplicates."""
        return list(dict.fromkeys(path for path in (self.memory, self.pids) if path is not None))


def find(mounts: str = "/proc/self/mountinfo") -> Hierarchies:
    """Return the hierarchies that are mounted here."""
    found: dict[str, Path] = {}
    try:
        lines = Path(mounts).read_text().splitlines()
    except OSError:
        return Hierarchies()
    for line in lines:
        before, _, after = line.partition(" - ")
        place = Path(before.split()[4])
        kind, _, options = after.split()[:3]
        if kind == "cgroup":
            found |= {name: place for name in CONTROLLERS if name in options.split(",")}
        elif kind == "cgroup2":
            with contextlib.suppress(OSError):
                offered = (place / "cgroup.controllers").read_text().split()
                found |= {name: place for name in CONTROLLERS if name in offered}
    return Hierarchies(**found)


@lru_cache(maxsize=1)
def usable() -> Hierarchies:
    """Return the hierarchies in which this process can limit both memory and processes.

    Raises OSError, with the step that failed, if it can't.
    """
    here = find()
    if here.memory is None or here.pids is None:
        raise OSError("no cgroup hierarchy with the controllers memory and pids is mounted")
    for top in here.all:
        parent = top / PARENT
        parent.mkdir(exist_ok=True)
        if (top / "cgroup.controllers").exists():
            _hand_down(top, [name for name in CONTROLLERS if getattr(here, name) == top])
        _sweep(parent)
        trial = parent / f"{os.getpid()}-trial"  # another user's folder may be there
        trial.mkdir()
        trial.rmdir()
    return here


def available() -> str | None:
    """Return None if cgroups can be created here, otherwise the reason why not."""
    try:
        usable()
    except OSError as error:
        return error.strerror or str(error)
    return None


def _hand_down(top: Path, controllers: list[str]) -> None:
    """Enable these controllers for the groups below `autograder` (version 2)."""
    for folder in (top, top / PARENT):
        control = folder / "cgroup.subtree_control"
        missing = set(controllers) - set(control.read_text().split())
        if missing:
            control.write_text(" ".join(f"+{name}" for name in sorted(missing)))


def _sweep(parent: Path) -> None:
    """Remove empty groups that graders which were killed left behind."""
    for folder in parent.iterdir():
        pid = folder.name.partition("-")[0]
        if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):  # still in use, or removed by another sweep
                folder.rmdir()


@dataclass(frozen=True)
class Events:
    """Numbers of processes that the kernel killed for memory, and of those it refused to start."""

    killed: int = 0
    refused: int = 0


class Group:
    """A cgroup created by this process. Raises OSError if it can't be created."""

    def __init__(self, memory_mb: int, processes: int, hierarchies: Hierarchies | None = None):
        self._here = usable() if hierarchies is None else hierarchies
        self._name = f"{PARENT}/{os.getpid()}-{next(_numbers)}"
        for top in self._here.all:
            (top / self._name).mkdir(parents=True)
        self._pids().joinpath("pids.max").write_text(str(processes))
        self.limit_memory(memory_mb)

    def _memory(self) -> Path:
        assert self._here.memory is not None
        return self._here.memory / self._name

    def _pids(self) -> Path:
        assert self._here.pids is not None
        return self._here.pids / self._name

    def limit_memory(self, megabytes: int) -> None:
        """Limit the memory of all its processes together, swap included, in MiB."""
        folder, most = self._memory(), str(megabytes << 20)
        if (folder / "memory.max").exists():
            (folder / "memory.max").write_text(most)
            swap = folder / "memory.swap.max"
            if swap.exists():
                swap.write_text("0")
            return
        # The limit of memory may never exceed that of memory and swap: a higher limit is written to
        # memory and swap first, a lower one last.
        names = [name for name in (_PLAIN, _SWAP) if (folder / name).exists()]
        if int((folder / names[-1]).read_text()) < megabytes << 20:
            names.reverse()
        for name in names:
            _write_patiently(folder / name, most)

    def add(self, pids: list[int]) -> None:
        """Move processes into the group, unless they are in it; their later children start in it.

        Raises OSError for a process that has ended.
        """
        for top in self._here.all:
            control = top / self._name / "cgroup.procs"
            inside = set(control.read_text().split())
            for pid in pids:
                if str(pid) not in inside:
                    control.write_text(str(pid))

    def events(self) -> Events:
        """Return the kernel's counts for this group up to now."""
        memory = _counters(self._memory(), "memory.events", "memory.oom_control")
        pids = _counters(self._pids(), "pids.events", "pids.events")
        return Events(memory.get("oom_kill", 0), pids.get("max", 0))

    def close(self) -> None:
        """Remove the group. All its processes must have ended."""
        deadline = time.monotonic() + PATIENCE
        for top in self._here.all:
            while True:
                try:
                    (top / self._name).rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:  # the kernel still removes its last process
                    if time.monotonic() > deadline:
                        break  # a later run removes it (_sweep)
                    time.sleep(0.001)


_PLAIN, _SWAP = "memory.limit_in_bytes", "memory.memsw.limit_in_bytes"


def _write_patiently(file: Path, text: str) -> None:
    """Write a limit, and repeat while version 1 still releases memory (EBUSY). Raises OSError."""
    clock = OwnTime()
    deadline = clock.begin() + PATIENCE
    while True:
        try:
            file.write_text(text)
            return
        except OSError:
            if clock.now() > deadline:
                raise
            time.sleep(0.001)


def _counters(folder: Path, *names: str) -> dict[str, int]:
    """Return the counters in the first of these files that exists: one name and number a line."""
    for name in names:
        file = folder / name
        if file.exists():
            pairs = (line.split() for line in file.read_text().splitlines())
            return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2}
    return {}
