"""The process from which sandboxes are forked: it has imported what every submission needs.

Importing NumPy takes most of a sandbox's start, so it is done once, in a process that is itself
confined by bubblewrap (no files but the interpreter's and the worker's, no network, a user of its
own) and holds no submission. For each sandbox it forks a child into new namespaces of its own:
processes, mounts, network, IPC, host name, cgroups. The child, which is the first process in there,
mounts fresh file systems wherever anything can be written, puts the submission into place, gives up
all privileges for good, applies Landlock and seccomp, and forks the ready parent. Student code runs
in that one alone; it can neither see this process nor reach it.

This process keeps the right to mount in its own user namespace, and no other process has it. No
user namespaces can be made below it.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import platform
import signal
import socket
import struct
import sys
from typing import Any, NoReturn

from . import confined
from .main import Settings, fork_workers, prepare

READY, START, END, HERE = b"ready", b"S", b"E", b"here"
LENGTH = struct.Struct("<I")
ENDED = struct.Struct("<cI")
"""A message that a sandbox is over: END, and its number."""

CLONE = {"x86_64": 56, "aarch64": 220}
NEW_NAMESPACES = 0x00020000 | 0x02000000 | 0x04000000 | 0x08000000 | 0x20000000 | 0x40000000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWPID and NEWNET."""

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_REC, MS_PRIVATE = 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECUREBITS = 1, 24, 38, 28
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
NO_ROOT = 0xEF
"""SECBIT_NOROOT, NO_SETUID_FIXUP, NO_CAP_AMBIENT_RAISE, all locked, and KEEP_CAPS locked off."""

CAPABILITY_VERSION = 0x20080522
USER_NAMESPACES = "/proc/sys/user/max_user_namespaces"
SHM_BYTES, PAGE_BYTES, MOST_FILES = 16 << 20, 4096, 1 << 16

_libc = ctypes.CDLL(None, use_errno=True)


class Request:
    """What one sandbox is to be: the fields of a JSON object, and the files that follow it.

    settings: those of the ready parent (main.Settings); filter: its seccomp filter, hexadecimal;
    scratch_bytes: the size of its scratch folder; folders: [folder, [[name, number of bytes], ...]]
    for each folder of files, in the order in which they follow.
    """

    settings: dict[str, Any]
    filter: str
    scratch: str
    scratch_bytes: int
    folders: list[list[Any]]

    def __init__(self, content: int):
        with open(content, "rb", closefd=False) as stream:
            (length,) = LENGTH.unpack(stream.read(LENGTH.size))
            self.__dict__.update(json.loads(stream.read(length)))
            self.files = [
                (folder, {name: stream.read(size) for name, size in sizes})
                for folder, sizes in self.folders
            ]


def main() -> NoReturn:
    """Import, say READY, and fork a sandbox for each request until the socket is closed.

    Started with a JSON object: {"requests": the socket's descriptor, "with_torch", "with_pytest"}.
    """
    given = json.loads(sys.argv.pop())  # a submission that parses its arguments has none
    prepare(given["with_torch"], given["with_pytest"])
    with open(USER_NAMESPACES, "w") as limit:
        limit.write("0")
    if len(os.listdir("/proc/self/task")) != 1:
        raise RuntimeError("the imports have left threads behind, which a fork would lose")
    gc.collect()
    gc.freeze()
    requests = socket.socket(fileno=given["requests"])
    requests.send(READY)
    ended: set[int] = set()  # those that are to be reaped
    while True:
        message, fds, _, _ = socket.recv_fds(requests, 16, 4)
        if not message:
            os._exit(0)
        if message[:1] == END:
            ended.add(ENDED.unpack(message)[1])
        ended = {pid for pid in ended if not os.waitpid(pid, os.WNOHANG)[0]}
        if message[:1] == END:
            continue
        pid = _clone()
        if pid == 0:
            _become_sandbox(requests, *fds)
        for fd in fds:
            os.close(fd)
        requests.send(str(pid).encode())


def _clone() -> int:
    """Fork into new namespaces; return the child's pid, 0 in the child, minus an error's number.

    A system call of its own, since os.fork takes no flags; this process has a single thread.
    """
    pid = _libc.syscall(CLONE[platform.machine()], NEW_NAMESPACES | signal.SIGCHLD, 0, 0, 0, 0)
    return pid if pid >= 0 else -ctypes.get_errno()


def _become_sandbox(
    requests: socket.socket, content: int, control: int, output: int, go: int
) -> NoReturn:
    """Be the first process of a new sandbox, to the end. Whatever fails, it ends."""
    try:
        confined.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        requests.send(HERE)  # the kernel adds the pid, as the receiver sees it
        requests.close()
        if os.read(go, 1) != b"1":  # it is under its limits now, before it starts anything
            os._exit(1)
        settings = _enter(Request(content), control, output)
        for fd in (go, output, content):
            os.close(fd)
        parent = os.fork()
    except BaseException as error:  # noqa: BLE001 - in a fork nothing may return to the caller
        os.write(output, f"the sandbox could not be made: {error!r}\n".encode())
        os._exit(1)
    if parent == 0:
        fork_workers(settings)
    os.closerange(0, os.sysconf("SC_OPEN_MAX"))
    _reap_until(parent)


def _enter(request: Request, control: int, output: int) -> Settings:
    """Close this process in; return the settings of its ready parent."""
    # The template's own standard input would be one for all sandboxes, flags and owner included.
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for standard in (1, 2):
        os.dup2(output, standard)
    _mount_all(request)
    os.environ["PWD"] = request.scratch
    settings = Settings(json.dumps({**request.settings, "control": control}))
    _give_up_privileges()
    if settings.landlock:
        confined.restrict_files(settings.landlock)
    confined.refuse_calls(bytes.fromhex(request.filter))
    return settings


def _mount_all(request: Request) -> None:
    """Put fresh file systems wherever something can be written, and the files into their place."""
    plain = MS_NOSUID | MS_NODEV
    _mount("none", "/", None, MS_REC | MS_PRIVATE)
    _mount("proc", "/proc", "proc", plain | MS_NOEXEC)
    for place, size in (("/dev/shm", SHM_BYTES), (request.scratch, request.scratch_bytes)):
        options = f"mode=1777,size={size},nr_inodes={MOST_FILES}"
        _mount("tmpfs", place, "tmpfs", plain, options)
    for folder, files in request.files:
        size = sum(map(len, files.values())) + PAGE_BYTES * (2 * len(files) + 16)
        _mount("tmpfs", folder, "tmpfs", plain, f"mode=755,size={size}")
        for name, text in files.items():
            os.makedirs(os.path.dirname(f"{folder}/{name}"), mode=0o755, exist_ok=True)
            with open(f"{folder}/{name}", "xb") as file:
                file.write(text)
            os.chmod(f"{folder}/{name}", 0o444)
        _mount("tmpfs", folder, None, MS_REMOUNT | MS_RDONLY | plain)
    os.chdir(request.scratch)


def _mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    texts = [text.encode() if text else None for text in (source, target, kind, options)]
    if _libc.mount(*texts[:3], ctypes.c_ulong(flags), texts[3]) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"mount {target}: {os.strerror(number)}")


def _give_up_privileges() -> None:
    """Give up all capabilities, and every way to get one back. Raises OSError."""
    os.setsid()
    confined.prctl(PR_SET_SECUREBITS, NO_ROOT)
    confined.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    with open("/proc/sys/kernel/cap_last_cap") as file:
        last = int(file.read())
    for capability in range(last + 1):
        confined.prctl(PR_CAPBSET_DROP, capability)
    header = struct.pack("<Ii", CAPABILITY_VERSION, 0)
    if _libc.capset(header, struct.pack("<6I", 0, 0, 0, 0, 0, 0)) != 0:
        raise OSError(ctypes.get_errno(), "the capabilities could not be given up")
    confined.prctl(PR_SET_NO_NEW_PRIVS, 1)


def _reap_until(parent: int) -> NoReturn:
    """Wait for the processes of this namespace; end with the ready parent, and all others too."""
    for number in (signal.SIGINT, signal.SIGXFSZ, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)  # which the first process of a namespace ignores
    while True:
        pid, status = os.wait()
        if pid == parent:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
