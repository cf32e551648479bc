"""Escape attempts, run inside a sandbox as a submission; reports those that succeeded.

The file is passed to the sandbox as text and imports nothing of the autograder;
`confinement_check.py` judges its report.
"""

from __future__ import annotations

import errno
import os
import platform
import socket
import stat
from collections.abc import Callable
from typing import Any

CALLS = {
    "process_vm_readv": (310, 270, (1, 0, 0, 0, 0, 0)),
    "keyctl": (250, 219, (0, -3, 0)),
    "io_uring_setup": (425, 425, (1, 0)),
    "bpf": (321, 280, (0, 0, 0)),
    "userfaultfd": (323, 282, (0,)),
    "perf_event_open": (298, 241, (0, 0, -1, -1, 0)),
    "mount": (165, 40, (0, 0, 0, 0, 0)),
    "shmget": (29, 194, (0, 4096, 896)),
    "open_by_handle_at": (304, 265, (-1, 0, 0)),
    "prlimit64 of others": (302, 261, (1, 7, 0, 0)),
    # These change this process, so they come last, and the process ends after them.
    "ptrace": (101, 117, (0, 0, 0, 0)),
    "unshare": (272, 97, (0x10000000,)),
}
"""System calls: their numbers on x86-64 and aarch64, and harmless arguments."""

DESCRIPTORS = ("io_uring_setup", "userfaultfd", "perf_event_open")
FAMILIES = {
    "INET": (2, 1),
    "INET6": (10, 1),
    "NETLINK": (16, 3),
    "PACKET": (17, 3),
    "ALG": (38, 5),
    "VSOCK": (40, 1),
}
"""Address families, each with a kind of socket that it has."""

GET_NO_NEW_PRIVS, GET_SECCOMP, CAPABILITIES = 39, 21, 0x20080522
DEVICES = ("kvm", "mem", "sda", "vda", "nvme0", "tty", "fuse")


def look(outside: dict[str, Any]) -> dict[str, Any]:
    """Return what can be reached. `outside` has the targets (confinement_check._outside)."""
    here = os.path.dirname(os.path.abspath(__file__))
    places = ("/", here, outside["folder"], "/dev", "/tmp", "/usr/lib")
    same = outside["namespace"] and os.readlink("/proc/self/ns/pid") == outside["namespace"]
    return {
        "uid": os.getuid(),
        "root": _lists("/"),
        "secret": _reads(outside["secret"]),
        "writes": [place for place in places if _makes(f"{place}/planted")],
        "devices": [name for name in DEVICES if _works(_opens, f"/dev/{name}")],
        "network": _works(_connects, socket.AF_INET, ("127.0.0.1", outside["port"])),
        "abstract": _works(_connects, socket.AF_UNIX, outside["abstract"]),
        "path socket": _works(_connects, socket.AF_UNIX, outside["socket"]),
        "families": [name for name, numbers in FAMILIES.items() if _works(_socket, *numbers)],
        "signals": bool(same) and _works(os.kill, outside["pid"], 0),
        "processes": len([name for name in _lists("/proc") if name.isdigit()]),
        "environment": _reads("/proc/1/environ") + _reads(f"/proc/{outside['pid']}/environ"),
        "files": [number for number in range(3, 256) if _is_file(number)],
        "status": _status(),
        "shm": _size("/dev/shm") if _makes("/dev/shm/probe") else 0,
        "calls": _calls(),
    }


def _works(action: Callable[..., Any], *arguments: Any) -> bool:
    try:
        action(*arguments)
    except OSError:
        return False
    return True


def _makes(folder: str) -> bool:
    if not _works(os.mkdir, folder):
        return False
    os.rmdir(folder)
    return True


def _opens(path: str) -> None:
    os.close(os.open(path, os.O_RDONLY))


def _connects(family: int, address: Any) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        probe.connect(address)


def _socket(family: int, kind: int) -> None:
    socket.socket(family, kind).close()


def _lists(place: str) -> list[str]:
    try:
        return sorted(os.listdir(place))
    except OSError:
        return []


def _reads(place: str) -> str:
    try:
        with open(place, "rb") as file:
            return file.read(4096).decode(errors="replace")
    except OSError:
        return ""


def _size(place: str) -> int:
    found = os.statvfs(place)
    return found.f_blocks * found.f_frsize


def _is_file(number: int) -> bool:
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return False
    return not (stat.S_ISSOCK(mode) or stat.S_ISFIFO(mode))


def _status() -> dict[str, int]:
    """Return whether no_new_privs is set, the mode of seccomp, and the capabilities held."""
    try:
        import ctypes
    except ImportError:  # the status can't be read, which counts as a leak
        return {}
    libc = ctypes.CDLL(None)
    held = (ctypes.c_uint32 * 6)()
    libc.capget((ctypes.c_uint32 * 2)(CAPABILITIES, 0), held)
    return {
        "no_new_privs": libc.prctl(GET_NO_NEW_PRIVS, 0, 0, 0, 0),
        "seccomp": libc.prctl(GET_SECCOMP, 0, 0, 0, 0),
        "capabilities": held[0] | held[1] | held[3] | held[4],
    }


def _calls() -> list[str]:
    """Return the system calls that the kernel does not refuse with EPERM or ENOSYS."""
    try:
        import ctypes
    except ImportError:  # then student code can't make arbitrary system calls either
        return []
    call = ctypes.CDLL(None, use_errno=True).syscall
    column = ("x86_64", "aarch64").index(platform.machine())
    found = []
    for name, (*numbers, arguments) in CALLS.items():
        result = call(numbers[column], *map(ctypes.c_long, arguments))
        if result >= 0 and name in DESCRIPTORS:
            os.close(result)
        # Any other error means that the kernel has examined the arguments.
        if result >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS):
            found.append(name)
    return found
