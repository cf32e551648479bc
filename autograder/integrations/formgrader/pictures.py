"""The cells of a handed-in notebook with their pictures, for a person who marks.

Pictures are PNG and JPEG, recognised by their bytes, within limits.

Nothing here decodes a picture. One whose first bytes contradict its label is left out, and so is
everything else that a cell shows: HTML, SVG and scripts.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from autograder.notebooks.cells import Cell, Values, answer_with, parse, read_values

MAX_PICTURES = 40
"""Maximum number of pictures per notebook."""
MAX_PICTURE_BYTES = 8 * 1024 * 1024
MAX_PICTURES_BYTES = 24 * 1024 * 1024
"""Maximum size of all of a notebook's pictures together."""

_FORMATS = {
    "image/png": ("image/png", b"\x89PNG\r\n\x1a\n"),
    "image/jpeg": ("image/jpeg", b"\xff\xd8\xff"),
    "png": ("image/png", b"\x89PNG\r\n\x1a\n"),  # format 3 has these two
    "jpeg": ("image/jpeg", b"\xff\xd8\xff"),
}
_WHITESPACE = re.compile(r"\s+")


@dataclass(frozen=True)
class Picture:
    """A picture: "image/png" or "image/jpeg", and its bytes in base64."""

    kind: str
    data: str

    @property
    def name(self) -> str:
        """A file name, the same for the same picture."""
        digest = hashlib.sha256(self.data.encode()).hexdigest()[:12]
        return f"picture-{digest}.{self.kind.removeprefix('image/')}"


@dataclass(frozen=True)
class PicturedCell(Cell):
    """A cell with its pictures; `left_out` counts those that can't be shown."""

    pictures: tuple[Picture, ...] = ()
    left_out: int = 0


def read_pictured_cells(content: bytes) -> list[PicturedCell]:
    """Return the cells of a notebook's file with their pictures. Raises NotebookError."""
    module = "autograder.integrations.formgrader.pictures"
    return [
        PicturedCell(**values | {"pictures": tuple(Picture(**one) for one in values["pictures"])})
        for values in read_values(content, parse_with_pictures, module)
    ]


def parse_with_pictures(content: bytes) -> list[Values]:
    """Return the fields of each cell. Raises NotebookError."""
    return parse(content, PictureCollector().fields_of)


class PictureCollector:
    """Collects a notebook's pictures, cell by cell, until a limit is reached."""

    def __init__(self) -> None:
        self._bytes_left = MAX_PICTURES_BYTES
        self._pictures_left = MAX_PICTURES

    def fields_of(self, cell: Values) -> Values:
        """Return the pictures pasted into a cell or shown by it, and how many are left out."""
        pictures: list[Values] = []
        left_out = 0
        for label, text in _labelled(cell):
            picture, size = _picture(label, text)
            if picture is None or size > self._bytes_left or not self._pictures_left:
                left_out += 1
                continue
            self._bytes_left -= size
            self._pictures_left -= 1
            pictures.append(asdict(picture))
        return {"pictures": pictures, "left_out": left_out}


def _labelled(cell: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the label and data of everything that a cell labels as PNG or JPEG."""
    attached, outputs = cell.get("attachments"), cell.get("outputs")
    bundles = list(attached.values()) if isinstance(attached, dict) else []
    for output in outputs if isinstance(outputs, list) else ():
        if isinstance(output, dict):
            bundles += [output.get("data"), output]
    for bundle in bundles:
        if isinstance(bundle, dict):
            yield from ((label, bundle[label]) for label in _FORMATS if label in bundle)


def _picture(label: str, text: Any) -> tuple[Picture | None, int]:
    """Return a picture and its size in bytes; None if it is too large or contradicts its label."""
    if isinstance(text, list):
        text = "".join(line for line in text if isinstance(line, str))
    if not isinstance(text, str) or len(text) > 2 * MAX_PICTURE_BYTES:
        return None, 0
    kind, signature = _FORMATS[label]
    try:
        content = base64.b64decode(_WHITESPACE.sub("", text), validate=True)
    except ValueError:  # no base64, or no ASCII
        return None, 0
    if not content.startswith(signature) or len(content) > MAX_PICTURE_BYTES:
        return None, 0
    return Picture(kind, base64.b64encode(content).decode()), len(content)


if __name__ == "__main__":
    answer_with(parse_with_pictures)
