"""A student's code in its plain process: every test finds it fresh, and nothing ends the check."""

from __future__ import annotations

import os
import sys
import textwrap
import time
from collections.abc import Callable, Iterator

import pytest

from autograder.channel.faults import InfraError
from autograder.course import Limits
from autograder.records import CheckResult, Verdict
from autograder.students.host import StudentHost
from autograder.suite.session import SuiteSession

LIMITS = Limits(
    request_seconds=2,
    test_seconds=4,
    training_seconds=8,
    memory_mb=700,
    training_memory_mb=900,
    processes=32,
    output_kb=64,
    file_mb=8,
)
HEAD = "import numpy as np\nimport pytest\nfrom autograder.suite import expect\n\n"
Run = Callable[..., list[CheckResult]]


@pytest.fixture
def run(tmp_path) -> Iterator[Run]:
    """Run tests with these bodies, each of an item of its own, on m.py."""
    opened: list[SuiteSession | StudentHost] = []

    def run(source: str, *bodies: str, printed: list[str] | None = None, **files: str):
        (tmp_path / "suite").mkdir()
        tests = HEAD
        for number, body in enumerate(bodies):
            tests += f'@pytest.mark.item("i{number}")\ndef test_n{number}(student, rng):\n'
            tests += textwrap.indent(f'"""Title."""\n{body}\n', "    ")
        (tmp_path / "suite" / "test_it.py").write_text(tests)
        sources = {"m.py": source, **{f"{name}.py": text for name, text in files.items()}}
        contents = {name: textwrap.dedent(text).encode() for name, text in sources.items()}
        host = StudentHost(contents, LIMITS, ("m.py", "missing.py"))
        opened.append(host)
        session = SuiteSession(tmp_path / "suite", "salt")
        opened.append(session)
        note = (lambda one: printed.append(host.printed)) if printed is not None else None
        return [outcome.result for outcome in session.run(host, report=note)]

    yield run
    for one in opened:
        one.close()


def verdicts(results: list[CheckResult]) -> list[str]:
    return [str(result.verdict) for result in results]


WORKS = "expect.equal('one', student.m.one(), 1)"
ENDINGS = {
    "import os\ndef f(): os._exit(3)": ("crash", "ended the whole process (exit status 3)"),
    "import sys\ndef f(): sys.exit(3)": ("raised", "SystemExit"),
    "import os, signal\ndef f(): os.kill(os.getpid(), signal.SIGSEGV)": ("crash", "SIGSEGV"),
    "def f():\n    while True: pass": ("timeout", "No answer within 2.0 seconds."),
    "def f():\n    while True: print('x' * 1000)": ("output", "printed more than 64 kB"),
    "def f(): print('x' * 100_000)": ("output", "printed more than 64 kB"),
    "def f(): return bytearray(2**30)": ("memory", "MemoryError"),
    "import os\ndef f():\n    for n in range(3, 99):\n        try: os.close(n)\n"
    "        except OSError: pass": ("crash", "ended the whole process"),
    "def f(): raise NotImplementedError('i0: fill in f')": ("not-attempted", "i0: fill in f"),
}


@pytest.mark.parametrize("source", ENDINGS)
def test_however_a_test_ends_the_next_one_runs(run: Run, source: str) -> None:
    ended, next_one = run(f"{source}\ndef one(): return 1\n", "student.m.f()", WORKS)
    verdict, says = ENDINGS[source]
    assert (str(ended.verdict), next_one.verdict) == (verdict, Verdict.PASS)
    assert says in ended.message


CHANGES = {
    "a global of the module": ("m.count()", "m.count()"),
    "the global generator": ("m.np.random.rand()", "m.np.random.rand()"),
    "numpy's ways with errors": ("m.np.seterr(all='raise')", "m.np.geterr()['over']"),
    "numpy's printing": ("m.np.set_printoptions(precision=2)", "str(m.np.array([m.np.pi]))"),
    "a function of numpy": ("setattr(m.np, 'exp', m.np.sin)", "m.np.exp(1.0)"),
    "a builtin": ("setattr(m.builtins, 'len', m.np.sin)", "m.length([1, 2])"),
    "the folder": ("m.os.chdir('/')", "m.os.getcwd() == '/'"),
    "the environment": ("m.os.environ.clear()", "len(m.os.environ)"),
    "the deepest recursion": ("m.sys.setrecursionlimit(99)", "m.sys.getrecursionlimit()"),
}
MODULE = """
import builtins, os, sys
import numpy as np
seen = []
def count(): seen.append(1); return len(seen)
def length(x): return len(x)
def do(text):
    import m
    value = eval(text)
    return value if type(value) in (int, float, str, bool) else str(value)
"""


@pytest.mark.parametrize("change", CHANGES)
def test_no_test_feels_what_another_one_changed(run: Run, change: str) -> None:
    first, then = CHANGES[change]
    look = f"expect.that('x', False, str(student.m.do({then!r})))"
    both = f"student.m.do({first!r})\n{look}" if first == then else f"student.m.do({first!r})"
    before, _, after = run(MODULE, look, both, look)
    assert before.verdict is Verdict.WRONG
    same = first != "m.np.random.rand()"  # its seed is each test's own
    assert (before.message == after.message) is same


def test_what_is_printed_is_kept_for_its_test_alone(run: Run) -> None:
    printed: list[str] = []
    source = "import sys\nprint('at import')\ndef say(text):\n    print(text, file=sys.stderr)\n"
    run(source, "student.m.say('first')", "student.m.say('second')", printed=printed)
    assert printed == ["at import\nfirst\n", "at import\nsecond\n"]


def test_values_cross_as_they_do_when_graded(run: Run) -> None:
    bodies = (
        "expect.close('y', student.m.double(np.arange(3.0)), 2 * np.arange(3.0))",
        "student.m.Thing() + 1",
        "expect.equal('y', student.m.call(student.keep(np.ones(2))), 2.0)",
        "student.missing.x",
        "student.broken.x",
        "expect.equal('w', student.warnings(), [])\nstudent.m.warn()\n"
        "expect.equal('w', student.warnings(), [])",
    )
    source = (
        "import warnings\ndef double(x): return 2 * x\nclass Thing: pass\n"
        "def call(x): return float(x.sum())\ndef warn(): warnings.warn('overflow')\n"
    )
    results = run(source, *bodies, broken="def f(:\n")
    expected = ["pass", "wrong", "pass", "not-attempted", "raised", "wrong"]
    assert verdicts(results) == expected
    assert results[4].message.startswith("SyntaxError")


@pytest.mark.parametrize("name", ["pytest", "autograder", "msgpack", "rich"])
def test_what_grading_does_not_have_cannot_be_imported_here_either(run: Run, name: str) -> None:
    assert name in sys.modules or __import__(name)
    [result] = run(f"import {name}\n", "student.m.x")
    said, _, place = result.message.partition("\n")
    assert said.startswith(f"ModuleNotFoundError: No module named '{name}'. There are")
    assert place == f"  m.py:1:  import {name}"


def test_an_import_without_end_costs_the_tests_of_its_module_alone(run: Run) -> None:
    bodies = (WORKS, "student.endless.x", WORKS)
    results = run("def one(): return 1\n", *bodies, endless="while True: pass\n")
    assert verdicts(results) == ["pass", "timeout", "pass"]


def test_what_one_file_does_to_numpy_others_do_not_feel(run: Run) -> None:
    body = "expect.equal('e', student.m.e(), 1.0)"
    source = "import numpy as np\ndef e(): return float(np.exp(0.0))\n"
    results = run(source, body, other="import numpy as np\nnp.exp = np.sin\n")
    assert verdicts(results) == ["pass"]


def test_nothing_is_left_of_a_process_that_was_ended(run: Run, tmp_path) -> None:
    source = f"""
        import os, time
        def f():
            if os.fork() == 0:
                time.sleep(60)
            open({str(tmp_path / "pid")!r}, "w").write(str(os.getpid()))
            while True: pass
    """
    [result] = run(source, "student.m.f()")
    assert result.verdict is Verdict.TIMEOUT
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a process of the group still runs")


def test_a_host_that_is_closed_starts_nothing_more() -> None:
    host = StudentHost({"m.py": b"x = 1\n"}, LIMITS)
    assert host.start(1).m.x == 1
    host.finish(None)
    host.close()
    with pytest.raises(InfraError, match="was stopped"):
        host.start(2)
