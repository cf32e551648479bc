"""What an answer costs the examiner: processor time and memory of the worst ones, test by test.

A submission gives the same costly answer wherever it is asked anything: as large, as deep or as
oddly shaped as the channel lets through. Only this process is measured, which decodes and compares
answers; what the worker takes has limits of its own. The goal is 0.5 s in one test.

    python -m benchmarks answers
"""

from __future__ import annotations

import ast
import resource
import time
from collections.abc import Mapping
from pathlib import Path

from autograder import course as courses
from autograder.reference.misconceptions import solution_files
from autograder.sandbox import Limits
from autograder.sandbox.choose import choose
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import Outcome

ROOT = Path(__file__).resolve().parent.parent
GOAL = 0.5
TINY = {"weeks": (1,), "answers": ("a long array",), "most": 12}

ANSWERS = {
    "a long array": "np.zeros((2_000_000, 1, 1))",
    "NaN": "np.full((2_000_000,), np.nan)",
    "bytes": "np.ones((16_000_000, 1), np.uint8)",
    "many dimensions": "np.ones((1,) * 16 + (1_000_000,))",
    "a list of numbers": "[0.1] * 49_000",
    "lists in lists": "[[[[[k] * 20] * 10] * 10] * 10 for k in range(2)]",
    "many arrays": "[np.ones(1) for _ in range(8_000)]",
    "a dict": "{2**61 * k: [k] * 45 for k in range(1000)}",
    "a text": "'[label label=' * 70_000",
    "digits": "'9' * 1_000_000",
    "an integer": "2**64 - 1",
}
"""Expressions of what a submission answers."""

SOURCE = """
import numpy as np

ANSWER = {answer}


class Made:
    def __init__(self, *given, **named):
        pass

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return ANSWER

    def answer(self, *given, **named):
        return ANSWER


for _name in {methods}:
    setattr(Made, _name, Made.answer)


def function(*given, **named):
    return ANSWER


{bindings}
"""


def submission(reference: Mapping[str, bytes], answer: str) -> dict[str, bytes]:
    """Return modules with the reference's names, of which all give the same answer."""
    files = {}
    for name, source in reference.items():
        tree = ast.parse(source)
        classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
        methods = {
            part.name
            for node in classes
            for part in node.body
            if isinstance(part, ast.FunctionDef) and part.name != "__init__"
        }
        functions = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        bindings = [f"{node.name} = Made" for node in classes]
        bindings += [f"{function} = function" for function in functions]
        text = SOURCE.format(answer=answer, methods=sorted(methods), bindings="\n".join(bindings))
        files[name] = text.encode()
    return files


def measured(
    session: GradedSession, files: dict[str, bytes], limits: Limits, most: int | None
) -> tuple[list[tuple[float, str]], int]:
    """Return this process's processor time in each test, with its id, and the number of tests."""
    host = SandboxHost(choose(), files, limits)
    only = [check.id for check in session.plan if check.id not in session.training][:most]
    times: list[tuple[float, str]] = []
    last = time.process_time()

    def note(outcome: Outcome) -> None:
        nonlocal last
        now = time.process_time()
        times.append((now - last, outcome.result.check))
        last = time.process_time()

    try:
        session.run(host, only, note)
    finally:
        host.close()
    return times, len(only)


def main(
    weeks: tuple[int, ...] = (1, 2, 3),
    answers: tuple[str, ...] = tuple(ANSWERS),
    most: int | None = None,
) -> None:
    """Print a line for each week and answer: the worst test, all tests, the most memory so far."""
    course = courses.load(ROOT)
    worst = (0.0, "")
    for number in weeks:
        week = course.week(number)
        session = GradedSession(ROOT / "assignments" / week.folder / "hidden", "a salt")
        reference = solution_files(ROOT, week)
        limits = Limits(**week.limits.model_dump())
        for name in answers:
            times, _ = measured(session, submission(reference, ANSWERS[name]), limits, most)
            longest = max(times)
            worst = max(worst, (longest[0], f"{name}: {longest[1]}"))
            total = sum(seconds for seconds, _ in times)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
            print(
                f"week {number} {name:20} {longest[0]:7.3f} s {total:7.2f} s {memory:6d} MB  "
                f"{longest[1]}",
                flush=True,
            )
        session.close()
    print(f"the worst: {worst[0]:.3f} s of processor time in one test ({worst[1]}); goal {GOAL} s")


if __name__ == "__main__":
    main()
