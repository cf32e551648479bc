"""Untrusted text made safe to show: no hidden characters, no commands to a CI runner."""

from __future__ import annotations

import re
import unicodedata

TAB = "    "

CI_COMMANDS = re.compile(
    r":(?=:\s*(?:add-mask|add-matcher|add-path|debug|echo|endgroup|error|group|notice|remove-matcher"
    r"|save-state|set-env|set-output|stop-commands|warning)(?![\w-]))|#(?=#(?:\[|vso\[|teamcity\[))",
    re.IGNORECASE,
)
"""The beginning of a workflow command (`::error::`, `##[error]`) for a CI runner.

It is found anywhere in a line, since the terminal may break the line before it.
"""


def one_line(text: str, limit: int = 200) -> str:
    """Return `text` on one line of at most `limit` characters, with nothing invisible in it.

    Line ends and unusual spaces become spaces; control, format (right-to-left marks, say) and
    surrogate characters become escapes such as \\x1b.
    """
    shown = _shown(" ".join(text[: 4 * limit].splitlines()))
    return shown if len(shown) <= limit else shown[: limit - 3] + "..."


def many_lines(text: str, limit: int = 20_000) -> str:
    """Return `text` made safe as in `one_line`, with its lines kept; a tab is four spaces."""
    if len(text) > limit:
        text = text[:limit] + "\n[cut here: too long]"
    return "\n".join(map(_shown, text.replace("\t", TAB).splitlines()))


def _shown(row: str) -> str:
    if not row.isprintable():
        row = "".join(map(_visible, row))
    return CI_COMMANDS.sub(lambda match: f"{match[0]} ", row)


def _visible(char: str) -> str:
    category = unicodedata.category(char)
    if category == "Zs":
        return " "
    if category in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return char.encode("unicode_escape").decode("ascii")
    return char


def clean(text: object, limit: int = 200) -> str:
    """Return text of a sandbox by `one_line`; "" for anything but a str, which alone is shown."""
    return one_line(text, limit) if type(text) is str else ""
