"""A check marked `shares` earns the share of the needed items that is right, if one is wrong."""

from __future__ import annotations

import pytest

from autograder.records import Verdict
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.session import GradedSession

SUITE = """
import pytest
from autograder.suite import expect


@pytest.mark.item("a")
@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_a(student, number):
    "Of four checks as many pass as m.right says."
    expect.that("a", number < student.m.right, "it is wrong")


@pytest.mark.item("b")
def test_b(student):
    "Is right."
    expect.equal("right", 1, 1)


@pytest.mark.item("c")
@pytest.mark.shares
@pytest.mark.needs("a", "b")
def test_c(student, grade):
    "Measures what m.measured says."
    grade(student.m.measured, "measured")
"""


@pytest.mark.parametrize(
    ("right", "measured", "verdict", "credit"),
    [
        (4, 0.0, Verdict.WRONG, 0),  # nothing below it is wrong: it stands for itself
        (3, 0.0, Verdict.WRONG, 8750),
        (1, 0.0, Verdict.WRONG, 6250),
        (3, 0.9, Verdict.WRONG, 9000),  # what it measures is more
        (0, 0.0, Verdict.BLOCKED, 0),  # a part is missing
        (3, 1.0, Verdict.PASS, 10_000),
    ],
)
def test_the_share_of_what_is_right(tmp_path, right, measured, verdict, credit) -> None:
    folder = tmp_path / "suite"
    folder.mkdir()
    (folder / "test_it.py").write_text(SUITE)
    session = GradedSession(folder, "salt")
    host = LocalHost({"m.py": f"right, measured = {right}, {measured}".encode()})
    result = session.run(host)[-1].result
    session.close()
    assert (result.verdict, result.credit) == (verdict, credit)
    if right == 3 and credit == 8750:
        assert result.message.startswith("First mend a: ")
        assert "87 %" in result.message


@pytest.mark.parametrize(("least", "credit"), [("{'a': 2500}", 6250), ("{'a': 2501}", 0)])
def test_an_item_may_need_more(tmp_path, least, credit) -> None:
    suite = SUITE.replace("mark.shares", f"mark.shares({least})")
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_it.py").write_text(suite)
    session = GradedSession(tmp_path / "suite", "salt")
    result = session.run(LocalHost({"m.py": b"right, measured = 1, 0.0"}))[-1].result
    session.close()
    assert result.credit == credit
