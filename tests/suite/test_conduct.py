"""Loops over the batch and numerical gradients become flags, with evidence; all else does not."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.gradebook.flags import Flag
from autograder.reference.misconceptions import solution_files
from autograder.sandbox import Limits
from autograder.suite.hidden.conduct import COMPLEX, LOOPS, NUMERICAL, trace_of
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.worker.modules import ModuleSpace
from autograder.worker.sandboxed.tracing import MOST_LINES, Tracer

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
NUMPY_WEEKS = [1, 2, 3]
LIMITS = Limits()


# The tracer.

LOOPING = {
    "for": "total = 0.0\n    for value in x: total += value\n    return total",
    "while": "n = 0\n    while n < len(x): n += 1\n    return n",
    "comprehension": "return np.array([value * 2 for value in x])",
    "nested comprehension": "return np.array([[v * 2 for v in row] for row in [x]])",
    "generator": "return sum(value * 2 for value in x)",
    "map": "return list(map(lambda value: value * 2, x))",
    "vectorize": "return np.vectorize(lambda value: value * 2)(x)",
    "frompyfunc": "return np.frompyfunc(lambda value: value * 2, 1, 1)(x)",
    "along_axis": "return np.apply_along_axis(np.sum, 1, x[:, None])",
    "recursion": "return 0.0 if not len(x) else x[0] + work(x[1:])",
    "sorted": "return sorted(x, key=lambda value: -value)",
}
WHOLE = {
    "arithmetic": "return x * 2 + np.where(x > 0, x, 0)",
    "layers": "for _ in range(50): x = np.tanh(x)\n    return x",
    "library": "return np.linalg.norm(np.pad(x, 1)) + np.einsum('i,i', x, x) + np.median(x)",
    "argument check": "if np.any(x > 1e9): raise ValueError\n    return x.copy()",
}


def traced(body: str, *sizes: int) -> list[dict]:
    space = ModuleSpace(
        {"code.py": f"import numpy as np\ndef work(x):\n    {body}\n".encode()}, "/sub"
    )
    with space.active():
        import code

        answers = []
        for size in sizes:
            code.work(np.linspace(-1, 1, size))
            answers.append(Tracer("/sub").call(code.work, [np.linspace(-1, 1, size)]))
    return answers


@pytest.mark.parametrize("body", LOOPING.values(), ids=LOOPING)
def test_a_loop_in_any_dress_executes_lines_for_each_entry(body: str) -> None:
    small, large = traced(body, 4, 64)
    assert large["lines"] - small["lines"] >= 60
    lines, line, count = large["files"]["code.py"]
    assert lines == large["lines"]
    assert 2 <= line <= 4
    assert count >= 60


@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_work_on_whole_arrays_takes_the_same_lines_for_any_size(body: str) -> None:
    small, large = traced(body, 4, 64)
    assert large["lines"] == small["lines"]


def test_counting_stops_and_the_result_is_there() -> None:
    (answer,) = traced("return sum(1 for _ in range(1_000_000))", 4)
    assert answer["result"] == 1_000_000
    assert not answer["complete"]
    assert answer["lines"] == MOST_LINES + 1


def test_the_trace_that_was_set_before_is_set_afterwards() -> None:
    before = sys.gettrace()
    with pytest.raises(ZeroDivisionError):
        traced("return 1 / 0", 4)
    assert sys.gettrace() is before


ANSWER = {
    "result": 1,
    "lines": 5,
    "complete": True,
    "files": {"a.py": [5, 3, 4]},
    "again": [],
    "complex": ["", 0],
}


@pytest.mark.parametrize(
    "lie",
    [
        3,
        {},
        {**ANSWER, "files": {"a.py": ["many"]}},
        {**ANSWER, "files": [[1]]},
        {**ANSWER, "files": {"a.py": [float("inf")]}},
        {**ANSWER, "files": {"a.py": [1, 2, 3, 4, 5]}},
        {**ANSWER, "again": [["f", None, 0]]},
        {**ANSWER, "complex": []},
        {**ANSWER, "complex": ["a.py", "many"]},
    ],
)
def test_an_answer_that_is_no_count_is_a_violation(lie: object) -> None:
    with pytest.raises(Fault):
        trace_of(lie)


def test_what_a_worker_says_is_fit_to_print() -> None:
    trace = trace_of({**ANSWER, "files": {"a\x1b[31m\n.py": [5, 3, 4]}})
    assert trace.busiest[0].isprintable()


# The suites.


@pytest.fixture(scope="module")
def sessions() -> Iterator[dict[int, GradedSession]]:
    opened = {
        number: GradedSession(
            ROOT / "assignments" / COURSE.week(number).folder / "hidden", COURSE.salt
        )
        for number in NUMPY_WEEKS
    }
    yield opened
    for session in opened.values():
        session.close()


def reference(number: int) -> dict[str, bytes]:
    return dict(solution_files(ROOT, COURSE.week(number)))


def style(number: int) -> dict[str, bytes]:
    week = COURSE.week(number)
    folder = ROOT / "tests" / "styles" / "compact" / week.folder
    return {name: (folder / name).read_bytes() for name in week.modules}


@pytest.mark.parametrize("files", [reference, style])
@pytest.mark.parametrize("number", NUMPY_WEEKS)
def test_correct_solutions_are_not_flagged(sessions, number, files) -> None:
    assert sessions[number].watch(LocalHost(files(number))) == []


@pytest.mark.parametrize("number", NUMPY_WEEKS)
def test_every_watch_looks_at_the_reference(sessions, number) -> None:
    """Each ends by its own last line: one that can't look would never flag anything."""
    session = sessions[number]
    host = LocalHost(reference(number))
    for check, item in session._plugin.watches:
        student = host.start(0, own=session.worker)
        assert session._plugin._noticed(student, check, item, "salt") is None
        given = {"student": student, "rng": np.random.default_rng(0)}
        names = session._plugin.arguments[check.id]
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        item.obj(**{name: {**given, **parameters}[name] for name in names})
        host.finish(None)


def test_watches_are_no_checks(sessions) -> None:
    for number, session in sessions.items():
        assert session.watches
        assert not {c.id for c in session.watches} & {c.id for c in session.plan}
        items = {item.id for item in COURSE.items(number)}
        assert {check.item for check in session.watches} <= items


NUMERICAL_LINEAR = """
        h, keep, x = 1e-5, self._x, self._x.astype(float)
        def loss():
            return float((self.forward(x) * dL_dy).sum())
        def slope(array):
            result = np.zeros_like(array)
            for index in np.ndindex(*array.shape):
                old = array[index]
                array[index] = old + h
                upper = loss()
                array[index] = old - h
                result[index] = (upper - loss()) / (2 * h)
                array[index] = old
            return result
        self.dL_dW, self.dL_db, result = slope(self.W), slope(self.b), slope(x)
        self._x = keep
        return result
"""
INLINED = NUMERICAL_LINEAR.replace("self.forward(x)", "(x @ self.W.T + self.b)")
LINEAR = (
    "        self.dL_dW = dL_dy.T @ self._x\n        self.dL_db = dL_dy.sum(axis=0)\n"
    "        return dL_dy @ self.W\n"
)
FORWARD = "        return x @ self.W.T + self.b\n"
TANH = "        return dL_dy * (1.0 - self._y**2)\n"
TANH_FORWARD = "        self._y = np.tanh(x)\n"
KEEPS_X = "        self._x = x\n" + TANH_FORWARD
CASES = {
    "backward by differences": (
        "neural_net.py",
        {LINEAR: NUMERICAL_LINEAR},
        NUMERICAL,
        "week1.linear",
        r"Linear\.backward: Linear\.forward was called \d+ times within it for 6 features, "
        r"\d{4} times for 96 features, \d+ times very near",
    ),
    "forward inlined": (
        "neural_net.py",
        {LINEAR: INLINED},
        NUMERICAL,
        "week1.linear",
        r"Linear\.backward: right to [\d.]+e-1\d of its largest entry.* lines executed, most often",
    ),
    "differences of whole arrays": (
        "neural_net.py",
        {
            TANH_FORWARD: KEEPS_X,
            TANH: "        x, h = self._x, 1e-5\n        return dL_dy * (np.tanh(x + h) - "
            "np.tanh(x - h)) / (2 * h)\n",
        },
        NUMERICAL,
        "week1.tanh",
        r"Tanh\.backward: right to .*e-1",
    ),
    "a complex step": (
        "neural_net.py",
        {
            TANH_FORWARD: KEEPS_X,
            TANH: "        x = self._x\n        slope = self.forward(x + 1e-20j).imag / 1e-20\n"
            "        self.forward(x)\n        return dL_dy * slope\n",
        },
        NUMERICAL,
        "week1.tanh",
        r"Tanh\.backward: Tanh\.forward was called 2 times .* 1 times very near",
    ),
    "a complex step without a number that is written so": (
        "neural_net.py",
        {
            TANH_FORWARD: KEEPS_X,
            TANH: "        step = (-1) ** 0.5 * 1e-20\n        y = np.tanh(self._x + step)\n"
            "        return dL_dy * y.view(float)[:, 1::2] / 1e-20\n",
        },
        COMPLEX,
        "week1.tanh",
        r"Tanh\.backward: a variable was complex at neural_net\.py:\d+.* by another name",
    ),
    "a complex step in a function": (
        "neural_net.py",
        {
            TANH_FORWARD: KEEPS_X,
            TANH: "        def along(z):\n            return np.imag(np.tanh(z)) / 1e-20\n"
            "        return dL_dy * along(self._x + np.emath.sqrt(-1) * 1e-20)\n",
        },
        COMPLEX,
        "week1.tanh",
        r"Tanh\.backward: a variable was complex at neural_net\.py:\d+",
    ),
    "a loop over examples": (
        "neural_net.py",
        {
            FORWARD: "        y = np.empty((len(x), len(self.W)), dtype=x.dtype)\n"
            "        for n in range(len(x)):\n            y[n] = self.W @ x[n] + self.b\n"
            "        return y\n"
        },
        LOOPS,
        "week1.linear",
        r"Linear\.forward: \d+ lines executed for a batch of 4, \d+ for a batch of 64, about 2 for "
        r"each example; most often neural_net\.py:\d+ \(6\d times\)",
    ),
    "a loop over features": (
        "neural_net.py",
        {
            FORWARD: "        y = np.zeros((len(x), len(self.W)), dtype=x.dtype) + self.b\n"
            "        for d in range(x.shape[1]):\n"
            "            y += np.outer(x[:, d], self.W[:, d])\n"
            "        return y.astype(x.dtype)\n"
        },
        LOOPS,
        "week1.linear",
        r"Linear\.forward: \d+ lines executed for 6 features, \d+ for 96 features",
    ),
    "a comprehension": (
        "neural_net.py",
        {FORWARD: "        return np.array([self.W @ row + self.b for row in x])\n"},
        LOOPS,
        "week1.linear",
        r"Linear\.forward: \d+ lines executed for a batch of 4",
    ),
    "np.vectorize": (
        "neural_net.py",
        {TANH_FORWARD: "        self._y = np.vectorize(lambda v: np.tanh(v))(x)\n"},
        LOOPS,
        "week1.tanh",
        r"Tanh\.forward: \d+ lines executed for a batch of 4, .*; Tanh\.forward: .* features",
    ),
}


def changed(name: str, edits: dict[str, str]) -> dict[str, bytes]:
    files = reference(1)
    text = files[name].decode()
    for old, new in edits.items():
        assert text.count(old) >= 1, old
        text = text.replace(old, new.lstrip("\n") if new.startswith("\n") else new, 1)
    return {**files, name: text.encode()}


@pytest.mark.parametrize("case", CASES)
def test_each_way_around_the_rule_gets_its_flag_and_no_other(sessions, case) -> None:
    name, edits, rule, item, evidence = CASES[case]
    files = changed(name, edits)
    [flag] = sessions[1].watch(LocalHost(files))
    assert (flag.rule, flag.item) == (rule, item)
    assert re.search(evidence, flag.evidence), flag.evidence
    file, line = flag.place.split(":")
    assert file == name
    shown = files[name].decode().split("\n")[int(line) - 1] + "\n"
    assert any(shown in text for text in (*edits.values(), FORWARD, TANH_FORWARD)), shown
    assert sessions[1].watch(LocalHost(files)) == [flag], "the same again"


OTHER_WEEKS = {
    2: (
        "autograd.py",
        "week2.tensor_elementwise",
        """

_Exact = Tensor.exp


def _by_complex_step(self):
    result = _Exact(self)
    def backward():
        z = self.data + 1e-20j
        self.grad = result.grad * np.exp(z).imag / 1e-20 + (0 if self.grad is None else self.grad)
    result._backward = backward
    return result


Tensor.exp = _by_complex_step
""",
    ),
    3: (
        "batch_norm.py",
        "week3.batch_norm_backward",
        """

_exact = BatchNorm1d.backward


def _by_complex_step(self, dL_dy):
    z = dL_dy + 1e-20j
    return _exact(self, z.real)


BatchNorm1d.backward = _by_complex_step
""",
    ),
}


@pytest.mark.parametrize("number", OTHER_WEEKS)
def test_complex_numbers_on_the_way_back_are_noticed_in_every_week(sessions, number) -> None:
    name, item, added = OTHER_WEEKS[number]
    files = reference(number)
    files[name] += added.encode()
    flags = sessions[number].watch(LocalHost(files))
    assert (COMPLEX, item) in {(flag.rule, flag.item) for flag in flags}
    assert {flag.rule for flag in flags} == {COMPLEX}


def test_a_sandbox_says_the_same(sessions, confinement) -> None:
    name, edits, *_ = CASES["a comprehension"]
    week = COURSE.week(1)
    host = SandboxHost(confinement, changed(name, edits), LIMITS, week.modules)
    try:
        flags = sessions[1].watch(host)
    finally:
        host.close()
    assert [(flag.rule, flag.item) for flag in flags] == [(LOOPS, "week1.linear")]
    assert isinstance(flags[0], Flag)


def test_code_that_can_not_be_looked_at_is_not_accused(sessions) -> None:
    files = changed("neural_net.py", {FORWARD: "        raise NotImplementedError\n"})
    assert sessions[1].watch(LocalHost(files)) == []
    assert sessions[1].watch(LocalHost({})) == []


def test_a_worker_that_dies_ends_one_watch(sessions, confinement) -> None:
    name, edits, *_ = CASES["np.vectorize"]
    files = changed(name, {**edits, FORWARD: "        __import__('os')._exit(1)\n"})
    host = SandboxHost(confinement, files, LIMITS, COURSE.week(1).modules)
    try:
        flags = sessions[1].watch(host)
    finally:
        host.close()
    assert [flag.item for flag in flags] == ["week1.tanh"]


def test_only_the_items_asked_for_are_looked_at(sessions) -> None:
    name, edits, *_ = CASES["a comprehension"]
    host = LocalHost(changed(name, edits))
    assert sessions[1].watch(host, {"week1.tanh"}) == []
    assert len(sessions[1].watch(host, {"week1.linear"})) == 1
