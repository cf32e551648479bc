"""The picture of what the first layer has learnt, as pixels."""

from __future__ import annotations

import io

import numpy as np

COLUMNS, ROWS, ENLARGED, GAP, SIDE = 8, 3, 2, 6, 28
RED, WHITE, BLUE = (
    np.array(colour, float) for colour in ((178, 24, 43), (248, 248, 248), (33, 102, 172))
)
SHADES = 24


def learnt_png(start: np.ndarray, end: np.ndarray) -> bytes:
    """Return a PNG: a row of units at the end of training, and rows of what was added to them."""
    from PIL import Image

    most = np.argsort(-np.linalg.norm(end - start, axis=1))
    rows = [(end[most[:COLUMNS]], np.abs(start).max())]
    change = (end - start)[most]
    for k in range(ROWS):
        rows.append((change[k * COLUMNS : (k + 1) * COLUMNS], np.abs(change).max()))
    cell = SIDE * ENLARGED + GAP
    extra = 2 * GAP  # a wider gap below the first row
    sheet = np.full((len(rows) * cell + GAP + extra, COLUMNS * cell + GAP), SHADES, np.uint8)
    for row, (units, limit) in enumerate(rows):
        for column, unit in enumerate(units):
            shade = np.round(unit.reshape(SIDE, SIDE) / limit * SHADES).clip(-SHADES, SHADES)
            large = np.kron(shade + SHADES, np.ones((ENLARGED, ENLARGED)))
            top, left = GAP + row * cell + extra * (row > 0), GAP + column * cell
            sheet[top : top + SIDE * ENLARGED, left : left + SIDE * ENLARGED] = large
    picture = Image.fromarray(sheet, mode="P")
    picture.putpalette(b"".join(map(_colour, range(-SHADES, SHADES + 1))))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _colour(shade: int) -> bytes:
    """Return red for a negative and blue for a positive shade, white for 0."""
    strength = abs(shade) / SHADES
    colour = (1 - strength) * WHITE + strength * (BLUE if shade > 0 else RED)
    return bytes(colour.round().astype(np.uint8).tolist())
