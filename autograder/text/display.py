"""Text of strangers made safe to show: without hidden characters, and no orders to a CI runner."""

from __future__ import annotations

import re
import unicodedata

TAB = "    "

COMMANDS = re.compile(
    r":(?=:\s*(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher"
    r"|save-state|set-env|set-output|stop-commands|warning)(?![\w-]))|#(?=#(?:\[|vso\[|teamcity\[))",
    re.IGNORECASE,
)
"""What begins a workflow command (`::error::`, `##[error]`) where a CI runner reads the output.

Wherever it stands, since a terminal's line may break before it.
"""


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` on one line, at most `limit` characters long, with nothing invisible in it.

    Line ends and unusual spaces become spaces; control, format (right-to-left marks, say) and
    surrogate characters become escapes such as \\x1b.
    """
    shown = _shown(" ".join(text[: 4 * limit].splitlines()))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def many_lines(text: str, limit: int = 20_000) -> str:
    """Return `text` with its lines kept and all else as in `one_line`; a tab is four spaces."""
    if len(text) > limit:
        text = text[:limit] + "\n[cut here: too long]"
    return "\n".join(map(_shown, text.replace("\t", TAB).splitlines()))


def _shown(row: str) -> str:
    if not row.isprintable():
        row = "".join(map(_visible, row))
    return COMMANDS.sub(lambda found: f"{found[0]} ", row)


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return char.encode("unicode_escape").decode("ascii")
    return char
