"""Runs a confinement and looks what is open inside it: a rung counts only if nothing is.

`LOOK` runs in the sandbox like a submission and tries what a hostile one would. What it tries to
reach outside is made here: a file with a secret, listeners on loopback and on an abstract socket,
and this very process.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from autograder.channel.backends import Remote
from autograder.channel.worker import pid_namespace

from .limits import Limits
from .process import Confinement, Sandbox

VISIBLE = {"dev", "grader", "lib", "lib64", "proc", "runtime", "scratch", "submission", "usr"}
LARGEST_MEMORY_FILES = 64 << 20
"""Bytes that /dev/shm may hold."""

LOOK = b'''"""Looks at what is open inside the sandbox, and says it as plain values."""
import errno, os, platform, socket

CALLS = {  # by their numbers on x86-64 and aarch64, and arguments that do no harm
    "ptrace": (101, 117, 0, 0, 0, 0),
    "process_vm_readv": (310, 270, 1, 0, 0, 0, 0, 0),
    "keyctl": (250, 219, 0, -3, 0),
    "io_uring_setup": (425, 425, 1, 0),
    "bpf": (321, 280, 0, 0, 0),
    "userfaultfd": (323, 282, 0),
    "perf_event_open": (298, 241, 0, 0, -1, -1, 0),
    "unshare": (272, 97, 0x10000000),
    "mount": (165, 40, 0, 0, 0, 0, 0),
    "shmget": (29, 194, 0, 4096, 0o1600),
    "open_by_handle_at": (304, 265, -1, 0, 0),
    "prlimit64 of others": (302, 261, 1, 7, 0, 0),
}

def look(outside):
    def tries(action, *arguments):
        try:
            result = action(*arguments)
        except OSError:
            return False
        if type(result) is int and result > 2:
            os.close(result)
        return True
    def makes(folder):
        made = tries(os.mkdir, folder)
        if made:
            os.rmdir(folder)
        return made
    def connects(family, kind, address):
        with socket.socket(family, kind) as probe:
            probe.settimeout(1)
            probe.connect(address)
    def opens(*numbers):
        socket.socket(*numbers).close()
    def lists(place):
        try:
            return sorted(os.listdir(place))
        except OSError:
            return []
    def reads(place):
        try:
            with open(place, "rb") as file:
                return file.read(4096).decode(errors="replace")
        except OSError:
            return ""
    here = os.path.dirname(os.path.abspath(__file__))
    families = {"INET": 2, "INET6": 10, "NETLINK": 16, "PACKET": 17, "ALG": 38, "VSOCK": 40}
    same = outside["namespace"] and os.readlink("/proc/self/ns/pid") == outside["namespace"]
    shm = os.statvfs("/dev/shm") if makes("/dev/shm/probe") else None
    status = reads("/proc/%d/status" % os.getppid())
    return {
        "uid": os.getuid(),
        "root": lists("/"),
        "secret": reads(outside["secret"]),
        "writes": [place for place in ("/", here, outside["folder"], "/dev", "/tmp", "/usr/lib")
                   if makes(place + "/planted")],
        "devices": [name for name in ("kvm", "mem", "sda", "vda", "nvme0", "tty", "fuse")
                    if tries(os.open, "/dev/" + name, os.O_RDONLY)],
        "network": tries(connects, 2, 1, ("127.0.0.1", outside["port"])),
        "abstract": tries(connects, 1, 1, outside["abstract"]),
        "path socket": tries(connects, 1, 1, outside["socket"]),
        "families": [name for name, number in families.items()
                     if tries(opens, number, 3 if number in (16, 17) else 1 if number != 38 else 5)],
        "signals": bool(same) and tries(os.kill, outside["pid"], 0),
        "processes": len([name for name in lists("/proc") if name.isdigit()]),
        "environment": reads("/proc/1/environ") + reads("/proc/%d/environ" % outside["pid"]),
        "files": [fd for fd in range(3, 256) if is_file(fd)],
        "calls": calls(),
        "status": dict(line.split(":\\t", 1) for line in status.splitlines() if ":\\t" in line),
        "shm": shm.f_blocks * shm.f_frsize if shm else 0,
    }

def is_file(fd):
    import stat
    try:
        mode = os.fstat(fd).st_mode
    except OSError:
        return False
    return not (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode))

def calls():
    try:
        import ctypes
    except ImportError:
        return []
    call = ctypes.CDLL(None, use_errno=True).syscall
    column = 0 if platform.machine() == "x86_64" else 1
    def answers(name):
        one, two, *rest = CALLS[name]
        result = call((one, two)[column], *[ctypes.c_long(value) for value in rest])
        if result > 2 and name in ("userfaultfd", "perf_event_open", "io_uring_setup"):
            os.close(result)
        # Whatever else it says of such arguments, it has looked at them.
        return result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS)
    # ptrace(PTRACE_TRACEME) and unshare change this process: last, and it ends after this.
    return [name for name in sorted(CALLS, key=lambda n: n in ("ptrace", "unshare")) if answers(name)]
'''


def leaks(confinement: Confinement) -> list[str]:
    """Return what student code could reach in this confinement and should not.

    Raises InfraError, Fault or OSError where it doesn't run at all.
    """
    with _outside() as outside:
        seen = look(confinement, outside)
    return judge(seen, outside, namespaces=confinement.rung in "AB")


def look(confinement: Confinement, outside: Mapping[str, Any]) -> dict[str, Any]:
    """Run LOOK in a sandbox, asked over the channel like any submission."""
    limits = Limits()
    sandbox = Sandbox(confinement, {"probe.py": LOOK}, limits)
    try:
        seconds = limits.request_seconds
        ask = Remote(sandbox.fresh(0), seconds, seconds, seconds, lambda file, line: None)
        return ask("call", ask("get", ask("import", "probe"), "look"), [dict(outside)], {})
    finally:
        sandbox.close()


@contextmanager
def _outside() -> Iterator[dict[str, Any]]:
    """Make what LOOK tries to reach, where every user of the machine could."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="autograder-probe-"))
        os.chmod(folder, 0o777)
        secret, path = Path(folder, "secret"), f"{folder}/socket"
        secret.write_text(secrets.token_hex(8))
        secret.chmod(0o644)
        abstract = f"\0autograder-{secrets.token_hex(8)}"
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in (abstract, path):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.chmod(path, 0o777)
        yield {
            "folder": folder,
            "secret": str(secret),
            "socket": path,
            "abstract": abstract,
            "port": tcp.getsockname()[1],
            "pid": os.getpid(),
            "namespace": pid_namespace(),
        }


def judge(seen: Mapping[str, Any], outside: Mapping[str, Any], *, namespaces: bool) -> list[str]:
    """Say what in the answer of LOOK should not be so."""
    found = []
    if seen["uid"] == 0:
        found.append("student code would run as root")
    if extra := set(seen["root"]) - (VISIBLE if namespaces else set()):
        found.append(f"visible: /{', /'.join(sorted(extra))}")
    if seen["secret"]:
        found.append(f"other users' files can be read, such as {outside['secret']}")
    if seen["writes"]:
        found.append(f"files can be written in {', '.join(seen['writes'])}")
    if seen["devices"]:
        found.append(f"devices can be opened: {', '.join(seen['devices'])}")
    if seen["network"] or seen["families"]:
        found.append(f"there is a network ({', '.join(seen['families']) or 'loopback'})")
    if seen["abstract"] or seen["path socket"]:
        found.append("sockets of other programs can be reached")
    if seen["signals"]:
        found.append("other processes can be signalled")
    if seen["processes"] > (4 if namespaces else 0):
        found.append("other processes can be seen")
    if seen["environment"].strip("\0"):
        found.append("the launcher's environment can be read")
    if seen["files"]:
        found.append("files of the launcher are open")
    if seen["calls"]:
        found.append(f"the kernel answers {', '.join(seen['calls'])}")
    status = seen["status"]
    if (status.get("NoNewPrivs"), status.get("Seccomp")) != ("1", "2"):
        found.append("privileges can be gained, or no system call is refused")
    if int(status.get("CapEff", "1"), 16):
        found.append("student code would have privileges")
    if seen["shm"] > LARGEST_MEMORY_FILES:
        found.append("files in memory have no limit")
    return found
