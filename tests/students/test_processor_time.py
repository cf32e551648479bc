"""A busy machine is told from slow code: time of waiting for a processor isn't the code's own."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest

from autograder.channel.faults import Fault
from autograder.course import Limits
from autograder.records import Verdict
from autograder.students.host import IMPATIENT_SECONDS, StudentHost
from autograder.students.process import UNKNOWN_CAUSE
from autograder.students.processor_time import ProcessorTime
from autograder.suite.signature import signature

SECONDS = 2.0
LIMITS = Limits(
    request_seconds=SECONDS,
    test_seconds=8,
    training_seconds=8,
    memory_mb=700,
    training_memory_mb=900,
    processes=32,
    output_kb=64,
    file_mb=8,
)
SOURCE = b"""\
import time

def endless():
    while True:
        pass

def slow():
    time.sleep(2.6)
    return 1
"""
Ask = Callable[[str, Callable[[], str]], int | Fault]


def waiting(share: float) -> Callable[[], str]:
    """Return what Linux would note of a process that waits for a share of its time from now on."""
    begun = time.monotonic()
    return lambda: f"1000 {int(1e9 * share * (time.monotonic() - begun))} 7\n"


def unknown() -> str:
    """Find nothing, as on macOS."""
    raise FileNotFoundError


@pytest.fixture
def host() -> Iterator[StudentHost]:
    made = StudentHost({"m.py": SOURCE}, LIMITS, ("m.py",))
    yield made
    made.close()


def asked(host: StudentHost, name: str, read: Callable[[], str]) -> int | Fault:
    """Call a function of SOURCE in a process of which the system notes this."""
    assert host._process is not None
    host._process.get_ready()
    host._process.clock = ProcessorTime(0, read)
    try:
        value = getattr(host.start(0).m, name)()
    except Fault as fault:
        host.finish(fault)
        return fault
    assert isinstance(value, int)
    return value


def test_time_for_which_a_process_waits_is_not_charged(host: StudentHost) -> None:
    assert asked(host, "slow", waiting(0.7)) == 1


def test_slow_code_is_told_so_and_gets_less_time_then(host: StudentHost) -> None:
    fault = asked(host, "slow", waiting(0.0))
    assert isinstance(fault, Fault)
    assert (fault.verdict, fault.message) == (Verdict.TIMEOUT, "No answer within 2.0 seconds.")
    assert signature(fault) is not None
    assert host._seconds == IMPATIENT_SECONDS


def test_a_machine_that_has_no_time_at_all_says_nothing_about_the_code(
    host: StudentHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autograder.students.process.MOST_WAITED", 1.5)
    fault = asked(host, "endless", waiting(0.95))
    assert isinstance(fault, Fault)
    assert fault.busy
    assert fault.message.startswith("No answer within 3 seconds, but the computer was busy")
    assert signature(fault) is None
    assert host._seconds == SECONDS


def test_where_the_system_tells_nothing_both_causes_are_named(host: StudentHost) -> None:
    host._seconds = 2 * SECONDS
    fault = asked(host, "endless", unknown)
    assert isinstance(fault, Fault)
    assert not fault.busy
    assert fault.message == f"No answer within 4.0 seconds. {UNKNOWN_CAUSE}"
    assert host._seconds == SECONDS


def test_a_process_that_is_gone_keeps_what_was_known() -> None:
    notes = iter(["5 1000000000 1", "5 3000000000 1"])
    clock = ProcessorTime(0, lambda: next(notes, ""))
    assert clock.known
    assert (clock.waited, clock.waited) == (2.0, 2.0)
