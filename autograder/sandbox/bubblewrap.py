"""Confinement by bubblewrap: no network, no files but the submission's, no privileges.

The flags were chosen so that an escape probe finds nothing open; comments explain those whose
purpose isn't obvious.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from typing import Any

from autograder.sandbox import cgroup, gpu, runtime, seccomp
from autograder.sandbox.launch import (
    Folder,
    Launch,
    ProgramMissingError,
    memory_file,
    worker_command,
)
from autograder.sandbox.running import Started
from autograder.worker.sandboxed import confined

FIRST_UID = 61_184
"""Sandboxes of root run under FIRST_UID + slot: ids that Debian's policy leaves free."""

USER_ID_INSIDE, HOST_NAME_INSIDE = "65534", "sandbox"
SUBMISSION, SCRATCH = "/submission", "/scratch"
"""Where the submission's files lie inside, and the home folder, where it may write."""

ENVIRONMENT = {
    "HOME": SCRATCH,
    "TMPDIR": SCRATCH,
    "LC_ALL": "C.UTF-8",
    "LD_LIBRARY_PATH": "/runtime/lib",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


READABLE = (
    *("/usr", "/lib", "/lib64", "/runtime", "/grader", "/dev/zero", "/dev/full"),
    *("/dev/random", "/dev/urandom", "/proc/cpuinfo", "/proc/meminfo", "/proc/stat"),
)
WRITABLE = ("/dev/shm", "/dev/null")

SPARE_PROCESSES = 8
"""Processes that a cgroup allows in addition: bubblewrap, the parent and the spare worker."""


class Bubblewrap:
    """Starts workers inside bubblewrap. One object serves one process, one sandbox at a time.

    Rung A as root on a machine whose cgroups can limit memory and processes; otherwise rung B,
    whose limits are checked by the grader at intervals. `cgroups=False` selects rung B. Raises
    ProgramMissingError if bubblewrap is not installed.
    """

    confined = True

    def __init__(self, slot: int = 0, packages: tuple[str, ...] = (), *, cgroups: bool = True):
        program = shutil.which("bwrap")
        if program is None:
            raise ProgramMissingError("bubblewrap is not installed")
        self.program = program
        self.own_uid = FIRST_UID + slot if os.geteuid() == 0 else None
        self.runtime = runtime.prepare(packages)
        self.filter = seccomp.program()
        root = os.geteuid() == 0
        self.cgroups = cgroups and root and cgroup.available() is None
        self.rung = "A" if self.cgroups else "B"
        version = confined.version()
        self.landlock = version > 0
        layers = ["bubblewrap", *(["own user"] if root else []), "seccomp"]
        layers += [f"Landlock {version}"] if version else []
        self.layers = (*layers, "cgroup" if self.cgroups else "watched from outside")

    @property
    def name(self) -> str:
        """The rung and its layers, recorded with every result."""
        return f"{self.rung} ({', '.join(self.layers)})"

    def place(self, folder: Folder) -> str:
        """Return the path of a folder inside the sandbox."""
        return folder.target

    def start(self, launch: Launch) -> Started:
        """Start the ready parent, or the script, of `launch` in a new sandbox. Raises OSError."""
        fds = [launch.control]
        group = None
        try:
            arguments = self._arguments(launch, fds)
            # Options are passed by a descriptor, and the environment is empty: /proc/1/cmdline and
            # environ can be read inside and would reveal paths of the host.
            listed = memory_file("\0".join(arguments).encode())
            fds.append(listed)
            if self.cgroups:
                group = cgroup.Group(
                    launch.limits.training_memory_mb if launch.script else launch.limits.memory_mb,
                    launch.limits.processes + SPARE_PROCESSES,
                )
            user = self.own_uid
            drop: dict[str, Any] = {}
            if user is not None:
                drop = {"user": user, "group": user, "extra_groups": []}
            process = subprocess.Popen(
                [self.program, "--args", str(listed), "--", *self._command(launch)],
                stdin=subprocess.DEVNULL,
                stdout=launch.output,
                stderr=launch.output,
                env={},
                cwd="/",
                pass_fds=fds,
                start_new_session=True,
                **drop,
            )
            return Started(process, group, has_init=True)
        except BaseException:
            if group is not None:
                group.close()
            raise
        finally:
            for fd in fds[1:]:
                os.close(fd)

    def _arguments(self, launch: Launch, fds: list[int]) -> list[str]:
        fds.append(memory_file(self.filter))
        arguments = ["--seccomp", str(fds[-1])]
        arguments += ["--unshare-all", "--unshare-user", "--uid", USER_ID_INSIDE]
        arguments += ["--gid", USER_ID_INSIDE, "--hostname", HOST_NAME_INSIDE]
        arguments += ["--disable-userns", "--cap-drop", "ALL"]
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
        arguments += ["--perms", "1777", "--size", size, "--tmpfs", SCRATCH]
        arguments += _files(launch.files, SUBMISSION, fds)
        arguments += _files(launch.week.files, runtime.WEEK, fds)
        for folder in launch.folders:
            arguments += ["--bind" if folder.writable else "--ro-bind"]
            arguments += [runtime.stage(folder.source), folder.target]
        arguments += ["--remount-ro", "/", "--chdir", SCRATCH]
        return arguments

    def _command(self, launch: Launch) -> list[str]:
        paths = {
            "site": runtime.SITE,
            "grader": runtime.GRADER,
            "week": runtime.WEEK,
            "pytest": runtime.PYTEST,
            "extra": runtime.EXTRA,
        }
        return worker_command(
            runtime.PYTHON,
            launch,
            SUBMISSION,
            paths,
            processes=launch.limits.processes,
            # CUDA reads more of /proc and /sys than these rules allow.
            landlock=_rules(launch) if self.landlock and not launch.gpus else (),
        )


def _rules(launch: Launch) -> list[list[str]]:
    """Return the Landlock rules inside: every folder may be listed, few files of /proc read."""
    rules = [[confined.LIST, "/"]]
    rules += [[confined.READ, path] for path in (*READABLE, SUBMISSION)]
    rules += [[confined.WRITE, path] for path in (*WRITABLE, SCRATCH)]
    for folder in launch.folders:
        rules.append([confined.WRITE if folder.writable else confined.READ, folder.target])
    return rules


def _files(files: Mapping[str, bytes], folder: str, fds: list[int]) -> list[str]:
    """Return the options that pass files as descriptors, so no folder of the host is mounted."""
    arguments = ["--perms", "0755", "--dir", folder]
    for name, content in files.items():
        fd = memory_file(content)
        fds.append(fd)
        arguments += ["--perms", "0444", "--ro-bind-data", str(fd), f"{folder}/{name}"]
    return arguments


def _system_libraries() -> list[str]:
    arguments = []
    for path in ("/usr/lib", "/usr/lib64", "/lib", "/lib64"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    return arguments
