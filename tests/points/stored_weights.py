"""Weights in a source, written down in one way or another: pictures of ten digits, one byte each.

Each writer returns lines of Python that hold `data`. The classes' mean pictures of digits, as a
first layer, read nine of ten digits without any training.
"""

from __future__ import annotations

import base64
import textwrap
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import numpy as np

import data

REFERENCE = Path(__file__).resolve().parents[2] / "solutions" / "week1_backprop"
Writer = Callable[[bytes], str]


@cache
def weights() -> bytes:
    """Return the mean picture of each class, as bytes: 7,840 of them."""
    digits = data.load("digits")
    x = np.asarray(digits.x_train, dtype=float).reshape(len(digits.x_train), -1)
    means = [x[np.asarray(digits.y_train) == n].mean(axis=0) for n in range(10)]
    return (np.array(means) / max(1.0, x.max()) * 255).astype(np.uint8).tobytes()


def files(*written: str, places: tuple[str, ...] = ("mnist_mlp.py",)) -> dict[str, bytes]:
    """Return the reference's files with what is written at their ends, one for each place."""
    return {
        place: (REFERENCE / place).read_bytes() + f"\n\n{text}\n".encode()
        for place, text in zip(places, written, strict=True)
    }


def _pieces(text: str, size: int) -> Iterator[str]:
    return (text[n : n + size] for n in range(0, len(text), size))


def _lines(stored: bytes, line: Callable[[int, bytes], str], size: int) -> str:
    starts = range(0, len(stored), size)
    return "\n".join(line(n, stored[start : start + size]) for n, start in enumerate(starts))


def texts(stored: bytes) -> str:
    """Seven texts of letters, each shorter than the longest constant that is allowed."""
    letters = "".join(chr(69 + (byte >> 4)) for byte in stored)
    return "\n".join(
        f"P{n} = (\n" + "\n".join(f"    {row!r}" for row in textwrap.wrap(piece, 80)) + "\n)"
        for n, piece in enumerate(_pieces(letters, 1_120))
    )


def byte_texts(stored: bytes) -> str:
    """Bytes, in pieces."""
    return _lines(stored, lambda n, piece: f"B{n} = {piece!r}", 20)


def ints(stored: bytes) -> str:
    """Whole numbers of 60 digits or so."""
    return _lines(stored, lambda n, piece: f"N{n} = {int.from_bytes(piece, 'big')}", 25)


def floats(stored: bytes) -> str:
    """Lists of a few numbers each."""
    return _lines(stored, lambda n, piece: f"F{n} = {[byte / 100 for byte in piece]}", 12)


def complex_numbers(stored: bytes) -> str:
    """Complex numbers, two bytes each."""
    pairs = lambda piece: [complex(*piece[k : k + 2]) for k in range(0, len(piece) - 1, 2)]  # noqa: E731
    return _lines(stored, lambda n, piece: f"C{n} = {pairs(piece)}", 12)


def identifiers(stored: bytes) -> str:
    """The names of variables."""
    return _lines(stored, lambda n, piece: f"v{n}_{piece.hex()} = {n}", 30)


def docstring(stored: bytes) -> str:
    """A docstring."""
    text = base64.b64encode(stored).decode()
    rows = "\n".join(f"    {row}" for row in textwrap.wrap(text, 90))
    return f'def remarks():\n    """Return nothing.\n\n{rows}\n    """'


def comments(stored: bytes) -> str:
    """Comments, which are read from the file itself."""
    text = base64.b85encode(stored).decode()
    return "\n".join(f"# {piece}" for piece in _pieces(text, 90))


def f_strings(stored: bytes) -> str:
    """Texts in which something is put in now and then."""
    text = base64.b64encode(stored).decode()
    rows = _pieces(text, 60)
    return "E = 1\n" + "\n".join(
        f'T{n} = f"{row[:30]}{{E}}{row[30:]}"' for n, row in enumerate(rows)
    )


def words(stored: bytes) -> str:
    """Words of the handout, of which each stands for a number."""
    handout = (REFERENCE.parents[1] / "README.md").read_text("utf-8")
    known = sorted({word.lower() for word in handout.split() if word.isalpha()})[:256]
    text = " ".join(known[byte % len(known)] for byte in stored)
    return "\n".join(f"# {row}" for row in textwrap.wrap(text, 90))


def chinese(stored: bytes) -> str:
    """Characters of a script that has thousands of them."""
    return _lines(stored, lambda n, p: f"Z{n} = '{''.join(chr(0x4E00 + b) for b in p)}'", 40)
