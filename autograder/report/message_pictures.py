"""Small pictures of what a message says of an array: how many entries differ, which shape came.

They show what the message says and nothing else: values of hidden tests are not known here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from markupsafe import Markup

from autograder.pages.charts import shapes, squares

ENTRIES = re.compile(r"(\d+) of (\d+) entries (?:differ|are)\b")
SHAPES = re.compile(r"expected shape \(([\d, ]*)\), got \(([\d, ]*)\)")
VALUES = re.compile(r"got (-?[\d.]+(?:e[+-]?\d+)?), expected (-?[\d.]+(?:e[+-]?\d+)?)\.(?=\s|$)")
AT = re.compile(r"the largest difference is at (\[[\d, ]+\])")
MOST_DIMENSIONS = 2
LONGEST_NUMBER = 24


@dataclass(frozen=True)
class Seen:
    """What a message says in numbers: a picture, words for it, and a pair of values."""

    picture: Markup | None = None
    words: str = ""
    got: str = ""
    expected: str = ""
    at: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether the message says nothing that can be shown so."""
        return self.picture is None and not self.got


def seen_in(message: str) -> Seen:
    """Return what the first line of a message of `expect` or `compare` says in numbers."""
    line = message.partition("\n")[0]
    shape = SHAPES.search(line)
    if shape:
        wanted, got = (_lengths(text) for text in shape.groups())
        words = f"shape {_shape(got)} came, and {_shape(wanted)} is asked for"
        flat = len(got) <= MOST_DIMENSIONS and len(wanted) <= MOST_DIMENSIONS
        return Seen(shapes(got, wanted, words) if flat else None, words if flat else "")
    entries, values, place = ENTRIES.search(line), VALUES.search(line), AT.search(line)
    picture, said = None, ""
    if entries and 0 < int(entries[1]) <= int(entries[2]):
        bad, total = int(entries[1]), int(entries[2])
        said = f"{bad} of {total} entries are wrong"
        picture = squares(bad, total, said)
    came, asked = values.groups() if values else ("", "")
    if max(len(came), len(asked)) > LONGEST_NUMBER:
        came = asked = ""
    return Seen(picture, said, came, asked, place[1] if place and came else "")


def _lengths(text: str) -> list[int]:
    return [int(one) for one in re.findall(r"\d+", text)][:8]


def _shape(lengths: list[int]) -> str:
    return f"({', '.join(map(str, lengths))}{',' * (len(lengths) == 1)})"
