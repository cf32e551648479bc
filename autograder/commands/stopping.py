"""How a command is stopped: Ctrl-C once says so and ends it in order, twice ends it at once.

A thread of its own hears of the signal, so that neither a long computation nor a lock that is
waited for delays what is said or done. SIGTERM is heard too, where a command ends in order by it.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

AGAIN = "Ctrl-C again stops at once."
AT_ONCE = "Stopped at once. What was finished is kept."
INTERRUPTED_STATUS = 130
HEARD = (signal.SIGINT, signal.SIGTERM)
SAY_SECONDS = 0.3
"""A terminal that takes no text (Ctrl-S) is waited for so long, and no longer."""

END_SECONDS = 5.0
"""How long the program's end may take once the command itself has ended in order."""

_meanwhile: list[str] = []


@contextmanager
def waiting_for(what: str) -> Iterator[None]:
    """Let the first Ctrl-C say what is waited for then."""
    _meanwhile.append(what)
    try:
        yield
    finally:
        _meanwhile.remove(what)


def run(command: Callable[[], object]) -> None:
    """Run a command `in_order`; Ctrl-C before or after its own lines ends it without a word."""
    try:
        with in_order():
            command()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED_STATUS) from None


@contextmanager
def in_order() -> Iterator[None]:
    """Have Ctrl-C raise KeyboardInterrupt once, and end the program the second time."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers, and gets the signals
        return
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:  # a command in the background of a shell
        yield
        return
    watcher = _Watcher()
    signal.signal(signal.SIGINT, watcher.interrupt)
    wakeup = signal.set_wakeup_fd(watcher.bell, warn_on_full_buffer=False)
    try:
        yield
    finally:
        signal.set_wakeup_fd(wakeup)
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)
        watcher.over()


class _Watcher:
    """Hears of signals in a thread of its own; `bell` is where Python writes their numbers."""

    def __init__(self) -> None:
        self._ours, self._theirs = socket.socketpair()
        self._theirs.setblocking(False)
        self.bell = self._theirs.fileno()
        self._raised = self._heard = 0
        self._status = INTERRUPTED_STATUS
        self._thread = threading.Thread(target=self._listen, daemon=True, name="stopping")
        self._thread.start()

    def interrupt(self, number: int, frame: FrameType | None) -> None:
        """Raise KeyboardInterrupt the first time; what ends in order is disturbed by no other."""
        self._raised += 1
        if self._raised == 1:
            raise KeyboardInterrupt

    def _listen(self) -> None:
        while numbers := self._ours.recv(64):
            for number in numbers:
                if number in HEARD:
                    self._heard += 1
                    self._status = 128 + number
                    if self._heard > 1:
                        _end_at_once(self._status, AT_ONCE)
                    _say(" ".join(["Stopping.", *_meanwhile[-1:], AGAIN]))

    def over(self) -> None:
        """End the thread. A program that was stopped has END_SECONDS from now on."""
        self._theirs.close()
        self._thread.join()
        self._ours.close()
        if self._heard:
            threading.Thread(target=self._limit_end, daemon=True, name="stopping").start()

    def _limit_end(self) -> None:
        time.sleep(END_SECONDS)
        _end_at_once(self._status, "")


def _say(text: str) -> None:
    """Write a line to standard error, below whatever stands there."""
    line = f"\n{text}\n" if sys.stderr.isatty() else f"{text}\n"
    thread = threading.Thread(target=_write, args=[line], daemon=True)
    thread.start()
    thread.join(SAY_SECONDS)


def _write(line: str) -> None:
    with suppress(OSError):  # nobody reads it any more
        os.write(2, line.encode())


def _end_at_once(status: int, text: str) -> None:
    """End this process and what it has started; the kernel releases its locks."""
    for pid in _descendants():
        with suppress(OSError):  # it has ended meanwhile
            os.kill(pid, signal.SIGKILL)
    if text:
        shown = "\x1b[?25h" if sys.stderr.isatty() else ""  # a progress bar hides the cursor
        _say(shown + text)
    os._exit(status)


def _descendants() -> list[int]:
    """Return the descendants that are our programs; others, a browser say, go on."""
    ours = os.path.realpath(sys.executable)
    found = [os.getpid()]
    for pid in found:
        with suppress(OSError):  # it has ended meanwhile
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children") as listing:
                    found += map(int, listing.read().split())
    return [pid for pid in found[1:] if _program(pid) in (ours, "bwrap")]


def _program(pid: int) -> str:
    """Return the path of a process's program, without the folder for bubblewrap."""
    try:
        path = os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""
    return "bwrap" if os.path.basename(path) == "bwrap" else path
