"""Every case of the corpus gets its verdict on every rung of confinement that this machine has.

What a case is and where the attacks of the security notes are: tests/hostile/README.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from autograder.records import Verdict
from tests.hostile.corpus import FOLDER, load
from tests.hostile.runner import ROOT, Corpus
from tests.hostile.traps import Traps

CASES = load()
TRIED = [
    pytest.param(letter, name, id=f"{letter}-{name}")
    for letter in "ABCD"
    for name, case in CASES.items()
    if letter in case.rungs
]


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    made = Corpus()
    yield made
    made.close()


@pytest.fixture
def traps(ladder, letter) -> Iterator[Traps]:
    if letter not in ladder:
        pytest.skip(f"this machine has no rung {letter}: `autograder doctor` says why")
    made = Traps([str(ROOT), sys.prefix], ladder[letter].own_uid)
    yield made
    made.close()


@pytest.mark.parametrize(("letter", "name"), TRIED)
def test_case_gets_its_verdict(ladder, corpus, traps, letter, name):
    case = CASES[name]
    seen = corpus.run(case, ladder[letter], traps)
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


def test_the_table_of_attacks_names_every_case_and_nothing_else():
    """What tests/hostile/README.md says about the numbers is what the cases say."""
    said: dict[int, set[str]] = {}
    for line in (FOLDER / "README.md").read_text().splitlines():
        number, _, place = line.removeprefix("| ").partition(" | ")
        if number.isdigit():
            assert place.partition(" | ")[2].strip(" |"), f"attack {number} is nowhere"
            said[int(number)] = set(re.findall(r"`([a-z0-9_]+)`", place)) & set(CASES)
            files = set(re.findall(r"`(test_\w+\.py)`", place))
            assert all((ROOT / "tests" / file).exists() for file in files), files
    assert list(said) == list(range(1, 102))
    for number, names in said.items():
        assert names == {name for name, case in CASES.items() if number in case.attacks}, number
