"""No confinement (rung D): the worker as a plain process, for practice and --unconfined.

Student code still runs in a process of its own: it can't reach the examiner's memory, and its time,
memory and output are limited. It can read and write all files that the user can.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from multiprocessing.util import Finalize

from autograder.sandbox import gpu, runtime
from autograder.sandbox.bubblewrap import ENVIRONMENT
from autograder.sandbox.launch import Folder, Launch, worker_command
from autograder.sandbox.running import Started


class Unconfined:
    """Starts workers as plain processes, with the same view of importable packages (rung D)."""

    rung = "D"
    layers: tuple[str, ...] = ("nothing",)
    name = "D (not confined)"
    confined = False
    own_uid = None

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        # Unlike atexit, this also runs when a process of multiprocessing ends.
        Finalize(self, remove, (self._folder,), exitpriority=0)
        self._count = 0
        self._paths = {name: f"{self._folder}/{name}" for name in ("site", "grader", "pytest")}
        link(runtime.basics(*self._paths.values()))
        self._paths["extra"] = f"{self._folder}/extra"
        self._extras: set[str] = set()

    def place(self, folder: Folder) -> str:
        """Return the path of a folder for student code, which is the original path."""
        return folder.source

    def start(self, launch: Launch) -> Started:
        """Start a ready parent for `launch` in a fresh folder with the submission's files."""
        self._count += 1
        scratch = f"{self._folder}/{self._count}"
        folder, week = f"{scratch}/submission", f"{scratch}/week"
        write_files(launch.files, folder)
        write_files(launch.week.files, week)
        mounts = runtime.extras(launch.packages, self._paths["extra"])
        link([mount for mount in mounts if mount.target not in self._extras])
        self._extras |= {mount.target for mount in mounts}
        environment = {**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch}
        del environment["LD_LIBRARY_PATH"]
        environment |= gpu.visible(launch.gpus)
        # 0 (no limit of processes): the kernel would count all processes of this user.
        command = worker_command(
            os.path.realpath(sys.executable),
            launch,
            folder,
            {**self._paths, "week": week},
            processes=0,
        )
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=launch.output,
            stderr=launch.output,
            env=environment,
            cwd=scratch,
            pass_fds=[launch.control],
            start_new_session=True,
        )
        return Started(process, tidy=lambda: remove(scratch))

    def close(self) -> None:
        """Remove the folder with all files written."""
        remove(self._folder)


def write_files(files: Mapping[str, bytes], folder: str) -> None:
    """Write files into a new folder, readable by every user, under any umask."""
    runtime.make_open(folder)
    for name, content in files.items():
        runtime.make_open(os.path.dirname(f"{folder}/{name}"))
        with open(f"{folder}/{name}", "wb") as file:
            os.fchmod(file.fileno(), 0o644)
            file.write(content)


def remove(folder: str) -> None:
    """Remove a folder that student code could write to, of any depth.

    rm follows no links, and removes trees so deep that shutil.rmtree exceeds its recursion limit.
    """
    subprocess.run(
        ["/bin/rm", "-rf", "--", folder],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
    )


def link(mounts: Iterable[runtime.Mount]) -> None:
    """Create a symbolic link in place of each mount of a sandbox."""
    for mount in mounts:
        runtime.make_open(os.path.dirname(mount.target))
        os.symlink(mount.source, mount.target)
