"""Warnings of NumPy that a hidden test does not allow."""

from __future__ import annotations

from collections import Counter

from autograder.suite import expect
from autograder.suite.student import Student


def no_warnings(student: Student, dtype: str = "float64") -> None:
    """NumPy gave the student's code no RuntimeWarning in this test, such as of an overflow.

    Each is said once, with the dtype of the arrays that the test has handed over until now.
    """
    counts = Counter(text for text in student.warnings() if "RuntimeWarning" in text)
    said = [f"{text} ({n} times)" if n > 1 else text for text, n in counts.items()]
    message = f"your code warned, with {dtype} arrays: {'; '.join(said)}"
    expect.that("warnings", not said, message)
