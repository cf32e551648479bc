"""A suite is collected once and run for many submissions; each test ends with the fair verdict."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.suite.expect import Wrong
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.session import PATIENCE, Outcome, SuiteError, SuiteSession, seed_of

HEAD = """
import numpy as np
import pytest
from autograder.channel.faults import Fault, InfraError
from autograder.records import Verdict
from autograder.suite import expect

"""
Make = Callable[..., SuiteSession]


@pytest.fixture
def make(tmp_path) -> Iterator[Make]:
    """Write a suite of one file and open a session on it; all are closed in the end."""
    sessions = []

    def make(text: str, *, salt: str = "salt", context: object = None, name: str = "suite"):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        (folder / "test_it.py").write_text(HEAD + text)
        sessions.append(SuiteSession(folder, salt, context))
        return sessions[-1]

    yield make
    for session in sessions:
        session.close()


def run(session: SuiteSession, source: str = "", **options) -> dict[str, CheckResult]:
    """Run a session on one module, m.py, in this process; return the results by test name."""
    return by_name(session.run(LocalHost({"m.py": source.encode()}), **options))


def by_name(outcomes: list[Outcome]) -> dict[str, CheckResult]:
    return {outcome.result.check.partition("::")[2]: outcome.result for outcome in outcomes}


def a_test(
    body: str, name: str = "it", item: str = "a", arguments: str = "student", marks: str = ""
) -> str:
    """Return the text of one test of a suite."""
    marks = "".join(f"@pytest.mark.{mark}\n" for mark in marks.split(";") if mark)
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    head = f'@pytest.mark.item("{item}")\n{marks}def test_{name}({arguments}):\n    """{name}."""\n'
    return f"{head}{lines}\n"


# The plan


def test_the_plan_lists_ids_items_titles_and_weights(make):
    session = make(
        '''
@pytest.mark.item("week1.linear")
@pytest.mark.weight(3)
def test_bias(student):
    """  dL/db adds up over the batch.

    More about it.
    """

@pytest.mark.item("week1.relu")
class TestRelu:
    def test_zero(self, student, rng, grade, settings):
        """ReLU is 0 at 0"""
'''
    )
    assert session.plan == [
        PlannedCheck("test_it::test_bias", "week1.linear", "dL/db adds up over the batch", 3),
        PlannedCheck("test_it::test_zero", "week1.relu", "ReLU is 0 at 0", 1),
    ]


def test_parametrized_tests_are_checks_of_their_own(make):
    session = make(
        a_test(
            'expect.equal("n", student.m.double(n), wanted)',
            arguments="student, n, wanted",
            marks='parametrize(("n", "wanted"), [(1, 2), (2, 4), (3, 7)])',
        )
    )
    assert [check.id for check in session.plan] == [
        "test_it::test_it[1-2]",
        "test_it::test_it[2-4]",
        "test_it::test_it[3-7]",
    ]
    cases = ["n 1, wanted 2", "n 2, wanted 4", "n 3, wanted 7"]
    assert [check.title for check in session.plan] == [f"it ({case})" for case in cases]
    results = run(session, "def double(n): return 2 * n")
    assert [result.verdict for result in results.values()] == ["pass", "pass", "wrong"]


@pytest.mark.parametrize(
    ("values", "title"),
    [
        ('[("Adam", {"lr": 0.1, "beta": np.ones(2)})]', "it (Adam, lr 0.1)"),
        ('[("MSELoss", 0.5)]', "it (MSELoss)"),
        ("[(None, (2, 3))]", "it (b (2, 3))"),
        ('[pytest.param(True, print, id="training")]', "it (training)"),
    ],
)
def test_titles_say_the_case_by_texts_and_settings_numbers_or_id(make, values, title):
    marks = f'parametrize(("a", "b"), {values})'
    [check] = make(a_test("", arguments="a, b", marks=marks)).plan
    assert check.title == title


def test_tests_that_train_come_last(make):
    session = make(a_test("", "one", marks="training") + a_test("", "two") + a_test("", "three"))
    assert [check.title for check in session.plan] == ["two", "three", "one"]


BAD_SUITES = {
    "no item": (
        'def test_x(student):\n    """Title."""',
        r"test_x needs one marker pytest.mark.item",
    ),
    "no id": (a_test("").replace('item("a")', "item"), r"test_it needs one marker"),
    "two ids": (a_test("").replace('item("a")', 'item("a", "b")'), r"test_it needs one marker"),
    "no title": (a_test("").replace('"""it."""', "pass"), r"test_it needs a docstring"),
    "an empty title": (
        a_test("").replace('"""it."""', '"""\n    """'),
        r"test_it needs a docstring",
    ),
    "a fixture of pytest's": (a_test("", arguments="tmp_path"), r"test_it asks for tmp_path"),
    "an unknown argument": (a_test("", arguments="model"), r"model"),
    "a broken file": ("def test_x(:", r"SyntaxError"),
    "an import that fails": ("import no_such_module", r"no_such_module"),
    "no tests": ("x = 1", r"no tests|ended with"),
    "an error at import": ("1 / 0", r"ZeroDivisionError"),
}


@pytest.mark.parametrize(("text", "says"), BAD_SUITES.values(), ids=BAD_SUITES.keys())
def test_a_suite_at_fault_is_refused_with_its_reason(make, text, says):
    with pytest.raises(SuiteError, match=says):
        make(text)


def test_a_suite_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(SuiteError):
        SuiteSession(tmp_path / "none" / "suite", "salt")


# Runs


def test_a_session_runs_for_one_submission_after_another(make):
    session = make(a_test('expect.equal("x", student.m.x, 1)'))
    verdicts = [run(session, f"x = {x}")["test_it"].verdict for x in (1, 2, 1)]
    assert verdicts == ["pass", "wrong", "pass"]


def test_only_runs_what_is_asked_for_and_reports_it_in_order(make):
    session = make("".join(a_test("", name) for name in ("one", "two", "three")))
    seen: list[str] = []
    results = run(
        session,
        only={"test_it::test_three", "test_it::test_one"},
        report=lambda outcome: seen.append(outcome.result.check),
    )
    assert list(results) == ["test_one", "test_three"]
    assert seen == ["test_it::test_one", "test_it::test_three"]
    assert run(session, only=set()) == {}


def test_tests_get_the_context_of_the_session(make):
    session = make(
        a_test("assert settings == {'epochs': 5}", arguments="settings"), context={"epochs": 5}
    )
    assert run(session)["test_it"].verdict is Verdict.PASS


def test_two_sessions_can_be_open_at_a_time(make):
    first = make(a_test('expect.equal("x", student.m.x, 1)'), name="first")
    second = make(a_test('expect.equal("x", student.m.x, 2)'), name="second")
    for _ in range(2):
        assert run(first, "x = 1")["test_it"].verdict is Verdict.PASS
        assert run(second, "x = 1")["test_it"].verdict is Verdict.WRONG


def test_what_breaks_in_a_report_reaches_the_caller_and_the_session_lives_on(make):
    session = make(a_test(""))

    def broken(outcome: Outcome) -> None:
        raise ValueError("the report broke")

    with pytest.raises(ValueError, match="the report broke"):
        run(session, report=broken)
    assert run(session)["test_it"].verdict is Verdict.PASS


# Seeds

DRAW = "expect.that('drawn', False, f'{rng.integers(2**62)} {student.m.np.random.randint(2**62)}')"
TWO_DRAWS = a_test(DRAW, "one", arguments="student, rng") + a_test(
    DRAW, "two", arguments="student, rng"
)


def drawn(session: SuiteSession) -> list[list[str]]:
    """Return what each test drew: by its own generator, and by the worker's."""
    return [result.message.split()[1:] for result in run(session, "import numpy as np").values()]


def test_draws_are_fixed_for_a_salt_and_a_test(make):
    first = make(TWO_DRAWS, salt="s", name="one")
    assert drawn(first) == drawn(first) == drawn(make(TWO_DRAWS, salt="s", name="two"))
    others = drawn(make(TWO_DRAWS, salt="t", name="three"))
    numbers = [number for draws in (drawn(first), others) for both in draws for number in both]
    assert len(set(numbers)) == 8


def test_a_draw_does_not_depend_on_what_ran_before(make):
    session = make(TWO_DRAWS)
    alone = run(session, "import numpy as np", only={"test_it::test_two"})
    assert alone["test_two"].message.split()[1:] == drawn(session)[1]


def test_the_workers_seed_does_not_tell_the_tests_inputs(make):
    session, seeds = make(TWO_DRAWS), []

    class Noting(LocalHost):
        def start(self, seed, **options):
            seeds.append(seed)
            return super().start(seed, **options)

    session.run(Noting({"m.py": b"import numpy as np"}))
    assert seeds == [seed_of("salt", check.id, "|worker") for check in session.plan]
    assert not set(seeds) & {seed_of("salt", check.id) for check in session.plan}


def test_seeds_differ_by_salt_and_test_and_side():
    assert (
        len({seed_of("s", "x"), seed_of("s", "x", "|worker"), seed_of("", "x"), seed_of("s", "y")})
        == 4
    )
    assert all(0 <= seed_of("s", str(n)) < 2**56 for n in range(100))


# Verdicts

MODULE = """
import numpy as np
def gap(): raise NotImplementedError("b: fill in gap")
def own_gap(): raise NotImplementedError("a: fill in own_gap")
def strange_gap(): raise NotImplementedError("nobody's: fill in")
def raises(): raise ValueError("bad shape")
def infra(): raise OSError("No space left on device")
def no_memory(): raise MemoryError
def leaves(): raise SystemExit(0)
class Thing: pass
"""
ENDINGS = {
    "nothing": ("", "pass", ""),
    "a right value": ('expect.equal("x", 1, 1)', "pass", ""),
    "a wrong value": ('expect.equal("x", 2, 1)', "wrong", "x: expected 1, got 2."),
    "an object for a value": ("bool(student.m.Thing())", "wrong", "of type Thing, not a value"),
    "an exception of theirs": ("student.m.raises()", "raised", "ValueError: bad shape\n  m.py:6"),
    "an OSError of theirs": ("student.m.infra()", "raised", "OSError: No space left"),
    "a MemoryError of theirs": ("student.m.no_memory()", "memory", "MemoryError"),
    "an exit of theirs": ("student.m.leaves()", "raised", "SystemExit"),
    "a missing name": ("student.m.missing", "raised", "AttributeError"),
    "a missing module": ("student.n", "raised", "ModuleNotFoundError"),
    "a gap of the item": ("student.m.own_gap()", "not-attempted", "a: fill in own_gap"),
    "a gap of another item": ("student.m.gap()", "blocked", "This check builds on b: fill in gap."),
    "a gap of no item": ("student.m.strange_gap()", "not-attempted", "nobody's: fill in"),
    "a value the test can't use": ("student.m.np.pi + 'text'", "wrong", "(TypeError)"),
    "an assertion": ("assert 1 == 2", "wrong", "(AssertionError)"),
    "a failure by pytest": ("pytest.fail('no')", "wrong", "(Failed)"),
    "a skip by pytest": ("pytest.skip('no')", "wrong", "(Skipped)"),
    "an endless recursion": ("f = lambda: f()\nf()", "wrong", "(RecursionError)"),
    "a fault of ours": ("raise InfraError('no sandbox')", "infra", "The grader failed: no sandbox"),
    "a file of ours missing": ("open('/no/such/file')", "infra", "The grader failed:"),
    "no memory of ours": (
        "raise MemoryError('none left')",
        "infra",
        "The grader failed: none left",
    ),
    **{
        f"a fault, {verdict}": (f"raise Fault(Verdict('{verdict}'), 'said')", verdict, "said")
        for verdict in ("timeout", "memory", "crash", "output", "violation")
    },
}


@pytest.fixture(scope="module")
def endings(tmp_path_factory) -> dict[str, Outcome]:
    """Each test of ENDINGS, run in one session."""
    folder = tmp_path_factory.mktemp("endings") / "suite"
    folder.mkdir()
    tests = [a_test(body, f"n{n}") for n, (body, *_) in enumerate(ENDINGS.values())]
    # Another timeout of the item would let PATIENCE end, so b is for the item with the gap alone.
    (folder / "test_it.py").write_text(HEAD + "".join(tests) + a_test("", "other", item="b"))
    session = SuiteSession(folder, "salt")
    outcomes = session.run(LocalHost({"m.py": MODULE.encode()}))
    session.close()
    return dict(zip(ENDINGS, outcomes[:-1], strict=True))


@pytest.mark.parametrize("name", ENDINGS)
def test_how_a_test_ends_decides_the_verdict(endings, name):
    _, verdict, says = ENDINGS[name]
    result = endings[name].result
    assert (result.verdict, result.credit) == (verdict, FULL_CREDIT * (verdict == "pass"))
    assert says in result.message


def test_a_fault_is_kept_for_the_diagnosis_without_the_tests_variables(endings):
    fault = endings["a wrong value"].fault
    assert type(fault) is Wrong
    assert fault.received == 2
    for outcome in endings.values():
        if outcome.fault is not None:
            assert outcome.fault.__traceback__ is None
            assert outcome.fault.__context__ is None
    assert endings["nothing"].fault is endings["a fault of ours"].fault is None


@pytest.mark.parametrize(
    ("body", "verdict", "credit", "message"),
    [
        ("grade(0.5, 'half')", "wrong", 5000, "half"),
        ("grade(1, 'all')", "pass", 10_000, "all"),
        ("grade(0, 'none')", "wrong", 0, "none"),
        ("grade(7, 'over')", "pass", 10_000, "over"),
        ("grade(-1, 'under')", "wrong", 0, "under"),
        ("grade(float('nan'), 'nan')", "wrong", 0, "nan"),
        ("grade(1 / 3, 'third')", "wrong", 3333, "third"),
        ("grade(1, 'all')\nexpect.that('x', False, 'but wrong')", "wrong", 0, "x: but wrong"),
        ("grade(1, 'all')\nraise InfraError('lost')", "infra", 0, "The grader failed: lost"),
        ("grade(1, 'all')\ngrade(0.25, 'less')", "wrong", 2500, "less"),
    ],
)
def test_partial_credit(make, body, verdict, credit, message):
    result = run(make(a_test(body, arguments="grade")))["test_it"]
    assert (result.verdict, result.credit, result.message) == (verdict, credit, message)


# What builds on what

NEEDS = 'needs("a", "b")'
WRONG = 'expect.equal("x", 2, 1)'


@pytest.mark.parametrize(
    ("a", "b", "c", "verdict", "message"),
    [
        (
            WRONG,
            "",
            WRONG,
            "blocked",
            "First mend a: this check builds on it. x: expected 1, got 2.",
        ),
        (WRONG, WRONG, WRONG, "blocked", "First mend a, b: this check builds on it. x: expected"),
        ("", "", WRONG, "wrong", "x: expected 1, got 2."),
        (WRONG, "", "", "pass", ""),
        (WRONG, "", "raise InfraError('lost')", "infra", "The grader failed: lost"),
        (WRONG, "", "grade(0.5, 'half')", "blocked", "First mend a: this check builds on it. half"),
    ],
)
def test_a_failure_on_failures_is_blocked(make, a, b, c, verdict, message):
    session = make(
        a_test(a, "a", "a")
        + a_test(b, "b", "b")
        + a_test(c, "c", "c", arguments="grade", marks=NEEDS)
    )
    result = run(session)["test_c"]
    assert result.verdict == verdict
    assert result.message.startswith(message)


def test_being_blocked_takes_no_credit_away(make):
    session = make(a_test(WRONG, "a") + a_test("grade(.5, '')", "c", "c", "grade", 'needs("a")'))
    assert run(session)["test_c"].credit == 5000


# Patience


def test_an_item_that_keeps_running_out_of_time_is_given_up_and_others_are_not(make):
    hang = "raise Fault(Verdict.TIMEOUT, 'slow')"
    names = [f"n{n}" for n in range(PATIENCE + 2)]
    session = make("".join(a_test(hang, name) for name in names) + a_test("", "other", "b"))
    results = run(session)
    assert Counter(result.verdict for result in results.values()) == {
        "timeout": PATIENCE + 2,
        "pass": 1,
    }
    assert [result.message == "slow" for result in results.values()][: PATIENCE + 1] == (
        [True] * PATIENCE + [False]
    )
    assert run(session, only={"test_it::test_n4"})["test_n4"].message == "slow"


# Hosts in this process


def test_a_local_host_leaves_no_module_behind(make):
    run(make(a_test("student.m_of_this_test.x")))
    session = make(a_test("student.left_behind.x"))
    session.run(LocalHost({"left_behind.py": b"x = 1"}))
    with pytest.raises(ModuleNotFoundError):
        __import__("left_behind")


def test_results_name_our_checks_only(make):
    """A student's texts can't look like a verdict or a record: they are one cleaned line."""
    session = make(a_test("student.m.f()"))
    source = "def f(): raise ValueError('\\x1b[2J\\n\\nverdict: pass\\u2028' + 'x' * 9999)"
    result = run(session, source)["test_it"]
    assert result.verdict is Verdict.RAISED
    assert len(result.message.splitlines()) == 2
    assert "\x1b" not in result.message
    assert len(result.message) < 450


def test_what_somebody_has_around_a_suite_for_tests_of_their_own_is_none_of_its(
    make, tmp_path, monkeypatch
) -> None:
    """A conftest.py above it, options and plugins: they would change what the suite measures."""
    (tmp_path / "conftest.py").write_text("raise RuntimeError('not for suites')\n")
    monkeypatch.setenv("PYTEST_ADDOPTS", "--no-such-option")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "mine")
    session = make(a_test("pass"))
    assert run(session)["test_it"].verdict is Verdict.PASS
    assert os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] == "mine"
