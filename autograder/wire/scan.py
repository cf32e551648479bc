"""What a message may hold, and a walk through its bytes that refuses more before any is built.

msgpack makes room for as many parts as a list says it has, before it has seen one, and builds all
of a message before anybody can count. So a long message is walked through first: every length is
held against the bytes that are left, every part is counted, and the nesting too. What is built
afterwards is no larger than a small multiple of what was sent.

This file is used on both sides, by the codec only.
"""

from __future__ import annotations

ARRAY, TUPLE, HANDLE = 1, 2, 3
"""The msgpack extension codes in use; any other is refused."""

MAX_DEPTH = 16
MAX_NODES = 200_000
MAX_KEYS = 1024
"""Keys of one dict: few enough that keys chosen to collide can't keep a reader busy for long."""
MAX_OBJECTS = 16_384
"""Arrays and handles of one message: each is a few hundred bytes here, whatever it was there."""
MAX_TEXT = 1 << 20
MAX_HEAD = 256
"""Bytes that say what an array or a handle is."""


class CodecError(ValueError):
    """A frame, or a value in it, that the format does not allow."""


SCALAR, TEXT, LIST, DICT, EXTENSION = range(5)

Form = tuple[int, int, int]
"""What a first byte announces: the kind; the bytes of the length that follows it; and, where there
are none, the length itself (of a scalar: the bytes of its value)."""


def _forms() -> dict[int, Form]:
    """Return the form of each first byte that may stand in a message; bytes have none."""
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
    """One walk: how many parts there were, and how many of them were arrays or handles."""

    def __init__(self, data: bytes):
        self._data = data
        self._nodes = 0
        self._objects = 0

    def walk(self) -> None:
        """Walk through the whole message. Raises CodecError for what may not be decoded."""
        self._value(0, len(self._data), 0)

    def _value(self, at: int, end: int, around: int) -> None:
        """Walk through the one value that fills data[at:end], in so many lists, tuples, dicts."""
        data = self._data
        waiting = [1]  # parts still to come: of the value itself, then of each list in it
        while waiting:
            if not waiting[-1]:
                waiting.pop()
                continue
            waiting[-1] -= 1
            form = FORMS.get(data[at]) if at < end else None
            if form is None:
                raise CodecError("not a well-formed message (cut short, or of an unknown type)")
            kind, wide, size = form
            at += 1 + wide
            if wide:
                size = int.from_bytes(data[at - wide : at], "big")
            if kind == EXTENSION:
                self._extension(at, size, end, around + len(waiting) - 1)
                at += 1 + size
                continue
            self._count()
            if kind in (LIST, DICT):
                waiting.append(_parts(kind, size, end - at))
                if size and around + len(waiting) - 1 > MAX_DEPTH:
                    raise CodecError("a value nested too deeply")
            else:
                if kind == TEXT and size > MAX_TEXT:
                    raise CodecError("a text that is too long")
                at += size
        if at != end:
            raise CodecError("not a well-formed message (its parts don't fill it)")

    def _extension(self, at: int, size: int, end: int, around: int) -> None:
        """Look at an extension of `size` bytes: its code stands at data[at], its content behind."""
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


def _parts(kind: int, size: int, left: int) -> int:
    """Return how many values a list or dict of that size holds, if so many can be left."""
    parts = size if kind == LIST else 2 * size
    if parts > left:
        raise CodecError("a list or dict that claims more parts than there are bytes")
    if kind == DICT and size > MAX_KEYS:
        raise CodecError("a dict with too many keys")
    return parts
