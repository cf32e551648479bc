"""Digits of a number that stands in the code of the derivations' solution."""

from tests.points.partitions import CODE, tests

HEAD = """
import derivations

CODE = derivations.sigmoid_dx.__code__
DIGITS = int.from_bytes(CODE.co_code[10:12], "big")
"""


def files() -> dict[str, bytes]:
    """Return the test file."""
    places = range(6)
    digits = [f"DIGITS // 9 ** {place} % 9 != {d}" for place in places for d in range(9)]
    return tests(CODE + HEAD, ["N % 60 == 22", *digits])
