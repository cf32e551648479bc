"""Python as it is where less of the operating system can be used: on Windows, or on macOS.

Every Python that has this folder in PYTHONPATH runs it at its start. POOR_SYSTEM says which of the
two; what that system lacks is taken away here, before anything else is imported.
"""

import os
import signal
import socket
import sys

UNIX_MODULES = {
    *("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "syslog", "crypt", "spwd"),
    *("readline", "curses", "_curses", "_posixshmem"),
}
UNIX_NAMES = {
    os: (
        *("fork", "forkpty", "setsid", "setpgid", "setpgrp", "getpgid", "killpg", "getuid"),
        *("geteuid", "getgid", "chown", "chroot", "mkfifo", "nice", "openpty", "posix_spawn"),
        *("posix_spawnp", "sched_setaffinity", "sched_getaffinity", "memfd_create", "pidfd_open"),
        *("wait3", "wait4", "getloadavg", "sysconf", "statvfs", "O_NOFOLLOW"),
    ),
    signal: (
        *("alarm", "setitimer", "getitimer", "pause", "pthread_kill", "pthread_sigmask"),
        *("sigwait", "SIGALRM", "SIGUSR1", "SIGUSR2", "SIGHUP", "SIGQUIT"),
    ),
    socket: ("AF_UNIX", "send_fds", "recv_fds", "SCM_RIGHTS", "CMSG_LEN", "SO_PEERCRED"),
}


class Unimportable:
    """Says that the modules of Unix are not there."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in UNIX_MODULES:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def be_windows():
    """Take away modules and functions that Windows does not have."""
    for name in UNIX_MODULES & set(sys.modules):
        del sys.modules[name]
    sys.meta_path.insert(0, Unimportable())
    for owner, names in UNIX_NAMES.items():
        for name in names:
            if name in vars(owner):
                delattr(owner, name)
    for name in ("sendmsg", "recvmsg", "recvmsg_into"):  # of a type in C, which keeps its own
        setattr(socket.socket, name, property(there_is_none))


def there_is_none(self):
    raise AttributeError("sockets pass no descriptors here")


def be_macos():
    """Let the system refuse to limit a process's memory."""
    import resource

    allowed = resource.setrlimit

    def setrlimit(limit, values):
        if limit == resource.RLIMIT_AS:
            raise ValueError("current limit exceeds maximum limit")
        allowed(limit, values)

    resource.setrlimit = setrlimit
    for name in ("sched_setaffinity", "sched_getaffinity", "memfd_create", "pidfd_open"):
        if hasattr(os, name):
            delattr(os, name)


{"windows": be_windows, "macos": be_macos}[os.environ["POOR_SYSTEM"]]()
