"""A week's own drivers and probes: loaded by private names, and an author's mistakes explained."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from autograder.worker.sandboxed import audit, tracing
from autograder.worker.week_drivers import OURS, WeekDrivers, WeekWorkerError, load

FOLDER = "week8_rings/worker"
GOOD = """
from .more import DRIVERS
from . import more
PROBES = {"ring": more.Ring}
"""
MORE = """
class Ring:
    sides = {sides}

def turn(x):
    return {sides} * x

def asks_later(x):
    return Ring.sides + x

DRIVERS = {{"turn": turn, "asks_later": asks_later}}
"""


def write(base: Path, folder: str, init: str = GOOD, sides: int = 3) -> Path:
    """Write a folder of drivers and probes below `base`."""
    place = base / folder
    place.mkdir(parents=True, exist_ok=True)
    (place / "__init__.py").write_text(init)
    (place / "more.py").write_text(MORE.format(sides=sides))
    return place


def test_a_weeks_drivers_and_probes_come_beside_the_engines(tmp_path):
    write(tmp_path, FOLDER)
    own = load(str(tmp_path), [FOLDER])
    assert own.driver("turn")(2) == 6
    assert own.driver("asks_later")(2) == 5
    assert own.probe("ring").sides == 3
    assert {"standardise", "train_epoch", "turn"} <= set(own.drivers)
    assert "turn" not in WeekDrivers().drivers
    assert "turn" not in load(str(tmp_path), []).drivers


def test_folders_of_one_name_in_two_weeks_stand_side_by_side(tmp_path):
    write(tmp_path, "a/worker", sides=4)
    write(tmp_path, "b/worker", sides=5)
    four, five = load(str(tmp_path), ["a/worker"]), load(str(tmp_path), ["b/worker"])
    assert (four.driver("turn")(1), five.driver("turn")(1)) == (4, 5)
    assert (four.driver("asks_later")(0), five.driver("asks_later")(0)) == (4, 5)


def test_a_folder_that_has_changed_is_loaded_afresh(tmp_path):
    place = write(tmp_path, FOLDER, sides=4)
    before = load(str(tmp_path), [FOLDER])
    (place / "more.py").write_text(MORE.format(sides=12345))
    assert load(str(tmp_path), [FOLDER]).driver("turn")(1) == 12345
    assert before.driver("turn")(1) == 4


def test_it_goes_by_no_name_that_anybody_could_ask_for(tmp_path):
    write(tmp_path, FOLDER)
    before, path = set(sys.modules), list(sys.path)
    load(str(tmp_path), [FOLDER])
    new = set(sys.modules) - before
    assert new
    assert all(name.startswith("autograder.worker.week_") for name in new)
    assert sys.path == path


def test_flags_take_it_for_the_graders_own_code(tmp_path):
    place = write(tmp_path, FOLDER)
    assert not str(place / "more.py").startswith(tuple(OURS))
    load(str(tmp_path), [FOLDER])
    assert str(place / "more.py").startswith(tuple(OURS))
    assert audit.__file__.startswith(tuple(OURS))
    assert tracing.__file__.startswith(tuple(OURS))
    assert not f"{place}_of_somebody_else.py".startswith(tuple(OURS))


@pytest.mark.parametrize(
    ("init", "key", "problem"),
    [
        ("PROBES = {}", "DRIVERS", "is missing"),
        ("DRIVERS = {}", "PROBES", "is missing"),
        ("DRIVERS = []\nPROBES = {}", "DRIVERS", "is not a dict"),
        ("DRIVERS = {1: len}\nPROBES = {}", "DRIVERS", "is not a dict with texts as keys"),
        ("DRIVERS = {'standardise': len}\nPROBES = {}", "DRIVERS", "it is the engine's own"),
        ("DRIVERS = {}\nPROBES = {'generator': len}", "PROBES", "the name 'generator' is taken"),
    ],
)
def test_a_table_that_is_wrong_is_named_with_its_file(tmp_path, init, key, problem):
    write(tmp_path, FOLDER, init)
    with pytest.raises(WeekWorkerError) as raised:
        load(str(tmp_path), [FOLDER])
    text = str(raised.value)
    assert text.startswith(f"assignments/{FOLDER}/__init__.py: {key}: ")
    assert problem in text
    assert text.count(". ") == 1, "a problem and a remedy"


def test_a_name_in_two_folders_names_both(tmp_path):
    write(tmp_path, "a/worker")
    write(tmp_path, "b/worker")
    with pytest.raises(WeekWorkerError) as raised:
        load(str(tmp_path), ["a/worker", "b/worker"])
    assert "assignments/b/worker/__init__.py: DRIVERS: the name 'turn' is taken" in str(
        raised.value
    )
    assert "assignments/a/worker/__init__.py" in str(raised.value)


def test_a_folder_that_is_no_package_is_named(tmp_path):
    with pytest.raises(WeekWorkerError, match="there is no such folder"):
        load(str(tmp_path), ["nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(WeekWorkerError, match=r"empty/__init__.py: the file: there is no such fi"):
        load(str(tmp_path), ["empty"])


def test_a_package_that_fails_leaves_nothing_behind(tmp_path):
    write(tmp_path, FOLDER, "from . import more\nraise RuntimeError('on purpose')")
    before = set(sys.modules)
    with pytest.raises(RuntimeError, match="on purpose"):
        load(str(tmp_path), [FOLDER])
    assert set(sys.modules) == before


def test_an_unknown_name_says_which_there_are():
    with pytest.raises(KeyError, match=r"there is no driver 'no_such'; there are: standardise"):
        WeekDrivers().driver("no_such")
    with pytest.raises(KeyError, match=r"there is no probe 'no_such'; there are: generator"):
        WeekDrivers().probe("no_such")
