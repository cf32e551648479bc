"""What an attack could reach if it got out: listeners, a secret, an open folder, a process.

Each attack is told where they are. Afterwards the runner looks which of them noticed something.
"""

from __future__ import annotations

import contextlib
import fcntl
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from autograder.sandbox.limits import alive

SHARED_PLACES = ("/tmp", "/var/tmp", "/dev/shm", "/run/lock", "/run")


class Traps:
    """Opens everything; `close` takes it away again.

    `user` is the user id that the sandbox's processes have outside, so that a signal is stopped by
    the confinement and not only by a difference of users.
    """

    def __init__(self, paths: list[str], user: int | None = None):
        self.mark = f"nnf{secrets.token_hex(6)}"
        self.secret = secrets.token_hex(16)
        self._paths = paths
        self._user = user
        self.folder = Path(tempfile.mkdtemp(prefix="nnf-traps-"))
        self.folder.chmod(0o755)
        (self.folder / "secret").write_text(self.secret)
        (self.folder / "secret").chmod(0o644)
        (self.folder / "open").mkdir()
        (self.folder / "open").chmod(0o777)
        self._listeners = _listeners(self.mark)
        self._canary = self._sleeper()
        # A lock on a file that every sandbox can see: whoever notices it hears of this process.
        self._locked = open(np.__file__)  # noqa: SIM115 - open as long as the traps are
        fcntl.flock(self._locked, fcntl.LOCK_SH)

    def _sleeper(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(["sleep", "3600"], user=self._user, start_new_session=True)

    def facts(self) -> dict[str, Any]:
        """Return the constants that an attack gets."""
        ports = {
            f"{name}_PORT": sock.getsockname()[1]
            for name, sock in self._listeners.items()
            if sock.family != socket.AF_UNIX
        }
        return {
            "MARK": self.mark,
            **ports,
            "ABSTRACT": self.mark,
            "SECRET_FILE": str(self.folder / "secret"),
            "OPEN_FOLDER": str(self.folder / "open"),
            "CANARY": self._canary.pid,
            "HOST_PATHS": self._paths,
        }

    def sprung(self) -> list[str]:
        """Say what noticed something since the last time."""
        seen = [f"the listener {name}" for name, sock in self._listeners.items() if _heard(sock)]
        if self._canary.poll() is not None:
            seen.append("the canary process was killed")
            self._canary = self._sleeper()
        for place in (*SHARED_PLACES, self.folder / "open"):
            for path in Path(place).glob(f"*{self.mark}*"):
                seen.append(f"planted: {path}")
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        return seen

    def left(self) -> list[int]:
        """Return the processes of this run that are still alive."""
        return [int(path.name) for path in Path("/proc").glob("[0-9]*") if self._is_ours(path)]

    def _is_ours(self, process: Path) -> bool:
        try:
            name = (process / "comm").read_text().strip()
        except OSError:
            return False  # it ended between two looks
        return name == self.mark and alive(int(process.name))

    def close(self) -> None:
        """Take everything away."""
        for sock in self._listeners.values():
            sock.close()
        self._canary.kill()
        self._canary.wait()
        self._locked.close()
        shutil.rmtree(self.folder)


def _listeners(name: str) -> dict[str, socket.socket]:
    found = {
        "TCP": socket.create_server(("127.0.0.1", 0)),
        "UDP": socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
        "abstract": socket.socket(socket.AF_UNIX, socket.SOCK_STREAM),
    }
    with contextlib.suppress(OSError):  # a machine without IPv6
        found["TCP6"] = socket.create_server(("::1", 0), family=socket.AF_INET6)
    found["UDP"].bind(("127.0.0.1", 0))
    found["abstract"].bind("\0" + name)
    found["abstract"].listen()
    for sock in found.values():
        sock.setblocking(False)
    return found


def _heard(sock: socket.socket) -> bool:
    """Tell whether anybody came."""
    try:
        if sock.type == socket.SOCK_DGRAM:
            sock.recv(1)
        else:
            sock.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def wait_until_none(traps: Traps, seconds: float) -> list[int]:
    """Return the processes that are still alive after `seconds`."""
    deadline = time.monotonic() + seconds
    while (left := traps.left()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return left
