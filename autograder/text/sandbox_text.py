"""Makes text that came out of a sandbox fit to print."""

from __future__ import annotations

from autograder.text.display import one_line


def clean(text: object, limit: int = 200) -> str:
    """Return `text` on one line, cut to `limit`, with nothing invisible in it.

    What isn't a str is shown as nothing: only text that the channel decoded may get this far.
    """
    return one_line(text, limit) if type(text) is str else ""
