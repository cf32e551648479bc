"""Hostile: Runs whatever programs and shells it finds."""

import subprocess

PROGRAMS = ("/bin/sh", "/usr/bin/env", "/usr/bin/python3", "/bin/busybox", "/usr/bin/curl")


def act(x):
    for program in PROGRAMS:
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            subprocess.run([program, "-c", f"cat {SECRET_FILE}"], timeout=1, check=False)
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        command = f"import sys; print(open({SECRET_FILE!r}).read())"
        done = subprocess.run(
            [sys.executable, "-c", command], capture_output=True, timeout=5, check=False
        )
        if done.stdout:
            found(f"the secret: {done.stdout!r}")
