"""The process that starts examiners: it has loaded what they need, runs one thread, and forks.

Loading takes half a second and a fork a hundredth of it. It is a process of its own, since the one
that grades has threads, and it keeps root's rights, so an examiner may hold nothing that leads to
it: of all descriptors an examiner inherits its channel, a pipe for what it writes, and /dev/null.
It ends with the process that started it, and all examiners with it.
"""

from __future__ import annotations

import atexit
import ctypes
import errno
import gc
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress

from autograder.errors import CantExamineError

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")
LARGEST_MESSAGE_BYTES = 1 << 16
PR_SET_CHILD_SUBREAPER = 36
ORPHAN_ROUNDS = 200
START = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[2]); "
    "from autograder.grading.fork_server import main; main(int(sys.argv[1]))"
)


# The side of the process that grades.


class ForkServer:
    """A server that runs; it ends when this object, or this process, does."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._lock = threading.Lock()
        self.owner = os.getpid()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-c", START, str(theirs.fileno()), json.dumps(sys.path)],
                env={**os.environ, **dict.fromkeys(ONE_THREAD, "1")},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                # Without a terminal: nothing below it can type into that of the person who grades.
                start_new_session=True,
            )

    @property
    def runs(self) -> bool:
        """Whether it can be asked."""
        return self.owner == os.getpid() and self._process.poll() is None

    def start(self, channel: int, log: int) -> int:
        """Start an examiner with these two descriptors; return its pid.

        Raises CantExamineError where the server is gone, or the machine has no process to give.
        """
        pid = self._ask({"cwd": os.getcwd()}, [channel, log])
        if pid < 0:
            problem = f"no process could be started ({os.strerror(-pid)})"
            raise CantExamineError(
                problem, "Has the machine too little memory, or its user a limit?"
            )
        return pid

    def end(self, pid: int) -> int | None:
        """Kill an examiner, if it still runs; return its exit status, None where nobody knows."""
        try:
            return self._ask({"end": pid}, [])
        except CantExamineError:
            return None  # examiners end with the server

    def terminate(self, pid: int) -> None:
        """Ask an examiner that still runs to tidy up and end."""
        with suppress(CantExamineError):  # examiners end with the server
            self._ask({"terminate": pid}, [])

    def _ask(self, what: dict[str, object], fds: list[int]) -> int:
        with self._lock:
            try:
                socket.send_fds(self._socket, [json.dumps(what).encode()], fds)
                answer = self._socket.recv(LARGEST_MESSAGE_BYTES)
            except OSError:
                answer = b""
        if not answer:
            problem = "the process that starts examiners came to a sudden end"
            raise CantExamineError(problem, "What it wrote stands above")
        return int(json.loads(answer))

    def close(self) -> None:
        """End the server and all its examiners."""
        if self.owner == os.getpid():
            self._socket.close()
            self._process.wait()


_starting = threading.Lock()
_servers: list[ForkServer] = []


def running_server() -> ForkServer:
    """Return this process's server: the one that runs, or a new one. All pools share it."""
    with _starting:
        if not _servers or not _servers[-1].runs:
            for server in _servers:
                server.close()
            _servers[:] = [ForkServer()]
            atexit.register(_servers[-1].close)
        return _servers[-1]


# The server's side.


def main(fd: int) -> None:
    """Serve until the other side is gone. An examiner returns from here when it has ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that grades
    from autograder.grading import examiner, operations  # noqa: F401 - loaded once, for all

    gc.freeze()  # forks share what is never looked through
    # What an examiner leaves behind becomes this process's child, which ends it.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1))
    with socket.socket(fileno=fd) as sock:
        started = _serve(sock)
    if started is not None:
        operations.serve(started)


def _serve(sock: socket.socket) -> socket.socket | None:
    """Answer requests. Returns the channel in each examiner, None at the end of the server."""
    pids: set[int] = set()
    while True:
        message, fds, _, _ = socket.recv_fds(sock, LARGEST_MESSAGE_BYTES, 2)
        if not message:
            break
        asked = json.loads(message)
        if "end" in asked:
            pid = asked["end"]
            answer = _end(pid) if pid in pids else 0
            pids.discard(pid)
            _end_orphans(pids)
        elif "terminate" in asked:
            answer = 0
            if asked["terminate"] in pids:  # not waited for yet, so the number is no other's
                os.kill(asked["terminate"], signal.SIGTERM)
        else:
            try:
                answer = os.fork()
            except OSError as error:
                answer = -(error.errno or errno.EAGAIN)
            if answer == 0:
                sock.close()
                return _become_examiner(asked["cwd"], *fds)
            if answer > 0:
                pids.add(answer)
        for fd in fds:
            os.close(fd)
        sock.send(json.dumps(answer).encode())
    for pid in pids:
        _end(pid)
    return None


def _end(pid: int) -> int:
    """Kill a child, if it still runs, and return its exit status (minus a signal's number)."""
    os.kill(pid, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def _end_orphans(examiners: set[int]) -> None:
    """Kill what examiners that ended have left behind: a taken-over one may have forked itself.

    As root that is whoever isn't root: what starts an examiner's sandboxes is, and tidies up after
    it by itself.
    """
    for _ in range(ORPHAN_ROUNDS):
        for pid in _children():
            if pid not in examiners:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)  # what has ended by itself
        left = [pid for pid in _children() if pid not in examiners and not _ends_by_itself(pid)]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Return this process's children; none where the system has no list of them."""
    try:
        with open(f"/proc/self/task/{os.getpid()}/children") as listing:
            return [int(pid) for pid in listing.read().split()]
    except OSError:
        return []


def _ends_by_itself(pid: int) -> bool:
    """Whether a child is root's, below a server of root's, or has ended already."""
    try:
        return os.geteuid() == 0 and os.stat(f"/proc/{pid}").st_uid == 0
    except OSError:
        return True


def _become_examiner(cwd: str, channel: int, log: int) -> socket.socket:
    os.chdir(cwd)
    for standard in (1, 2):
        os.dup2(log, standard)
    os.close(log)
    return socket.socket(fileno=channel)
