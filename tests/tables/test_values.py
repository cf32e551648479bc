"""Numbers and times as spreadsheets write them: read as they were meant, or refused."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from autograder.tables.values import TimeColumn, plain_number

BERLIN = ZoneInfo("Europe/Berlin")


def in_berlin(time: datetime) -> ZoneInfo:
    return BERLIN


EVENING = datetime(2026, 10, 14, 21, 40, tzinfo=BERLIN)


@pytest.mark.parametrize(
    "text",
    [
        "2026-10-14T21:40:00+02:00",
        "2026-10-14 21:40",
        "2026-10-14 19:40:00Z",
        "2026-10-14 19:40 UTC",
        "2026-10-14 21:40:00 +0200",
        "2026/10/14 21:40",
        "14/10/2026 21:40",
        "14.10.2026 21:40:00",
        "14.10.26 21:40",
        "14-10-2026 21:40",
        "10/14/2026 21:40",
        "10/14/26 9:40 PM",
        "10/14/2026, 9:40:00 pm",
        "46309.902777778",
        "46309,902777778",
    ],
)
def test_a_time_of_every_form(text: str) -> None:
    assert TimeColumn([text], in_berlin).read(text) == EVENING


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("yesterday", "is no time such as 2026"),
        ("14/10/2026", "is a day without a time of day"),
        ("2026-10-14", "is a day without a time of day"),
        ("20261014", "is a day without a time of day"),
        ("46309", "is a day without a time of day"),
        ("10/12/2026 21:40", "may be 2026-12-10 or 2026-10-12"),
        ("31/02/2026 21:40", "is no time: day"),
        ("14/10/2026 25:40", "is no time: hour"),
        ("10/14/26 14:40 PM", "its hour is 14"),
        ("1,5", "is no time such as"),
    ],
)
def test_what_is_no_time_is_named(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        TimeColumn([text], in_berlin).read(text)


def test_the_order_of_day_and_month_is_that_of_the_column() -> None:
    doubtful = "10/12/2026 08:00"
    for other, month in (("25/12/2026 08:00", 12), ("12/25/2026 08:00", 10)):
        times = TimeColumn([doubtful, other], in_berlin)
        assert times.read(doubtful).month == month
        assert times.read(other) == datetime(2026, 12, 25, 8, tzinfo=BERLIN)
    both = TimeColumn([doubtful, "25/12/2026 08:00", "12/25/2026 08:00"], in_berlin)
    with pytest.raises(ValueError, match="may be"):
        both.read(doubtful)


def test_times_without_a_zone_are_counted() -> None:
    times = TimeColumn([], in_berlin)
    times.read("2026-10-14 21:40")
    times.read("2026-10-14T21:40Z")
    assert times.without_zone == 1


def test_a_decimal_comma() -> None:
    texts = ["1,5", " ,5 ", "1.5", "1,2,3", "a,5", ""]
    assert [*map(plain_number, texts)] == ["1.5", ".5", "1.5", "1,2,3", "a,5", ""]
