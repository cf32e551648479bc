"""What `check` can be asked for: tasks, tests, inputs, a width, another run after each change."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.records import PlannedCheck, Verdict
from autograder.students import command_line
from autograder.students.in_process import InProcessHost
from autograder.students.inputs import MOST_LINES, Recorder, shown_array
from autograder.students.screen import Screen
from autograder.students.selection import Selection, SelectionError
from autograder.students.watching import watch

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
WEEK = COURSE.week(1)
PLAN = [
    PlannedCheck("test_public_net::test_bias", "week1.linear", "The bias is added", 1),
    PlannedCheck("test_public_net::test_relu[one]", "week1.relu", "ReLU of ONE number", 1),
    PlannedCheck("test_public_net::test_kink", "week1.relu", "ReLU has a kink", 1),
]


def chosen(**given: tuple[str, ...]) -> list[str]:
    return [check.title for check in Selection(**given).of(COURSE, WEEK, PLAN)]


def test_tasks_and_tests_are_chosen_by_id_name_and_title() -> None:
    assert len(chosen()) == 3
    assert chosen(tasks=("week1.relu",)) == ["ReLU of ONE number", "ReLU has a kink"]
    assert chosen(tests=("bias", "test_kink")) == ["The bias is added", "ReLU has a kink"]
    assert chosen(tests=("of one",)) == ["ReLU of ONE number"]
    assert chosen(tasks=("week1.relu",), tests=("bias",)) == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"tasks": ("week1.rellu",)}, "Do you mean week1.relu"),
        ({"tasks": ("week1.quality",)}, "no public test looks at week1.quality"),
        ({"tests": ("test_bais",)}, "Do you mean test_bias"),
        ({"tests": ("zzz",)}, "runs all tests of a task"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    given: dict[str, tuple[str, ...]], said: str
) -> None:
    with pytest.raises(SelectionError) as caught:
        chosen(**given)
    assert said in str(caught.value)


def test_the_week_is_the_named_one_the_tasks_or_the_folders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "ROOT", tmp_path)
    project = COURSE.week_called("project")
    inside = tmp_path / "assignments" / project.folder / "models"
    inside.mkdir(parents=True)
    named: Callable[..., int] = lambda *given: command_line.week_of(COURSE, *given).number  # noqa: E731
    monkeypatch.chdir(tmp_path)
    assert (named(None), named("2"), named("week3"), named(None, ["week2.typo"])) == (1, 2, 3, 2)
    monkeypatch.chdir(inside)
    assert named(None) == project.number, "not the week in whose folder the project's lies"
    monkeypatch.chdir(inside.parents[1])
    assert named(None) == 3


def test_lines_are_broken_at_the_terminals_width_and_nowhere_in_a_file() -> None:
    text = "  dL_db: 2 of 2 entries differ; the largest difference is at [1]."
    narrow, file = io.StringIO(), io.StringIO()
    Screen(narrow, width=40).line(text, "green", hanging=2)
    Screen(file).line(text, "green")
    lines = narrow.getvalue().splitlines()
    assert max(map(len, lines)) <= 40
    assert len(lines) == 2
    assert lines[1].startswith("    ")
    assert " ".join(" ".join(lines).split()) == text.strip()
    assert file.getvalue() == f"{text}\n", "no colours, and one line"


def test_inputs_are_lines_of_python() -> None:
    host = InProcessHost(
        Path("/tmp"),
        {"layers.py": b"class Twice:\n    def forward(self, x, by=2):\n        return by * x\n"},
        ["layers.py"],
    )
    try:
        student = host.start(0)
        layer = student.layers.Twice()
        layer.scale = np.array([1.0, 2.0])
        layer.forward(np.array([[0.5, -1.0]]), by=3)
        with pytest.raises(Fault):
            layer.backward([1, "a"])
    finally:
        host.close()
    assert host.recorder.text.splitlines() == [
        "twice = layers.Twice()",
        "twice.scale = array([1., 2.])",
        "twice.forward(array([[ 0.5, -1. ]]), by=3)",
        "twice.backward",
    ]


def test_large_arrays_and_long_tests_are_told_in_short() -> None:
    assert (
        shown_array(np.zeros((64, 784), np.float32)) == "<64 x 784 numbers, float32, from 0 to 0>"
    )
    recorder = Recorder()
    for _ in range(MOST_LINES + 5):
        recorder.answered("call", "f(1)", 1)
    assert recorder.text.splitlines()[0] == "# 5 lines before these"
    assert len(recorder.text.splitlines()) == MOST_LINES + 1


def test_code_in_this_process_has_its_own_path_and_leaves_nothing_behind(tmp_path: Path) -> None:
    source = b"import os\nimport numpy\nnumpy.seterr(all='ignore')\nwhere = __file__\n"
    (tmp_path / "own_module.py").write_bytes(source)
    host = InProcessHost(tmp_path, {"own_module.py": source}, ["own_module.py"])
    before = np.geterr()
    try:
        assert host.start(0).own_module.where == (tmp_path / "own_module.py").as_posix()
        host.finish(None)
        with pytest.raises(Fault) as caught:
            _ = host.start(0).no_module
        assert caught.value.verdict is Verdict.RAISED
    finally:
        host.close()
    assert np.geterr() == before


def test_watching_checks_again_after_each_change_and_ends_with_ctrl_c(tmp_path: Path) -> None:
    file, printed, checks = tmp_path / "net.py", io.StringIO(), []
    file.write_text("x = 1\n")

    def wait(seconds: float) -> None:
        """The student's evening: two pauses, a change of notes, a change of code, and Ctrl-C."""
        moments.append(seconds)
        if len(moments) == 2:
            (tmp_path / "notes.txt").write_text("not a source")
        if len(moments) == 4:
            file.write_text("x = 22\n")
        if len(moments) > 7:
            raise KeyboardInterrupt

    moments: list[float] = []
    watch(tmp_path, lambda: checks.append(len(moments)), Screen(printed), wait)
    assert len(checks) == 2
    assert checks[1] >= 4
    assert printed.getvalue().count("Ctrl-C ends it") == 2


def test_a_reader_that_went_away_is_no_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*arguments: object) -> int:
        raise BrokenPipeError

    read, write = os.pipe()
    monkeypatch.setattr(command_line, "run", broken)
    with open(write, "w") as stream:
        monkeypatch.setattr("sys.stdout", stream)
        with pytest.raises(SystemExit) as ended:
            command_line.main(["check"])
    os.close(read)
    assert ended.value.code == 1
