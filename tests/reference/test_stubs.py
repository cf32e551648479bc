"""Stubs hold the given code and nothing of the solution."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from autograder.course import COURSE_FILE, RUBRIC_FILE
from autograder.reference.gaps import (
    StubError,
    check_stubs,
    find_gaps,
    find_leaks,
    make_stub,
    render,
    write_stubs,
)

ROOT = Path(__file__).parents[2]

SOLUTION = '''\
"""Layers."""

import numpy as np


class Linear:
    """y = x W^T + b."""

    def forward(self, x):
        """Return the output, shape (N, out)."""
        # BEGIN SOLUTION week1.linear
        self.x = x
        for row in x:
            print(row)
        return x @ self.W.T + self.b
        # END SOLUTION

    def backward(self, dL_dy):
        """Return dL/dx, shape (N, in)."""
        # The upstream gradient has the shape of the output.
        dL_dx = np.zeros_like(self.x)
        if dL_dy.size:
            # BEGIN SOLUTION week1.linear
            # summed over the batch
            self.dL_db = dL_dy.sum(axis=0)
            # END SOLUTION
        return dL_dx


def relu(x):
    # BEGIN SOLUTION week1.relu
    return np.maximum(x, 0)
    # END SOLUTION


def given():
    def inner(x):
        # BEGIN SOLUTION week1.tanh
        return x
        # END SOLUTION

    return inner
'''

STUB = '''\
"""Layers."""

import numpy as np


class Linear:
    """y = x W^T + b."""

    def forward(self, x):
        """Return the output, shape (N, out)."""
        raise NotImplementedError("week1.linear: fill in Linear.forward")

    def backward(self, dL_dy):
        """Return dL/dx, shape (N, in)."""
        # The upstream gradient has the shape of the output.
        dL_dx = np.zeros_like(self.x)
        if dL_dy.size:
            raise NotImplementedError("week1.linear: fill in Linear.backward")
        return dL_dx


def relu(x):
    raise NotImplementedError("week1.relu: fill in relu")


def given():
    def inner(x):
        raise NotImplementedError("week1.tanh: fill in given.inner")

    return inner
'''


def test_gaps_become_raises_and_the_rest_is_kept_verbatim() -> None:
    assert make_stub(SOLUTION, "layers.py") == STUB


def test_a_source_without_gaps_is_its_own_stub() -> None:
    assert make_stub(STUB, "layers.py") == STUB


def test_a_long_message_stands_on_a_line_of_its_own() -> None:
    name = "test_" + 60 * "x"
    source = SOLUTION.replace("def relu", f"def {name}")
    stub = make_stub(source, "layers.py")
    assert (
        f"""
    raise NotImplementedError(
        "week1.relu: fill in {name}"
    )
"""
        in stub
    )
    assert find_leaks(stub, source, "layers.py") == []


def test_a_missing_final_newline_stays_missing() -> None:
    assert make_stub(SOLUTION.rstrip("\n"), "layers.py") == STUB.rstrip("\n")


def test_gaps_know_their_task_place_and_lines() -> None:
    gaps = find_gaps(SOLUTION, "layers.py")
    assert [(gap.task, gap.where) for gap in gaps] == [
        ("week1.linear", "Linear.forward"),
        ("week1.linear", "Linear.backward"),
        ("week1.relu", "relu"),
        ("week1.tanh", "given.inner"),
    ]
    assert SOLUTION.split("\n")[gaps[0].first - 1].strip() == "# BEGIN SOLUTION week1.linear"
    assert [len(gap.statements) for gap in gaps] == [3, 1, 1, 1]


def test_the_gate_finds_nothing_in_a_stub() -> None:
    assert find_leaks(STUB, SOLUTION, "layers.py") == []


LEAKS = {
    "the solution itself": (SOLUTION, "solution marker"),
    "markers removed, code left": (
        "\n".join(line for line in SOLUTION.split("\n") if "SOLUTION" not in line),
        "Linear.forward has 1 x Return(",
    ),
    "one statement left above a raise": (
        STUB.replace("        raise", "        self.x = x\n        raise", 1),
        "Linear.forward has 1 x Assign(",
    ),
    "a gap's line after the raise": (
        STUB + "\n\ndef extra(x):\n    return np.maximum(x, 0)\n",
        "extra has 1 x Return(",
    ),
    "a raise missing": (
        STUB.replace('raise NotImplementedError("week1.relu: fill in relu")', "return None"),
        "relu lacks 1 x Raise(",
    ),
    "a raise that names another task": (
        STUB.replace("week1.relu: fill", "week1.mse: fill"),
        "relu lacks 1 x Raise(",
    ),
}


@pytest.mark.parametrize("case", LEAKS)
def test_the_gate_finds_what_is_left_of_a_solution(case: str) -> None:
    stub, message = LEAKS[case]
    assert message in "\n".join(find_leaks(stub, SOLUTION, "layers.py"))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "solutions" / "week1_backprop"
    folder.mkdir(parents=True)
    (folder / "layers.py").write_text(SOLUTION, "utf-8")
    (folder / "misconceptions.toml").write_text("", "utf-8")
    for name in (COURSE_FILE, RUBRIC_FILE):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    return tmp_path


def test_writing_stubs_tells_what_changed_and_settles(project: Path) -> None:
    target = project / "assignments" / "week1_backprop" / "layers.py"
    assert write_stubs(project) == [target]
    assert target.read_text("utf-8") == STUB
    assert write_stubs(project) == []
    assert sorted(path.name for path in target.parent.iterdir()) == ["layers.py"]


def test_a_wrong_marker_anywhere_changes_no_stub(project: Path) -> None:
    (project / "solutions" / "week1_backprop" / "zebra.py").write_text("# END SOLUTION\n", "utf-8")
    folder = project / "assignments" / "week1_backprop"
    with pytest.raises(StubError, match=r"solutions/week1_backprop/zebra\.py:1"):
        write_stubs(project)
    assert not folder.exists()


def test_a_task_that_the_rubric_does_not_know_is_refused(project: Path) -> None:
    solution = project / "solutions" / "week1_backprop" / "layers.py"
    solution.write_text(SOLUTION.replace("week1.relu", "week1.rule"), "utf-8")
    with pytest.raises(StubError, match=r"layers\.py:\d+: unknown task id 'week1\.rule'"):
        write_stubs(project)


def test_checking_stubs_names_the_ones_that_differ(project: Path) -> None:
    folder = project / "assignments" / "week1_backprop"
    assert check_stubs(project) == [
        "assignments/week1_backprop/layers.py is missing for its solution; run: make stubs"
    ]
    write_stubs(project)
    assert check_stubs(project) == []
    (folder / "layers.py").write_text(STUB + "# edited\n", "utf-8")
    (folder / "stray.py").write_text("", "utf-8")
    assert check_stubs(project) == [
        "assignments/week1_backprop/layers.py differs from its solution; run: make stubs",
        f"assignments/week1_backprop/stray.py has no solution, and is not `given` by {COURSE_FILE}",
    ]


def test_the_committed_stubs_are_those_of_the_solutions() -> None:
    assert check_stubs(ROOT) == []


@pytest.mark.parametrize(
    "solution", sorted((ROOT / "solutions").glob("*/*.py")), ids=lambda path: path.stem
)
def test_every_stub_of_the_course_is_python_without_a_solution(solution: Path) -> None:
    source = solution.read_text("utf-8")
    stub = make_stub(source, solution.name)
    assert find_leaks(stub, source, solution.name) == []
    assert ast.get_docstring(ast.parse(stub))


BROKEN_SCRIPT = """\
# BEGIN SOLUTION week1.linear
FAULT = "rate too high"
# INSTEAD
# FAULT = None
# END SOLUTION


def train(steps):
    # BEGIN SOLUTION week1.relu
    for step in range(steps):
        print(0.1 / step)
    # INSTEAD
    # for step in range(steps):
    #     # far too large?
    #     print(40.0 / step)
    #
    # print("done")
    # END SOLUTION
    return steps
"""

BROKEN_STUB = """\
FAULT = None


def train(steps):
    for step in range(steps):
        # far too large?
        print(40.0 / step)

    print("done")
    return steps
"""


def test_a_gap_may_say_what_stands_in_the_stub_instead() -> None:
    assert make_stub(BROKEN_SCRIPT, "lab.py") == BROKEN_STUB
    assert find_leaks(BROKEN_STUB, BROKEN_SCRIPT, "lab.py") == []


def test_a_filled_gap_shows_nothing_of_what_stood_in_the_stub() -> None:
    filled = render(BROKEN_SCRIPT, "lab.py", lambda gap: False)
    assert "40.0" not in filled
    assert "INSTEAD" not in filled
    assert 'FAULT = "rate too high"' in filled


def test_a_mended_line_left_in_a_broken_script_is_a_leak() -> None:
    leaks = find_leaks(BROKEN_STUB.replace("40.0", "0.1"), BROKEN_SCRIPT, "lab.py")
    assert any("train has 1 x" in leak and "0.1" in leak for leak in leaks)
