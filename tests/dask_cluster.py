"""A scheduler of Dask and workers as processes of their own over loopback, for tests and measures.

They are found again, with all their descendants that are no sandboxes, by a mark in their
environment.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 60.0


def wait_for(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Wait until this is true. Raises AssertionError after so many seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


class DaskProcesses:
    """A scheduler, and the workers started with `worker`; all end with `close`.

    `options` are further arguments of all: TLS files, say.
    """

    def __init__(self, folder: Path, options: Sequence[str] = (), scheme: str = "tcp"):
        self.folder, self.options = folder, list(options)
        self.mark = uuid.uuid4().hex
        self._file = folder / f"scheduler-{self.mark}.json"
        host = ["--host", f"{scheme}://127.0.0.1", "--port", "0", "--no-dashboard", "--no-show"]
        self.scheduler = self._start("dask_scheduler", *host, "--scheduler-file", str(self._file))
        wait_for(self._file.is_file)
        wait_for(lambda: self._file.read_text().endswith("}"))
        self.address = next(
            line.split('"')[3] for line in self._file.read_text().splitlines() if "address" in line
        )
        self.workers: dict[str, subprocess.Popen[bytes]] = {}

    def worker(self, name: str, threads: int = 1, tree: Path = ROOT) -> None:
        """Start a worker that takes our code from this tree."""
        self.workers[name] = self._start(
            "dask_worker",
            self.address,
            *("--nthreads", str(threads), "--name", name, "--no-nanny", "--no-dashboard"),
            *("--local-directory", str(self.folder)),
            tree=tree,
        )

    def _start(self, module: str, *arguments: str, tree: Path = ROOT) -> subprocess.Popen[bytes]:
        with (self.folder / f"{module}-{self.mark}.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments, *self.options],
                cwd=tree,
                env={**os.environ, "DASK_MARK": self.mark, "PYTHONPATH": str(tree)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self, name: str) -> None:
        """Kill a worker outright, as a machine that loses its power."""
        self.workers[name].kill()
        self.workers.pop(name).wait()

    def descendants(self) -> list[int]:
        """Return what workers left, or run besides themselves and a fork server each.

        That is examiners and starters of sandboxes; sandboxes themselves have no environment.
        """
        own = {self.scheduler.pid, *(worker.pid for worker in self.workers.values())}
        return [
            pid
            for pid in marked(self.mark)
            if pid not in own and state_and_parent(pid)[1] not in own
        ]

    def log(self) -> str:
        """Return all that scheduler and workers wrote."""
        return "".join(
            path.read_text("utf-8", "replace") for path in self.folder.glob("dask_*.log")
        )

    def close(self) -> None:
        """End everything."""
        for process in self.workers.values():
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
            process.terminate()
        for process in (*self.workers.values(), self.scheduler):  # workers take leave of it
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def state_and_parent(pid: int) -> tuple[str, int]:
    """Return the letter of a process's state and the id of its parent, Z and 0 if it has ended."""
    try:
        state, parent, *_ = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "Z", 0
    return state, int(parent)


def marked(mark: str) -> Iterable[int]:
    """Yield the ids of all processes with this mark in their environment."""
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if mark.encode() in (folder / "environ").read_bytes():
                    yield int(folder.name)


def sandboxes(uids: range) -> list[int]:
    """Return the ids of all processes of these users that have not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                if folder.stat().st_uid in uids:
                    found.append(int(folder.name))
    return [pid for pid in found if state_and_parent(pid)[0] != "Z"]
