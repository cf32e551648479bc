"""How much a project's source could hold of what was not trained here.

Weights can be stored in texts, numbers, names, comments or blanks, in many small pieces. Whatever
they are stored in, all modules together then say more than a program does. How much a text says is
what is left of it when it is compressed.
"""

from __future__ import annotations

import lzma
from collections.abc import Mapping

MOST_BYTES = 48 << 10
"""Most that all modules may hold, compressed. A project with long docstrings has 16 KiB; a
hundredth of ResNet-18's weights, four bits each, would be 55 KiB."""


def stored_bytes(files: Mapping[str, bytes]) -> int:
    """Return how many bytes all modules have together, compressed, names of files included."""
    modules = {name: data for name, data in files.items() if name.endswith(".py")}
    joined = b"\n".join(name.encode() + b"\n" + modules[name] for name in sorted(modules))
    return len(lzma.compress(joined, format=lzma.FORMAT_RAW, filters=FILTERS))


FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6, "dict_size": 1 << 22}]


def too_much(files: Mapping[str, bytes]) -> str:
    """Say what is wrong where modules hold more than MOST_BYTES; "" where they don't."""
    size = stored_bytes(files)
    if size <= MOST_BYTES:
        return ""
    return (
        f"Your modules hold {size / 1024:.0f} KiB even when compressed; at most "
        f"{MOST_BYTES >> 10} KiB are allowed, three times what a project takes. Weights come from "
        "training, not from the source: take out stored data."
    )
