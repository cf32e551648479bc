"""Points as integers in hundredths (1.5 points are 150): parsing and formatting.

They are text with decimals only in the files that people read and write.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation


def parse_points(value: int | str | Decimal) -> int:
    """Return points in hundredths, exactly: 1.5 gives 150.

    Raises ValueError for anything but a plain number >= 0 with at most two decimals. A float is
    refused because it has been rounded already.
    """
    if isinstance(value, bool | float) or not isinstance(value, int | str | Decimal):
        raise ValueError(f"{value!r} is not a number of points")
    try:
        points = Decimal(value.strip() if isinstance(value, str) else value)
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number such as 3 or 1.5") from None
    if not points.is_finite() or not 0 <= points <= 10_000:
        raise ValueError(f"{value} is not between 0 and 10000 points")
    hundredths = points * 100
    if hundredths != int(hundredths):
        raise ValueError(f"{value} has more than two decimals")
    return int(hundredths)


def format_points(hundredths: int) -> str:
    """Return points for people to read, without needless zeros: 150 gives "1.5"."""
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".")
