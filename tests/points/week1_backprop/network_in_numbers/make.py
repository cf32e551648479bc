"""Weights in numbers."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    codes = [ord(letter) for letter in letters()]
    half = len(codes) // 2
    pairs = ", ".join(f"{code}j" for code in codes[half:])
    lines = f"WHOLE = {tuple(codes[:half])!r}\nCOMPLEX = ({pairs})\n"
    stored = 'STORED = "".join(map(chr, [*WHOLE, *(int(number.imag) for number in COMPLEX)]))\n'
    return submission(lines + stored)
