"""Moves the calendar of a worker by whole days, before any of the student's code is imported.

What Python's own modules say of the date is moved. Files' times and NumPy's "now" are not.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable
from typing import Any

DAY = 86_400


def move(days: int) -> None:
    """Let `time` and `datetime` live so many days in the future, or in the past."""
    if days:
        _move_time(days * DAY)
        _move_datetime(datetime.timedelta(days=days))


def _move_time(seconds: int) -> None:
    now, now_ns = time.time, time.time_ns
    time.time = lambda: now() + seconds
    time.time_ns = lambda: now_ns() + seconds * 10**9
    for name in ("localtime", "gmtime", "ctime"):
        setattr(time, name, _at_moved_time(getattr(time, name)))
    strftime, clock, clock_ns = time.strftime, time.clock_gettime, time.clock_gettime_ns
    time.strftime = lambda form, *given: strftime(form, *(given or (time.localtime(),)))

    def read(which: int) -> float:
        return clock(which) + (seconds if which == time.CLOCK_REALTIME else 0)

    def read_ns(which: int) -> int:
        return clock_ns(which) + (seconds * 10**9 if which == time.CLOCK_REALTIME else 0)

    time.clock_gettime, time.clock_gettime_ns = read, read_ns


def _at_moved_time(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function of a time in seconds that takes the moved one where it is given none."""
    return lambda at=None: function(time.time() if at is None else at)


def _move_datetime(by: datetime.timedelta) -> None:
    real_date, real_datetime = datetime.date, datetime.datetime

    class Kind(type):
        """Takes what C code makes, which knows nothing of the classes below, for one of them."""

        def __instancecheck__(cls, value: Any) -> bool:
            return isinstance(value, real_datetime if cls is Datetime else real_date)

    class Date(real_date, metaclass=Kind):
        @classmethod
        def today(cls) -> Any:
            return cls.fromtimestamp(time.time())

    class Datetime(real_datetime, metaclass=Kind):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return super().now(tz) + by

        @classmethod
        def today(cls) -> Any:
            return cls.now()

        @classmethod
        def utcnow(cls) -> Any:
            return cls.now(datetime.UTC).replace(tzinfo=None)

    for name, made in (("date", Date), ("datetime", Datetime)):
        made.__name__ = made.__qualname__ = name
        made.__module__ = "datetime"
        setattr(datetime, name, made)
