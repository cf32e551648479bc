"""docs/coverage.md: every demand has a place that is there, or waits for a week that is not."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from autograder.course import load

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "coverage.md"
DEMANDS = {"T1": 21, "T2": 12, "T3": 19, "T4": 7, "T5": 6, "N": 17}
"""How many demands each text has: none may get lost."""

WEEKS = {
    "w1": "week1_backprop",
    "w2": "week2_autograd",
    "w3": "week3_training",
    "w4": "week4_cnn",
    "w5": "week5_rnn",
    "w6": "week6_attention",
    "w7": "week7_generative",
    "c": "week4_cnn/photographs",
}
FOLDERS = {short: f"assignments/{folder}" for short, folder in WEEKS.items()}
FOLDERS |= {f"s{short}": f"solutions/{folder}" for short, folder in WEEKS.items()}
FOLDERS["p"] = "assignments/week3_training/phase1_project"
FOLDERS["sp"] = "solutions/week3_training/phase1_project"

ROW = re.compile(
    r"^\| (?P<number>[A-Z]\d?\.\d+) \| (?P<demand>[^|]+) \| (?P<where>[^|]+) \|$", re.M
)
NOT_YET = re.compile(
    r"^(?:(?P<places>.+); the rest is )?not yet \(week (?P<week>\d+)(?:'s part (?P<part>\w+))?\)$"
)
ROWS = [(row["number"], row["where"].strip()) for row in ROW.finditer(PAGE.read_text("utf-8"))]
PLACES = sorted({place for _, where in ROWS for place in re.findall(r"`([^`]+)`", where)})


def file_of(place: str) -> Path:
    """Return the file that a place names."""
    path = place.partition(" > ")[0]
    short, _, rest = path.partition("/")
    return ROOT / FOLDERS[short] / rest if short in FOLDERS else ROOT / path


def problem_with(place: str) -> str:
    """Say what is wrong with a place; nothing if it is there."""
    path, name = file_of(place), place.partition(" > ")[2]
    if not path.is_file():
        return f"{place}: there is no such file"
    if not name:
        return ""
    text = path.read_text("utf-8")
    if path.suffix == ".py" and "/analyses/" not in path.as_posix():
        return symbol_problem(text, name)
    if path.suffix == ".toml":
        return "" if f'"{name}"' in text else f"no {name} in {path.name}"
    marks = r"^# #+ (.+)$" if path.suffix == ".py" else r"^#+ (.+)$"
    headings = re.findall(marks, text, re.M)
    if path.name == "README.md" and name == "accepted":
        headings = re.findall(r"^\|.*accepted.*\|$", text, re.M)  # a table's head
    return (
        "" if any(name.casefold() in one.casefold() for one in headings) else f"no heading {name}"
    )


def symbol_problem(source: str, name: str) -> str:
    """Look for `function`, `Class` or `Class.method` in a module, with its first arguments."""
    dotted, bracket, arguments = name.partition("(")
    found: list[ast.stmt] = ast.parse(source).body
    node: ast.stmt | None = None
    for part in dotted.split("."):
        node = next((one for one in found if part in names_of(one)), None)
        if node is None:
            return f"no {dotted}"
        found = getattr(node, "body", [])
    if not bracket:
        return ""
    if not isinstance(node, ast.FunctionDef):
        return f"{dotted} is no function"
    have = [one.arg for one in node.args.args if one.arg != "self"]
    asked = [one.strip() for one in arguments.rstrip(")").split(",") if one.strip()]
    return "" if have[: len(asked)] == asked else f"{dotted} has the arguments {have}"


def names_of(node: ast.stmt) -> set[str]:
    """Return the names that a statement defines."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign):
        return {one.id for one in node.targets if isinstance(one, ast.Name)}
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return {node.target.id}
    return set()


def test_no_demand_is_lost() -> None:
    for text, count in DEMANDS.items():
        numbers = [int(one.partition(".")[2]) for one, _ in ROWS if one.partition(".")[0] == text]
        assert sorted(numbers) == list(range(1, count + 1)), text
    assert len(ROWS) == sum(DEMANDS.values())
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")]
    heads = sum(line.startswith("| no. |") for line in lines)
    assert len(lines) - heads == len(ROWS), "a line of a table that is not read"


@pytest.mark.parametrize(("number", "where"), ROWS, ids=[number for number, _ in ROWS])
def test_a_demand_has_a_place_or_waits_for_a_week_that_is_not_there(
    number: str, where: str
) -> None:
    waiting, places = NOT_YET.match(where), where
    if waiting:
        assert 4 <= int(waiting["week"]) <= 8
        there = {name for week in load(ROOT).weeks for name in (str(week.number), week.id)}
        waits_for = waiting["part"] or waiting["week"]
        assert waits_for not in there, "the week is there: say where the demand is met"
        places = waiting["places"]
    if places is not None:
        assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", places), places


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_there(place: str) -> None:
    assert problem_with(place) == ""


@pytest.mark.parametrize(
    "place",
    [
        "sw1/nothing.py",
        "sw1/neural_net.py > Nothing",
        "sw1/neural_net.py > Linear.nothing",
        "sw1/neural_net.py > Linear.__init__(out_features, in_features)",
        "w1/README.md > there is no such heading",
        "assignments/rubric.toml > week1.nothing",
        "notebooks/analyses/week1_speed_precision_depth.py > there is no such heading",
    ],
)
def test_a_place_that_is_not_there_is_noticed(place: str) -> None:
    assert problem_with(place) != ""
