"""Students' tests are graded by what they notice, and a bit for each test is all that they can say.

The assignment here is a made-up one: `square` and `Line`, with five catalogued mistakes.
"""

from __future__ import annotations

import textwrap
import time

import pytest

from autograder.grading.student_tests import SHARE_FOR_FULL, Mutation
from autograder.records import FULL_CREDIT, Verdict
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import InfraError, Limits, Unconfined
from autograder.text.test_functions import find_tests

REFERENCE = {
    "shapes.py": b"""
SECRET = "the solution itself"

def square(x):
    return x * x

class Line:
    def __init__(self, slope):
        self.slope = slope

    def at(self, x):
        return self.slope * x

    def steps(self, n):
        return [self.at(k) for k in range(n)]
""",
    "test_shapes.py": b"raise RuntimeError('the reference of the tests is never run')",
}
EDITS = [
    ("square", "x * x", "x * 2"),
    ("square", "x * x", "x ** 3"),
    ("Line.at", "self.slope * x", "self.slope + x"),
    ("Line.at", "self.slope * x", "x"),
    ("Line.steps", "range(n)", "range(n + 1)"),
]
CATALOGUE = [
    Misconception(
        id=f"mistake-{number}",
        module="shapes",
        where=where,
        replace=before,
        by=after,
        fails=["a"],
        says="It is wrong.",
    )
    for number, (where, before, after) in enumerate(EDITS)
]
MUTATION = Mutation("week1.student_tests", "test_shapes.py", REFERENCE, CATALOGUE)
LIMITS = Limits(request_seconds=3.0, memory_mb=400, output_kb=256)

SQUARE = "def test_square():\n    assert square(3) == 9 and square(0) == 0\n"
LINE = "def test_line():\n    assert Line(2).at(5) == 10\n"
STEPS = "def test_steps():\n    assert len(Line(1).steps(4)) == 4\n"
HEAD = "from shapes import Line, square\n"
ALL = HEAD + SQUARE + LINE + STEPS


def examiner(confinement):
    """Return the function that examines a test file and returns the results of its two checks."""

    def examine(text: str | bytes, limits: Limits = LIMITS):
        source = text if isinstance(text, bytes) else text.encode()
        return MUTATION.examine(confinement, {"test_shapes.py": source}, limits)

    return examine


@pytest.fixture
def examine(confinement):
    return examiner(confinement)


@pytest.fixture
def examine_unconfined():
    plain = Unconfined()
    yield examiner(plain)
    plain.close()


def summary(results):
    """Return verdict and credit of both checks."""
    return [(result.verdict, result.credit) for result in results]


FULL = [("pass", FULL_CREDIT), ("pass", FULL_CREDIT)]
NOTHING = [("blocked", 0), ("wrong", 0)]


def share(caught: int) -> int:
    return round(FULL_CREDIT * caught / len(EDITS) / SHARE_FOR_FULL)


# What counts


def test_the_plan_has_two_checks_of_the_item():
    assert [(check.id, check.item, check.weight) for check in MUTATION.plan] == [
        ("student_tests::correct", "week1.student_tests", 1),
        ("student_tests::mistakes", "week1.student_tests", 3),
    ]


def test_tests_that_notice_every_mistake_get_everything(examine):
    results = examine(ALL)
    assert summary(results) == FULL
    assert results[1].message == "Your tests notice 5 of 5 wrong solutions."


def test_the_tests_may_use_helper_modules_of_the_students_own(confinement):
    """A helper sees the program at hand, as the tests do; none stands in its place."""
    files = {
        "tools/__init__.py": "",
        "tools/more.py": "from shapes import Line, square\n" + SQUARE + LINE + STEPS
        + "near = [test_square, test_line, test_steps]\n",
        "shapes.py": "raise SystemError\n",
    }  # fmt: skip
    files["test_shapes.py"] = "from tools.more import near\n" + "".join(
        f"def test_{name}():\n    near[{number}]()\n"
        for number, name in enumerate(("square", "line", "steps"))
    )
    sources = {name: text.encode() for name, text in files.items()}
    assert summary(MUTATION.examine(confinement, sources, LIMITS)) == FULL


@pytest.mark.parametrize("source", ["", "import pytest\n"], ids=["plain", "pytest"])
def test_it_works_unconfined_as_well(examine_unconfined, source):
    assert summary(examine_unconfined(source + ALL)) == FULL
    assert examine_unconfined(source + HEAD + LINE)[1].credit == share(2)
    hang = source + "def test_a():\n    while True: pass\n"
    assert summary(examine_unconfined(hang, Limits(request_seconds=0.5))) == [("timeout", 0)] * 2


def test_others_get_their_share_and_are_told_where_to_look(examine):
    correct, mistakes = examine(HEAD + LINE)
    assert (correct.verdict, correct.credit) == ("wrong", round(FULL_CREDIT * 2 / 5 / 0.5))
    assert "once they notice half of the mistakes" in correct.message
    assert (mistakes.verdict, mistakes.credit) == ("wrong", share(2))
    assert mistakes.message == (
        "Your tests notice 2 of 5 wrong solutions. "
        "Look again at square (2 of 2 not noticed), Line (1 of 3 not noticed)."
    )


def test_tests_that_notice_nothing_get_nothing(examine):
    results = examine(HEAD + "def test_nothing():\n    assert square(2) is not None\n")
    assert summary(results) == NOTHING
    assert results[0].message.startswith("Counts once your tests tell at least one wrong solution")


def test_a_test_that_fails_on_the_reference_notices_nothing(examine):
    wrong = "def test_wrong():\n    assert square(2) == 5\n"
    assert summary(examine(HEAD + wrong)) == NOTHING
    correct, mistakes = examine(HEAD + LINE + wrong)
    assert (correct.verdict, correct.credit) == ("wrong", round(FULL_CREDIT / 2 * 0.8))
    assert correct.message.startswith("1 of your 2 tests fail on correct solutions, so they don't")
    assert mistakes.credit == share(2) // 2
    assert "these points go by the share of those that don't" in mistakes.message


def test_the_same_tests_get_the_same_twice(examine):
    source = HEAD + LINE + "import numpy as np\ndef test_r():\n    assert np.random.rand() < 0.6\n"
    assert summary(examine(source)) == summary(examine(source))


@pytest.mark.parametrize(
    "source",
    [
        "def test_square():\n    raise NotImplementedError('a: fill in')\n",
        'def test_a():\n    """It."""\n    raise NotImplementedError\n',
        "class TestIt:\n    def test_a(self):\n        x = 1\n        raise NotImplementedError\n",
        "x = 1\n",
        "def helper():\n    pass\n",
    ],
)
def test_gaps_are_not_attempted(examine, source):
    assert summary(examine(source)) == [("not-attempted", 0)] * 2


def test_gaps_beside_tests_do_not_count_against_them(examine):
    assert summary(examine(ALL + "def test_gap():\n    raise NotImplementedError('a')\n")) == FULL


def test_a_file_that_is_missing_or_no_python(examine, confinement):
    for source in ("def test_x(:\n", b"\x00", b"\xff\xfe\x00", "x = " + "-" * 100_000 + "1"):
        assert summary(examine(source)) == [("raised", 0)] * 2
    assert summary(MUTATION.examine(confinement, {}, LIMITS)) == [("not-attempted", 0)] * 2


def test_an_error_at_import_fails_all_tests(examine):
    assert summary(examine(ALL + "raise ValueError\n")) == NOTHING
    assert summary(examine(ALL + "import sys\nsys.exit(0)\n")) == NOTHING
    assert summary(examine("import torch\n" + ALL)) == NOTHING


# How tests can be written

CLASSES = """
class TestLine:
    def setup_method(self):
        self.line = Line(2)

    def test_at(self):
        assert self.line.at(5) == 10

    def test_steps(self):
        assert self.line.steps(2) == [0, 2]

    def helper(self):
        raise ValueError
"""
PYTEST = """
import pytest

@pytest.fixture
def line():
    return Line(2)

@pytest.mark.parametrize(("x", "y"), [(0, 0), (3, 9)])
def test_square(x, y):
    assert square(x) == pytest.approx(y)

def test_line(line):
    assert line.at(5) == 10

class TestSteps:
    @pytest.mark.parametrize("n", [0, 3])
    def test_steps(self, line, n):
        assert len(line.steps(n)) == n
        with pytest.raises(TypeError):
            line.steps()
"""
UNITTEST = """
import unittest

class TestAll(unittest.TestCase):
    def setUp(self):
        self.line = Line(2)

    def test_all(self):
        self.assertEqual(square(3), 9)
        self.assertEqual(self.line.at(5), 10)
        self.assertEqual(len(self.line.steps(4)), 4)
"""
HOOKS = """
def setup_module(module):
    module.line = Line(2)

def test_line():
    assert line.at(5) == 10 and len(line.steps(4)) == 4
"""


@pytest.mark.parametrize(
    "source",
    [
        SQUARE + CLASSES,
        PYTEST,
        UNITTEST,
        SQUARE + HOOKS,
        SQUARE + LINE + "def test_steps(tmp_path):\n    assert len(Line(1).steps(4)) == 4\n",
        "import numpy as np\n" + SQUARE + LINE + STEPS.replace("len(", "np.size("),
    ],
    ids=["classes", "pytest", "unittest", "hooks", "fixture", "numpy"],
)
def test_tests_in_every_usual_form_count(examine, source):
    assert summary(examine(HEAD + source)) == FULL


def test_one_failing_parameter_fails_the_test(examine):
    source = PYTEST.replace("(3, 9)", "(3, 9), (3, 10)")
    correct, mistakes = examine(HEAD + source)
    assert correct.message.startswith("1 of your 3 tests fail on correct solutions")
    assert mistakes.credit == round(FULL_CREDIT * 3 / len(EDITS) / SHARE_FOR_FULL * 2 / 3)


def test_skipped_tests_count_for_nothing(examine):
    assert summary(examine(f"{HEAD}import pytest\n@pytest.mark.skip\n{SQUARE}")) == NOTHING
    inside = SQUARE.replace("assert", "pytest.skip('later'); assert")
    assert summary(examine(f"{HEAD}import pytest\n{inside}")) == NOTHING


@pytest.mark.parametrize(
    ("source", "written", "needs_pytest"),
    [
        (ALL, ["test_square", "test_line", "test_steps"], False),
        (CLASSES, ["TestLine::test_at", "TestLine::test_steps"], False),
        (PYTEST, ["test_square", "test_line", "TestSteps::test_steps"], True),
        (UNITTEST, ["TestAll::test_all"], True),
        (UNITTEST.replace("TestAll", "LayerTests"), ["LayerTests::test_all"], True),
        (HOOKS, ["test_line"], True),
        ("from pytest import approx\ndef test_a(): pass", ["test_a"], True),
        ("import numpy.testing\ndef test_a(): pass", ["test_a"], False),
        ("def test_a(tmp_path): pass", ["test_a"], True),
        ("def test_a():\n    import pytest", ["test_a"], True),
        ("class Helper:\n    def test_a(self): pass", [], False),
        ("def test_a(): raise NotImplementedError\ndef test_b(): pass", ["test_b"], False),
        ("def test_a():\n    if True:\n        raise NotImplementedError", ["test_a"], False),
    ],
)
def test_tests_are_found_without_running_the_file(source, written, needs_pytest):
    found = find_tests(source.encode())
    assert found is not None
    assert (found.written, found.needs_pytest) == (written, needs_pytest)


# Trouble


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("while True: pass", "timeout"),
        ("import os; os._exit(0)", "crash"),
        ("import os; os.kill(os.getpid(), 9)", "violation"),
        ("x = bytearray(10**9)\nassert False", None),
        ("while True: print('x' * 1000)", "output"),
    ],
)
def test_tests_that_cannot_be_run_get_nothing_and_say_why(examine, body, verdict):
    source = HEAD + SQUARE + "def test_bad():\n" + textwrap.indent(body, "    ") + "\n"
    results = examine(source)
    if verdict is None:  # one test fails, the other one counts
        assert results[1].credit == share(2) // 2
        return
    assert [result.verdict for result in results] == [verdict] * 2
    assert all(result.message.startswith("On a correct solution: ") for result in results)


def test_an_endless_loop_on_mistakes_only_is_not_noticing_them(examine):
    source = f"{HEAD}def test_a():\n    while square(3) != 9: pass\n"
    started = time.monotonic()
    assert summary(examine(source, Limits(request_seconds=0.5))) == NOTHING
    assert time.monotonic() - started < 30


# Attempts to get points without testing anything

STATE = """
import os
def test_a():
    functions = (square, Line.at, Line.steps)
    mark = repr([(f.__code__.co_code, f.__code__.co_consts) for f in functions])
    try:
        with open("/dev/shm/seen", "x") as file: file.write(mark)
    except OSError: pass
    with open("/dev/shm/seen") as file:
        assert file.read() == mark
"""
FORGE = """
import sys, shapes
def test_a():
    frame = sys._getframe()
    while 'number' not in frame.f_locals: frame = frame.f_back
    frame.f_locals['channel'].send([frame.f_locals['number'], True, {}])
"""
CHEATS = {
    "bits that aren't": FORGE.format("[1]"),
    "too many bits": FORGE.format("[True, False]"),
    "no bits": FORGE.format("[]"),
    "text instead of bits": FORGE.format("shapes.SECRET"),
    "text for each bit": FORGE.format("[shapes.SECRET]"),
    "the first process passes": (
        "import os\ndef test_a():\n    assert os.getpid() - os.getppid() < 2\n"
    ),
    "the first module seen passes": STATE,
    "the parent is stopped": (
        "import os\ndef test_a():\n    os.kill(os.getppid(), 19)\n    assert True\n"
    ),
    "the parent is killed a little later": (
        "import os, time\nparent = os.getppid()\ndef test_a():\n"
        "    if os.fork() == 0:\n        time.sleep(0.002)\n        os.kill(parent, 9)\n"
    ),
    "only mistakes crash": (
        "import os\ndef test_a():\n    if square(3) != 9 or Line(2).at(5) != 10: os._exit(0)\n"
    ),
    "an exception with a text": (
        "import shapes\ndef test_a():\n    raise Exception(shapes.SECRET)\n"
    ),
    "a name with a text": (
        "import shapes\ndef test_a(): pass\ntest_a.__name__ = shapes.SECRET\nprint(shapes.SECRET)\n"
    ),
}


@pytest.mark.parametrize("source", CHEATS.values(), ids=CHEATS.keys())
def test_a_cheat_gets_nothing_and_learns_nothing(examine, source):
    results = examine(HEAD + source)
    assert {result.credit for result in results} == {0}
    assert Verdict.INFRA not in {result.verdict for result in results}
    assert not any("solution itself" in str(vars(result)) for result in results)


def test_tests_that_go_by_how_programs_look_take_points_away(examine):
    cheat = "".join(f"def test_{n}():\n    assert checksum() % 2 == {n}\n" for n in range(2))
    correct, mistakes = examine(ALL + CHECKSUM + cheat)
    assert correct.credit < FULL_CREDIT
    assert mistakes.credit < FULL_CREDIT


CHECKSUM = """
import zlib
def checksum():
    codes = [f.__code__ for f in (square, Line.__init__, Line.at, Line.steps)]
    return zlib.crc32(repr([(code.co_code, code.co_consts) for code in codes]).encode())
"""


@pytest.mark.parametrize("parts", [2, 5, 40])
def test_tests_that_part_all_programs_get_nothing(examine, parts):
    """Each program fails one of them, whether it is right or wrong."""
    tests = "".join(
        f"def test_{n}():\n    assert checksum() % {parts} != {n}\n" for n in range(parts)
    )
    assert [result.credit for result in examine(HEAD + CHECKSUM + tests)] == [0, 0]


def test_a_test_that_demands_one_way_of_rounding_is_no_test():
    """Programs that divide before they multiply are right too."""
    reference = {
        "means.py": b"def mean(numbers):\n    return sum(numbers) / len(numbers)\n",
        "test_means.py": b"",
    }
    edit = {"where": "mean", "replace": "len(numbers)", "by": "(len(numbers) - 1)"}
    wrong = Misconception(id="w", module="means", fails=["a"], says="It is wrong.", **edit)
    mutation = Mutation("week1.student_tests", "test_means.py", reference, [wrong])
    head = "from means import mean\ndef test_mean():\n    assert "
    plain = Unconfined()
    results = {
        text: mutation.examine(plain, {"test_means.py": (head + text).encode()}, LIMITS)
        for text in ("mean([1, 3, 3]) == 7 / 3", "abs(mean([1, 3, 3]) - 7 / 3) < 1e-9")
    }
    plain.close()
    exact, near = (summary(each) for each in results.values())
    assert exact == NOTHING
    assert near == FULL


class NoConfinement:
    name, confined = "broken", True

    def start(self, launch):
        raise OSError("no namespaces left")


def test_a_sandbox_that_cannot_be_started_is_our_fault():
    with pytest.raises(InfraError, match="no namespaces left"):
        MUTATION.examine(NoConfinement(), {"test_shapes.py": ALL.encode()}, LIMITS)
