"""Students' tests run where the reference can be read: hardly anything comes back from there."""

from __future__ import annotations

import pytest

from autograder.grading.student_tests import Mutation
from autograder.records import FULL_CREDIT
from autograder.reference.misconceptions import Misconception
from autograder.sandbox import Limits
from autograder.text.test_functions import MAX_TESTS, find_tests

REFERENCE = {"m.py": b"def square(x):\n    return x * x\n", "test_m.py": b""}
CATALOGUE = [
    Misconception(
        id=f"mistake-{number}",
        module="m",
        where="square",
        replace="x * x",
        by=by,
        fails=["a"],
        says="It is wrong.",
    )
    for number, by in enumerate(("x * 2", "x + x + 1"))
]
MUTATION = Mutation("week1.student_tests", "test_m.py", REFERENCE, CATALOGUE)
LIMITS = Limits(request_seconds=5.0, memory_mb=400, output_kb=64)
NOTICES = "from m import square\ndef test_it():\n    assert square(3) == 9\n"


@pytest.fixture
def examine(confinement):
    def examine(source: str):
        return MUTATION.examine(confinement, {"test_m.py": source.encode()}, LIMITS)

    return examine


def test_only_so_many_tests_are_run_and_that_is_said(examine):
    """Each test is a bit of what it runs against: thousands would copy the reference out."""
    more = "".join(f"def test_bit_{n}():\n    assert {n} % 2\n" for n in range(MAX_TESTS + 40))
    correct, mistakes = examine(NOTICES + more)
    assert mistakes.credit == FULL_CREDIT // 2
    assert "Only the first 60 of your tests were run; 41 were not." in mistakes.message
    assert correct.message.startswith("30 of your 60 tests fail on correct solutions")
    assert "test_bit" not in correct.message + mistakes.message


def test_the_tests_of_most_students_are_all_run(examine):
    few = "".join(f"def test_more_{n}():\n    assert True\n" for n in range(MAX_TESTS - 1))
    correct, mistakes = examine(NOTICES + few)
    assert correct.credit == mistakes.credit == FULL_CREDIT
    assert "were not" not in mistakes.message
    found = find_tests((NOTICES + few).encode())
    assert found is not None
    assert (len(found.written), found.left_out) == (MAX_TESTS, 0)


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("os._exit(7 + 100)", "your tests ended the process that they ran in."),
        ("os.kill(os.getpid(), 6)", "your tests ended the process that they ran in."),
        ("os.kill(os.getpid(), 9)", "your tests broke the connection to the grader."),
        ("os.close(3) or [os.close(n) for n in range(3, 40)]", "your tests"),
        ("sys.stdout.write('1234567' * 100_000) and sys.stdout.flush()", "your tests printed too"),
    ],
)
def test_how_a_run_ends_tells_nothing_of_what_it_read(examine, body, says):
    """An exit status, a signal or a count would be words of the student's choosing."""
    results = examine(f"import os, sys\n{NOTICES}def test_bad():\n    {body}\n")
    for result in results:
        assert not any(char.isdigit() for char in result.message), result.message
        assert result.message.startswith(f"On a correct solution: {says}")


def test_what_tests_are_called_is_not_said(examine):
    correct, _ = examine(NOTICES + f"def test_{'x' * 3000}():\n    assert False\n")
    assert "test_xxxx" not in correct.message
    assert len(correct.message) < 300
