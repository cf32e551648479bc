"""Confinement by bubblewrap: no network, no files but the submission's, no privileges.

The flags were chosen so that an escape probe finds nothing open; comments explain those whose
purpose isn't obvious.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from autograder.sandbox import cgroup, gpu, runtime, seccomp
from autograder.sandbox.launch import (
    Folder,
    Launch,
    ProgramMissingError,
    memory_file,
    parent_settings,
    python_command,
    worker_command,
)
from autograder.sandbox.running import Running, Started
from autograder.sandbox.template import Template
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

PATHS = {
    "site": runtime.SITE,
    "grader": runtime.GRADER,
    "week": runtime.WEEK,
    "pytest": runtime.PYTEST,
    "extra": runtime.EXTRA,
}
_JAIL = [
    *("--unshare-all", "--unshare-user", "--uid", USER_ID_INSIDE, "--gid", USER_ID_INSIDE),
    *("--hostname", HOST_NAME_INSIDE, "--die-with-parent", "--new-session", "--clearenv"),
]
CAPABILITIES_OF_A_TEMPLATE = ("CAP_SYS_ADMIN", "CAP_SYS_RESOURCE", "CAP_SETPCAP")
"""In its own user namespace: to make namespaces and mounts, to forbid user namespaces below its
own, and to take all three from the sandboxes that it forks, for good."""

PROCESSES_OF_A_TEMPLATE = 4
"""The kernel counts them for the user too: two of bubblewrap, it, and a sandbox's first one."""

SPARE_PROCESSES = 8
"""Processes that a cgroup allows in addition: bubblewrap, the parent and the spare worker."""


class Bubblewrap:
    """Starts workers inside bubblewrap. One object serves one process.

    With `forked`, sandboxes are forked from a template, which takes a fifth of the time. Rung A as
    root on a machine whose cgroups can limit memory and processes; otherwise rung B,
    whose limits are checked by the grader at intervals. `cgroups=False` selects rung B. Raises
    ProgramMissingError if bubblewrap is not installed.
    """

    confined = True

    def __init__(
        self,
        slot: int = 0,
        packages: tuple[str, ...] = (),
        *,
        cgroups: bool = True,
        forked: bool = True,
    ):
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
        layers = ["bubblewrap", *(["forked"] if forked else [])]
        layers += [*(["own user"] if root else []), "seccomp"]
        layers += [f"Landlock {version}"] if version else []
        self.layers = (*layers, "cgroup" if self.cgroups else "watched from outside")
        self._forked = forked
        self._templates: dict[tuple[bool, bool], Template] = {}
        self._lasting = ThreadPoolExecutor(1, "templates")

    @property
    def name(self) -> str:
        """The rung and its layers, recorded with every result."""
        return f"{self.rung} ({', '.join(self.layers)})"

    def place(self, folder: Folder) -> str:
        """Return the path of a folder inside the sandbox."""
        return folder.target

    def start(self, launch: Launch) -> Running:
        """Start the ready parent, or the script, of `launch` in a new sandbox. Raises OSError.

        What gets folders or devices of the host, and a script, is never forked from a template.
        Sandboxes of one template share the kernel's count of processes: side by side, one could
        leave the other none.
        """
        group = self._group(launch) if self.cgroups else None
        try:
            if not self._forked or launch.folders or launch.gpus or launch.script:
                return self._anew(launch, group)
            template = self._template(
                launch.with_pytest, bool(launch.packages), "torch" in launch.packages
            )
            processes = launch.limits.processes + PROCESSES_OF_A_TEMPLATE * len(self._templates)
            rules = _rules(launch) if self.landlock else ()
            request = {
                "settings": parent_settings(
                    launch, SUBMISSION, PATHS, processes=processes, landlock=rules
                ),
                "filter": self.filter.hex(),
                "scratch": SCRATCH,
                "scratch_bytes": 2 * launch.limits.file_mb << 20,
            }
            folders = [(SUBMISSION, launch.files), (runtime.WEEK, launch.week.files)]
            return template.fork(request, folders, launch.control, launch.output, group)
        except BaseException:
            if group is not None:
                group.close()
            raise

    def _group(self, launch: Launch) -> cgroup.Group:
        limits = launch.limits
        memory = limits.training_memory_mb if launch.script else limits.memory_mb
        return cgroup.Group(memory, limits.processes + SPARE_PROCESSES)

    def _anew(self, launch: Launch, group: cgroup.Group | None) -> Started:
        """Start a bubblewrap for this sandbox alone."""
        fds = [launch.control]
        try:
            arguments = self._arguments(launch, fds)
            process = self._run(arguments, self._command(launch), fds, launch.output)
            return Started(process, group, has_init=True)
        finally:
            for fd in fds[1:]:
                os.close(fd)

    def _run(
        self, arguments: list[str], command: list[str], fds: list[int], output: int
    ) -> subprocess.Popen[bytes]:
        """Run bubblewrap; adds a descriptor to `fds`, which are passed on. Raises OSError."""
        # Options are passed by a descriptor, and the environment is empty: /proc/1/cmdline and
        # environ can be read inside and would reveal paths of the host.
        if any("\0" in argument for argument in arguments):
            raise OSError("an option of bubblewrap holds a zero byte")
        listed = memory_file("\0".join(arguments).encode())
        fds.append(listed)
        user = self.own_uid
        drop: dict[str, Any] = {}
        if user is not None:
            drop = {"user": user, "group": user, "extra_groups": []}
        return subprocess.Popen(
            [self.program, "--args", str(listed), "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={},
            cwd="/",
            pass_fds=fds,
            start_new_session=True,
            **drop,
        )

    def _template(self, with_pytest: bool, with_packages: bool, with_torch: bool) -> Template:
        """Return the running template of a kind of sandbox, or a new one. Raises OSError."""
        kind = (with_pytest, with_packages)
        known = self._templates.get(kind)
        if known is None or not known.runs:
            if known is not None:
                known.close()
            start = partial(self._start_template, with_pytest, with_packages, with_torch)
            # It ends with the thread that starts it, which a thread of a suite's may not survive.
            known = self._lasting.submit(Template, start).result()
        self._templates[kind] = known
        return known

    def _start_template(
        self, with_pytest: bool, with_packages: bool, with_torch: bool, requests: int, output: int
    ) -> subprocess.Popen[bytes]:
        arguments = [*_JAIL, "--cap-drop", "ALL"]
        for name in CAPABILITIES_OF_A_TEMPLATE:
            arguments += ["--cap-add", name]
        arguments += self._machine(ENVIRONMENT, with_pytest, with_packages, ())
        for place in (SCRATCH, SUBMISSION, runtime.WEEK):
            arguments += ["--perms", "0755", "--dir", place]
        arguments += ["--remount-ro", "/", "--chdir", "/"]
        settings = {
            "requests": requests,
            "with_torch": with_torch,
            "with_pytest": with_pytest,
        }
        start = "from autograder.worker.sandboxed.template import main; main()"
        packages = ("extra",) if with_packages else ()
        command = python_command(runtime.PYTHON, with_pytest, packages, PATHS, start, settings)
        fds = [requests]
        try:
            return self._run(arguments, command, fds, output)
        finally:
            os.close(fds[-1])

    def _arguments(self, launch: Launch, fds: list[int]) -> list[str]:
        fds.append(memory_file(self.filter))
        arguments = ["--seccomp", str(fds[-1]), *_JAIL, "--disable-userns", "--cap-drop", "ALL"]
        environment = {**ENVIRONMENT, **gpu.environment(launch.gpus)}
        devices = gpu.binds(launch.gpus)
        arguments += self._machine(environment, launch.with_pytest, bool(launch.packages), devices)
        size = str(2 * launch.limits.file_mb << 20)
        arguments += ["--perms", "1777", "--size", size, "--tmpfs", SCRATCH]
        arguments += _files(launch.files, SUBMISSION, fds)
        arguments += _files(launch.week.files, runtime.WEEK, fds)
        for folder in launch.folders:
            arguments += ["--bind" if folder.writable else "--ro-bind"]
            arguments += [runtime.stage(folder.source), folder.target]
        arguments += ["--remount-ro", "/", "--chdir", SCRATCH]
        return arguments

    def _machine(
        self,
        environment: Mapping[str, str],
        with_pytest: bool,
        with_packages: bool,
        devices: Sequence[str],
    ) -> list[str]:
        """Return the options for the environment, the runtime's files, /proc and /dev."""
        arguments = []
        for key, value in environment.items():
            arguments += ["--setenv", key, value]
        arguments += _system_libraries()
        for mount in self.runtime.mounts:
            if mount.target.startswith(runtime.PYTEST) and not with_pytest:
                continue
            if mount.target.startswith(runtime.EXTRA) and not with_packages:
                continue
            arguments += ["--ro-bind", mount.source, mount.target]
        for mask in self.runtime.masks:
            arguments += ["--tmpfs", mask, "--remount-ro", mask]
        # --dev makes writable file systems as large as memory: size them, then close /dev.
        # /dev/pts would be the user's own, and shared by all sandboxes of a template.
        arguments += ["--proc", "/proc", "--dev", "/dev", *devices]
        arguments += ["--tmpfs", "/dev/pts", "--remount-ro", "/dev/pts"]
        arguments += ["--perms", "1777", "--size", str(16 << 20), "--tmpfs", "/dev/shm"]
        return [*arguments, "--remount-ro", "/dev"]

    def _command(self, launch: Launch) -> list[str]:
        return worker_command(
            runtime.PYTHON,
            launch,
            SUBMISSION,
            PATHS,
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
