"""Hostile: Puts characters into the terminal from which the grader was started."""

import fcntl
import termios


def act(x):
    for fd in (0, 1, 2):
        with contextlib.suppress(OSError):
            fcntl.ioctl(fd, termios.TIOCSTI, b"\n")
            found(f"typed into descriptor {fd}")
    with contextlib.suppress(OSError), open("/dev/tty", "w"):
        found("there is a terminal")
