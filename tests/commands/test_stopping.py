"""Ctrl-C, Ctrl-Z and SIGSTOP, on a real terminal with a shell's jobs: nothing hangs or is lost."""

from __future__ import annotations

import fcntl
import os
import re
import shlex
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from autograder.gradebook.journal import Gradebook
from autograder.sandbox.running import wait_until_gone
from autograder.sandbox.waiting import readable

ROOT = Path(__file__).resolve().parents[2]
PATIENT = 120.0
"""Seconds that no test needs: only a hang would."""

LONG_STOP_SECONDS = 6.0
"""More than a request may take."""

GRADE = """
import runpy
import sys
from pathlib import Path
from autograder.commands import grade, instructors
grade.ROOT = instructors.ROOT = Path(sys.argv.pop(1))
runpy.run_module("autograder", run_name="__main__")
"""
"""`python -m autograder` on another course."""


class Terminal:
    """A shell with jobs on a pseudo-terminal of its own."""

    def __init__(self, folder: Path):
        self._ours, theirs = os.openpty()
        self.shell = subprocess.Popen(
            ["bash", "--norc", "--noprofile", "-i"],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PS1": "$ ", "TERM": "xterm"},
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(theirs)
        self.said = ""

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def wait_for(self, pattern: str) -> str:
        """Read until a pattern appears in what has not been waited for yet; return all up to it."""
        until = time.monotonic() + PATIENT
        while not (found := re.search(pattern, self.said)):
            left = until - time.monotonic()
            assert left > 0, f"no {pattern!r} in {self.said[-2000:]!r}"
            if readable(self._ours, seconds=left):
                self.said += os.read(self._ours, 1 << 16).decode(errors="replace")
        before, self.said = self.said[: found.end()], self.said[found.end() :]
        return before

    def close(self) -> None:
        for pid in reversed(descendants(self.shell.pid)):
            os.kill(pid, signal.SIGKILL)
        self.shell.kill()
        self.shell.wait()
        os.close(self._ours)


def descendants(pid: int) -> list[int]:
    """Return the processes that descend from one, parents first."""
    found = [pid]
    for one in found:
        for tasks in Path(f"/proc/{one}/task").glob("*/children"):
            found += map(int, tasks.read_text().split())
    return found[1:]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(tmp_path)
    yield terminal
    terminal.close()


@pytest.fixture
def begin(small: Path, tmp_path: Path, terminal: Terminal) -> Callable[..., Path]:
    """Begin to grade two students whose code is slow the first time that it is called; return OUT.

    Unconfined code makes a file then, and is waited for.
    """

    def begin(seconds: float, *options: str) -> Path:
        mark = tmp_path / "called"
        right = (small / "solutions" / "week2_small" / "double.py").read_text()
        slow = [
            "    import time",
            "    from pathlib import Path",
            f"    mark = Path({str(mark)!r})",
            "    if not mark.exists():",
            "        try:",
            "            mark.touch()",
            "        finally:",
            f"            time.sleep({seconds})",
            "    return 2.0",
        ]
        for name in ("ada", "ben"):
            (tmp_path / "the class" / name).mkdir(parents=True)
            source = right.replace("    return 2.0", "\n".join(slow))
            (tmp_path / "the class" / name / "double.py").write_text(f"{source}\n# {name}\n")
        script, out = tmp_path / "grade.py", tmp_path / "the grades"
        script.write_text(GRADE)
        program = shlex.join([sys.executable, str(script), str(small)])
        terminal.type(
            f"{program} grade --submissions 'the class' "
            f"--out 'the grades' --week 2 --jobs 1 {' '.join(options)}; echo STATUS=$?\n"
        )
        terminal.wait_for(r"0/2")
        until = time.monotonic() + PATIENT
        while options and not mark.exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        return out

    return begin


def verdicts(out: Path) -> dict[str, set[str]]:
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        return {
            name: {str(result.verdict) for result in gradebook.results(name, 2)}
            for name in gradebook.students()
        }


@pytest.mark.prove
def test_ctrl_c_once_says_so_and_ends_in_order(terminal: Terminal, begin) -> None:
    begin(4.0)
    time.sleep(1)  # not needed: by then it most likely runs the student's code
    started = descendants(terminal.shell.pid)
    terminal.type("\x03")
    said = terminal.wait_for(r"Ctrl-C again stops at once\.")
    assert "Stopping. What is being examined is given up" in said
    said = terminal.wait_for(r"STATUS=130")
    assert "stopped. What was finished is kept" in said
    assert "Traceback" not in said, said
    assert wait_until_gone(started, PATIENT)


@pytest.mark.prove
def test_ctrl_c_twice_ends_at_once_with_all_that_was_started(terminal: Terminal, begin) -> None:
    begin(4.0, "--unconfined")
    started = descendants(terminal.shell.pid)
    terminal.type("\x03")
    terminal.wait_for(r"Ctrl-C again stops at once\.")
    terminal.type("\x03")
    said = terminal.wait_for(r"STATUS=130")
    assert "Traceback" not in said, said
    assert wait_until_gone(started, PATIENT)


@pytest.mark.prove
def test_stops_longer_than_the_limit_cost_nobody_anything(terminal: Terminal, begin) -> None:
    """Ctrl-Z and `fg`; then all processes at once, as by `docker pause`, most likely in a call."""
    out = begin(4.0, "--unconfined")
    terminal.type("\x1a")
    terminal.wait_for(r"Stopped")
    terminal.type("fg\n")
    terminal.wait_for(r"grade\.py")
    stopped = descendants(terminal.shell.pid)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    time.sleep(LONG_STOP_SECONDS)
    for pid in stopped:
        os.kill(pid, signal.SIGCONT)
    terminal.type("fg\n")  # the shell has seen that its job stopped
    terminal.wait_for(r"Took in all")
    assert verdicts(out) == {"ada": {"pass"}, "ben": {"pass"}}


# Without a terminal


STUCK = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from autograder.commands import stopping
stopping.END_SECONDS = 0.2
with stopping.in_order(), stopping.waiting_for("The lock is waited for."):
    try:
        print("begun", flush=True)
        threading.Event().wait()
    except KeyboardInterrupt:
        print("once", flush=True)
    if sys.argv[1] == "hangs":
        while True:
            threading.Event().wait()
if sys.argv[1] == "leaves a thread":
    threading.Thread(target=threading.Event().wait).start()
"""


ENTRY = """
import runpy, threading
from autograder.commands import app
app.main = lambda: (print("begun", flush=True), threading.Event().wait())
runpy.run_module("autograder", run_name="__main__")
"""


def test_the_command_line_itself_looks_after_ctrl_c() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ENTRY],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENT)
    assert (process.returncode, said) == (130, "Stopping. Ctrl-C again stops at once.\n")


def stop(behaviour: str, times: int) -> tuple[int, str, str]:
    """Stop a program so often; return its exit status and what it said."""
    with subprocess.Popen(
        [sys.executable, "-c", STUCK, behaviour],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.send_signal(signal.SIGINT)
        said = process.stdout.readline()
        if times == 2:
            process.send_signal(signal.SIGINT)
        rest, complained = process.communicate(timeout=PATIENT)
        return process.returncode, said + rest, complained


def test_what_hangs_after_ctrl_c_is_ended_by_another() -> None:
    status, said, complained = stop("hangs", times=2)
    assert (status, said) == (130, "once\n")
    assert complained.splitlines() == [
        "Stopping. The lock is waited for. Ctrl-C again stops at once.",
        "Stopped at once. What was finished is kept.",
    ]


def test_what_hangs_after_its_orderly_end_is_ended() -> None:
    status, said, complained = stop("leaves a thread", times=1)
    assert (status, said) == (130, "once\n")
    assert complained.count("\n") == 1


def test_what_ends_in_order_has_its_own_status() -> None:
    assert stop("ends", times=1)[:2] == (0, "once\n")


def test_a_command_without_a_stop_leaves_the_handlers_as_they_were() -> None:
    from autograder.commands import stopping

    before = signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)
    with stopping.in_order():
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.set_wakeup_fd(-1)) == before
