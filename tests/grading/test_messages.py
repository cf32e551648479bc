"""What an examiner may tell: its own messages come through whole, and nothing else does."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from autograder.gradebook.flags import Flag
from autograder.grading import messages
from autograder.records import CheckResult, PlannedCheck, Verdict

RESULT: dict[str, Any] = {
    "check": "test_suite::test_double[1]",
    "verdict": "wrong",
    "credit": 0,
    "message": "differs",
    "seconds": 0.25,
    "misconception": None,
    "advice": None,
    "detail": {"curves": {"loss": [0.5, None], "accuracy": [0.1, 1]}},
}
FLAG = {"rule": "watched-imports", "evidence": "import pty", "item": None, "place": "a.py:1"}
EXAMINED: dict[str, Any] = {
    "kind": "examined",
    "job": 1,
    "results": [RESULT],
    "flags": [FLAG],
    "seconds": 1.5,
}
CHECK = {"id": "a", "item": "week2.double", "title": "Doubles.", "weight": 1}
DESCRIBED: dict[str, Any] = {
    "kind": "described",
    "job": 1,
    "checks": [CHECK],
    "fingerprint": "f",
    "confinement": "A (all)",
    "versions": {"numpy": "2"},
}


def body(message: object) -> bytes:
    return json.dumps(message).encode()


def result(**others: object) -> bytes:
    return body({**EXAMINED, "results": [{**RESULT, **others}]})


def test_records_come_back_as_they_were() -> None:
    records = [
        CheckResult("a", Verdict.PASS, 10_000, "é \U0001f600", 0.1 + 0.2, "m", "why", {"x": [1.5]}),
        CheckResult("b", Verdict.INFRA),
    ]
    flags = [Flag("rule", "evidence", None, "a.py:3"), Flag("other", "", "week2.double")]
    written = messages.written(
        "examined",
        7,
        results=messages.fields_of(records),
        flags=messages.fields_of(flags),
        seconds=0.1,
    )
    length = int.from_bytes(written[: messages.LENGTH_BYTES], "big")
    assert length == len(written) - messages.LENGTH_BYTES
    read = messages.read(written[messages.LENGTH_BYTES :])
    assert isinstance(read, messages.Done)
    assert [one.record() for one in read.results] == records
    assert [one.record() for one in read.flags] == flags
    assert (read.job, read.seconds) == (7, 0.1)


def test_a_plan_comes_back_as_it_was() -> None:
    read = messages.read(body(DESCRIBED))
    assert isinstance(read, messages.Described)
    assert [check.record() for check in read.checks] == [
        PlannedCheck("a", "week2.double", "Doubles.", 1)
    ]


def test_a_lone_surrogate_arrives_as_it_is_stored_and_long_texts_are_cut() -> None:
    odd = CheckResult("a", Verdict.WRONG, message="\udc80" + "x" * 200_000)
    written = messages.written("checked", 1, result=messages.fields_of([odd])[0])
    read = messages.read(written[messages.LENGTH_BYTES :])
    assert isinstance(read, messages.Checked)
    assert read.result.message.startswith("\\udc80xxx")
    assert len(read.result.message) <= messages.LONGEST_TEXT


@pytest.mark.parametrize("detail", [float("nan"), float("inf"), {1, 2}, b"bytes"], ids=repr)
def test_what_no_json_can_hold_is_not_written(detail) -> None:
    with pytest.raises((TypeError, ValueError)):
        messages.written("checked", 1, result={"detail": {"x": detail}})


def deep(levels: int) -> dict[str, Any]:
    return {} if levels == 0 else {"x": deep(levels - 1)}


BAD = {
    "nothing": b"",
    "no JSON": b"{",
    "no UTF-8": b'{"kind": "text", "job": 1, "text": "\xff"}',
    "a pickle": b"\x80\x04\x95\x1a\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "a list": body([EXAMINED]),
    "a number": b"1",
    "deep nesting": b"[" * 100_000 + b"]" * 100_000,
    "no kind": body({"job": 1, "text": ""}),
    "an unknown kind": body({"kind": "run", "job": 1, "text": "rm"}),
    "a kind that is a list": body({"kind": ["text"], "job": 1, "text": ""}),
    "no job": body({"kind": "text", "text": ""}),
    "a job that is true": body({"kind": "text", "job": True, "text": ""}),
    "a job that is a text": body({"kind": "text", "job": "1", "text": ""}),
    "an extra field": body({"kind": "text", "job": 1, "text": "", "root": True}),
    "a text that is a number": body({"kind": "text", "job": 1, "text": 5}),
    "an extra field of a result": result(cls="os.system"),
    "a result that is none": body({**EXAMINED, "results": [None]}),
    "results that are an object": body({**EXAMINED, "results": {}}),
    "a missing field": body({**EXAMINED, "results": [{"check": "a"}]}),
    "negative credit": result(credit=-1),
    "too much credit": result(credit=10_001),
    "credit that is 0.5": result(credit=0.5),
    "credit that is true": result(credit=True),
    "credit that is a text": result(credit="10000"),
    "an unknown verdict": result(verdict="excellent"),
    "a verdict that is a number": result(verdict=0),
    "no check": result(check=""),
    "a check that is a list": result(check=["a"]),
    "a long check": result(check="x" * 10_000),
    "a long message": result(message="x" * 100_001),
    "negative seconds": result(seconds=-1),
    "seconds that are NaN": body(EXAMINED).replace(b"0.25", b"NaN"),
    "seconds that are 1e400": body(EXAMINED).replace(b"0.25", b"1e400"),
    "endless seconds": body({**EXAMINED, "seconds": 1e300}),
    "detail that is a list": result(detail=[1]),
    "NaN in the detail": body(EXAMINED).replace(b"[0.5,", b"[NaN,"),
    "infinity in the detail": body(EXAMINED).replace(b"[0.5,", b"[-Infinity,"),
    "1e400 in the detail": body(EXAMINED).replace(b"[0.5,", b"[1e400,"),
    "a giant integer in the detail": body(EXAMINED).replace(b"[0.5,", b"[" + b"9" * 4000 + b","),
    "a deep detail": result(detail=deep(20)),
    "too many details": result(detail={"x": [0] * 200_000}),
    "a long text in the detail": result(detail={"x": "y" * 100_001}),
    "a negative weight": body({**DESCRIBED, "checks": [{**CHECK, "weight": -1}]}),
    "too many checks": body({**DESCRIBED, "checks": [CHECK] * 20_001}),
    "versions of numbers": body({**DESCRIBED, "versions": {"numpy": 2}}),
    "a flag without a rule": body({**EXAMINED, "flags": [{**FLAG, "rule": ""}]}),
}


@pytest.mark.parametrize("name", BAD)
def test_everything_else_is_refused(name) -> None:
    with pytest.raises(ValueError, match="no valid message") as refused:
        messages.read(BAD[name])
    assert len(str(refused.value)) < 80  # and nothing is quoted


MANY = (messages.LARGEST_MESSAGE_BYTES - 1000) // 8


@pytest.mark.parametrize(
    "bad",
    [
        b'{"kind": "text", "job": 1, "text": "", ' + b'"": 0, ' * MANY + b'"": 0}',
        body(EXAMINED).replace(b"[0.5,", b"[" + b"[0, {}, " * MANY),
        b'{"text": "' + b'\\"' * 4 * MANY,
        b'{"text": "' + b"\\" * 8 * MANY,
        b'"' * 8 * MANY,
    ],
    ids=["fields", "lists", "quotes", "escapes", "texts"],
)
def test_what_is_refused_for_its_many_parts_is_not_parsed_first(bad) -> None:
    """Parsing took 50 seconds and 1.7 GB; the look at its parts takes one pass."""
    started = time.process_time()
    with pytest.raises(ValueError, match="no valid message"):
        messages.read(bad)
    assert time.process_time() - started < 8


def test_long_texts_make_no_message_too_rich() -> None:
    long = [CheckResult(f"c{i}", Verdict.WRONG, message='[{,"\\' * 19_000) for i in range(60)]
    written = messages.written(
        "examined", 1, results=messages.fields_of(long), flags=[], seconds=0.0
    )
    assert len(written) > 4 << 20
    read = messages.read(written[messages.LENGTH_BYTES :])
    assert isinstance(read, messages.Done)
    assert [one.record() for one in read.results] == long


def test_the_messages_that_the_bad_ones_are_made_from_are_good() -> None:
    for message in (EXAMINED, DESCRIBED, {"kind": "text", "job": 1, "text": ""}):
        messages.read(body(message))
    messages.read(result(detail=deep(5)))
