"""Weights in docstrings."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    text, half = letters(), len(letters()) // 2
    code = "".join(
        f"\n\ndef part_{n}():\n    {part!r}\n" for n, part in enumerate((text[:half], text[half:]))
    )
    return submission(f"{code}\n\nSTORED = part_0.__doc__ + part_1.__doc__\n")
