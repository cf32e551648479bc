"""Confinement without namespaces: Landlock, seccomp and limits (rung C).

Student code can see which files exist, but opens only its own and the interpreter's. It has no
network and no sockets, and can't signal, trace or change anything else. Without namespaces
/dev/shm is shared by all programs of the machine, so student code has no access to it: packages
that need its semaphores or shared memory, such as PyTorch, can't be used on this rung.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from multiprocessing.util import Finalize
from pathlib import Path

from autograder.sandbox import runtime, seccomp
from autograder.sandbox.bubblewrap import ENVIRONMENT, FIRST_UID
from autograder.sandbox.launch import Folder, Launch, worker_command
from autograder.sandbox.running import Started
from autograder.sandbox.unconfined import link, remove, write_files
from autograder.worker.sandboxed import confined

READABLE = (
    *("/usr/lib", "/usr/lib64", "/lib", "/lib64", "/proc/cpuinfo", "/proc/meminfo"),
    *("/sys/devices/system/cpu", "/dev/zero", "/dev/random", "/dev/urandom"),
)
WRITABLE = ("/dev/null",)
INTERPRETER = ("/runtime/bin/", "/runtime/lib/")
ONLY_NUMPY = "packages such as PyTorch need a /dev/shm of their own, which only namespaces give"


class Landlocked:
    """Starts workers that confine themselves. One object serves one process.

    Raises OSError if the kernel has no Landlock, if there is no seccomp filter for the processor,
    and for packages besides numpy.
    """

    rung = "C"
    confined = True

    def __init__(self, slot: int = 0, packages: tuple[str, ...] = ()):
        if packages:
            raise OSError(ONLY_NUMPY)
        version = confined.version()
        if not version:
            raise OSError("this kernel has no Landlock (Linux 5.13), or it is switched off")
        self.filter = seccomp.program(namespaces=False).hex()
        root = os.geteuid() == 0
        self.own_uid = FIRST_UID + slot if root else None
        user = ("own user",) if root else ()
        self.layers = (f"Landlock {version}", *user, "seccomp", "watched from outside")
        self._folder = tempfile.mkdtemp(prefix="autograder-")
        os.chmod(self._folder, 0o711)
        Finalize(self, remove, (self._folder,), exitpriority=0)
        self._count = 0
        self._lay_out()

    @property
    def name(self) -> str:
        """The rung and its layers, recorded with every result."""
        return f"{self.rung} ({', '.join(self.layers)})"

    def _lay_out(self) -> None:
        """Determine the paths of the interpreter, its packages and the worker for student code.

        A process of root that may mount makes them available to every user below runtime.TREE;
        otherwise links in this object's folder lead to the originals.
        """
        mounts = runtime.prepare().mounts
        if runtime.staged():
            base, self._python = runtime.TREE, runtime.TREE + runtime.PYTHON
        else:
            base, self._python = self._folder, os.path.realpath(sys.executable)
            mounts = tuple(m for m in mounts if not m.target.startswith(INTERPRETER))
            link([runtime.Mount(m.source, base + m.target) for m in mounts])
        self._paths = {
            "site": base + runtime.SITE,
            "grader": base + runtime.GRADER,
            "pytest": base + runtime.PYTEST,
        }
        self._library = f"{base}/runtime/lib"
        self._sources = [os.path.realpath(mount.source) for mount in mounts]

    def _rules(self, scratch: str, submission: str, week: str) -> list[list[str]]:
        read = [*READABLE, self._python, submission, week, self._folder + "/runtime"]
        read += [self._folder + "/grader", *self._sources]
        rules = [[confined.READ, path] for path in read]
        rules += [[confined.LIST, path] for path in self._paths.values()]
        rules += _standard_library(self._python)
        rules += [[confined.WRITE, path] for path in (*WRITABLE, scratch)]
        return rules

    def place(self, folder: Folder) -> str:
        raise OSError(ONLY_NUMPY)

    def start(self, launch: Launch) -> Started:
        """Start a ready parent for `launch` under a supervisor. Raises OSError."""
        if launch.packages or launch.folders or launch.script:
            raise OSError(ONLY_NUMPY)
        self._count += 1
        place = f"{self._folder}/{self._count}"
        submission, scratch, week = f"{place}/submission", f"{place}/scratch", f"{place}/week"
        write_files(launch.files, submission)
        write_files(launch.week.files, week)
        os.mkdir(scratch, 0o700)
        if self.own_uid is not None:
            os.chown(scratch, self.own_uid, self.own_uid)
        rules = self._rules(scratch, submission, week)
        settings = {"user": self.own_uid, "rules": rules, "filter": self.filter}
        environment = {**ENVIRONMENT, "HOME": scratch, "TMPDIR": scratch}
        environment["LD_LIBRARY_PATH"] = self._library
        command = worker_command(
            self._python,
            launch,
            submission,
            {**self._paths, "week": week},
            processes=self._processes(launch.limits.processes),
            confined=settings,
        )
        try:
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
        except BaseException:
            remove(place)
            raise
        return Started(process, folder=scratch, tidy=lambda: remove(place))

    def _processes(self, most: int) -> int:
        """Return the limit of processes for the kernel, which counts all of the user's together."""
        if self.own_uid is not None:
            return most
        me, there = os.geteuid(), 0
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and entry.stat().st_uid == me:
                    there += len(os.listdir(entry / "task"))
            except OSError:
                continue  # the process has ended meanwhile
        return there + most

    def close(self) -> None:
        """Remove the folder with all files written."""
        remove(self._folder)


def _standard_library(python: str) -> list[list[str]]:
    """Return the rules that open the standard library without its site-packages.

    A rule holds for everything below its path and knows no exceptions, so each entry of the library
    except the packages' folders gets a rule.
    """
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    library = Path(python).parent.parent / "lib" / name
    if not library.is_dir():
        library = Path(os.path.realpath(os.__file__)).parent
    rules = [[confined.LIST, str(library)]]
    for path in sorted(library.iterdir()):
        if path.name not in ("site-packages", "dist-packages"):
            rules.append([confined.READ, str(path)])
    shared = sorted(library.parent.glob("libpython*.so*"))
    return rules + [[confined.READ, str(path)] for path in shared]
