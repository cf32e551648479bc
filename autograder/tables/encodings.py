"""The text of a CSV file, in whichever encoding a spreadsheet has saved it.

UTF-8 and UTF-16 are known by their marks or by their form. What is neither is Windows-1252, as
Excel writes it in the west, or else Latin-1, in which every byte is a character: so the bytes of a
file that is written again stay as they were.
"""

from __future__ import annotations

import codecs

BOM = "\ufeff"
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_NO_TEXT = ((b"PK\x03\x04", "an Excel or OpenDocument"), (b"\xd0\xcf\x11\xe0", "an old Excel"))


def decode(content: bytes) -> tuple[str, str]:
    """Return a file's text, with its byte order mark, and its encoding.

    Raises ValueError, with what it is instead, for a workbook and for anything with control
    characters that no text has.
    """
    for start, kind in _NO_TEXT:
        if content.startswith(start):
            raise ValueError(f"{kind} workbook and no CSV file")
    for encoding in _candidates(content):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            break
        return text, encoding
    raise ValueError("not a CSV file (it holds NUL bytes)")


def _candidates(content: bytes) -> list[str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return [encoding]
    # Without a mark, every second byte of UTF-16 is 0 where the text is mostly of Latin letters.
    for start, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = content[start::2]
        if half and len(content) % 2 == 0 and 2 * half.count(0) > len(half):
            return [encoding]
    return ["utf-8", "cp1252", "latin-1"]
