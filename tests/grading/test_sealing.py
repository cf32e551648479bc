"""What students' trees contain of a catalogue: its mistakes as they are written, variants too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.grading import sealing
from autograder.grading.sealing import public_catalogue
from autograder.reference.misconceptions import all_forms, catalogue_of
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import SuiteSession
from autograder.suite.signature import entry_of

MORE = """
[[misconception.variant]]
by = "x + 2.0"
"""
LEGAL = """
[[variant]]
id = "moved"
module = "double"
where = "double"
replace = "-> np.ndarray:"
by = "-> np.ndarray:\\n    x = x + 0.125"
"""
"""In this form all mistakes give other values."""


@pytest.fixture
def root(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small course, where nothing has been sealed yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    root = tmp_path / "course"
    shutil.copytree(small, root)
    week = root / "assignments/week2_small"
    shutil.copytree(week / "hidden", week / "tests")
    return root


def test_what_is_sealed_is_kept_until_something_changes(root: Path, tmp_path: Path, monkeypatch):
    catalogue = root / "solutions/week2_small" / "misconceptions.toml"

    def sealed() -> dict:
        course = courses.load(root)
        return public_catalogue(root, course, course.weeks[0])["wrong_answers"]

    first = sealed()
    runs: list[Path] = []
    real = sealing._sealed
    monkeypatch.setattr(
        sealing, "_sealed", lambda root, *rest: runs.append(root) or real(root, *rest)
    )
    assert sealed() == first
    assert runs == []
    catalogue.write_text(catalogue.read_text().replace("You square", "You have squared"))
    second = sealed()
    assert runs == [root]
    assert second.keys() == first.keys()
    assert second != first
    for file in (tmp_path / "cache").rglob("*"):
        if file.is_file():
            file.write_text("half of")
    assert sealed() == second
    assert runs == [root, root]


def test_what_is_sealed_is_what_is_written_and_opens_for_a_variant(root: Path):
    solution, week = root / "solutions/week2_small", root / "assignments/week2_small"
    with (solution / "misconceptions.toml").open("a") as catalogue:
        catalogue.write(MORE)
    (solution / "legal_variants.toml").write_text(LEGAL)
    course = courses.load(root)
    catalogued = catalogue_of(root, course, course.weeks[0])
    assert len({form.key for form in all_forms(catalogued)}) == 4
    sealed = public_catalogue(root, course, course.weeks[0])["wrong_answers"]
    assert set(sealed) == {"week2.double"}
    assert len(sealed["week2.double"]) == 2
    assert "square" not in json.dumps(sealed)
    source = (solution / "double.py").read_text().replace("2.0 * x", "x + 2.0")
    session = SuiteSession(week / "tests", salt="")
    try:
        outcomes = session.run(LocalHost({"double.py": source.encode()}))
    finally:
        session.close()
    mine = [one for one in outcomes if "test_double" in one.result.check]
    assert all(isinstance(one.fault, Fault) for one in mine)
    told = entry_of(sealed["week2.double"], mine)
    assert told is not None
    assert (told["id"], told["says"]) == ("double-squares", "You square the numbers.")
