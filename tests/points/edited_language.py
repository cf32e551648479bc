"""Week 5's language.py with some of its lines replaced, for cases that cheat in one place."""

from __future__ import annotations

from pathlib import Path

SOLUTION = Path(__file__).resolve().parents[2] / "solutions" / "week5_rnn" / "language.py"


def files(*edits: tuple[str, str]) -> dict[str, bytes]:
    """Return the file; each edit replaces a text that stands in it exactly once."""
    source = SOLUTION.read_text("utf-8")
    for old, new in edits:
        if source.count(old) != 1:
            raise ValueError(f"{old!r} stands {source.count(old)} times in {SOLUTION.name}")
        source = source.replace(old, new)
    return {SOLUTION.name: source.encode()}
