"""Flags of whole submissions: the same again, beside the points and never among them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder.course.scoring import score_student
from autograder.gradebook.flags import Examined
from autograder.grading.examiner import Examiner
from autograder.suite.hidden.conduct import LOOPS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def examiner(confinement) -> Iterator[Examiner]:
    made = Examiner(ROOT, 1, confinement, None)
    yield made
    made.close()


def total(examiner: Examiner, examined: Examined) -> int:
    return score_student(examiner.course, "someone", examiner.plan, examined.results).total


LOOPING = (
    b"        return x @ self.W.T + self.b\n",
    b"        return np.array([self.W @ row + self.b for row in x], dtype=x.dtype)\n",
)


def hostile(examiner: Examiner) -> dict[str, bytes]:
    source = examiner.reference["neural_net.py"]
    assert source.count(LOOPING[0]) == 1
    source = source.replace(*LOOPING)
    source += b"\n__import__(''.join(map(chr, [97, 115, 121, 110, 99, 105, 111])))\n"
    return {**examiner.reference, "neural_net.py": source}


def test_flags_take_no_point_and_are_the_same_again(examiner) -> None:
    clean = examiner.examine(examiner.reference)
    assert clean.flags == []
    first = examiner.examine(hostile(examiner))
    again = examiner.examine(hostile(examiner))
    rules = ["loops-over-batch", "hidden-code", "run-time-conduct"]
    assert [flag.rule for flag in first.flags] == rules
    assert first.flags == again.flags
    quality = f"{examiner.week.id}.quality"  # a lambda bound to a name is ruff's business
    items = {check.id: check.item for check in examiner.plan}
    for one, other in zip(first.results, clean.results, strict=True):
        assert one.check == other.check
        assert one.credit == other.credit or items[one.check] == quality, one
    assert total(examiner, again) == total(examiner, first)


def test_nothing_of_a_flag_is_said_to_the_student(examiner) -> None:
    examined = examiner.examine(hostile(examiner))
    loop = next(flag for flag in examined.flags if flag.rule == LOOPS)
    texts = " ".join(f"{r.message} {r.advice} {r.detail}" for r in examined.results)
    assert loop.evidence not in texts
    assert "lines executed" not in texts


def test_what_could_not_be_read_has_no_flags(examiner) -> None:
    assert examiner.examine({"neural_net.py": b"def (:"}).flags == []
    assert examiner.examine({}).flags == []
