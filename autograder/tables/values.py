"""Numbers and times in a spreadsheet's cells, as they are written in its country."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone, tzinfo

EXAMPLE = "2026-10-12T21:40:00+02:00"
_EPOCH = datetime(1899, 12, 30)
"""Day 0 of a spreadsheet: 45678.5 is noon of a day in 2025."""
_SERIAL = re.compile(r"([34567][0-9]{4})(?:[.,]([0-9]+))?")
_DATE = re.compile(
    r"([0-9]{1,4})([./-])([0-9]{1,2})\2([0-9]{1,4})"
    r"(?:,?[ T]+([0-9]{1,2})[:.]([0-9]{2})(?:[:.]([0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?: ?([AaPp])\.?[Mm]\.?)?)?"
    r"(?: ?(Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{2}:?[0-9]{2}))?"
)


def plain_number(text: str) -> str:
    """Return a number with a point where it was written with a decimal comma; else the text."""
    return re.sub(r"^([0-9]*),([0-9]+)$", r"\1.\2", text.strip())


class TimeColumn:
    """The times in one column: ISO 8601, or as Excel shows or stores them.

    Whether 10/12/2026 is in October or December is taken from the column's other dates. Times
    without a zone are in the one that `zone_at` gives for them; `without_zone` counts those that
    were read.
    """

    def __init__(self, texts: Iterable[str], zone_at: Callable[[datetime], tzinfo]) -> None:
        self._zone_at = zone_at
        self.without_zone = 0
        dates = [match for text in texts if (match := _DATE.fullmatch(text.strip()))]
        slashed = [match for match in dates if match[2] != "." and len(match[1]) < 3]
        self._day_first = any(int(match[1]) > 12 for match in slashed)
        self._month_first = any(int(match[3]) > 12 for match in slashed)

    def read(self, text: str) -> datetime:
        """Return a time with its zone. Raises ValueError, with what was understood of the text."""
        text = text.strip()
        serial, match = _SERIAL.fullmatch(text), _DATE.fullmatch(text)
        if serial:
            if not serial[2]:
                raise ValueError(f"'{text}' is a day without a time of day; write {EXAMPLE}")
            days = float(f"{serial[1]}.{serial[2]}")
            return self._zoned(_EPOCH + timedelta(seconds=round(days * 86_400)))
        if match:
            return self._date(text, match)
        try:
            time = datetime.fromisoformat(text)
        except ValueError:
            raise ValueError(f"'{text}' is no time such as {EXAMPLE}") from None
        if re.fullmatch(r"[0-9-]*(W[0-9-]+)?", text):
            raise ValueError(f"'{text}' is a day without a time of day; write {EXAMPLE}")
        return self._zoned(time)

    def _date(self, text: str, match: re.Match[str]) -> datetime:
        if match[5] is None:
            raise ValueError(f"'{text}' is a day without a time of day; write {EXAMPLE}")
        year, month, day = self._year_month_day(text, match)
        hour = int(match[5])
        if match[8]:
            if not 1 <= hour <= 12:
                raise ValueError(f"'{text}' is no time: its hour is {hour}")
            hour = hour % 12 + (12 if match[8] in "pP" else 0)
        try:
            time = datetime(year, month, day, hour, int(match[6]), int(match[7] or 0))
        except ValueError as error:
            raise ValueError(f"'{text}' is no time: {error}") from None
        return self._zoned(time, match[9])

    def _year_month_day(self, text: str, match: re.Match[str]) -> tuple[int, int, int]:
        first, second, third = match[1], int(match[3]), match[4]
        if len(first) == 4:
            return int(first), second, int(third)
        year = int(third) + (2000 if len(third) == 2 else 0)
        one = int(first)
        if match[2] == "." or one > 12 or one == second:
            return year, second, one
        if second > 12 or (self._month_first and not self._day_first):
            return year, one, second
        if self._day_first and not self._month_first:
            return year, second, one
        readings = f"{year}-{second:02d}-{one:02d} or {year}-{one:02d}-{second:02d}"
        raise ValueError(f"'{text}' may be {readings}; write {EXAMPLE}")

    def _zoned(self, time: datetime, zone: str | None = None) -> datetime:
        if zone:
            signed = re.fullmatch(r"(?:UTC|GMT)?([+-])([0-9]{2}):?([0-9]{2})", zone)
            if not signed:
                return time.replace(tzinfo=UTC)
            offset = timedelta(hours=int(signed[2]), minutes=int(signed[3]))
            return time.replace(tzinfo=timezone(-offset if signed[1] == "-" else offset))
        if time.tzinfo is None:
            self.without_zone += 1
            return time.replace(tzinfo=self._zone_at(time))
        return time
