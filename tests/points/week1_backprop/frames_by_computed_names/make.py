"""Asks a traceback for its frame without naming the attribute."""

from tests.points.stored_weights import REFERENCE

ADDED = b"""

def _around():
    try:
        raise ValueError
    except ValueError as error:
        letters = 116, 98, 95, 102, 114, 97, 109, 101
        frame = getattr(error.__traceback__, "".join(map(chr, letters)))
        return getattr(frame, "kcab_f"[::-1])


AROUND = _around()
"""


def files() -> dict[str, bytes]:
    """Return the file that does it."""
    return {"mnist_mlp.py": (REFERENCE / "mnist_mlp.py").read_bytes() + ADDED}
