"""`check --hint`: rungs one after the other, kept for the student alone, as text of a terminal."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.author.release import STUDENTS_OWN
from autograder.course import load
from autograder.course.hints import HINTS_FILE, read_hints
from autograder.errors import AuthorError, InputError
from autograder.students import hints
from autograder.students.hand_in import run as hand_in
from autograder.text.files import write_text

ROOT = Path(__file__).resolve().parents[2]
COURSE = load(ROOT)
FOLDERS = [
    week.folder
    for week in COURSE.weeks
    if (ROOT / "assignments" / week.folder / HINTS_FILE).is_file()
]
LADDERS = """
["week2.first"]
hints = ['''Shapes of $x$.''', '''One entry.''', '''Elsewhere.''']
["week2.other"]
hints = ["One", "Two", "Three", "Four"]
"""


@pytest.fixture
def tree(small: Path, tmp_path: Path) -> Path:
    """The small course's files, with hints for week 2."""
    for name in ("course.toml", "rubric.toml"):
        (tmp_path / "assignments").mkdir(exist_ok=True)
        (tmp_path / "assignments" / name).write_text((small / "assignments" / name).read_text())
    folder = tmp_path / "assignments" / load(tmp_path).week(2).folder
    folder.mkdir(parents=True)
    (folder / HINTS_FILE).write_text(LADDERS)
    return tmp_path


def asked(tree: Path, capsys: pytest.CaptureFixture[str], task: str, **options: bool) -> str:
    hints.run(tree, load(tree), "2", task, **options)
    return capsys.readouterr().out


def test_one_rung_more_each_time_it_is_asked_for(tree, capsys):
    first = asked(tree, capsys, "week2.first")
    assert "week2.first, hint 1 of 3\n  Shapes of x.\n" in first
    assert "One entry" not in first
    assert asked(tree, capsys, "first") == first, "without more, what was seen is shown again"
    second = asked(tree, capsys, "first", more=True)
    assert "Shapes of x." in second
    assert "One entry." in second
    assert "Elsewhere" not in second
    last = asked(tree, capsys, "first", more=True)
    assert "Elsewhere." in last
    assert "That was the last hint." in last
    assert asked(tree, capsys, "first", more=True) == last
    assert "hint 2" not in asked(tree, capsys, "other")


def test_a_rung_is_had_by_its_number_and_nothing_is_kept(tree, capsys):
    text = asked(tree, capsys, "other:3")
    assert "Three" in text
    assert "Two" not in text
    assert not (tree / hints.TAKEN_FILE).exists()


def test_the_week_of_an_id_counts_whatever_week_is_named(tree, capsys):
    hints.run(tree, load(tree), "3", "week2.other")
    assert "One" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("week2.frist", "There are for week2.first"),
        ("other:5", "Its hints are 1 to 4"),
        ("other:0", "Its hints are 1 to 4"),
        ("other:x", "Its hints are 1 to 4"),
        ("week3.first", "has no hints"),
    ],
)
def test_what_is_not_there_is_said(tree, task, said):
    with pytest.raises(InputError, match=said):
        hints.run(tree, load(tree), "2", task)


@pytest.mark.parametrize("spoilt", ["{", "[]", '{"week2.first": "many"}', '{"week2.first": -4}'])
def test_a_spoilt_file_of_what_was_seen_begins_anew(tree, capsys, spoilt):
    (tree / hints.TAKEN_FILE).write_text(spoilt)
    assert "hint 1 of 3" in asked(tree, capsys, "first")


def test_where_nothing_can_be_written_hints_are_shown(tree, capsys, monkeypatch):
    def refuse(*_: object) -> None:
        raise PermissionError(13, "closed")

    monkeypatch.setattr(hints, "write_text", refuse)
    assert "hint 1 of 3" in asked(tree, capsys, "first")


def test_what_was_seen_is_not_handed_in_and_git_leaves_it_alone(tmp_path):
    write_text(tmp_path / hints.TAKEN_FILE, json.dumps({"week1.linear": 3}))
    for folder in ("assignments/week1_backprop",):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("course.toml", "rubric.toml"):
        (tmp_path / "assignments" / name).write_bytes((ROOT / "assignments" / name).read_bytes())
    (tmp_path / "assignments/week1_backprop/neural_net.py").write_text("x = 1\n")
    archive = tmp_path / "week1.zip"
    hand_in(tmp_path, "1", archive)
    assert b"hints" not in archive.read_bytes()
    [ignored] = [ours for ours, theirs in STUDENTS_OWN.items() if theirs == ".gitignore"]
    listed = (ROOT / "autograder/author/release_files" / ignored).read_text().splitlines()
    assert hints.TAKEN_FILE in listed


@pytest.mark.parametrize(
    "text",
    [
        "week = ",
        '["a.b"]\nhint = ["x"]\n',
        '["a.b"]\nhints = "x"\n',
        '["a.b"]\nhints = [1]\n',
        '["a.b"]\nhints = [" "]\n',
        '["a.b"]\nhints = ["x"]\nmore = 1\n',
        "a = 1\n",
    ],
)
def test_a_wrong_file_of_hints_is_named(tree, text):
    folder = load(tree).week(2).folder
    (tree / "assignments" / folder / HINTS_FILE).write_text(text)
    with pytest.raises(AuthorError, match=f"assignments/{folder}/{HINTS_FILE}"):
        read_hints(tree, folder)


@pytest.mark.parametrize(
    ("formula", "shown"),
    [
        (r"\partial L / \partial x", "dL / dx"),
        (r"\frac{\partial L}{\partial y_{nm}}", "dL/dy_nm"),
        (r"\sum_{n,d} x_{nd}", "sum_(n,d) x_nd"),
        (r"y = x W^\top + b", "y = x W^T + b"),
        (r"\frac{u' v - u v'}{v^2}", "(u' v - u v')/v^2"),
        (r"\mathrm{sign}(r) \le \delta", "sign(r) <= delta"),
        (r"\left(1 + \sqrt{x}\right)", "(1 + sqrt(x))"),
    ],
)
def test_formulas_are_shown_as_code_has_them(formula, shown):
    assert hints.plain(formula) == shown


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_hint_of_the_course_is_plain_text_of_80_columns(folder):
    for task, rungs in read_hints(ROOT, folder).items():
        for rung in rungs:
            shown = hints.in_terminal(rung)
            assert shown.isascii(), (task, shown)
            assert "$" not in shown, (task, shown)
            assert "\\" not in shown.replace("\\n", ""), (task, shown)
            assert max(map(len, shown.splitlines())) <= hints.WIDTH, (task, shown)


def test_the_command_shows_them():
    command = [sys.executable, "-m", "autograder", "check", "--hint", "week1.relu:1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("week1.relu, hint 1 of 3\n")
