"""Confinement by bubblewrap: no network, no files but the submission's, no privileges.

The flags are the ones that left nothing open in an escape probe; the comments name the hole that
each closes where it isn't obvious.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping

from . import gpu, runtime
from .launch import Folder, Launch, memory_file, worker_command

FIRST_UID = 61_184
"""Sandboxes of root run under FIRST_UID + slot: ids that Debian's policy leaves free."""

FOLDER = "/submission"
ENVIRONMENT = {
    "HOME": "/scratch",
    "TMPDIR": "/scratch",
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": "/runtime/lib",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


class Bubblewrap:
    """Starts workers inside bubblewrap. One object serves one process, one sandbox at a time."""

    name = "bubblewrap"
    confined = True

    def __init__(self, slot: int = 0, packages: tuple[str, ...] = ()):
        program = shutil.which("bwrap")
        if program is None:
            raise FileNotFoundError("bubblewrap is not installed: apt-get install bubblewrap")
        self.program = program
        self.uid = FIRST_UID + slot
        self.runtime = runtime.prepare(packages)

    def place(self, folder: Folder) -> str:
        """Return the path by which student code finds a folder."""
        return folder.target

    def start(self, launch: Launch) -> subprocess.Popen[bytes]:
        """Start a ready parent for `launch` inside a new sandbox."""
        fds: list[int] = [launch.control] if launch.script is None else []
        given = len(fds)
        try:
            arguments = self._arguments(launch, fds)
            # Options over a descriptor and an empty environment: /proc/1/cmdline and environ can
            # be read inside, and would show where things lie on the host.
            listed = memory_file("\0".join(arguments).encode())
            fds.append(listed)
            drop = {"user": self.uid, "group": self.uid, "extra_groups": []}
            return subprocess.Popen(
                [self.program, "--args", str(listed), "--", *self._command(launch)],
                stdin=subprocess.DEVNULL,
                stdout=launch.output,
                stderr=launch.output,
                env={},
                cwd="/",
                pass_fds=fds,
                start_new_session=True,
                **(drop if os.geteuid() == 0 else {}),
            )
        finally:
            for fd in fds[given:]:
                os.close(fd)

    def _arguments(self, launch: Launch, fds: list[int]) -> list[str]:
        arguments = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534"]
        arguments += ["--disable-userns", "--cap-drop", "ALL", "--hostname", "sandbox"]
        arguments += ["--die-with-parent", "--new-session", "--clearenv"]
        for key, value in {**ENVIRONMENT, **gpu.environment(launch.gpus)}.items():
            arguments += ["--setenv", key, value]
        arguments += _system_libraries()
        for mount in self.runtime.mounts:
            if mount.target.startswith(runtime.PYTEST) and not launch.with_pytest:
                continue
            if mount.target.startswith(runtime.EXTRA) and not launch.packages:
                continue
            arguments += ["--ro-bind", mount.source, mount.target]
        for mask in self.runtime.masks:
            arguments += ["--tmpfs", mask, "--remount-ro", mask]
        # --dev makes writable file systems as large as memory: size them, then close /dev.
        arguments += ["--proc", "/proc", "--dev", "/dev", *gpu.binds(launch.gpus)]
        arguments += ["--perms", "1777", "--size", str(16 << 20), "--tmpfs", "/dev/shm"]
        arguments += ["--remount-ro", "/dev"]
        size = str(2 * launch.limits.file_mb << 20)
        arguments += ["--perms", "1777", "--size", size, "--tmpfs", "/scratch"]
        arguments += _files(launch.files, fds)
        for folder in launch.folders:
            arguments += ["--bind" if folder.writable else "--ro-bind"]
            arguments += [runtime.stage(folder.source), folder.target]
        arguments += ["--remount-ro", "/", "--chdir", "/scratch"]
        return arguments

    @staticmethod
    def _command(launch: Launch) -> list[str]:
        paths = {
            "site": runtime.SITE,
            "grader": runtime.GRADER,
            "pytest": runtime.PYTEST,
            "extra": runtime.EXTRA,
        }
        return worker_command(runtime.PYTHON, launch, FOLDER, paths, confined=True)


def _files(files: Mapping[str, bytes], fds: list[int]) -> list[str]:
    """Hand the submission's files over as descriptors: no folder of the host is mounted."""
    arguments = ["--perms", "0755", "--dir", FOLDER]
    for name, content in files.items():
        fd = memory_file(content)
        fds.append(fd)
        arguments += ["--perms", "0444", "--ro-bind-data", str(fd), f"{FOLDER}/{name}"]
    return arguments


def _system_libraries() -> list[str]:
    arguments = []
    for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    return arguments
