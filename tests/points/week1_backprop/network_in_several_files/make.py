"""Weights in several files."""

from tests.points.stored_networks import letters, submission


def files() -> dict[str, bytes]:
    """Return the network."""
    text, third = letters(), len(letters()) // 3 + 1
    parts = [text[start : start + third] for start in range(0, len(text), third)]
    more = {
        name: f'"""Numbers."""\n\nPART = {part!r}\n'
        for name, part in zip("ab", parts[:2], strict=True)
    }
    code = f"import a\nimport b\n\nSTORED = a.PART + b.PART + {parts[2]!r}\n"
    return submission(code, **more)
