"""Every case of the corpus gets its verdict on every rung of confinement where the rung matters.

What a case is and where the attacks of the security notes are: tests/hostile/README.md.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from autograder import course as courses
from autograder.records import Verdict
from autograder.sandbox import Confinement
from tests.hostile.corpus import BEST, FOLDER, load
from tests.hostile.runner import ROOT, Corpus
from tests.hostile.traps import Traps
from tests.proofs import Reads

CASES = load()
WEEK = courses.load(ROOT).week(1)
SHARED = ["tests/hostile/tools", "tests/hostile/lookalike.py"]
TRIED = [
    pytest.param(letter, name, id=f"{letter}-{name}")
    for letter in (BEST, *"ABCD")
    for name, case in CASES.items()
    if letter in case.tried_on
]


def reads_corpus(letter: str, name: str) -> Reads:
    """Return what the proof of a case depends on: week 1's suite, and how cases are run."""
    folders = [f"assignments/{WEEK.folder}", f"solutions/{WEEK.folder}"]
    settings = ["assignments/course.toml", "assignments/grading.toml", "assignments/rubric.toml"]
    return Reads([*folders, *settings, f"tests/hostile/{name}", *SHARED])


@pytest.fixture(scope="module")
def corpus() -> Iterator[Corpus]:
    made = Corpus()
    yield made
    made.close()


@pytest.fixture
def confined(ladder, letter) -> Confinement:
    """The rung of that letter; the best one may not be the plain process."""
    letters = {BEST: next(iter(ladder)), **{letter: letter for letter in ladder}}
    if letters.get(letter, letter) not in ladder or (letter == BEST and len(ladder) == 1):
        pytest.skip(f"this machine has no rung {letter}: `autograder doctor` says why")
    return ladder[letters[letter]]


@pytest.fixture
def traps(confined) -> Iterator[Traps]:
    made = Traps([str(ROOT), sys.prefix], confined.own_uid)
    yield made
    made.close()


@pytest.mark.prove(reads=reads_corpus)
@pytest.mark.parametrize(("letter", "name"), TRIED)
def test_case_gets_its_verdict(confined, corpus, traps, letter, name):
    case = CASES[name]
    seen = corpus.run(case, confined, traps)
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
            assert all(list((ROOT / "tests").glob(f"*/{file}")) for file in files), files
    assert list(said) == list(range(1, 102))
    for number, names in said.items():
        assert names == {name for name, case in CASES.items() if number in case.attacks}, number
