"""The ledger of pushes: what counts for which day, what came first, what is taken up again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from autograder.integrations.push.ledger import Ledger, LedgerError, Push, PushState
from autograder.integrations.push.spool import Arrival

START = datetime(2026, 10, 5, 12, tzinfo=UTC)
TODAY, TOMORROW = date(2026, 10, 5), date(2026, 10, 6)
A, B = {1: ("a", "-")}, {1: ("b", "-")}


@pytest.fixture
def ledger(tmp_path):
    found = Ledger(tmp_path / "pushes.sqlite")
    yield found
    found.close()


def push(ledger: Ledger, hour: int, files=A, student="ada", limit=1) -> Push:
    received = START + timedelta(hours=hour)
    arrival = Arrival(f"{student}{hour}", student, Path("/srv/ada.git"), None, limit, received, ())
    found = ledger.add(arrival, "refs/heads/main", "0" * 40, f"{hour:040x}", limit)
    assert found is not None
    ledger.note_files(found, files)
    return found


def test_a_push_is_written_down_once(ledger):
    first = push(ledger, 0)
    arrival = Arrival(first.id, "ada", first.repository, None, 1, START, ())
    assert ledger.add(arrival, first.branch, first.old, first.commit, 1) is None
    assert [one.id for one in ledger.open_pushes()] == [first.id]


def test_what_counts_for_a_day(ledger):
    first, second, third = (push(ledger, hour) for hour in (0, 1, 2))
    other = push(ledger, 3, student="ben")
    days = (TODAY, TOMORROW)
    assert ledger.day_with_room(first, days) == TODAY
    first = ledger.set(first, PushState.RUNNING, TODAY)
    assert first.attempts == 1
    assert ledger.day_with_room(second, days) == TOMORROW
    assert ledger.day_with_room(other, days) == TODAY
    ledger.set(second, PushState.SUPERSEDED)
    assert ledger.day_with_room(third, days) == TOMORROW
    ledger.set(third, PushState.DONE, TOMORROW)
    assert ledger.day_with_room(third, days) is None
    assert ledger.counts(TODAY) == {"ada": 1}
    first = ledger.set(first, PushState.FAILED, TODAY)  # our fault: it counts until it is released
    assert ledger.day_with_room(second, days) is None
    assert [one.number for one in ledger.failed()] == [first.number]
    ledger.uncount(first)
    assert ledger.failed() == []
    assert ledger.day_with_room(second, days) == TODAY
    assert ledger.day_with_room(push(ledger, 4, limit=0), days) == TODAY


def test_files_that_counted_are_known(ledger):
    first = push(ledger, 0)
    assert not ledger.is_known("ada", 1, "a")
    ledger.set(first, PushState.RUNNING, TODAY)
    assert ledger.is_known("ada", 1, "a")
    assert not ledger.is_known("ada", 1, "a", first), "to itself it is no earlier one"
    assert not ledger.is_known("ada", 1, "b")
    assert not ledger.is_known("ada", 2, "a")
    assert not ledger.is_known("ben", 1, "a")
    ledger.set(first, PushState.FAILED, TODAY)
    assert not ledger.is_known("ada", 1, "a"), "a failure makes the next one no free one"


def test_a_push_that_is_tried_again_keeps_its_own_place(ledger):
    first, second = push(ledger, 0), push(ledger, 1)
    first = ledger.set(first, PushState.RUNNING, TODAY)
    first = ledger.set(first, PushState.WAITING, first.counted_day)
    assert ledger.day_with_room(first, [TODAY]) == TODAY
    assert ledger.day_with_room(second, [TODAY]) is None


def test_what_is_released_is_written_down(ledger, tmp_path):
    failed = ledger.set(push(ledger, 0), PushState.FAILED, TODAY)
    ledger.release(failed)
    (again,) = ledger.open_pushes()
    assert (again.state, again.counted, again.day_limit) == (PushState.WAITING, None, 0)
    with closing(sqlite3.connect(tmp_path / "pushes.sqlite")) as opened:
        rows = opened.execute("SELECT push, counted FROM released").fetchall()
    assert rows == [(failed.number, TODAY.isoformat())]


def test_the_time_of_files_is_when_they_first_came(ledger):
    """Whatever became of the push that brought them."""
    first, _, again = push(ledger, 0, A), push(ledger, 1, B), push(ledger, 2, A)
    ledger.set(first, PushState.SUPERSEDED)
    assert ledger.first(again, 1) == (START, first.commit)
    changed = push(ledger, 3, {1: ("a", "other documents"), 2: ("a", "-")})
    assert ledger.first(changed, 1) == (changed.received, changed.commit)
    assert ledger.first(changed, 2) == (changed.received, changed.commit)
    other = push(ledger, 4, A, student="ben")
    assert ledger.first(other, 1) == (other.received, other.commit)


def test_only_the_newest_push_is_released(ledger):
    """An older one must not take the place of what was graded after it."""
    failed, done = push(ledger, 0), push(ledger, 1)
    ledger.set(failed, PushState.FAILED)
    ledger.set(done, PushState.DONE, TODAY)
    held, refused = push(ledger, 0, student="ben"), push(ledger, 1, student="ben")
    ledger.set(held, PushState.HELD)
    ledger.set(refused, PushState.REFUSED)
    newest = ledger.newest_of_each()
    assert {one.number for one in newest} == {done.number, held.number}
    ledger.release(held)
    assert [(one.state, one.day_limit) for one in ledger.open_pushes()] == [(PushState.WAITING, 0)]


def test_a_ledger_that_is_none_is_said(tmp_path):
    (tmp_path / "pushes.sqlite").write_text("no database, but longer than a header has to be" * 9)
    with pytest.raises(LedgerError, match="Move it away"):
        Ledger(tmp_path / "pushes.sqlite")
