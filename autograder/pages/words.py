"""Our own sentences as HTML: code between backticks, and formulas between `$`, in a line."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from autograder.pages.formulas import shown
from autograder.text.display import one_line
from autograder.text.markdown import FORMULA

LONGEST = 2000


def sentence(text: str, *, formulas: bool = False) -> Markup:
    """Return a text of ours on one line, with its code, and with `formulas` these."""
    kept = f"(`[^`]+`|{FORMULA})" if formulas else "(`[^`]+`)"
    pieces = re.split(kept, one_line(text, LONGEST))
    return Markup("").join(
        _special(piece) if n % 2 else escape(piece) for n, piece in enumerate(pieces)
    )


def advice(text: str) -> Markup:
    """Return the text of a diagnosis."""
    return sentence(text, formulas=True)


def _special(piece: str) -> Markup:
    if piece.startswith("`"):
        return Markup("<code>{}</code>").format(piece.strip("`"))
    return Markup(shown(piece.strip("$"), display=False))
