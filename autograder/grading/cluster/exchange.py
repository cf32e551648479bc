"""What head and nodes say to each other: requests to nodes, their answers, and their validation.

Dask carries bytes and nothing else of ours. Requests are msgpack. An answer is msgpack too, an
envelope around a message of an examiner, which the node has validated (`messages`) and the head
validates again; so nothing that came from student code is ever unpickled, on either machine.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgpack
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from autograder.grading import messages
from autograder.grading.messages import Described, Name, Text

MOST_WEEKS, MOST_PARTS, MOST_PLACES = 100, 100_000, 1_000
LARGEST_ANSWER_BYTES = messages.LARGEST_MESSAGE_BYTES + (1 << 16)
State = Literal["done", "stranger", "busy"]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Answer(_Fields):
    """A node's answer.

    state: "stranger" if the node has not proved itself in this run, "busy" if it grades for another
    one; confinement: the name of what confines student code there, "" before that is known; body:
    a message of `messages`, or a Proof.
    """

    state: State
    confinement: Annotated[str, Field(max_length=messages.LONGEST_NAME)] = ""
    body: Annotated[bytes, Field(max_length=messages.LARGEST_MESSAGE_BYTES)] = b""


class WeekProof(_Fields):
    """A node's plan of a week, and what the week's results depend on there, part by part."""

    week: int
    described: Described
    parts: Annotated[dict[Name, Name], Field(max_length=MOST_PARTS)]


class Proof(_Fields):
    """What a node proves before its first job."""

    kind: Literal["proof"]
    job: int
    host: Name
    places: Annotated[int, Field(ge=1, le=MOST_PLACES)]
    weeks: Annotated[list[WeekProof], Field(max_length=MOST_WEEKS)]


class Unready(_Fields):
    """Why a node can't grade."""

    kind: Literal["failed"]
    job: int
    problem: Text
    remedy: Text


_PROOFS: TypeAdapter[Proof | Unready] = TypeAdapter(
    Annotated[Proof | Unready, Field(discriminator="kind")]
)


def request(**fields: Any) -> bytes:
    """Return an encoded request."""
    return msgpack.packb(fields, unicode_errors="surrogatepass")


def answer(state: State, confinement: str = "", told: bytes = b"") -> bytes:
    """Return an encoded answer. `told` is a message with its length before it, as examiners do."""
    body = told[messages.LENGTH_BYTES :]
    return msgpack.packb({"state": state, "confinement": confinement, "body": body})


def read_answer(raw: Any) -> Answer:
    """Return a node's answer.

    Raises ValueError for an invalid one, with a text that quotes nothing of it.
    """
    if not isinstance(raw, bytes) or len(raw) > LARGEST_ANSWER_BYTES:
        raise ValueError("no answer of a node")
    try:
        return Answer.model_validate(msgpack.unpackb(raw))
    except (ValidationError, ValueError, msgpack.UnpackException) as error:
        raise ValueError(f"no valid answer ({type(error).__name__})") from None


def read_proof(body: bytes) -> Proof | Unready:
    """Return a node's proof. Raises ValueError for an invalid one."""
    try:
        return _PROOFS.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        raise ValueError(f"no valid proof ({first['type']})") from None
