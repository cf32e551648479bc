"""Text of strangers made safe to show: file names, messages and ids without hidden characters."""

from __future__ import annotations

import unicodedata

TAB = "    "


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` on one line, at most `limit` characters long, with nothing invisible in it.

    Line ends and unusual spaces become spaces; control, format (right-to-left marks, say) and
    surrogate characters become escapes such as \\x1b.
    """
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text  # nearly all file names: a class has thousands
    shown = "".join(_visible(char) for char in " ".join(text[: 4 * limit].splitlines()))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def many_lines(text: str, limit: int = 20_000) -> str:
    """Return `text` with its lines kept and all else as in `one_line`; a tab is four spaces."""
    if len(text) > limit:
        text = text[:limit] + "\n[cut here: too long]"
    rows = text.replace("\t", TAB).splitlines()
    return "\n".join("".join(_visible(char) for char in row) for row in rows)


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return char.encode("unicode_escape").decode("ascii")
    return char
