"""A test that fails while the grader itself is stopped is run again, and never costs points."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.records import CheckResult, Verdict
from autograder.sandbox.own_time import MOST_STALLED
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

SUITE = """
import pytest
from autograder.suite import expect

@pytest.mark.item("a")
def test_it(student):
    "It is one."
    expect.equal("value", student.m.value(), 1)
"""


class StoppedHost(LocalHost):
    """Runs code in this process, and says that this was stopped in its first `stops` tests."""

    def __init__(self, values: list[int], stops: int):
        self.values, self.stops, self.began = list(values), stops, 0
        super().__init__({})

    def start(self, *arguments, **named):
        self.began += 1
        self.stalls = min(self.began, self.stops)
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        LocalHost.__init__(self, {"m.py": b"def value(): return %d" % value})
        return super().start(*arguments, **named)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[GradedSession]:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "test_it.py").write_text(SUITE)
    session = GradedSession(folder, "salt")
    yield session
    session.close()


def result(session: GradedSession, host: StoppedHost) -> CheckResult:
    [outcome] = session.run(host)
    return outcome.result


def test_what_failed_in_a_stop_and_is_right_passes(session: GradedSession) -> None:
    host = StoppedHost([2, 2, 1], stops=2)
    assert result(session, host).verdict is Verdict.PASS
    assert host.began == 3


def test_what_is_wrong_without_a_stop_too_is_wrong(session: GradedSession) -> None:
    host = StoppedHost([2], stops=2)
    assert result(session, host).verdict is Verdict.WRONG
    assert host.began == 3


def test_what_passed_is_not_run_again(session: GradedSession) -> None:
    host = StoppedHost([1], stops=1)
    assert result(session, host).verdict is Verdict.PASS
    assert host.began == 1


def test_what_fails_in_every_stop_costs_nothing(session: GradedSession) -> None:
    host = StoppedHost([2], stops=MOST_STALLED)
    found = result(session, host)
    assert found.verdict is Verdict.INFRA
    assert "costs no points" in found.message
    assert host.began == MOST_STALLED
