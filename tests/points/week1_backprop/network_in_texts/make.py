"""Weights in several texts."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    parts = [letters()[start : start + 140] for start in range(0, len(letters()), 140)]
    lines = "".join(f"PART_{n} = {part!r}\n" for n, part in enumerate(parts))
    names = " + ".join(f"PART_{n}" for n in range(len(parts)))
    return submission(f"{lines}STORED = {names}\n")
