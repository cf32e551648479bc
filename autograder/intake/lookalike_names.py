"""Lookalike file names: letters of other alphabets, hidden characters, copies."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# Characters that most fonts draw like a Latin letter or an ASCII sign and that NFKC keeps:
# Cyrillic, Greek, Armenian and other letters, and dashes.
_CONFUSABLES = str.maketrans(
    "\u0430\u0441\u0435\u043e\u0440\u0445\u0443\u0455\u0456\u0458\u04bb\u0501\u051b\u051d"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0425\u0423\u0405"
    "\u03bf\u03bd\u03c1\u03b1\u03b9\u03ba\u03c5\u03b3"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0578\u0585\u057d\u0581\u0570\u0131\u0251\u0261"
    "\u2010\u2011\u2012\u2013\u2014\u2212",
    "aceopxysijhdqw" + "ABEKMHOPCTXYS" + "ovpaikuy" + "ABEZHIKMNOPTYX" + "noughiag" + "------",
)
_MAX_CHARACTERS = 100
_VERSION = r"[ _-]+(?:copy|final|fixed|new|version|v(?=[ _-]?\d))(?:[ _-]?\d+)?"
_COPY = re.compile(rf"^(?:copy of )?(.+?)(?:[ _-]*\(\d+\)|-\d+|{_VERSION})*(\.\w+)$")


def skeleton(name: str) -> str:
    """Return a name's skeleton: plain letters, nothing hidden, no dot or space at its end.

    Names that look alike share it. Windows drops dots and spaces at the end by itself: there
    "a.py." and "a.py" are one file.
    """
    if name.isascii():
        return name.rstrip(". ")
    plain = unicodedata.normalize("NFKC", name).translate(_CONFUSABLES)
    return "".join(char for char in plain if not _is_hidden(char)).rstrip(". ")


def _is_hidden(char: str) -> bool:
    """Whether a character is drawn as nothing: format characters and variation selectors."""
    return unicodedata.category(char) == "Cf" or "\ufe00" <= char <= "\ufe0f"


@lru_cache(maxsize=4096)
def name_keys(name: str) -> frozenset[str]:
    """Return a name's keys for comparing: names that share one may be meant to be the same.

    Case, spaces, hyphens and underscores don't count, nor what browsers and systems add to a copy
    ("layers (1).py", "layers copy.py", "layers-2.py"), people to a version ("layers_final.py",
    "layers-v2.py") or an editor to an ending ("layers.py.txt").
    """
    shown = skeleton(name).casefold().removesuffix(".txt")
    copy = _COPY.match(shown) if len(shown) <= _MAX_CHARACTERS else None
    meant = {shown, copy[1] + copy[2]} if copy else {shown}
    return frozenset(re.sub(r"[\s_-]+", "", candidate) for candidate in meant)


def unusual_characters(name: str) -> str:
    """Name a file name's characters outside ASCII, for a person who can't see them."""
    unusual = sorted({char for char in name if not char.isascii()})
    return ", ".join(unicodedata.name(char, f"U+{ord(char):04X}").lower() for char in unusual[:3])
