"""How late something is, in words."""

from __future__ import annotations

from datetime import timedelta


def in_words(late: timedelta) -> str:
    """Return a delay in words: "2 days 3 hours", "1 hour 5 minutes", "40 seconds"."""
    seconds = max(1, round(late.total_seconds()))
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))
    parts = []
    for name, size in units:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
        elif parts:
            break
    return " ".join(parts[:2])
