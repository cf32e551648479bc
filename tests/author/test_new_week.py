"""`autograder new`: what it writes loads and fits together; what can't be is refused whole."""

from __future__ import annotations

import difflib
import errno
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from autograder.author import new_week_files
from autograder.author.new_week import NewWeekError, files_of, new_week, write_week
from autograder.author.prove import other_solutions
from autograder.author.release_gate import find_all_leaks
from autograder.course import COURSE_FILE, RUBRIC_FILE, load
from autograder.reference.gaps import check_stubs, stub_modules
from autograder.reference.misconceptions import catalogue_of, solution_files

ROOT = Path(__file__).resolve().parents[2]
THREE = "greet=4,shrink_and_move=4.5,quality=1.5"


@pytest.fixture
def root(small: Path, tmp_path: Path) -> Path:
    """A copy of the small course, to write into."""
    return Path(shutil.copytree(small, tmp_path / "course"))


def everything(root: Path) -> dict[str, bytes]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("items", [None, THREE])
def test_the_course_with_a_new_week_loads(root: Path, items: str | None) -> None:
    before, files = load(root), set(everything(root))
    written = write_week(root, new_week(root, "week9_hello", "Hello, you", items))
    course = load(root)
    week = course.week(9)
    assert course.weeks[:-1] == before.weeks
    assert (week.id, week.folder, week.title) == ("week9", "week9_hello", "Hello, you")
    assert week.limits == before.weeks[0].limits.model_validate({})
    names = ["week9.hello"] if items is None else ["greet", "shrink_and_move", "quality"]
    assert [item.id.removeprefix("week9.") for item in course.items(9)] == [
        name.removeprefix("week9.") for name in names
    ]
    assert sum(item.points for item in course.items(9)) == 1000
    assert set(everything(root)) == files | set(written)


def copy_of_the_course(folder: Path) -> Path:
    root = Path(shutil.copytree(ROOT / "assignments", folder / "top" / "assignments")).parent
    (root / "solutions").mkdir()
    return root


def test_comments_and_everything_else_in_the_courses_files_stays(tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path)
    before = everything(root)
    write_week(root, new_week(root, "week9_hello"))
    after = everything(root)
    assert after[COURSE_FILE].startswith(before[COURSE_FILE])
    was, now = (lines[RUBRIC_FILE].decode().splitlines() for lines in (before, after))
    added = [line[2:] for line in difflib.ndiff(was, now) if line.startswith("+ ")]
    gone = [line[2:] for line in difflib.ndiff(was, now) if line.startswith("- ")]
    last = [phase for phase in load(root).phases if phase.items][-1]
    assert gone == [f"total = {last.total // 100 - 10}"]
    assert f"total = {last.total // 100}" in added
    phases = tomllib.loads("\n".join(now))["phase"]
    (phase,) = (phase for phase in phases if phase["id"] == last.id)
    assert phase["component"][-1]["points"] == 10
    rest = (COURSE_FILE, RUBRIC_FILE)
    assert {name: after[name] for name in before if name not in rest} == {
        name: before[name] for name in before if name not in rest
    }


def test_a_week_counts_in_the_phase_that_is_asked_for(tmp_path: Path) -> None:
    root = copy_of_the_course(tmp_path)
    before = load(root).phases
    write_week(root, new_week(root, "week9_hello", phase="phase2"))
    course = load(root)
    assert (course.phases[0], course.phases[2]) == (before[0], before[2])
    assert course.phases[1].total == before[1].total + 1000
    assert course.week(9) in course.weeks_of("phase2")
    assert course.week(9) not in course.weeks_of("phase1")
    edit = root / RUBRIC_FILE
    edit.write_text(edit.read_text().replace("\n\n[[phase]]     ", "\n\n# Next.\n\n[[phase]]     "))
    write_week(root, new_week(root, "week12_more"))
    write_week(root, new_week(root, "week11_last", phase="capstone"))
    course = load(root)
    assert {9, 12} <= {week.number for week in course.weeks_of("phase2")}
    assert [week.number for week in course.weeks_of("capstone")] == [11]
    text = edit.read_text()
    assert "\n]\n\n# Next.\n\n[[phase]]" in text
    assert "\n\n\n" not in text
    assert text.endswith("\n]\n")
    with pytest.raises(NewWeekError, match="no phase 'phase9'"):
        new_week(root, "week13_more", phase="phase9")


def test_what_is_written_fits_together(root: Path) -> None:
    write_week(root, new_week(root, "week9_hello", items=THREE))
    course = load(root)
    week = course.week(9)
    assert check_stubs(root, week) == []
    assert len(catalogue_of(root, course, week, verify=True)) == 1
    reference = solution_files(root, week)
    assert list(other_solutions(root, week, reference)) == [new_week_files.OTHER_STYLE]
    stub = stub_modules(root, course, week)["hello.py"]
    assert 'raise NotImplementedError("week9.greet: fill in greet")' in stub


@pytest.mark.parametrize("name", ["week9_hello", "week9_a_topic_as_long_as_it_is"])
@pytest.mark.parametrize("items", [None, THREE, "a_name_that_is_very_long=1"])
def test_what_is_written_is_in_the_projects_style(
    tmp_path: Path, name: str, items: str | None
) -> None:
    """Long names too: nothing has to be put right before `make lint` passes."""
    week = new_week(ROOT, name, items=items)
    for name, text in files_of(week).items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
    shutil.copyfile(ROOT / "pyproject.toml", tmp_path / "pyproject.toml")
    for package in ("autograder", "autograder/suite"):  # ruff sorts the project's own imports apart
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
    for command in (["check"], ["format", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--no-cache", "."],
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout


def test_what_students_get_of_it_gives_nothing_away(root: Path, tmp_path: Path) -> None:
    """The release gate looks for lines of the solution, edits, and hidden tests renamed."""
    week = new_week(root, "week9_hello", items=THREE)
    write_week(root, week)
    course = load(root)
    alone = course.model_copy(update={"weeks": (course.week(9),), "salt": "our own salt"})
    tree = tmp_path / "tree"
    for name in files_of(week):
        if name.startswith("assignments/") and "/hidden/" not in name:
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, tree / name)
    assert find_all_leaks(alone, root, tree) == []
    shutil.copyfile(root / "solutions/week9_hello/hello.py", tree / "notes.txt")
    assert find_all_leaks(alone, root, tree)


REFUSED = {
    "hello": "is no name of a week",
    "week9": "is no name of a week",
    "week9_Hello": "is no name of a week",
    "week09_hello": "is no name of a week",
    "week9_../x": "is no name of a week",
    "week9_" + "a" * 25: "is no name of a week",
    "week9_random": "a module called 'random' already",
    "week9_numpy": "a module called 'numpy' already",
    "week9_class": "a word of Python's own",
    "week3_hello": "number 3 is taken by week3",
    "week2_small": "number 2 is taken by week2",
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_name_that_can_not_be_had_is_refused(root: Path, name: str) -> None:
    before = everything(root)
    with pytest.raises(NewWeekError, match=REFUSED[name].replace(".", r"\.")):
        new_week(root, name)
    assert everything(root) == before


ITEMS = {
    "": "is no item",
    "a b": "is no item",
    "a=": "is no item",
    "A=3": "is no item",
    "a=1.234": "more than two decimals",
    "a=0": "worth nothing",
    "a,b,a": "named twice: a",
    "quality=2": "quality alone",
    "student_tests=2": "students' own tests need",
    "performance": "a training job needs",
    "lambda": "can't be the name of a function",
    "np": "can't be the name of a function",
}


@pytest.mark.parametrize("items", ITEMS)
def test_items_that_can_not_be_had_are_refused(root: Path, items: str) -> None:
    with pytest.raises(NewWeekError, match=ITEMS[items]):
        new_week(root, "week9_hello", items=items or " ")


@pytest.mark.parametrize("place", ["assignments", "solutions"])
def test_a_folder_that_is_there_is_not_touched(root: Path, place: str) -> None:
    (root / place / "week9_hello").mkdir()
    before = everything(root)
    with pytest.raises(NewWeekError, match=f"{place}/week9_hello is there already"):
        new_week(root, "week9_hello")
    assert everything(root) == before


@pytest.mark.parametrize("call", [1, 2, 3, 4])
def test_a_disk_that_refuses_leaves_all_as_it_was(
    root: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    """Whichever of the four renames fails: two folders, the course's file, the rubric."""
    week = new_week(root, "week9_hello")
    before, calls, rename = everything(root), [], os.rename

    def refusing(source: str, target: str) -> None:
        calls.append(target)
        if len(calls) == call:
            raise OSError(errno.ENOSPC, "No space left on device", str(target))
        rename(source, target)

    monkeypatch.setattr(os, "rename", refusing)
    with pytest.raises(NewWeekError, match="No space left on device"):
        write_week(root, week)
    monkeypatch.undo()
    assert everything(root) == before
    assert not [path for path in root.rglob("*") if path.name.startswith(".")]
    write_week(root, new_week(root, "week9_hello"))


def test_the_course_loads_after_each_step(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that goes down in between leaves a course that can be used."""
    week = new_week(root, "week9_hello")
    loaded, rename = [], os.rename

    def watched(source: str, target: str) -> None:
        rename(source, target)
        loaded.append(len(load(root).items(9)) if Path(target).suffix == ".toml" else 0)

    monkeypatch.setattr(os, "rename", watched)
    write_week(root, week)
    assert loaded == [0, 0, 0, 1]


def test_a_total_is_raised_however_it_is_written(root: Path) -> None:
    path = root / RUBRIC_FILE
    path.write_text(path.read_text().replace("total = 120", "total  =  '120.00' # all of it", 1))
    write_week(root, new_week(root, "week9_hello", items="greet=1.25"))
    assert "total  =  '121.25' # all of it\n" in path.read_text()
    assert load(root).items(9)
