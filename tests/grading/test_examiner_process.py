"""An examiner that says what it may not: its parent loses it, in time, and believes nothing of it.

What stands for the examiner here is a thread of the test with the other end of the channel.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import CantExamineError
from autograder.gradebook.submission import Submission
from autograder.grading import examiner_process, messages
from autograder.grading.examiner_process import ExaminerProcess, LostError
from autograder.grading.operations import describe, examine_submission
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting
from autograder.records import CheckResult, Verdict

SETTING = Setting(Path("/nowhere"), {})
PASS = CheckResult("a", Verdict.PASS, 10_000)
Speak = Callable[[socket.socket, int], None]


class _Server:
    """Stands for the fork server; each examiner that it starts is a thread."""

    def __init__(self, speak: Callable[[socket.socket, int], None]):
        self.speak = speak
        self.started = 0
        self.killed: list[int] = []
        self.threads: list[threading.Thread] = []

    def start(self, channel: int, log: int) -> int:
        self.started += 1
        sock, written = socket.socket(fileno=os.dup(channel)), os.dup(log)
        thread = threading.Thread(target=self._live, args=(sock, written))
        self.threads.append(thread)
        thread.start()
        return self.started

    def _live(self, sock: socket.socket, log: int) -> None:
        with sock:
            try:
                self.speak(sock, log)
            except OSError:
                pass  # its parent has had enough
            finally:
                os.close(log)

    def end(self, pid: int) -> int:
        self.killed.append(pid)
        return -9

    def terminate(self, pid: int) -> None:
        pass


@pytest.fixture
def speaking(monkeypatch):
    """Have examiners speak as a function says."""
    servers: list[_Server] = []

    def begin(speak: Speak) -> _Server:
        servers.append(_Server(speak))
        for module in ("examiner_process", "pool"):
            monkeypatch.setattr(f"autograder.grading.{module}.running_server", lambda: servers[-1])
        return servers[-1]

    yield begin
    for thread in (thread for server in servers for thread in server.threads):
        thread.join(10)
        assert not thread.is_alive()


def request(sock: socket.socket) -> dict[str, Any]:
    """Read what the parent asks for."""
    head = sock.recv(messages.LENGTH_BYTES, socket.MSG_WAITALL)
    if not head:
        raise OSError("it asks for nothing more")
    return messages.read_request(sock.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))


def examined(job: int, *results: CheckResult, **others: Any) -> bytes:
    fields = {"results": messages.fields_of(results), "flags": [], "seconds": 0.0}
    return messages.written("examined", job, **{**fields, **others})


def checked(job: int, result: CheckResult) -> bytes:
    [fields] = messages.fields_of([result])
    return messages.written("checked", job, result=fields)


def saying(*bodies: Callable[[int], bytes]) -> Speak:
    """Answer the first request with these bytes, and wait until the parent has gone."""

    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        job = request(sock)["job"]
        for body in bodies:
            sock.sendall(body(job))
        while sock.recv(1 << 16):
            pass

    return speak


def length_of(number: int) -> bytes:
    return number.to_bytes(messages.LENGTH_BYTES, "big")


BAD: dict[str, tuple[str, list[Callable[[int], bytes]]]] = {
    "no message": ("can't be read", [lambda job: length_of(3) + b"{}}"]),
    "an empty message": ("can't be read", [lambda job: length_of(0)]),
    "four gigabytes": ("announced a message", [lambda job: length_of((1 << 32) - 1)]),
    "a little too much": (
        "announced a message",
        [lambda job: length_of(messages.LARGEST_MESSAGE_BYTES + 1)],
    ),
    "a pickle": ("announced a message", [lambda job: b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00."]),
    "another job": ("not asked", [lambda job: examined(job + 1, PASS)]),
    "an old job": ("not asked", [lambda job: examined(job - 1, PASS)]),
    "another answer": ("something else", [lambda job: messages.written("text", job, text="x")]),
    "a check before the answer": ("something else", [lambda job: checked(job, PASS)]),
    "an unknown check": (
        "not planned",
        [lambda job: examined(job, CheckResult("b", Verdict.PASS, 10_000))],
    ),
    "a check twice": ("twice of one", [lambda job: examined(job, PASS, PASS)]),
    "extra fields": ("can't be read", [lambda job: examined(job, PASS, sudo=True)]),
}


@pytest.mark.parametrize("name", BAD)
def test_what_an_examiner_may_not_say_loses_it_and_the_job_is_lost_with_the_second_one(
    name, speaking, capfd
) -> None:
    reason, bodies = BAD[name]
    server = speaking(saying(*bodies))
    with open_pool(SETTING, 1) as pool:
        pool._plans[2] = _plan()
        future = pool.submit(examine_submission, Submission("s"), 2)
        with pytest.raises(LostError, match=reason):
            future.result(20)
    assert server.killed == [1, 2]
    said = capfd.readouterr().err
    assert said.count(reason) == 2
    assert "attempt 2 of 2" in said


def _plan():
    from autograder.grading.operations import Plan
    from autograder.records import PlannedCheck

    return Plan([PlannedCheck("a", "week2.double", "")], "f", "A", {})


@pytest.mark.parametrize(
    "part", [b"\x00", length_of(10), length_of(10) + b'{"kind"', length_of(1 << 24)], ids=repr
)
def test_part_of_a_message_and_then_silence(part, speaking, monkeypatch) -> None:
    monkeypatch.setattr(examiner_process, "MESSAGE_SECONDS", 0.3)
    speaking(saying(lambda job: part))
    process = ExaminerProcess(SETTING, 0)
    started = time.monotonic()
    with pytest.raises(LostError, match="silent"):
        process.ask(messages.Said, kind="text")
    assert 0.2 < time.monotonic() - started < 20
    process.kill()


def test_silence_for_ever(speaking, monkeypatch) -> None:
    monkeypatch.setattr(examiner_process, "JOB_SECONDS", 0.3)
    speaking(saying())
    process = ExaminerProcess(SETTING, 0)
    with pytest.raises(LostError, match="silent"):
        process.ask(messages.Said, kind="text")
    process.kill()


def test_one_that_never_reads_what_it_is_asked(speaking, monkeypatch) -> None:
    monkeypatch.setattr(examiner_process, "MESSAGE_SECONDS", 0.3)
    over = threading.Event()
    speaking(lambda sock, log: over.wait(20))
    process = ExaminerProcess(SETTING, 0)
    with pytest.raises(LostError, match="takes no requests"):
        process.ask(messages.Said, kind="text", values=["x" * (8 << 20)])
    over.set()
    process.kill()


def test_checks_without_end(speaking) -> None:
    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        job = request(sock)["job"]
        while True:
            sock.sendall(checked(job, PASS))

    speaking(speak)
    process = ExaminerProcess(SETTING, 0)
    seen: list[CheckResult] = []
    with pytest.raises(LostError, match="more checks"):
        process.ask(messages.Done, {"a"}, seen.append, kind="examined")
    assert seen == [PASS] * 3
    process.kill()


def test_a_check_that_is_reported_and_was_not_planned(speaking) -> None:
    speaking(saying(lambda job: checked(job, PASS)))
    process = ExaminerProcess(SETTING, 0)
    seen: list[CheckResult] = []
    with pytest.raises(LostError, match="not planned"):
        process.ask(messages.Done, {"b"}, seen.append, kind="examined")
    assert seen == []
    process.kill()


def test_one_that_has_spoken_unasked_is_replaced_before_it_is_asked(speaking, capfd) -> None:
    spoken = threading.Event()

    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        while True:
            job = request(sock)["job"]
            sock.sendall(messages.written("text", job, text="yes"))
            sock.sendall(messages.written("text", job + 1, text="prepared"))
            spoken.set()

    server = speaking(speak)
    with open_pool(SETTING, 1) as pool:
        assert pool.submit(_question).result(20) == "yes"
        assert spoken.wait(20)
        assert pool.submit(_question).result(20) == "yes"
        assert server.started == 2
        assert server.killed[0] == 1
    assert "spoke unasked" in capfd.readouterr().err


def _question() -> str:
    raise AssertionError("the examiners of this test answer by themselves")


_question.operation = "text"  # type: ignore[attr-defined]


def test_what_it_writes_is_shown_without_orders_to_the_terminal_and_not_without_end(
    speaking, capfd, monkeypatch
) -> None:
    monkeypatch.setattr(examiner_process, "WRITTEN_BYTES", 1 << 20)
    monkeypatch.setattr(examiner_process, "SHOWN_BYTES", 2000)

    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        os.write(log, b"\x1b[2J\x1b]0;title\x07::error::boo\n")
        while True:
            os.write(log, b"y\n" * 500)

    speaking(speak)
    process = ExaminerProcess(SETTING, 0)
    with pytest.raises(LostError, match="wrote too much"):
        process.ask(messages.Said, kind="text")
    process.kill()
    said = capfd.readouterr().err
    assert said.startswith("examiner: \\x1b[2J")
    assert not set("\x1b\x07") & set(said)
    assert len(said) < 200_000


def test_a_failure_is_told_with_what_to_do_and_the_examiner_is_kept(speaking) -> None:
    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        job = request(sock)["job"]
        sock.sendall(messages.written("failed", job, problem="No suite", remedy="Write one"))
        job = request(sock)["job"]
        sock.sendall(messages.written("text", job, text="yes"))
        request(sock)

    server = speaking(speak)
    with open_pool(SETTING, 1) as pool:
        with pytest.raises(CantExamineError, match=r"No suite\. Write one\.") as failed:
            pool.submit(describe, 2).result(20)
        assert not isinstance(failed.value, LostError)
        assert pool.submit(_question).result(20) == "yes"
        assert server.started == 1


def test_a_report_that_fails_is_raised_and_the_next_job_gets_an_examiner_of_its_own(
    speaking,
) -> None:
    def speak(sock: socket.socket, log: int) -> None:
        request(sock)
        while True:
            job = request(sock)["job"]
            sock.sendall(checked(job, PASS) + examined(job, PASS))

    server = speaking(speak)

    def report(result: CheckResult) -> None:
        raise KeyError(result.check)

    with open_pool(SETTING, 1) as pool:
        pool._plans[2] = _plan()
        with pytest.raises(KeyError):
            pool.submit(examine_submission, Submission("s"), 2, report=report).result(20)
        seen: list[CheckResult] = []
        done, _ = pool.submit(examine_submission, Submission("s"), 2, report=seen.append).result(20)
        assert done.results == seen == [PASS]
    assert server.started == 2


def test_only_operations_can_be_submitted(speaking) -> None:
    speaking(saying())
    with (
        open_pool(SETTING, 1) as pool,
        pytest.raises(TypeError, match="no operation of an examiner"),
    ):
        pool.submit(os.getuid)
