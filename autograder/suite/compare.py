"""Descriptions of how two arrays differ: place, size, and a simple form if there is one."""

from __future__ import annotations

from fractions import Fraction
from math import isclose, isfinite, log

import numpy as np

FEW = 2


def number(value: object) -> str:
    """Format a number for a message: short, but exact enough to recognise."""
    return f"{value:.6g}" if isinstance(value, (int, float, np.number)) else str(value)


def pair(got: object, wanted: object) -> str:
    """Format what came and what was expected, with as many digits as tell them apart."""
    texts = number(got), number(wanted)
    if texts[0] == texts[1]:
        texts = repr(float(got)), repr(float(wanted))  # type: ignore[arg-type]
    return f"got {texts[0]}, expected {texts[1]}."


def index_text(index: tuple[int, ...]) -> str:
    """Format an index the way it is written in code: `[2, 0]`; nothing for a scalar."""
    return f"[{', '.join(map(str, index))}]" if index else ""


def first_entry(marked: np.ndarray) -> tuple[int, ...]:
    """Return the index of the first True; at least one entry must be True."""
    return tuple(int(i) for i in np.unravel_index(np.argmax(marked), marked.shape))


def worst_entry(received: np.ndarray, expected: np.ndarray) -> tuple[int, ...]:
    """Return the index of the largest absolute difference. Both arrays have the same shape."""
    with np.errstate(over="ignore"):
        difference = np.abs(received - expected)
    return tuple(int(i) for i in np.unravel_index(np.argmax(difference), difference.shape))


FARTHEST = (1.0, 1.0)


def apart(received: np.ndarray, expected: np.ndarray) -> tuple[float, float]:
    """Return how far an array is from the nearest multiple of another, and from that itself."""
    with np.errstate(all="ignore"):
        scales = np.abs(received).max(initial=0.0), np.abs(expected).max(initial=0.0)
        got, wanted = np.ravel(received / scales[0]), np.ravel(expected / scales[1])
        factor = np.vdot(wanted, got) / np.vdot(wanted, wanted)
        far = np.linalg.norm(got - factor * wanted) / np.linalg.norm(got)
        size = np.linalg.norm(got - wanted * (scales[1] / scales[0])) / np.linalg.norm(got)
    return (round(float(far), 6), float(size)) if np.isfinite(far + size) else FARTHEST


def describe(received: np.ndarray, expected: np.ndarray, bad: np.ndarray) -> str:
    """Describe the entries marked in `bad`: how many, the worst, and the form of the difference.

    All three have the same shape, and `received` is finite where it is compared.
    """
    index = worst_entry(np.where(bad, received, 0), np.where(bad, expected, 0))
    got, wanted = received[index], expected[index]
    where = f"at {index_text(index)}: " if index else ""
    count = int(bad.sum())
    if received.size == 1:
        return _with_form(pair(got, wanted), factor_of_number(float(got), float(wanted)))
    text = (
        f"{count} of {received.size} entries differ; the largest difference is "
        f"{where}{pair(got, wanted)}"
    )
    with np.errstate(all="ignore"):
        form = _form(received, expected)
    return _with_form(text, form)


def _with_form(text: str, form: str) -> str:
    return f"{text} {form}" if form else text


LOGARITHMS = {
    "1/log(2)": 1 / log(2),
    "1/log(10)": 1 / log(10),
    "log(2)": log(2),
    "log(10)": log(10),
}
MOST_PARTS = 200


def factor_of_number(got: float, wanted: float) -> str:
    """Name the factor between two numbers, if it is one that numbers rarely have by chance.

    Where what is expected is a number of few digits itself, a ratio tells nothing.
    """
    few_digits = not isfinite(wanted) or isclose(wanted * 1e4, round(wanted * 1e4), rel_tol=1e-9)
    factor = 1.0 if few_digits else got / wanted
    if not 1e-4 < abs(factor) < 1e4 or isclose(factor, 1.0, rel_tol=1e-6):
        return ""
    if isclose(factor, -1.0, rel_tol=1e-8):
        return "Yours has the opposite sign."
    simple = Fraction(factor).limit_denominator(MOST_PARTS)
    known = {str(simple): float(simple)} if abs(simple.numerator) <= MOST_PARTS else {}
    for name, value in (known | LOGARITHMS).items():
        if isclose(factor, value, rel_tol=1e-9):
            said = "" if name.lstrip("-").isdigit() else f" ({name})"
            return f"Yours is {factor:.4g} times the expected value{said}."
    return ""


def _form(received: np.ndarray, expected: np.ndarray) -> str:
    """Name a simple relation of the whole arrays, if there is one: factor, transpose, offset."""
    if received.size < FEW or not np.any(expected):
        return ""
    scale = float(np.max(np.abs(expected)))
    if not np.any(received):
        return "Yours is zero everywhere."
    factor = float(np.vdot(expected, received).real / np.vdot(expected, expected).real)
    if np.allclose(received, factor * expected, rtol=1e-6, atol=1e-9 * scale):
        if np.isclose(factor, 1):
            return ""
        if np.count_nonzero(expected) < FEW:  # one entry has a ratio, whatever is wrong
            alone = first_entry(expected != 0)
            return factor_of_number(float(received[alone]), float(expected[alone]))
        if np.isclose(factor, -1):
            return "Yours has the opposite sign everywhere."
        return f"Yours is {factor:.4g} times the expected value everywhere."
    square = received.ndim == 2 and received.shape[0] == received.shape[1]
    if square and np.allclose(received, expected.T, rtol=1e-6, atol=1e-9 * scale):
        return "Yours is the transpose of what is expected."
    offset = received - expected
    even = np.allclose(offset, offset.flat[0], rtol=1e-6, atol=1e-9 * scale)
    if even and abs(offset.flat[0]) > 1e-6 * scale:
        return f"Yours is off by the same {offset.flat[0]:.4g} everywhere."
    return ""
