"""The readings beside the handouts: every number in them is what the solutions give."""

from __future__ import annotations

import doctest
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEEKS = ROOT / "assignments"
READINGS = sorted(WEEKS.glob("*/reading/*.md"))
WITH_EXAMPLES = [path for path in READINGS if ">>> " in path.read_text("utf-8")]


def name_of(path: Path) -> str:
    return path.relative_to(WEEKS).as_posix()


@pytest.fixture
def solutions(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Modules that a reading imports come from the solutions, and are gone afterwards."""
    before = set(sys.modules)
    folders = [*(ROOT / "solutions").glob("week*"), *WEEKS.glob("week*")]
    ours = {path.stem for folder in folders for path in folder.glob("*.py")}
    for name in ours & before:
        monkeypatch.delitem(sys.modules, name)
    yield monkeypatch
    for name in set(sys.modules) - before:
        if name in ours:
            del sys.modules[name]


def test_there_are_readings_and_most_have_examples() -> None:
    assert len(READINGS) >= 5
    assert len(WITH_EXAMPLES) >= 5


@pytest.mark.parametrize("path", WITH_EXAMPLES, ids=name_of)
def test_every_example_gives_what_is_printed(
    path: Path, solutions: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Run as the reading says: by doctest, in the week's folder."""
    week = path.parents[1].name
    solutions.chdir(ROOT / "solutions" / week)
    solutions.setattr(sys, "path", [str(ROOT / "solutions" / week), *sys.path])
    failed, tried = doctest.testfile(str(path), module_relative=False, verbose=False)
    assert tried > 0
    assert not failed


@pytest.mark.parametrize("path", READINGS, ids=name_of)
def test_every_block_of_code_is_closed_and_every_link_leads_somewhere(path: Path) -> None:
    text = path.read_text("utf-8")
    assert text.count("\n```") % 2 == 0
    for target in re.findall(r"\]\(([\w./-]+)\)", text):
        if "://" not in target:
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("path", READINGS, ids=name_of)
def test_what_a_reading_says_how_to_run_is_there(path: Path) -> None:
    """Each `python NAME.py` and each reading that is run by doctest stands in the week's folder."""
    folder = path.parents[1]
    for script in re.findall(r"python (\w+\.py)", path.read_text("utf-8")):
        assert (folder / script).is_file(), script
    for reading in re.findall(r"-m doctest (reading/\w+\.md)", path.read_text("utf-8")):
        assert (folder / reading).is_file(), reading


def test_a_wrong_number_would_be_noticed(solutions: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocks = WEEKS / "week1_backprop" / "reading" / "building_blocks.md"
    wrong = tmp_path / "wrong.md"
    wrong.write_text(blocks.read_text("utf-8").replace("[[7.5, 0.5]", "[[7.5, 0.25]"), "utf-8")
    folder = str(ROOT / "solutions" / "week1_backprop")
    solutions.setattr(sys, "path", [folder, *sys.path])
    failed, _ = doctest.testfile(str(wrong), module_relative=False, report=False)
    assert failed == 1
