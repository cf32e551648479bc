"""The author's guide, followed to the letter in a copy of the repository: commands and edits."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "authors.md").read_text("utf-8")
COPIED = ("assignments", "autograder", "data", "solutions", "pyproject.toml")
PYTHON = ".venv/bin/python"
STEP = re.compile(
    r"^(?:Append to `(?P<file>[^`]+)`(?P<apart>, after two empty lines)?:\n\n)?"
    r"```(?P<kind>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
GAP = "2.0 * x + 1.0"
MISTAKES = {
    "alan": ("2.0 * (x + 1.0)", "You add 1 before you multiply"),
    "edsger": ("2.0 * np.asarray(x, dtype=np.float64) + 1.0", "Your result is float64, whatever"),
}
pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("confinement")]


def run(top: Path, command: str, status: int = 0) -> str:
    """Run a command of the guide, with this interpreter, and return what it says."""
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    environment |= {"PYTHONPATH": str(top), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "120"}
    done = subprocess.run(
        ["bash", "-e", "-c", command.replace(PYTHON, shlex.quote(sys.executable))],
        cwd=top,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == status, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """A copy in which every command of the guide was run and every edit made, in their order.

    And what the commands said. The set-up is left out: the tests run in what it makes.
    """
    top = tmp_path_factory.mktemp("repository")
    ignore = shutil.ignore_patterns("__pycache__", "cache")
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, top / name, ignore=ignore)
        else:
            shutil.copyfile(ROOT / name, top / name)
    said = {}
    for step in STEP.finditer(GUIDE):
        if step["file"]:
            path = top / step["file"]
            path.write_text(path.read_text() + ("\n\n" if step["apart"] else "") + step["text"])
        elif step["kind"] == "sh":
            for command in step["text"].replace("\\\n", "").splitlines():
                if "scripts/setup.sh" not in command:
                    said[command] = run(top, command)
    return top, said


def starting(said: dict[str, str], command: str) -> str:
    [text] = [text for name, text in said.items() if name == f"{PYTHON} -m autograder {command}"]
    return text


def test_the_path_to_a_new_week_is_as_short_as_the_guide_says(
    followed: tuple[Path, dict[str, str]],
) -> None:
    """Four commands and two edited files, up to the graded class."""
    first = GUIDE.partition("To grade files of your own")[0]
    steps = list(STEP.finditer(first))
    commands = [line for s in steps if s["kind"] == "sh" for line in s["text"].splitlines()]
    assert len(commands) == 4
    assert len({step["file"] for step in steps if step["file"]}) == 2
    assert "Four commands and two edited files" in first


def test_what_the_commands_say(followed: tuple[Path, dict[str, str]]) -> None:
    _, said = followed
    new = starting(said, "new week9_hello")
    assert "written: assignments/week9_hello/hidden/test_hello.py" in new
    assert "8. .venv/bin/python -m autograder author check --week 9" in new.replace(
        sys.executable, PYTHON
    )
    for command in ("author check --week 9", "author check --week 9 --jobs 2"):
        check = starting(said, command)
        assert "week 9: all 17 proofs hold" in check
        assert "hello-always-float64 fails week9.hello alone, and is explained" in check
        assert re.search(r"week9.hello +3 +25.0% +2.50 each +hello is 2 x \+ 1", check)
    assert "The stubs are up to date" in starting(said, "stubs")
    assert "week9.hello" in starting(said, "check --week 9")
    [pytest_run] = [text for name, text in said.items() if "pytest_plugin" in name]
    assert "1 passed, 4 deselected" in pytest_run


def points(path: Path) -> dict[str, str]:
    with (path / "gradebook.csv").open(newline="", encoding="utf-8") as stream:
        return {row["student"]: row["week9.hello"] for row in csv.DictReader(stream)}


def test_the_class_is_graded(followed: tuple[Path, dict[str, str]]) -> None:
    top, _ = followed
    simulated = points(top / "grades")
    assert len(simulated) == 12
    assert "10.00" in simulated.values()
    assert points(top / "my-grades") == {"ada": "10.00", "grace": "0.00"}


def test_solution_stub_and_mistakes_get_what_they_should(
    followed: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    top, _ = followed
    solution = (top / "solutions/week9_hello/hello.py").read_text()
    for student, (mistake, _) in MISTAKES.items():
        (tmp_path / "class" / student).mkdir(parents=True)
        (tmp_path / "class" / student / "hello.py").write_text(solution.replace(GAP, mistake))
    for student in ("ada", "grace"):
        shutil.copytree(top / "my-class" / student, tmp_path / "class" / student)
    command = f"{PYTHON} -m autograder grade --week 9"
    run(top, f"{command} --submissions {tmp_path}/class --out {tmp_path}/grades")
    assert points(tmp_path / "grades") == {
        "ada": "10.00",
        "grace": "0.00",
        "alan": "1.25",
        "edsger": "8.75",
    }
    for student, (_, says) in MISTAKES.items():
        feedback = (tmp_path / "grades/students" / student / "feedback.md").read_text("utf-8")
        assert says in feedback
    for student in ("ada", "grace"):
        feedback = (tmp_path / "grades/students" / student / "feedback.md").read_text("utf-8")
        assert not [says for _, says in MISTAKES.values() if says in feedback]


def test_a_week_that_does_not_hold_ends_with_status_1(
    followed: tuple[Path, dict[str, str]],
) -> None:
    top, _ = followed
    catalogue = top / "solutions/week9_hello/misconceptions.toml"
    before = catalogue.read_text()
    catalogue.write_text(before.replace("2.0 * np.asarray(x, dtype=np.float64) + 1.0", "2 * x + 1"))
    try:
        said = run(top, f"{PYTHON} -m autograder author check --week 9", status=1)
    finally:
        catalogue.write_text(before)
    assert "no check of week9.hello notices it" in said
    assert "week 9: 1 of 17 proofs fail" in said


@pytest.mark.parametrize(
    ("command", "problem"),
    {
        "new week9_hello": "number 9 is taken by week9 (Hello). Choose another number: 11 is free",
        "new hello": "'hello' is no name of a week",
        "author check --week 99": "there is no week '99'",
        "author check --root /nowhere": "assignments/course.toml",
    }.items(),
)
def test_an_error_is_one_line_with_what_to_do(
    followed: tuple[Path, dict[str, str]], command: str, problem: str
) -> None:
    said = run(followed[0], f"{PYTHON} -m autograder {command}", status=2)
    assert problem in said
    assert said.count("\n") == 1


def test_students_have_neither_command(followed: tuple[Path, dict[str, str]]) -> None:
    from autograder.author import release

    top, _ = followed
    rooms = (f"autograder/{room}/*.py" for room in getattr(release, "ROOMS", ()))
    shipped = {path for pattern in (*release.SHIPPED, *rooms) for path in top.glob(pattern)}
    assert [path for path in shipped if path.parent.name == "commands"]
    assert top / "autograder/commands/author_weeks.py" not in shipped
    assert not [path for path in shipped if path.parent.name == "author"]
