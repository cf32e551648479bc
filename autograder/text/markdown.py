"""Text escaped for Markdown: in a line, as a code span or as a block."""

from __future__ import annotations

import re

from autograder.text.display import many_lines, one_line

FORMULA = r"\$[^\s$`](?:[^$`]*[^\s$`])?\$"


def inline(text: str, *, formulas: bool = False) -> str:
    """Return trusted text on one line with Markdown's and HTML's characters escaped.

    Code between backticks stays code, and with `formulas`, what stands between `$` a formula.
    """
    kept = f"(`[^`]+`|{FORMULA})" if formulas else "(`[^`]+`)"
    pieces = re.split(kept, one_line(text, 2000))
    return "".join(piece if n % 2 else _escape(piece) for n, piece in enumerate(pieces))


def _escape(text: str) -> str:
    # An underscore inside a word means nothing in Markdown, and names are full of them. Addresses
    # and mentions become links where programs look for them in plain text.
    special = r"[\\`*\[\]<>#~$@]|&(?=[\w#])|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\."
    return re.sub(special, r"\\\g<0>", text, flags=re.IGNORECASE)


def code(text: str) -> str:
    """Return untrusted text on one line as a code span that its content can't close."""
    shown = one_line(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    edge = " " if longest or shown != shown.strip() else ""
    return f"{fence}{edge}{shown}{edge}{fence}"


def block(text: str) -> str:
    """Return untrusted text as a block of plain text that its content can't close."""
    shown = many_lines(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}text\n{shown}\n{fence}"
