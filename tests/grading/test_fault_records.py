"""What a worker says about an exception becomes a message of ours, whatever it says."""

from __future__ import annotations

import numpy as np
import pytest

from autograder.channel.fault_records import fault_from_record
from autograder.channel.faults import Fault
from autograder.records import Verdict
from autograder.wire import codec

LINES = {"neural_net.py": ["import numpy", "    return x @ W\x1b[31m"]}


FUNCTIONS = {"neural_net.py": ["", "forward"]}


def place(file: str, number: int) -> tuple[str, str] | None:
    """Stand for the examiner's own copy of a submission."""
    lines = LINES.get(file, [])
    return (lines[number - 1], FUNCTIONS[file][number - 1]) if 1 <= number <= len(lines) else None


def described(**record) -> Fault:
    base = {"kind": "raised", "type": "ValueError", "text": "bad shape", "frames": []}
    return fault_from_record({**base, **record}, place)


def test_a_raised_exception_shows_its_text_and_the_students_line():
    fault = described(frames=[["neural_net.py", 2]])
    assert fault.verdict is Verdict.RAISED
    assert fault.type_name == "ValueError"
    first, second = fault.message.split("\n")
    assert first == "ValueError: bad shape"
    assert second.startswith("  neural_net.py:2, in forward:  return x @ W")
    assert "\x1b" not in fault.message
    assert fault.place == second


@pytest.mark.parametrize(
    "frames",
    [
        None,
        "frames",
        5,
        {},
        [None],
        [[]],
        [["neural_net.py"]],
        [["neural_net.py", 1, "f"]],
        [["neural_net.py", "1"]],
        [["neural_net.py", True]],
        [["neural_net.py", 0]],
        [["neural_net.py", -1]],
        [["neural_net.py", 2**63]],
        [["/etc/passwd", 1]],
        [[5, 1]],
        [[["neural_net.py"], 1]],
        [("neural_net.py", 1)],
    ],
    ids=repr,
)
def test_frames_that_are_none_are_left_out(frames):
    assert described(frames=frames).message == "ValueError: bad shape"


def test_a_deep_traceback_is_cut():
    assert described(frames=[["neural_net.py", 1]] * 5000).message.count("\n") == 8


def test_long_and_ugly_texts_are_cut_and_cleaned():
    fault = described(type="T" * 500, text="\x1b[2J\u202e\u2028" + "x" * 5000 + "\n\n")
    assert len(fault.message) <= 262
    assert not set("\x1b\u202e\u2028\n") & set(fault.message)


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        ("raised", Verdict.RAISED),
        ("not-attempted", Verdict.NOT_ATTEMPTED),
        ("memory", Verdict.MEMORY),
        ("processes", Verdict.VIOLATION),
        ("pass", Verdict.RAISED),
        ("infra", Verdict.RAISED),
        ("blocked", Verdict.RAISED),
        (None, Verdict.RAISED),
        (["raised"], Verdict.RAISED),
        (np.zeros(3), Verdict.RAISED),
    ],
    ids=repr,
)
def test_only_faults_of_student_code_can_be_described(kind, verdict):
    assert described(kind=kind).verdict is verdict


@pytest.mark.parametrize("record", [None, "raised", [], 5, np.zeros(2), codec.Ref(1)], ids=repr)
def test_what_is_no_description_is_a_violation(record):
    assert fault_from_record(record, place).verdict is Verdict.VIOLATION


def test_an_empty_description_is_a_raised_exception():
    assert fault_from_record({}, place).verdict is Verdict.RAISED
