"""Every case of the corpus gets its verdict on every rung of confinement that this machine has.

What a case is and where the attacks of the security notes are: tests/hostile/README.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from autograder.records import Verdict
from tests.hostile.corpus import load
from tests.hostile.runner import ROOT, Corpus
from tests.hostile.traps import Traps, user_of

CASES = load()
TRIED = [
    pytest.param(rung, name, id=f"{rung}-{name}")
    for rung in "ABCD"
    for name, case in CASES.items()
    if rung in case.rungs
]


# What today's sandbox lets through for want of a filter of system calls, or of neutral paths.
OPEN = {"flock_side_channel", "kernel_surface", "keyring_side_channel", "odd_sockets"}
OPEN |= {"inotify_side_channel", "reads_proc", "reads_the_graders_memory"}


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    made = Corpus()
    yield made
    made.close()


@pytest.fixture
def traps(rungs, rung) -> Iterator[Traps]:
    if rung not in rungs:
        pytest.skip(f"this machine has no rung {rung}")
    made = Traps([str(ROOT), sys.prefix], user_of(rungs[rung]))
    yield made
    made.close()


@pytest.mark.parametrize(("rung", "name"), TRIED)
def test_case_gets_its_verdict(request, rungs, corpus, traps, rung, name):
    case = CASES[name]
    if name in OPEN and not hasattr(rungs[rung], "rung"):
        request.applymarker(pytest.mark.xfail(reason="open before there are rungs", strict=False))
    seen = corpus.run(case, rungs[rung], traps)
    verdicts = {result.verdict for result in seen.attacked}
    assert verdicts & set(map(Verdict, case.verdicts)), seen.attacked
    assert Verdict.INFRA not in verdicts, seen.attacked
    if case.kind == "honest":
        assert verdicts == {Verdict.PASS}, seen.attacked
    if case.kind == "hostile":
        assert Verdict.PASS not in verdicts, seen.attacked
    if not case.harms:
        assert [result.verdict for result in seen.untouched] == [Verdict.PASS], seen.untouched
    assert seen.sprung == []
    assert seen.left == []
    assert seen.learnt == []
