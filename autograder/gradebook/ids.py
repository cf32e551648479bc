"""Students' ids: what a name comes to as an id, and by what two names are compared."""

from __future__ import annotations

import hashlib
import re
import unicodedata

MAX_ID_BYTES = 120


def student_id(name: str) -> str:
    """Return the student id for the name of a folder or an archive (without its ending).

    Letters and digits of any script and `._@+-` stay, every run of others becomes "_"; signs at
    both ends go, so an id is neither a hidden file, an option nor a formula. Where nothing is
    left, or the id would be too long for a file name, a short hash of the name makes it unique.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-8", "replace").decode("utf-8"))
    text = re.sub(r"[^\w.@+-]+", "_", text).strip("._@+-")
    if text and len(text.encode()) <= MAX_ID_BYTES:
        return text
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    start = text.encode()[: MAX_ID_BYTES - 9].decode("utf-8", "ignore")
    return f"{start or 'student'}-{digest}"


def key(text: str) -> str:
    """Return the key for comparing names: the id that intake gives, in lower case."""
    return unicodedata.normalize("NFC", student_id(text).casefold()) if text.strip() else ""


def letters(text: str) -> str:
    """Return a name's letters and digits alone, in lower case: Canvas writes names so."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFC", text)).casefold()
