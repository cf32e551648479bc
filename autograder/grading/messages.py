"""The messages between an examiner and its parent, and their validation.

The examiner decodes the answers of student code, and its parent may be root, so an examiner's
messages are never unpickled: they are JSON with a maximum length, a kind, and fields of known types
and ranges; everything else is rejected. The parent's messages are trusted, and use msgpack.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

import msgpack
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from autograder.gradebook.flags import Flag
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict

LENGTH_BYTES = 4
"""Size in bytes of the length before each message, an unsigned big-endian number."""

LARGEST_MESSAGE_BYTES = 16 << 20
LARGEST_STRUCTURE_BYTES, MOST_TEXTS = 1 << 20, 100_000
"""How much of a message may be something else than texts, and how many texts there may be: parsing
them takes a hundredfold."""

LONGEST_TEXT, LONGEST_NAME = 100_000, 1_000
MOST_CHECKS, MOST_FLAGS = 20_000, 10_000
MOST_SECONDS = 1e6
DEEPEST_DETAIL, MOST_DETAILS, LARGEST_INTEGER = 8, 100_000, 1 << 63
LONE_SURROGATE = re.compile("[\ud800-\udfff]")
TEXTS = re.compile(rb'"(?:[^"\\]++|\\.?)*+"?', re.DOTALL)
"""A JSON text, also one without an end, so that looking for them takes one pass."""


def _plain(value: Any) -> Any:
    """Return a detail that is as it should be: few and finite numbers, texts, not too deep."""
    if not value:
        return value
    left = MOST_DETAILS
    level = [value]
    for _ in range(DEEPEST_DETAIL + 1):
        left -= len(level)
        if left < 0:
            raise ValueError("too many details")
        inside: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inside += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                inside += one
            elif isinstance(one, float) and not math.isfinite(one):
                raise ValueError("a number that is not finite")
            elif isinstance(one, int) and abs(one) > LARGEST_INTEGER:
                raise ValueError("an integer that is too large")
            elif isinstance(one, str) and len(one) > LONGEST_TEXT:
                raise ValueError("a text that is too long")
        if not inside:
            return value
        level = inside
    raise ValueError("details nested too deeply")


Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME)]
Text = Annotated[str, Field(max_length=LONGEST_TEXT)]
Seconds = Annotated[float, Field(ge=0, le=MOST_SECONDS)]
Detail = Annotated[dict[Name, Any], AfterValidator(_plain)]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class PlannedFields(_Fields):
    """A planned check."""

    id: Name
    item: Name
    title: Text
    weight: Annotated[int, Field(ge=0, le=1_000_000)]

    def record(self) -> PlannedCheck:
        """Return the record that these fields make."""
        return PlannedCheck(self.id, self.item, self.title, self.weight)


class ResultFields(_Fields):
    """A check's result."""

    check: Name
    verdict: Verdict
    credit: Annotated[int, Field(ge=0, le=FULL_CREDIT)]
    message: Text
    seconds: Seconds
    misconception: Name | None
    advice: Text | None
    detail: Detail

    def record(self) -> CheckResult:
        """Return the record that these fields make."""
        return CheckResult(
            self.check,
            self.verdict,
            self.credit,
            self.message,
            self.seconds,
            self.misconception,
            self.advice,
            self.detail,
        )


class FlagFields(_Fields):
    """A flag."""

    rule: Name
    evidence: Text
    item: Name | None
    place: Text

    def record(self) -> Flag:
        """Return the record that these fields make."""
        return Flag(self.rule, self.evidence, self.item, self.place)


class _Message(_Fields):
    job: int
    """The number of the request that the message answers."""


class Described(_Message):
    """The planned checks of a week, and the dependencies of their results."""

    kind: Literal["described"]
    checks: Annotated[list[PlannedFields], Field(max_length=MOST_CHECKS)]
    fingerprint: Name
    confinement: Name
    versions: Annotated[dict[Name, Name], Field(max_length=100)]


class Checked(_Message):
    """One check's result, sent while the others still run."""

    kind: Literal["checked"]
    result: ResultFields


class Done(_Message):
    """A submission has been examined."""

    kind: Literal["examined"]
    results: Annotated[list[ResultFields], Field(max_length=MOST_CHECKS)]
    flags: Annotated[list[FlagFields], Field(max_length=MOST_FLAGS)]
    seconds: Seconds


class Said(_Message):
    """The text that an operation returned."""

    kind: Literal["text"]
    text: Annotated[str, Field(max_length=LARGEST_MESSAGE_BYTES)]


class Failed(_Message):
    """The request failed."""

    kind: Literal["failed"]
    problem: Text
    remedy: Text


Message = Described | Checked | Done | Said | Failed
_MESSAGES: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


def read(body: bytes) -> Message:
    """Return the message in `body`.

    Raises ValueError for an invalid message, with a text that quotes nothing of it.
    """
    if len(body) > LARGEST_STRUCTURE_BYTES // 16:
        between = TEXTS.split(body)
        if sum(map(len, between)) > LARGEST_STRUCTURE_BYTES or len(between) > MOST_TEXTS:
            raise ValueError("no valid message (too many parts)")
    try:
        return _MESSAGES.validate_json(body)
    except ValidationError as error:
        # The place of the error is left out: it contains keys chosen by the sender.
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ValueError(f"no valid message ({first['type']})") from None
    except (ValueError, RecursionError) as error:
        raise ValueError(f"no valid message ({type(error).__name__})") from None


# The examiner's side.


def written(kind: str, job: int, **fields: Any) -> bytes:
    """Return a message with its length before it. Raises ValueError for what JSON can't hold."""
    text = json.dumps({"kind": kind, "job": job, **fields}, ensure_ascii=False, allow_nan=False)
    # JSON readers reject a lone surrogate, which a message may quote.
    body = LONE_SURROGATE.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode()
    if len(body) > LARGEST_MESSAGE_BYTES:
        raise ValueError(f"a message of {len(body)} bytes is too long")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def fitting(text: str) -> str:
    """Return text valid in a message: cut to the maximum length, lone surrogates escaped."""
    if text.isascii() and len(text) <= LONGEST_TEXT:
        return text
    return text[:LONGEST_TEXT].encode("utf-8", "backslashreplace").decode()[:LONGEST_TEXT]


def fields_of(records: Iterable[PlannedCheck | CheckResult | Flag]) -> list[dict[str, Any]]:
    """Return records as a message's fields, with texts made fitting."""
    return [
        {
            name: fitting(value) if isinstance(value, str) else value
            for name, value in vars(record).items()
        }
        for record in records
    ]


# The parent's messages.


def request(**fields: Any) -> bytes:
    """Return an encoded request to an examiner, with its length before it."""
    body = msgpack.packb(fields, unicode_errors="surrogatepass")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def read_request(body: bytes) -> dict[str, Any]:
    """Return what the parent asked. To be called by examiners only."""
    return msgpack.unpackb(body, unicode_errors="surrogatepass", strict_map_key=False)
