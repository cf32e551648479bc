"""What a student reads of a hidden test holds nothing of the test's inputs.

Each way out is a function of one hostile module, called by one hidden test in the real sandbox.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autograder.records import CheckResult, Verdict
from autograder.sandbox import Confinement, Limits
from autograder.suite.hidden import disclosure
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import GradedSession
from autograder.suite.session import seed_of

LIMITS = Limits(request_seconds=5, test_seconds=20, processes=16)
SALT = "salt"
HEAD = """
import numpy as np
import pytest
from autograder.suite import expect

"""

HOSTILE = '''
import os
import sys
import warnings

import numpy as np

SELF = (lambda: None).__code__.co_filename


def digits(x):
    return "".join(f"{v:.9f}" for v in np.ravel(x))


def text(x):
    raise ValueError(digits(x))


def slow_text(x):
    class Late(Exception):
        def __str__(self):
            return digits(x)

    raise Late


def type_of_exception(x):
    raise type("E" + digits(x), (Exception,), {})("constant")


def not_attempted(x):
    raise NotImplementedError(digits(x))


def gap_of_another_item(x):
    raise NotImplementedError("week1.other: " + digits(x))


def no_memory(x):
    raise MemoryError(digits(x))


def name_of_a_function(x):
    name = "f" + "".join(c for c in digits(x) if c.isdigit())
    source = "\\n" * 20 + f"def {name}(): raise ValueError('constant')"
    space = {}
    exec(compile(source, SELF, "exec"), space)
    space[name]()


def choice_of_a_line(x):
    source = "\\n" * int(abs(float(np.ravel(x)[0])) * 1e6 % 97) + "raise ValueError('constant')"
    exec(compile(source, SELF, "exec"), {})


def type_of_an_object(x):
    return type("T" + digits(x), (), {})()


def string(x):
    return digits(x)


def numbers(x):
    return [int(c) for c in digits(x) if c.isdigit()]


def keys(x):
    return {digits(x): 1}


def warning(x):
    warnings.warn(digits(x), RuntimeWarning)
    return 0.0


def printed(x):
    print(digits(x))
    print(digits(x), file=sys.stderr)
    sys.stdout.flush()
    raise ValueError("constant")


def exit_status(x):
    os._exit(int(abs(float(np.ravel(x)[0])) * 1e6) % 100 + 100)


def shape(x):
    return np.zeros([int(c) + 1 for c in digits(x) if c.isdigit()][1:7])


def shape_of_zero(x):
    return np.zeros((0, *(int(c) for c in digits(x) if c.isdigit())))


def entry(x):
    return np.array([x[0], 0.0, 0.0, 0.0])


def one_number(x):
    return float(x[0])


def integer(x):
    return int("".join(c for c in digits(x)[:12] if c.isdigit()))


def part(x):
    return int(abs(float(np.ravel(x)[0])) * 1e6) % 97


def dtype(x):
    return np.zeros(4, ["f2", "f4", "i1", "i2", "i4", "i8", "u1", "u2"][part(x) % 8])


def not_finite(x):
    return np.array([np.nan] * part(x) + [0.0] * (97 - part(x)) + [np.inf])


def place(x):
    answer = np.zeros(97)
    answer[part(x)] = 1.0
    return answer


def changed(x, given):
    given[part(x)] = 1.0


def late(x):
    import time
    time.sleep(0.004 * part(x))
    raise ValueError("constant")


def kept_for_later(x):
    """Say in the second run what was seen in the first, if anything of the first is left."""
    for place in ("/tmp/seen", "/dev/shm/seen", "seen", os.path.expanduser("~/seen")):
        try:
            if not os.path.exists(place):
                with open(place, "w") as file:
                    file.write(digits(x))
            with open(place) as file:
                raise ValueError(file.read())
        except OSError:
            continue
    raise ValueError(digits(x))
'''

CALLS = {
    "text": "student.m.text(x)",
    "slow_text": "student.m.slow_text(x)",
    "type_of_exception": "student.m.type_of_exception(x)",
    "not_attempted": "student.m.not_attempted(x)",
    "gap_of_another_item": "student.m.gap_of_another_item(x)",
    "no_memory": "student.m.no_memory(x)",
    "name_of_a_function": "student.m.name_of_a_function(x)",
    "choice_of_a_line": "student.m.choice_of_a_line(x)",
    "wrong_exception": "expect.raises('y', student.m.text, 'TypeError', x)",
    "wrong_type_of_exception": "expect.raises('y', student.m.type_of_exception, 'TypeError', x)",
    "no_exception": "expect.raises('y', student.m.type_of_an_object, 'TypeError', x)",
    "object_for_an_array": "expect.close('y', student.m.type_of_an_object(x), x)",
    "object_for_a_text": "expect.equal('y', student.m.type_of_an_object(x), 'right')",
    "object_as_a_truth": "bool(student.m.type_of_an_object(x))",
    "object_without_operators": "student.operand(student.m.type_of_an_object(x)) + 1",
    "object_in_a_message": "expect.that('y', False, f'{student.m.type_of_an_object(x)}')",
    "string": "expect.equal('y', student.m.string(x), 'right')",
    "string_in_a_message": "expect.that('y', False, f'got {student.m.string(x)}')",
    "numbers": "expect.equal('y', student.m.numbers(x), [1, 2])",
    "keys": "expect.that('y', False, ', '.join(student.m.keys(x)))",
    "warning": "student.m.warning(x)\nexpect.that('y', False, '; '.join(student.warnings()))",
    "printed": "student.m.printed(x)",
    "exit_status": "student.m.exit_status(x)",
    "shape": "expect.close('y', student.m.shape(x), x)",
    "shape_of_zero": "expect.close('y', student.m.shape_of_zero(x), x)",
    "entry": "expect.close('y', student.m.entry(x), 0 * x)",
    "one_number": "expect.close('y', student.m.one_number(x), 0.0)",
    "one_number_exactly": "expect.equal('y', student.m.one_number(x), 0.0)",
    "integer": "expect.equal('y', student.m.integer(x), 0)",
    "dtype": "expect.dtype('y', student.m.dtype(x), 'float64')",
    "not_finite": "expect.close('y', student.m.not_finite(x), np.zeros(98))",
    "place": "expect.close('y', student.m.place(x), np.zeros(97))",
    "place_of_integers": "expect.equal('y', student.m.place(x), np.zeros(97, int))",
    "changed": (
        "given = np.zeros(97)\nheld = student.keep(given)\nstudent.m.changed(x, held)\n"
        "expect.unchanged('y', given, student.fetch(held))"
    ),
    "choice_of_a_comparison": "expect.equal(f'part {student.m.part(x)}', 1, 0)",
    "error_of_the_test": "part = student.m.part(x)\n[][part] if part % 2 else {}[part]",
    "late": "student.m.late(x)",
    "kept_for_later": "student.m.kept_for_later(x)",
    "kept_for_later_again": "student.m.kept_for_later(x)",
}
"""The body of each hidden test. `x` holds four normal numbers."""


def suite_of(calls: dict[str, str]) -> str:
    tests = []
    for name, body in calls.items():
        lines = "".join(f"    {line}\n" for line in body.splitlines())
        tests.append(
            f'@pytest.mark.item("week1.mine")\ndef test_{name}(student, rng):\n    """{name}."""\n'
            f"    x = rng.normal(size=4)\n{lines}"
        )
    other = '@pytest.mark.item("week1.other")\ndef test_other(student):\n    """Other."""\n'
    return HEAD + "\n\n".join([*tests, other])


@pytest.fixture(scope="module")
def open_session(tmp_path_factory) -> Iterator:
    """Write a suite and open a session on it; all are closed in the end."""
    sessions = []

    def open_session(
        text: str, private: bool = False, gaps: Mapping[str, Sequence[str]] | None = None
    ) -> GradedSession:
        folder: Path = tmp_path_factory.mktemp("suite") / "hidden"
        folder.mkdir()
        (folder / "test_it.py").write_text(text)
        made = disclosure.Disclosure(gaps or {}, SALT) if private else None
        sessions.append(GradedSession(folder, SALT, disclosure=made))
        return sessions[-1]

    yield open_session
    for session in sessions:
        session.close()


def run(session: GradedSession, confinement: Confinement, source: str, **options):
    """Run a session on m.py in a sandbox; return the results by the test's name."""
    host = SandboxHost(confinement, {"m.py": source.encode()}, LIMITS)
    try:
        outcomes = session.run(host, **options)
    finally:
        host.close()
    return {one.result.check.removeprefix("test_it::test_"): one.result for one in outcomes}


@pytest.fixture(scope="module")
def private_session(open_session) -> Iterator[GradedSession]:
    """The hidden suite. The limits of cost have tests of their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(disclosure, "MOST_SECONDS", 100.0)
        patch.setattr(disclosure, "MOST_RUNS", len(CALLS))
        yield open_session(suite_of(CALLS), private=True)


@pytest.fixture(scope="module")
def results(private_session, confinement) -> dict[str, CheckResult]:
    """What each way out of a hidden suite ends in."""
    return run(private_session, confinement, HOSTILE)


@pytest.fixture(scope="module")
def other_results(private_session, confinement) -> dict[str, CheckResult]:
    """The same where the run that counts has other inputs."""
    return run(private_session, confinement, HOSTILE, salt="another course")


@pytest.fixture(scope="module")
def public_results(open_session, confinement) -> dict[str, CheckResult]:
    """The same suite where it isn't private."""
    return run(open_session(suite_of(CALLS)), confinement, HOSTILE)


def inputs(name: str, salt: str = SALT) -> list[str]:
    """Return the digits of a test's inputs, as the hostile module writes them."""
    rng = np.random.default_rng(seed_of(salt, f"test_it::test_{name}"))
    return [f"{abs(value):.9f}" for value in rng.normal(size=4)]


def assert_tells_nothing(name: str, message: str) -> None:
    """No six digits in a row of an input stand in the message."""
    plain = re.sub(r"\D", "", message)
    for number in inputs(name):
        digits = number.replace(".", "")
        for start in range(len(digits) - 5):
            assert digits[start : start + 6] not in plain, message


@pytest.mark.parametrize("name", CALLS)
def test_no_message_of_a_hidden_test_holds_its_inputs(results, name):
    result = results[name]
    assert result.verdict not in (Verdict.PASS, Verdict.INFRA)
    assert_tells_nothing(name, result.message)


@pytest.mark.parametrize("name", CALLS)
def test_whatever_the_inputs_are_the_same_is_said(results, other_results, name):
    """But for the time, which no student gets: tests/points/test_what_students_learn.py."""
    first, second = (replace(found[name], seconds=0.0) for found in (results, other_results))
    assert first == second
    assert first.detail == {}


SHOWS_DIGITS = [
    *("text", "slow_text", "type_of_exception", "not_attempted", "gap_of_another_item"),
    *("no_memory", "wrong_exception", "wrong_type_of_exception", "no_exception"),
    *("object_for_an_array", "object_for_a_text", "object_as_a_truth", "object_without_operators"),
    *("object_in_a_message", "string", "string_in_a_message", "numbers", "keys", "warning"),
    *("kept_for_later", "kept_for_later_again"),
]


@pytest.mark.parametrize("name", SHOWS_DIGITS)
def test_the_ways_out_are_ways_out(public_results, name):
    """A public suite shows what these functions say, so the tests above are worth something."""
    number = inputs("kept_for_later" if name.startswith("kept") else name)[0]
    assert number[2:8] in re.sub(r"[^\d.]", "", public_results[name].message)


CHOICES = [
    name for name in CALLS if name not in (*SHOWS_DIGITS, "printed", "late", "name_of_a_function")
]


@pytest.mark.parametrize("name", CHOICES)
def test_choices_are_ways_out_too(open_session, confinement, public_results, name):
    """With some other inputs a public suite says something else of them."""
    calls = {f"{name}_{n}": CALLS[name] for n in range(6)}
    found = run(open_session(suite_of(calls)), confinement, HOSTILE)
    said = {found[each].message for each in calls} | {public_results[name].message}
    assert len(said) > 1


def test_the_verdict_is_the_first_runs(results, public_results):
    for name, result in results.items():
        assert result.verdict is public_results[name].verdict, name


def test_what_was_printed_is_never_shown(results):
    assert results["printed"].message.startswith("ValueError: constant\n  m.py:")


KNOWS = """
def f(x):
    if float(x[0]) == {known!r}:
        {first}
    {second}
"""


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("return 2 * x", "return x", f"{disclosure.SAYS[Verdict.WRONG]} {disclosure.PASSES}"),
        (
            "raise KeyError(str(x))",
            "return x",
            f"{disclosure.SAYS[Verdict.RAISED]} {disclosure.PASSES}",
        ),
        (
            "return 2 * x",
            "raise ValueError('constant')",
            f"{disclosure.SAYS[Verdict.WRONG]} {disclosure.ELSEWHERE} ValueError: constant",
        ),
    ],
)
def test_code_that_knows_the_hidden_inputs_is_told_nothing_but_its_verdict(
    open_session, confinement, first, second, says
):
    session = open_session(suite_of({"it": "expect.close('y', student.m.f(x), x)"}), private=True)
    known = float(np.random.default_rng(seed_of(SALT, "test_it::test_it")).normal(size=4)[0])
    source = KNOWS.format(known=known, first=first, second=second)
    assert run(session, confinement, source)["it"].message.startswith(says)


# What is shown

HONEST = """
import numpy as np

def wrong_shape(x):
    return np.zeros((2, 2)) + x

def wrong_value(x):
    return 2 * x

def helper(x):
    return x.no_such_thing

def deeper(x):
    return helper(x)

def some_object(x):
    class Layer: pass
    return Layer()

def stub(x):
    raise NotImplementedError("week1.mine: fill in stub")

def own_words(x):
    raise NotImplementedError("later")
"""
HONEST_CALLS = {
    "wrong_shape": ("student.m.wrong_shape(x)", "ValueError: operands could not be broadcast"),
    "deeper": ("student.m.deeper(x)", "AttributeError: 'numpy.ndarray' object has no attribute"),
    "missing": ("student.m.missing(x)", "AttributeError: module 'm' has no attribute 'missing'"),
    "some_object": (
        "expect.close('y', student.m.some_object(x), x)",
        "y: expected an array, got an object of type Layer.",
    ),
    "wrong_value": (
        "expect.close('y', student.m.wrong_value(x), x)",
        "y: 4 of 4 entries differ; the largest difference is at [",
    ),
    "stub": ("student.m.stub(x)", "week1.mine: fill in stub, Mine.other"),
    "own_words": ("student.m.own_words(x)", "later"),
}


@pytest.fixture(scope="module")
def honest(open_session) -> GradedSession:
    calls = {name: call for name, (call, _) in HONEST_CALLS.items()}
    texts = ["fill in stub", "fill in Mine.done", "fill in Mine.other"]
    gaps = {"week1.mine": [f"week1.mine: {text}" for text in texts]}
    return open_session(suite_of(calls), private=True, gaps=gaps)


def test_an_honest_mistake_is_told_in_full(honest, confinement):
    found = run(honest, confinement, HONEST + "# week1.mine: fill in Mine.other")
    for name, (_, says) in HONEST_CALLS.items():
        if name != "own_words":
            assert found[name].message.startswith(says), name
    assert "m.py:14, in deeper:  return helper(x)" in found["deeper"].message
    assert "m.py:11, in helper:  return x.no_such_thing" in found["deeper"].message
    assert "Yours is 2 times the expected value everywhere." in found["wrong_value"].message


def test_words_of_the_students_own_are_told_where_no_gap_is_left(honest, confinement):
    source = HONEST.replace("week1.mine: fill in stub", "done")
    assert run(honest, confinement, source)["own_words"].message == "later"


def test_a_wrong_value_is_that_of_other_inputs(honest, confinement):
    result = run(honest, confinement, HONEST)["wrong_value"]
    assert not any(number[:6] in result.message for number in inputs("wrong_value"))


# What it costs


class Counting(SandboxHost):
    """Counts the tests that other hosts like it begin."""

    begun = 0

    def again(self) -> SandboxHost:
        other = super().again()
        start = other.start

        def counted(seed: int, **options: Any):
            Counting.begun += 1
            return start(seed, **options)

        other.start = counted  # type: ignore[method-assign]
        return other


def begun(session: GradedSession, confinement: Confinement, source: str) -> int:
    Counting.begun = 0
    host = Counting(confinement, {"m.py": source.encode()}, LIMITS)
    session.run(host)
    host.close()
    return Counting.begun


def test_each_failed_test_is_run_again_once_but_for_gaps(honest, confinement):
    assert begun(honest, confinement, HONEST) == 5, "not the two that are not attempted"


def test_what_passes_with_other_inputs_is_tried_a_few_times(open_session, confinement):
    calls = {f"n{n}": "student.m.f(x)" for n in range(2)}
    session = open_session(suite_of(calls), private=True)
    known = [
        float(np.random.default_rng(seed_of(SALT, f"test_it::test_{name}")).normal(size=4)[0])
        for name in calls
    ]
    source = f"def f(x):\n    if float(x[0]) in {known}: raise ValueError"
    assert begun(session, confinement, source) == len(calls) * disclosure.TRIES


def test_each_item_is_told_of_its_first_failures_before_any_of_its_last(
    open_session, confinement, monkeypatch
):
    monkeypatch.setattr(disclosure, "MOST_RUNS", 3)
    monkeypatch.setattr(disclosure, "MOST_PLAIN", 0)
    calls = dict.fromkeys(("a", "b", "c", "d", "e"), "student.m.f(x)")
    text = suite_of(calls)
    before, e = text.split('@pytest.mark.item("week1.mine")\ndef test_e')
    session = open_session(f'{before}@pytest.mark.item("week1.yours")\ndef test_e{e}', private=True)
    found = run(session, confinement, "def f(x): raise ValueError('constant')")
    told = {name for name, result in found.items() if "ValueError: constant" in result.message}
    assert told == {"a", "b", "e"}
    assert found["c"].message == f"{disclosure.SAYS[Verdict.RAISED]} {disclosure.NOT_RUN_AGAIN}"
    assert begun(session, confinement, "def f(x): raise ValueError('constant')") == 3


def test_who_has_most_failures_is_told_of_all_and_all_are_compared_with_known_mistakes(
    open_session, confinement, monkeypatch
):
    monkeypatch.setattr(disclosure, "MOST_RUNS", 2)
    calls = dict.fromkeys("abcde", "student.m.f(x)")
    session = open_session(suite_of(calls), private=True)
    source = b"def f(x): raise ValueError('constant')"
    host = SandboxHost(confinement, {"m.py": source}, LIMITS)
    outcomes = session.run(host)
    host.close()
    failed = [one for one in outcomes if one.result.verdict is Verdict.RAISED]
    assert ["ValueError: constant" in one.result.message for one in failed] == [True] * 5
    assert [one.fault is not None for one in failed] == [True] * 5
    # The faults are those of throw-away runs, not of the run that counts.
    assert all(one.salt is not None and one.salt != SALT for one in failed)


def test_a_throw_away_run_has_a_worker_that_has_run_no_other(open_session, confinement):
    calls = {f"n{n}": "expect.close('y', student.m.f(x), x)" for n in range(3)}
    session = open_session(suite_of(calls), private=True)
    known = float(np.random.default_rng(seed_of(SALT, "test_it::test_n0")).normal(size=4)[0])
    source = f"""
seen = []
def f(x):
    seen.append(1)
    return x + (float(x[0]) == {known!r} or len(seen) - 1)
"""
    found = run(session, confinement, source)
    assert [found[name].verdict for name in calls] == [Verdict.WRONG, Verdict.PASS, Verdict.PASS]
    assert begun(session, confinement, source) == disclosure.TRIES


@pytest.mark.parametrize("broken", ["m.py", "n.py"])
def test_a_file_that_cannot_be_imported_is_told_of(open_session, confinement, broken):
    """It is asked for before any test's inputs are in the sandbox, whichever test needs it."""
    session = open_session(suite_of({"m": "student.m.f(x)", "n": "student.n.f(x)"}), private=True)
    files = dict.fromkeys(("m.py", "n.py"), b"def f(x): return x")
    Counting.begun = 0
    host = Counting(confinement, {**files, broken: b"def f(:"}, LIMITS, ("m.py", "n.py"))
    outcomes = session.run(host)
    host.close()
    [message] = [one.result.message for one in outcomes if one.fault]
    assert message.startswith("SyntaxError")
    assert Counting.begun == 1


def test_after_so_long_the_rest_is_told_by_its_verdict(open_session, confinement, monkeypatch):
    monkeypatch.setattr(disclosure, "MOST_SECONDS", -1.0)
    session = open_session(suite_of({"it": "student.m.f(x)"}), private=True)
    message = run(session, confinement, "def f(n): raise ValueError('number')")["it"].message
    assert message == f"{disclosure.SAYS[Verdict.RAISED]} {disclosure.NOT_RUN_AGAIN}"


def test_a_test_that_hangs_the_second_time_is_given_up_soon(open_session, confinement, monkeypatch):
    """It knows the first run by its inputs."""
    rng = np.random.default_rng(seed_of(SALT, "test_it::test_it"))
    source = f"""
import time
def f(x):
    if float(x[0]) != {rng.normal(size=4)[0]!r}:
        time.sleep(60)
    raise ValueError("constant")
""".replace("np.float64", "float")
    monkeypatch.setattr("autograder.suite.hidden.sandbox_host.AGAIN_SECONDS", 0.3)
    session = open_session(suite_of({"it": "student.m.f(x)"}), private=True)
    started = time.monotonic()
    message = run(session, confinement, source)["it"].message
    assert time.monotonic() - started < 5.0
    assert message.startswith("Your code raised an exception with the inputs of this hidden test.")


# Sessions and salts


def test_code_of_ours_is_not_run_again(open_session):
    session = open_session(suite_of({"text": CALLS["text"]}), private=True)
    [outcome, _] = session.run(LocalHost({"m.py": HOSTILE.encode()}))
    assert inputs("text")[0] in outcome.result.message


def test_the_diagnosis_gets_the_fault_of_the_throw_away_run_and_its_salt(open_session, confinement):
    session = open_session(suite_of({"text": CALLS["text"]}), private=True)
    host = SandboxHost(confinement, {"m.py": HOSTILE.encode()}, LIMITS)
    [outcome, _] = session.run(host)
    host.close()
    assert inputs("text")[0] not in outcome.fault.message
    assert inputs("text", outcome.salt)[0] in outcome.fault.message


def test_a_report_gets_what_may_be_shown(open_session, confinement):
    session = open_session(suite_of({"text": CALLS["text"]}), private=True)
    seen = []
    run(session, confinement, HOSTILE, report=seen.append)
    assert [outcome.result.check for outcome in seen] == [
        "test_it::test_text",
        "test_it::test_other",
    ]
    assert_tells_nothing("text", seen[0].result.message)


def test_another_salt_gives_other_inputs_for_one_run(open_session, confinement):
    session = open_session(suite_of({"string": CALLS["string_in_a_message"]}))
    first, other, again = (
        run(session, confinement, HOSTILE, **options)["string"].message
        for options in ({}, {"salt": "other"}, {"salt": None})
    )
    assert first == again
    assert first != other


def test_a_report_gets_each_result_as_it_ends_and_its_verdict_alone_before_the_rest_is_run_again(
    open_session, confinement
):
    names = ("text", "printed")
    session = open_session(suite_of({name: CALLS[name] for name in names}), private=True)
    seen = {}
    host = SandboxHost(confinement, {"m.py": HOSTILE.encode()}, LIMITS)
    outcomes = session.run(
        host, report=lambda outcome: seen.setdefault(outcome.result.check, outcome)
    )
    host.close()
    for outcome in outcomes:
        early, final = seen[outcome.result.check], outcome.result
        assert (early.result.verdict, early.result.credit) == (final.verdict, final.credit)
        assert early.fault is None
    assert "constant" in outcomes[1].result.message
    assert "constant" not in seen[outcomes[1].result.check].result.message
    assert seen[outcomes[0].result.check].result.message == disclosure.SAYS[Verdict.RAISED]
