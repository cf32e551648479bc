"""Where a check is printed: a terminal with colours and a width, or a file."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from typing import TextIO

STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33", "cyan": "36"}
NARROWEST = 40


class Screen:
    """Prints lines; on a terminal in colours, and broken where it ends.

    `width` is what a line may have, None where lines are not broken: in a file. By default it is
    the terminal's, or $COLUMNS.
    """

    def __init__(self, file: TextIO | None = None, width: int | None = None):
        self.file = file or sys.stdout
        is_terminal = self.file.isatty()
        self.colours = is_terminal and "NO_COLOR" not in os.environ and _shows_colours()
        if width is None and file is None and (is_terminal or os.environ.get("COLUMNS", "")):
            width = max(NARROWEST, shutil.get_terminal_size().columns)
        self.width = width

    def line(self, text: str = "", style: str = "", hanging: int = 0) -> None:
        """Print one line; where it has to be broken, it goes on `hanging` columns further right."""
        for part in self._broken(text, hanging):
            shown = part
            if style and self.colours:
                shown = f"\x1b[{STYLES[style]}m{part}\x1b[0m"
            print(shown, file=self.file)
        self.file.flush()

    def clear(self) -> None:
        """Empty the terminal's window; a file keeps what it has."""
        if self.colours:
            print("\x1b[2J\x1b[H", end="", file=self.file)

    def _broken(self, text: str, hanging: int) -> list[str]:
        if self.width is None or len(text) <= self.width:
            return [text]
        indent = len(text) - len(text.lstrip(" "))
        lines = textwrap.wrap(
            text[indent:],
            self.width,
            initial_indent=" " * indent,
            subsequent_indent=" " * (indent + hanging),
            break_long_words=False,
            break_on_hyphens=False,
        )
        return lines or [text]


def _shows_colours() -> bool:
    """Whether terminals here know colours; Windows's have to be told so once."""
    if os.name == "nt":
        os.system("")  # switches the console to escape sequences
    return os.environ.get("TERM") != "dumb"
