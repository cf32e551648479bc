"""All that a student runs in week 1, step by step: `python portable.py TREE SOLVED`.

TREE is a students' tree whose set-up is done, SOLVED a folder with week 1 solved, whose files
replace the tree's. The standard library alone is used: this runs in CI on Windows and macOS, and in
test_portable.py on a Python from which what these lack has been taken away. `--pack OUT` puts this
file and the solved week into a folder, for CI.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

WEEK = "assignments/week1_backprop"
RIGHT, WRONG = "return np.maximum(x, 0.0)", "return np.abs(x)"
SETTINGS = {
    "PYTHONUTF8": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
    "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins that students don't have
}
ROW = re.compile(r"^ +(week1\.\w+) +(?:(\S+) / (\S+) +)?(.*)$", re.M)


class Chair:
    """A student's tree, and what is typed there."""

    def __init__(self, tree: Path, solved: Path):
        self.tree, self.solved, self.week = tree, solved, tree / WEEK

    def run(self, *arguments: str, folder: Path | None = None, typed: str = "") -> str:
        """Run Python with these arguments; return what it printed. It has to succeed."""
        status, text = self.ends(*arguments, folder=folder, typed=typed)
        assert status == 0, text
        return text

    def ends(self, *arguments: str, folder: Path | None = None, typed: str = "") -> tuple[int, str]:
        """Run Python with these arguments; return its exit status, and what it printed."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=folder or self.tree,
            env={**os.environ, **SETTINGS},
            input=typed,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        return done.returncode, done.stdout

    def check(self, *arguments: str, typed: str = "") -> str:
        return self.run("check.py", "1", *arguments, typed=typed)

    def write(self, change: tuple[str, str] = ("", "")) -> None:
        """Put the solved files into the tree, with one text of neural_net.py replaced."""
        for path in self.solved.iterdir():
            shutil.copyfile(path, self.week / path.name)
        net = self.week / "neural_net.py"
        text = net.read_text("utf-8")
        assert change[0] in text
        net.write_text(text.replace(*change) if change[0] else text, "utf-8")


def stubs_are_not_attempted(chair: Chair) -> None:
    rows = ROW.findall(chair.check())
    assert len(rows) > 15
    assert {(points, state) for _, points, _, state in rows} == {("0", "not attempted")}


def a_solved_week_is_green(chair: Chair) -> None:
    chair.write()
    rows = ROW.findall(chair.check())
    assert len(rows) > 15
    assert all(points == most for _, points, most, _ in rows), rows


def the_weeks_folder_is_as_good(chair: Chair) -> None:
    chair.write()
    text = chair.run("check.py", "--task", "week1.relu", folder=chair.week)
    assert [row[3] for row in ROW.findall(text)] == ["all public tests pass"]
    assert chair.run("../../check.py", "--task", "week1.relu", folder=chair.week) == text
    assert chair.run(f"{WEEK}/check.py", "--task", "week1.relu") == text


def a_mistake_is_shown_with_its_inputs(chair: Chair) -> None:
    chair.write((RIGHT, WRONG))
    text = chair.check("--test", "relu_forward", "--inputs")
    assert "week1.relu: " in text
    assert "relu.forward(array(" in text


def limits_hold(chair: Chair) -> None:
    for code, said in (
        ("while True: pass", "No answer within"),
        ("import os; os._exit(3)", "exit status 3"),
        ("return self.forward(x)", "RecursionError"),
        ("while True: print('x' * 10_000)", "printed more than"),
        ("raise SystemExit", "SystemExit"),
    ):
        chair.write((RIGHT, code))
        text = chair.check("--task", "week1.relu")
        assert said in text, text
        assert "0 of" in text


def the_debugger_stops(chair: Chair) -> None:
    chair.write((RIGHT, f"breakpoint()\n        {RIGHT}"))
    typed = "p type(x).__name__\nc\nquit\n"
    text = chair.check("--task", "week1.relu", "--debug", typed=typed)
    assert "neural_net.py(" in text
    assert "'ndarray'" in text


def pytest_is_red_and_green_for_the_right_reasons(chair: Chair) -> None:
    chair.write()
    quiet = ("-m", "pytest", "-q", "-p", "no:cacheprovider")
    assert re.search(r"^\d+ passed", chair.run(*quiet, WEEK), re.M)
    assert re.search(r"^\d+ passed", chair.run(*quiet, folder=chair.week), re.M)
    chair.write((RIGHT, WRONG))
    status, text = chair.ends(*quiet, "tests/test_public_neural_net.py", folder=chair.week)
    assert status == 1
    failed = set(re.findall(r"^FAILED \S+::(\w+)", text, re.M))
    assert "test_relu_forward" in failed
    assert not {name for name in failed if "linear" in name or "sigmoid" in name}
    assert "Traceback" not in text
    chair.write((RIGHT, 'raise NotImplementedError("week1.relu: fill in ReLU.forward")'))
    _, text = chair.ends(*quiet, "-k", "relu_forward", folder=chair.week)
    assert "not attempted: week1.relu: fill in ReLU.forward" in text


def a_large_notebook_is_read(chair: Chair) -> None:
    """One of more than 2 MB, as pictures make them, is read in a process of its own."""
    chair.write()
    path = chair.week / "derivations.ipynb"
    notebook = json.loads(path.read_text("utf-8"))
    picture = {"output_type": "display_data", "data": {"text/plain": "x" * (3 << 20)}}
    code = next(cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    code["outputs"] = [{**picture, "metadata": {}}]
    path.write_text(json.dumps(notebook), "utf-8")
    text = chair.check("--task", "week1.derive_relu")
    assert [row[3] for row in ROW.findall(text)] == ["all public tests pass"], text


def the_hand_in_says_what_tests_say(chair: Chair) -> None:
    chair.write()
    text = chair.run("check.py", "handin", "1")
    assert "What the public tests say of week1.zip" in text
    with zipfile.ZipFile(chair.tree / "week1.zip") as archive:
        assert "week1_backprop/neural_net.py" in archive.namelist()


def a_script_runs_from_anywhere(chair: Chair) -> None:
    chair.write()
    out = chair.tree / "figures"
    script = [f"{WEEK}/mnist_mlp.py", "--epochs", "1", "--out", str(out)]
    assert "training images" in chair.run("check.py", "run", *script)
    assert list(out.glob("*.png"))


STEPS = (
    stubs_are_not_attempted,
    a_solved_week_is_green,
    the_weeks_folder_is_as_good,
    a_mistake_is_shown_with_its_inputs,
    limits_hold,
    the_debugger_stops,
    pytest_is_red_and_green_for_the_right_reasons,
    a_large_notebook_is_read,
    the_hand_in_says_what_tests_say,
    a_script_runs_from_anywhere,
)


def solve(out: Path) -> None:
    """Write week 1's solutions, as students would hand them in, into a folder."""
    from autograder.course import load
    from autograder.reference.gaps import render
    from autograder.reference.percent_source import notebook_of, text_of

    root = Path(__file__).resolve().parents[2]
    course = load(root)
    week = course.week(1)
    out.mkdir(parents=True)
    for name in week.modules:
        source = (root / "solutions" / week.folder / name).read_text("utf-8")
        text = render(source, name, lambda gap: False)
        notebook = week.notebook(name)
        if notebook is not None:
            points = {item.id: item.points for item in course.items()}
            text, name = text_of(notebook_of(text, name, points)), notebook.file
        (out / name).write_text(text, "utf-8")


def main(tree: str, solved: str) -> None:
    """Go through all steps in a tree."""
    if tree == "--pack":
        solve(Path(solved) / "solved")
        shutil.copyfile(__file__, Path(solved) / Path(__file__).name)
        return
    chair = Chair(Path(tree).resolve(), Path(solved).resolve())
    for step in STEPS:
        print(f"{step.__name__.replace('_', ' ')} ...", flush=True)
        step(chair)
    print("all steps hold")


if __name__ == "__main__":
    main(*sys.argv[1:])
