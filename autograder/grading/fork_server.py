"""The fork server: a process with one thread that has loaded the examiner and forks examiners.

Loading takes about 0.5 s, a fork about 5 ms. The server is a separate process because the grading
process has threads. It keeps root's rights, so an examiner must hold no descriptor of it: an
examiner inherits only its channel, a pipe for its output, and /dev/null. The server ends with the
process that started it, and all examiners end with the server.
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
    """A running server; it ends with `close`, or with this process."""

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
                # A session without a terminal, so that no descendant can type into the user's.
                start_new_session=True,
            )

    @property
    def runs(self) -> bool:
        """Whether the server runs and belongs to this process."""
        return self.owner == os.getpid() and self._process.poll() is None

    def start(self, channel: int, log: int) -> int:
        """Start an examiner with these two descriptors; return its pid.

        Raises CantExamineError if the server has ended or no process can be started.
        """
        pid = self._ask({"cwd": os.getcwd()}, [channel, log])
        if pid < 0:
            problem = f"no process could be started ({os.strerror(-pid)})"
            raise CantExamineError(
                problem, "Has the machine too little memory, or its user a limit?"
            )
        return pid

    def end(self, pid: int) -> int | None:
        """Kill an examiner, if it still runs; return its exit status, None if unknown."""
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
    """Serve until the grading process has ended; in a forked examiner, run its whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that grades
    from autograder.grading import examiner, operations  # noqa: F401 - loaded once, for all

    gc.freeze()  # the garbage collector would write to pages that forks share
    # Orphans of examiners become children of this process, which kills them.
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
            if asked["terminate"] in pids:  # not waited for yet, so the pid is not reused
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
    """Kill the orphans of ended examiners; a compromised examiner may have forked.

    If this process is root's, children of root are spared: they are the starters of sandboxes,
    which end by themselves.
    """
    for _ in range(ORPHAN_ROUNDS):
        for pid in _children():
            if pid not in examiners:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)  # reaps those that have ended
        left = [pid for pid in _children() if pid not in examiners and not _ends_by_itself(pid)]
        if not left:
            return
        for pid in left:
            with suppress(ProcessLookupError, ChildProcessError):
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _children() -> list[int]:
    """Return this process's children; empty if the system has no list of them."""
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
