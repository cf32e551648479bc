"""The seccomp filter of a sandbox: the system calls that the kernel refuses to student code.

A deny-list, as a classic BPF program (linux/seccomp.h, linux/filter.h). It closes what namespaces
and Landlock leave open: other address families than AF_UNIX (AF_VSOCK is not covered by a network
namespace), keyrings, io_uring, bpf, new user namespaces, tracing and limits of other processes.
"""

from __future__ import annotations

import platform
import struct

EPERM, ENOSYS = 1, 38
AF_UNIX = 1
ALLOW, ERRNO, KILL = 0x7FFF0000, 0x00050000, 0x80000000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Offsets in struct seccomp_data. Of an argument its lower half is looked at: flags, ids, families
are 32 bits wide. (Both architectures are little-endian.)"""

X32 = 0x40000000
"""On x86-64, numbers from here on are those of its second, 32-bit calling convention."""

AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

_ARCHITECTURES = ("x86_64", "aarch64")
_CALLS: dict[str, tuple[int | None, int | None]] = {
    # Reading other processes, or acting on them.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "kcmp": (312, 272),
    "move_pages": (279, 239),
    "migrate_pages": (256, 238),
    # Objects that outlive a sandbox or connect two of them.
    "add_key": (248, 217),
    "request_key": (249, 218),
    "keyctl": (250, 219),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    # Parts of the kernel with many known vulnerabilities.
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "memfd_secret": (447, 447),
    "inotify_add_watch": (254, 27),
    "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None),
    "personality": (135, 92),
    # What tells of the host's mounts and of what others have read.
    "statmount": (457, 457),
    "listmount": (458, 458),
    "listns": (470, 470),
    "cachestat": (451, 451),
    "mincore": (27, 232),
    "fadvise64": (221, 223),
    "vhangup": (153, 58),
    # Namespaces, mounts, and ways around them.
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "open_tree_attr": (467, 467),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    # Administration of the machine.
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "adjtimex": (159, 171),
    "clock_adjtime": (305, 266),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
}
"""Refused with EPERM, by the numbers of x86-64 and of aarch64 (None: it has no such call)."""

_ON_OTHERS: dict[str, tuple[int, int, int]] = {
    "prlimit64": (302, 261, 0),
    "sched_setaffinity": (203, 122, 0),
    "sched_setscheduler": (144, 119, 0),
    "sched_setparam": (142, 118, 0),
    "sched_setattr": (314, 274, 0),
    "setpriority": (141, 140, 1),
    "ioprio_set": (251, 30, 1),
}
"""Refused unless the argument of that place is 0, which is the process itself."""

_PATHS: dict[str, tuple[int | None, int | None]] = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
}
"""What Landlock does not look at: without a mount namespace it would reach the user's own files,
and with one the times of device files, which outlive a sandbox and can be read in the next.

They do nothing and say that all went well: copying a file ends with a chmod.
"""

_CLONE, _CLONE3 = (56, 220), (435, 435)
_FLOCK, _FCNTL = (73, 32), (72, 25)
_SOCKET, _SOCKETPAIR, _IOCTL = (41, 198), (53, 199), (16, 29)
NAMESPACES = 0x7E020000
"""Every CLONE_NEW... flag of clone()."""

LOCKS = (6, 7, 37, 38)
"""F_SETLK, F_SETLKW and F_OFD_SETLK(W). Sandboxes share the interpreter's files: a lock on one of
them could be seen in the next. So locks do nothing and say that they are held."""

NOTICES = (1024, 1026)
"""F_SETLEASE and F_NOTIFY tell when others open a file."""

TERMINAL = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX type into a terminal."""


def supported() -> bool:
    """Whether there is a filter for this machine's processor."""
    return platform.machine() in _ARCHITECTURES


def program(*, namespaces: bool = True) -> bytes:
    """Return the filter as an array of struct sock_filter, for seccomp(2) and bubblewrap.

    `namespaces`: whether the sandbox has namespaces of its own. Without them it also refuses
    AF_UNIX, whose sockets may be anybody's. Raises OSError on a processor without a table.
    """
    if not supported():
        raise OSError(ENOSYS, f"no seccomp filter for {platform.machine()}")
    column = _ARCHITECTURES.index(platform.machine())
    code = [_step(LOAD, ARCHITECTURE), _jump(EQUAL, AUDIT[platform.machine()], 1, 0)]
    code += [_step(RETURN, KILL), _step(LOAD, NUMBER)]
    if platform.machine() == "x86_64":
        code += [_jump(AT_LEAST, X32, 0, 1), _step(RETURN, ERRNO | ENOSYS)]
    for numbers in _CALLS.values():
        code += _when(numbers[column], [_step(RETURN, ERRNO | EPERM)])
    for numbers in _PATHS.values():
        code += _when(numbers[column], [_step(RETURN, ERRNO)])
    for *per_architecture, place in _ON_OTHERS.values():
        code += _when(per_architecture[column], _unless_equal(place, 0))
    # glibc falls back to clone(), whose flags can be looked at.
    code += _when(_CLONE3[column], [_step(RETURN, ERRNO | ENOSYS)])
    code += _when(
        _CLONE[column],
        [_argument(0), _jump(ANY_BIT, NAMESPACES, 0, 1), _step(RETURN, ERRNO | EPERM)],
    )
    code += _when(_SOCKETPAIR[column], _unless_equal(0, AF_UNIX))
    code += _when(
        _SOCKET[column],
        _unless_equal(0, AF_UNIX) if namespaces else [_step(RETURN, ERRNO | EPERM)],
    )
    code += _when(_FLOCK[column], [_step(RETURN, ERRNO)])
    for command in LOCKS:
        code += _when(_FCNTL[column], _if_equal(1, command, ERRNO))
    for command in NOTICES:
        code += _when(_FCNTL[column], _if_equal(1, command, ERRNO | EPERM))
    for request in TERMINAL:
        code += _when(_IOCTL[column], _if_equal(1, request, ERRNO | EPERM))
    return b"".join([*code, _step(RETURN, ALLOW)])


def _step(code: int, value: int) -> bytes:
    return struct.pack("<HBBI", code, 0, 0, value)


def _jump(code: int, value: int, then: int, otherwise: int) -> bytes:
    """Compare what is loaded; skip `then` instructions where it holds, else `otherwise`."""
    return struct.pack("<HBBI", code, then, otherwise, value)


def _argument(place: int) -> bytes:
    return _step(LOAD, ARGUMENTS + 8 * place)


def _if_equal(place: int, value: int, answer: int) -> list[bytes]:
    """Answer a call so where that argument has that value."""
    return [_argument(place), _jump(EQUAL, value, 0, 1), _step(RETURN, answer)]


def _unless_equal(place: int, value: int) -> list[bytes]:
    """Refuse a call unless that argument has that value."""
    return [_argument(place), _jump(EQUAL, value, 1, 0), _step(RETURN, ERRNO | EPERM)]


def _when(number: int | None, body: list[bytes]) -> list[bytes]:
    """Do `body` for one call; what doesn't return in it goes on with the number loaded again."""
    if number is None:
        return []
    if len(body) > 1:
        body = [*body, _step(LOAD, NUMBER)]
    return [_jump(EQUAL, number, 0, len(body)), *body]
