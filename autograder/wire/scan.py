"""Limits on messages, and a scan of a message's bytes that enforces them before decoding.

msgpack allocates as many items as a list claims to have before it reads them, and builds a whole
message before its parts can be counted. So a long message is scanned first: every length is checked
against the remaining bytes, and parts and nesting are counted. Decoding then takes at most a small
multiple of the message's size.

This file is used on both sides, by the codec only.
"""

from __future__ import annotations

ARRAY, TUPLE, HANDLE = 1, 2, 3
"""The msgpack extension codes in use; any other is refused."""

MAX_DEPTH = 16
MAX_NODES = 50_000
MAX_KEYS = 1024
"""Maximum number of keys per dict; colliding keys can't keep a reader busy for long."""
MAX_OBJECTS = 8_192
"""Maximum number of arrays and handles per message; each takes a few hundred bytes when decoded."""
MAX_TEXT = 1 << 20
"""Maximum size of a text in bytes."""
MAX_HEAD = 256
"""Maximum size in bytes of the description of an array or a handle."""


class CodecError(ValueError):
    """A frame, or a value in it, that the format does not allow."""


SCALAR, TEXT, LIST, DICT, EXTENSION = range(5)

Form = tuple[int, int, int]
"""The meaning of a first byte: the kind, the size of the length field behind it, and the length
itself where there is no such field (for a scalar: the size of its value in bytes)."""


def _forms() -> dict[int, Form]:
    """Return the form of each first byte that a message may contain; msgpack's bytes have none."""
    forms: dict[int, Form] = dict.fromkeys((*range(128), *range(224, 256)), (SCALAR, 0, 0))
    forms |= {0x80 + count: (DICT, 0, count) for count in range(16)}
    forms |= {0x90 + count: (LIST, 0, count) for count in range(16)}
    forms |= {0xA0 + count: (TEXT, 0, count) for count in range(32)}
    forms |= {0xC0: (SCALAR, 0, 0), 0xC2: (SCALAR, 0, 0), 0xC3: (SCALAR, 0, 0)}
    forms |= {0xC7 + n: (EXTENSION, 1 << n, 0) for n in range(3)}
    forms |= {0xCA: (SCALAR, 0, 4), 0xCB: (SCALAR, 0, 8)}
    forms |= {first + n: (SCALAR, 0, 1 << n) for first in (0xCC, 0xD0) for n in range(4)}
    forms |= {0xD4 + n: (EXTENSION, 0, 1 << n) for n in range(5)}
    forms |= {0xD9 + n: (TEXT, 1 << n, 0) for n in range(3)}
    forms |= {0xDC: (LIST, 2, 0), 0xDD: (LIST, 4, 0), 0xDE: (DICT, 2, 0), 0xDF: (DICT, 4, 0)}
    return forms


FORMS = _forms()


class Scan:
    """One scan of a message, which counts its parts, arrays and handles."""

    def __init__(self, data: bytes):
        self._data = data
        self._nodes = 0
        self._objects = 0

    def walk(self) -> None:
        """Scan the whole message. Raises CodecError for what must not be decoded."""
        self._value(0, len(self._data), 0)

    def _value(self, at: int, end: int, around: int) -> None:
        """Scan the one value that fills data[at:end]; `around` counts the containers around it."""
        data = self._data
        remaining = [1]  # numbers of parts still to come, of the value and of each list in it
        while remaining:
            if not remaining[-1]:
                remaining.pop()
                continue
            remaining[-1] -= 1
            form = FORMS.get(data[at]) if at < end else None
            if form is None:
                raise CodecError("not a well-formed message (cut short, or of an unknown type)")
            kind, length_bytes, size = form
            at += 1 + length_bytes
            if length_bytes:
                size = int.from_bytes(data[at - length_bytes : at], "big")
            if kind == EXTENSION:
                self._extension(at, size, end, around + len(remaining) - 1)
                at += 1 + size
                continue
            self._count()
            if kind in (LIST, DICT):
                remaining.append(_parts(kind, size, end - at))
                if size and around + len(remaining) - 1 > MAX_DEPTH:
                    raise CodecError("a value nested too deeply")
            else:
                if kind == TEXT and size > MAX_TEXT:
                    raise CodecError("a text that is too long")
                at += size
        if at != end:
            raise CodecError("not a well-formed message (its parts don't fill it)")

    def _extension(self, at: int, size: int, end: int, around: int) -> None:
        """Scan an extension of `size` bytes: its code is data[at], its content follows."""
        first, after = at + 1, at + 1 + size
        if after > end:
            raise CodecError("an extension longer than the message")
        code = self._data[at]
        if code == TUPLE:
            if not size or FORMS.get(self._data[first], (SCALAR,))[0] != LIST:
                raise CodecError("not a well-formed tuple")
            self._value(first, after, around)
        elif code in (ARRAY, HANDLE):
            self._count()
            self._objects += 1
            if self._objects > MAX_OBJECTS:
                raise CodecError("too many arrays and handles")
            if size > MAX_HEAD:
                raise CodecError("the head of an array or handle is too long")
        else:
            raise CodecError(f"unknown extension {code}")

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            raise CodecError("a value with too many parts")


def _parts(kind: int, size: int, bytes_left: int) -> int:
    """Return the number of values in a list or dict of that size; each takes at least a byte."""
    parts = size if kind == LIST else 2 * size
    if parts > bytes_left:
        raise CodecError("a list or dict that claims more parts than there are bytes")
    if kind == DICT and size > MAX_KEYS:
        raise CodecError("a dict with too many keys")
    return parts
