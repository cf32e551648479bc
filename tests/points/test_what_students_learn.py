"""A submission that carries 64 bits of a hidden input out learns none of them but by verdicts.

Parts of a right solution of week 1 are made to carry the 64 bits of a digest of whatever they are
given, each by another way of WAYS. It is graded twice: what the hidden tests give it differs, all
else is the same. Then everything that a student gets must be the same to the last byte wherever
the verdicts are: feedback.md, results.json, JUnit, Gradescope's results, the answer to a push.

What is left is one verdict and its credit for each check, and the moment at which an answer comes:
docs/sandbox.md, "What may be shown of a hidden test".
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course.scoring import score_student
from autograder.grading.examiner import Examiner
from autograder.integrations.gradescope import results as gradescope
from autograder.integrations.push import messages
from autograder.records import CheckResult, Verdict
from autograder.report.class_files import write_student
from autograder.report.graded import GradedReport
from autograder.results.junit import junit_xml
from autograder.suite.hidden.disclosure import SAYS
from autograder.suite.hidden.sandbox_host import SandboxHost

ROOT = Path(__file__).resolve().parents[2]
COURSE = courses.load(ROOT)
OTHER = "the salt of another course"

CARRYING = '''

import hashlib
import os
import signal
import sys
import time
import warnings

HERE = (lambda: None).__code__.co_filename


def number_in(arguments):
    """Return 64 bits of whatever a method is given."""
    digest = hashlib.sha256()
    for argument in arguments:
        digest.update(np.ascontiguousarray(argument).tobytes())
    return int.from_bytes(digest.digest()[:8], "little")


def carrying(owner, name, way):
    right = getattr(owner, name)

    def method(self, *arguments, **named):
        number = number_in([a for a in arguments if isinstance(a, (int, float, np.ndarray))])
        return way(number, self, arguments, lambda: right(self, *arguments, **named))

    setattr(owner, name, method)


def deep(number):
    if number:
        deep(number - 1)
    raise ValueError("constant")


'''
"""What the hostile module consists of beside the reference and WAYS. A way gets the number, the
object, its method's arguments, and a function that computes the right answer."""

WAYS = {
    "text": "raise ValueError(str(n))",
    "long text": "raise ValueError('x' * (n % 200))",
    "type of an exception": "raise type(f'E{n}', (Exception,), {})('constant')",
    "choice of a type": "raise (ValueError, TypeError, KeyError, IndexError)[n % 4]('constant')",
    "line": "exec(compile('\\n' * (n % 97) + 'raise ValueError(1)', HERE, 'exec'), {})",
    "depth of a traceback": "deep(n % 8)",
    "chained exceptions": "try:\n    int(str(n) + 'x')\nfinally:\n    raise KeyError(n)",
    "memory": "raise MemoryError(str(n))",
    "gap": "raise NotImplementedError(('week1.relu', 'week1.mse')[n % 2] + f': fill in {n}')",
    "exit status": "os._exit(1 + n % 99)",
    "signal": "os.kill(os.getpid(), (signal.SIGSEGV, signal.SIGABRT, signal.SIGFPE)[n % 3])",
    "shape": "return np.zeros([n >> s & 7 for s in range(0, 12, 3)])",
    "shape of nothing": "return np.zeros((0, n % 10**9, n >> 40))",
    "size": "return np.zeros(n % 5000)",
    "numbers": "return right() + np.float64(n)",
    "one entry": "y = right()\ny.flat[n % y.size] += 9.0\nreturn y",
    "a factor": "return right() * (2 + n % 97)",
    "nearness": "return right() * (1 + 1e-3 * (1 + n % 97))",
    "not finite": "y = right()\ny.flat[n % y.size] = (np.nan, np.inf, -np.inf)[n % 3]\nreturn y",
    "dtype": "return (right() * 9).astype(('f2', 'f4', 'i4', 'i8', 'u1', 'c16', '?')[n % 7])",
    "object": "return type(f'T{n}', (), {})()",
    "string": "return str(n)",
    "list": "return [int(c) for c in str(n)]",
    "dictionary": "return {str(n): n % 97}",
    "integer": "return n % 2**62",
    "none or not": "return (None, True, 0.5, 'a', b'a')[n % 5]",
    "a catalogued mistake": "y = right()\nreturn (2 * y, -y, y / len(y), y * 0, y.sum())[n % 5]",
    "attribute": "return getattr(o, f'a{n}')",
    "attributes taken away": "y = right()\no.__dict__.clear()\nsetattr(o, f'a{n}', y)\nreturn -y",
    "argument": "a[0].flat[n % a[0].size] += 1.0\nreturn right() * 1.0",
    "warning": "warnings.warn(str(n), RuntimeWarning)\nreturn 3 * right()",
    "output": "print(n)\nprint(n, file=sys.stderr)\nsys.stdout.flush()\nreturn 3 * right()",
    "files": "open('/tmp/n', 'a').write(f'{n} ')\nraise ValueError(open('/tmp/n').read())",
    "time": "time.sleep(0.002 * (n % 8))\nreturn right()",
    "time of a failure": "time.sleep(0.002 * (n % 8))\nraise ValueError('constant')",
    "number of calls": "for _ in range(n % 50):\n    y = right()\nreturn 3 * right()",
    "processor time": "for _ in range(n % 50000):\n    pass\nreturn right()",
}
"""Ways out: the statements of a function of n (the number), o (the object), a (its arguments)."""

METHODS = [
    (owner, method)
    for owner in ("Linear", "ReLU", "LeakyReLU", "Sigmoid", "Tanh", "Softmax")
    for method in ("forward", "backward")
]

CHOICE = """
if n % 4 == 1:
    raise ValueError(str(n))
if n % 4 == 2:
    os._exit(n % 99)
if n % 4 == 3:
    raise NotImplementedError(str(n))
return right() * n
"""
"""A verdict chosen by the number: what may depend on it is the verdict alone."""


def submissions() -> Iterator[tuple[str, dict[tuple[str, str], str]]]:
    """Yield names and the ways by the methods that take them: each way is in one method."""
    ways = list(WAYS.items())
    for first in range(0, len(ways), len(METHODS)):
        chosen = ways[first : first + len(METHODS)]
        name = ", ".join(name for name, _ in chosen)
        yield name, {where: body for where, (_, body) in zip(METHODS, chosen, strict=False)}
    yield "verdict", dict.fromkeys(METHODS, CHOICE)


def hostile(reference: Mapping[str, bytes], ways: Mapping[tuple[str, str], str]) -> dict:
    """Return the reference with the methods changed, and without tests of its own."""
    parts = [reference["neural_net.py"].decode(), CARRYING]
    for number, ((owner, method), body) in enumerate(ways.items()):
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        parts.append(f"def way_{number}(n, o, a, right):\n{lines}\n\n")
        parts.append(f"carrying({owner}, {method!r}, way_{number})\n\n\n")
    files = {name: text for name, text in reference.items() if name != "test_gradients.py"}
    return {**files, "neural_net.py": "".join(parts).encode()}


def student_files(examiner: Examiner, results: list[CheckResult], out: Path) -> dict[str, bytes]:
    """Return every file that a student gets of such results, by name."""
    score = score_student(COURSE, "mallory", examiner.plan, results)
    report = GradedReport(score, "bubblewrap")
    folder = write_student(report, out)
    status = gradescope.GradingStatus({examiner.week.number}, False)
    return {
        **{path.name: path.read_bytes() for path in folder.iterdir()},
        "junit.xml": junit_xml(report),
        "gradescope": gradescope.as_json(gradescope.results_of(COURSE, score, status)),
        "push": messages.summary(report, [examiner.week.name]).encode(),
    }


@pytest.fixture(scope="module")
def examiner(confinement) -> Iterator[Examiner]:
    examiner = Examiner(ROOT, 1, confinement, "digits")
    yield examiner
    examiner.close()


def graded(examiner: Examiner, files: Mapping[str, bytes], salt: str) -> tuple[list, list]:
    """Grade with hidden inputs drawn from a salt; return results, and what was told meanwhile."""
    told: list[CheckResult] = []
    usual, examiner.session._salt = examiner.session._salt, salt
    try:
        results = examiner.examine(files, told.append, training=False).results
    finally:
        examiner.session._salt = usual
    return results, told


def told_of(examiner: Examiner, files: Mapping[str, bytes], salt: str) -> dict[str, str]:
    """Return the messages of the run that counts, by check, as no student gets them."""
    host = SandboxHost(examiner.confinement, files, examiner.limits, examiner.week.modules)
    host.ours = True
    only = {check.id for check in examiner.session.plan} - examiner.session.training
    try:
        outcomes = examiner.session.run(host, only, salt=salt)
    finally:
        host.close()
    return {one.result.check: one.result.message for one in outcomes}


def verdict_of(result: CheckResult) -> tuple:
    """Return verdict and credit; of a blocked check, the verdict that its message tells of."""
    behind = [text for text in SAYS.values() if text in result.message]
    return result.verdict, result.credit, result.verdict is Verdict.BLOCKED and behind


def without_time(results: list[CheckResult]) -> dict[tuple, CheckResult]:
    return {
        (number, result.check): replace(result, seconds=0.0)
        for number, result in enumerate(results)
    }


@pytest.mark.prove
@pytest.mark.parametrize(
    ("name", "ways"), list(submissions()), ids=lambda one: one if type(one) is str else ""
)
def test_nothing_but_verdicts_depends_on_hidden_inputs(examiner, tmp_path, name, ways):
    files = hostile(examiner.reference, ways)
    first, other = (graded(examiner, files, salt) for salt in (COURSE.salt, OTHER))
    assert {result.verdict for result in first[0]} != {Verdict.PASS}
    for one, two in zip(first, other, strict=True):
        kept, again = without_time(one), without_time(two)
        assert kept.keys() == again.keys(), "the order of what is told"
        for check, result in kept.items():
            if verdict_of(result) == verdict_of(again[check]):
                assert result == again[check]
    verdicts = [[verdict_of(one) for one in results] for results, _ in (first, other)]
    if name != "verdict":
        assert verdicts[0] == verdicts[1], "a way that was meant to choose no verdict"
        written = [
            student_files(examiner, results, tmp_path / str(number))
            for number, (results, _) in enumerate((first, other))
        ]
        assert written[0] == written[1]


@pytest.mark.prove
@pytest.mark.parametrize(
    ("name", "ways"), list(submissions())[:-2], ids=lambda one: one if type(one) is str else ""
)
def test_the_ways_lead_out_of_the_run_that_counts(examiner, name, ways):
    """What is compared above is worth something: here messages do depend on hidden inputs."""
    files = hostile(examiner.reference, ways)
    first, other = (told_of(examiner, files, salt) for salt in (COURSE.salt, OTHER))
    assert sum(first[check] != other[check] for check in first) >= len(ways) / 2


def test_no_time_stands_in_what_a_student_gets(examiner, tmp_path):
    """A layer that sleeps by a digit of its input, in each check by another one."""
    results = [CheckResult(check.id, Verdict.PASS, 10_000) for check in examiner.plan]
    slow = [replace(one, seconds=n * 0.4 + 7.125) for n, one in enumerate(results)]
    first, other = (
        student_files(examiner, each, tmp_path / name)
        for name, each in (("quick", results), ("slow", slow))
    )
    assert first == other
    assert not any("time" in key or "seconds" in key for key in keys_of(first))


def keys_of(files: Mapping[str, bytes]) -> set[str]:
    """Return the names of all fields of the JSON files."""
    found: set[str] = set()

    def note(pairs: list) -> dict:
        found.update(key for key, _ in pairs)
        return dict(pairs)

    for name in ("results.json", "gradescope"):
        json.loads(files[name], object_pairs_hook=note)
    return found - {"late_seconds"}
