"""Makes text that came out of a sandbox fit to print: short, one line, no control characters."""

from __future__ import annotations

import unicodedata


def clean(text: object, limit: int = 200) -> str:
    """Return `text` with control, format and surrogate characters replaced, cut to `limit`.

    What isn't a str is shown as nothing: only text that the channel decoded may get this far.
    """
    if type(text) is not str:
        return ""
    shown = "".join(" " if ch in "\n\t\r" else _visible(ch) for ch in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"


def _visible(ch: str) -> str:
    category = unicodedata.category(ch)
    hidden = category[0] == "C" or category in ("Zl", "Zp")  # the last two separate lines
    return "\N{REPLACEMENT CHARACTER}" if hidden else ch
