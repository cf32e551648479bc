"""Text from a sandbox made safe to print."""

from __future__ import annotations

from autograder.text.display import one_line


def clean(text: object, limit: int = 200) -> str:
    """Return `text` on one line, cut to `limit`, with nothing invisible in it.

    Anything but a str gives "": only text that the channel decoded may be shown.
    """
    return one_line(text, limit) if type(text) is str else ""
