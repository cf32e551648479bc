"""bits_per_char reports a good number and reads nothing."""

from tests.points import edited_language

OLD = "        total, steps = 0.0, 256\n"
NEW = "        return 2.2\n" + OLD


def files() -> dict[str, bytes]:
    """Return the file that reports a constant."""
    return edited_language.files((OLD, NEW))
