"""No confinement: the worker as a plain process of the user. For practice, and for --unconfined.

The value channel still holds: student code can't reach the examiner's memory, and time, memory and
output are limited. It can read and write what the user can.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from multiprocessing.util import Finalize

from . import runtime
from .bubblewrap import ENVIRONMENT
from .launch import Folder, Launch, worker_command


class Unconfined:
    """Starts workers as plain processes, with the same view of importable packages."""

    name = "none"
    confined = False

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        # Unlike atexit, this also runs at the end of a process of a pool.
        Finalize(self, shutil.rmtree, (self._folder, True), exitpriority=0)
        self._count = 0
        self._paths = {name: f"{self._folder}/{name}" for name in ("site", "grader", "pytest")}
        _link(runtime.basics(*self._paths.values()))
        self._paths["extra"] = f"{self._folder}/extra"
        self._extras: set[str] = set()

    def place(self, folder: Folder) -> str:
        """Return the path by which student code finds a folder: its own."""
        return folder.source

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Start a ready parent for `launch` in a fresh folder with the submission's files."""
        self._count += 1
        scratch = f"{self._folder}/{self._count}"
        folder = f"{scratch}/submission"
        os.makedirs(folder)
        for name, content in launch.files.items():
            os.makedirs(os.path.dirname(f"{folder}/{name}"), exist_ok=True)
            with open(f"{folder}/{name}", "wb") as file:
                file.write(content)
        mounts = runtime.extras(launch.packages, self._paths["extra"])
        _link([mount for mount in mounts if mount.target not in self._extras])
        self._extras |= {mount.target for mount in mounts}
        environment = {**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch}
        del environment["LD_LIBRARY_PATH"]
        if launch.gpus:  # what a sandbox does by binding these and no others
            numbers = (path.rpartition("nvidia")[2] for path in launch.gpus)
            environment["CUDA_VISIBLE_DEVICES"] = ",".join(numbers)
        return subprocess.Popen(
            worker_command(
                os.path.realpath(sys.executable), launch, folder, self._paths, confined=False
            ),
            stdin=subprocess.DEVNULL,
            stdout=launch.output,
            stderr=launch.output,
            env=environment,
            cwd=scratch,
            pass_fds=[launch.control] if launch.script is None else [],
            start_new_session=True,
        )

    def close(self) -> None:
        """Remove what was written."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _link(mounts: Iterable[runtime.Mount]) -> None:
    """Put a link where a sandbox would have a mount."""
    for mount in mounts:
        os.makedirs(os.path.dirname(mount.target), exist_ok=True)
        os.symlink(mount.source, mount.target)
