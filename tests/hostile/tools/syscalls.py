"""Calls of the kernel that Python has no function for, by their numbers on this processor."""

import errno
import platform

_LIBC = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {  # x86_64, aarch64
    "ptrace": (101, 117),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "io_uring_setup": (425, 425),
    "bpf": (321, 280),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "clone": (56, 220),
    "clone3": (435, 435),
    "init_module": (175, 105),
    "kexec_load": (246, 104),
    "swapon": (167, 224),
    "reboot": (169, 142),
    "settimeofday": (164, 170),
    "open_by_handle_at": (304, 265),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "quotactl": (179, 60),
    "acct": (163, 89),
    "syslog": (103, 116),
}
_COLUMN = {"x86_64": 0, "aarch64": 1}.get(platform.machine())


def syscall(name, *arguments):
    """Make a call; return what it gave, or minus the error's number."""
    if _COLUMN is None:
        return -errno.ENOSYS
    ctypes.set_errno(0)
    wide = [
        ctypes.c_long(argument) if isinstance(argument, int) else argument for argument in arguments
    ]
    result = _LIBC.syscall(ctypes.c_long(_NUMBERS[name][_COLUMN]), *wide)
    return result if result >= 0 else -ctypes.get_errno()


def refused(result):
    """Tell whether the kernel refused a call, before it looked at what it was given."""
    return result in (-errno.EPERM, -errno.ENOSYS, -errno.EACCES)
