"""What Gradescope and Blackboard hand out, which say in files of their own whose is what."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.intake.lms_gradescope import read_records
from autograder.intake.reading import read_class
from tests.handed_in import (
    FILES,
    HOW,
    OTHER,
    WEEK,
    by_student,
    hand_out,
    is_whole,
    read,
    under,
    zip_bytes,
)

# Gradescope


METADATA = b"""---
submission_111:
  :submitters:
  - :name: Jane Doe
    :sid: '123456'
    :email: jane@example.org
  :created_at: 2026-11-28 10:15:00.000000000 Z
  :results:
    output: |-
      submission_222:
        :submitters:
        - :sid: 'evil'
\xe2\x80\xa8submission_111:
submission_222:
  :submitters:
  - :name: "Zo\xc3\xab"
    :sid:
    :email: zoe@example.org
  - :name: O'Neil
    :sid: ''
    :email:
  :history: []
submission_333:
  :submitters: []
submission_444:
  :submitters:
  - :name: |-
      strange
"""


@pytest.mark.parametrize("how", HOW)
def test_gradescope(tmp_path: Path, how: str) -> None:
    files = {"submission_metadata.yml": METADATA.replace(b"\xe2\x80\xa8submission_111:\n", b"")}
    for number in (111, 222, 333, 444, 555):
        files |= under(f"submission_{number}/", FILES | {"layers.py": b"%d" % number})
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Gradescope export (3 without a name in submission_metadata.yml): 6" in remarks
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "123456": b"111",
        "zoe@example.org": b"222",
        "O_Neil": b"222",
        "submission_333": b"333",
        "submission_444": b"444",
        "submission_555": b"555",
    }
    assert found["123456"].received == datetime(2026, 11, 28, 10, 15, tzinfo=UTC)
    assert found["zoe@example.org"].received is None
    assert found["O_Neil"].notices == ("Handed in by a group: zoe@example.org, O'Neil.",)
    assert "left alone" not in remarks


def test_gradescope_without_metadata(tmp_path: Path) -> None:
    files = under("submission_111/") | under("submission_222/")
    for metadata in ({}, {"submission_metadata.yml": b"\0\xff: [" * 100}):
        found, remarks = read(tmp_path, files | metadata)
        assert sorted(found) == ["submission_111", "submission_222"]
        assert "2 without a name" in remarks


def test_what_students_print_never_names_a_submitter() -> None:
    assert set(read_records([METADATA])) == {"submission_111", "submission_222"}
    twice = METADATA + b"submission_111:\n  :submitters:\n  - :sid: '9'\n"
    assert set(read_records([twice])) == {"submission_222"}
    assert read_records([b"a" * 10_000, b"\n" * 10]) == {}


def test_a_time_that_is_none_names_nobody_late() -> None:
    for odd in (b"2026-02-31 10:15:00 Z", b"2026-11-28 99:15:00 Z", b"yesterday", b""):
        content = METADATA.replace(b"2026-11-28 10:15:00.000000000 Z", odd)
        record = read_records([content])["submission_111"]
        assert (record.submitters, record.received) == (["123456"], None)
    content = METADATA.replace(b"2026-11-28 10:15:00.000000000 Z", b"2026-11-28 10:15:00 +02:00")
    received = read_records([content])["submission_111"].received
    assert received == datetime(2026, 11, 28, 8, 15, tzinfo=UTC)


@given(st.binary(max_size=400), st.integers(0, len(METADATA)), st.integers(1, 50))
def test_any_metadata_gives_names_or_none(noise: bytes, at: int, size: int) -> None:
    content = METADATA[:at] + noise + METADATA[at:]
    chunks = [content[start : start + size] for start in range(0, len(content), size)]
    for name, record in read_records(chunks).items():
        assert name
        ids = record.submitters
        assert all(isinstance(id, str) and id for id in ids)
        assert len(set(ids)) == len(ids)


# Blackboard


@pytest.mark.parametrize("how", HOW)
def test_blackboard(tmp_path: Path, how: str) -> None:
    first, last = "2026-11-27-09-00-00", "2026-11-28-10-15-00"
    head = "Week 1_hand in"
    files = {
        f"{head}_jdoe_attempt_{last}_layers.py": b"1",
        f"{head}_jdoe_attempt_{last}_losses.py": b"2",
        f"{head}_jdoe_attempt_{last}.txt": b"Name: Jane Doe (jdoe)\nAssignment: Week 1\n",
        f"{head}_jdoe_attempt_{first}_layers.py": b"old",
        f"{head}_jdoe_attempt_{first}.txt": b"Name: Jane Doe (jdoe)\n",
        f"{head}_s_123_attempt_{first}_work.zip": zip_bytes(FILES),
        f"{head}_s_123_attempt_{first}.txt": b"\xef\xbb\xbfName: Sam (s_123)\r\nAssignment: x\r\n",
        f"{head}_nil_attempt_{first}.txt": b"Name: Nil (nil)\n",
        f"{head}_evil_attempt_{first}_{head}_jdoe_attempt_2027-01-01-00-00-00_layers.py": b"evil",
    }
    found, remarks = read(tmp_path, files, how)
    assert "Read as a Blackboard export: 4 students." in remarks
    assert sorted(found) == ["evil", "jdoe", "nil", "s_123"]
    assert found["jdoe"].files == {"layers.py": b"1", "losses.py": b"2"}
    says = f"The attempt of {last} counts, the one of {first} does not."
    assert found["jdoe"].notices[0] == says
    assert found["jdoe"].received == datetime(2026, 11, 28, 10, 15, tzinfo=UTC)
    assert is_whole(found["s_123"])
    assert found["nil"].is_empty
    assert found["evil"].files == {}


def test_blackboard_students_are_never_mixed_up(tmp_path: Path) -> None:
    when = "2026-11-28-10-15-00"
    found, _ = read(
        tmp_path,
        {
            f"HW_a_smith_attempt_{when}_layers.py": b"1",
            f"HW_b_smith_attempt_{when}_layers.py": b"2",
            f"HW_c_attempt_{when}_layers.py": b"3",
        },
    )
    assert {name: one.files["layers.py"] for name, one in found.items()} == {
        "HW_a_smith": b"1",
        "HW_b_smith": b"2",
        "c": b"3",
    }


def test_two_columns_of_blackboard_in_one_directory(tmp_path: Path) -> None:
    files = {
        f"{column}_jdoe_attempt_2026-11-2{day}-10-15-00{end}": content
        for day, (column, module) in enumerate({"Week 1": "layers", "Week 2": "engine"}.items())
        for end, content in ((f"_{module}.py", b"x"), (".txt", b"Name: J (jdoe)\n"))
    }
    intake = read_class(hand_out(tmp_path, files), [WEEK, OTHER])
    assert by_student(intake, 1)["jdoe"].files == {"layers.py": b"x"}
    assert by_student(intake, 2)["jdoe"].files == {"engine.py": b"x"}
