"""Student code in sandboxes: what a test does to its worker, no other test and no grader feels.

Each test here runs where this machine confines student code, and once more unconfined.
"""

from __future__ import annotations

import subprocess
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.records import CheckResult, Verdict
from autograder.sandbox import Confinement, Limits, Unconfined
from autograder.sandbox.running import Started
from autograder.suite.hidden.local_host import LocalHost
from autograder.suite.hidden.sandbox_host import SandboxHost
from autograder.suite.hidden.session import MOST_LOST, GradedSession
from autograder.suite.week_worker import worker_of

ROOT = Path(__file__).resolve().parents[2]
TIGHT = Limits(request_seconds=2.0, test_seconds=4.0, memory_mb=400, output_kb=64)
HEAD = """
import numpy as np
import pytest
from autograder.suite import expect

"""
Run = Callable[..., list[CheckResult]]


@pytest.fixture(params=["confined", "unconfined"])
def place(request) -> Iterator[Confinement]:
    """The confinement of this machine, and none."""
    if request.param == "confined":
        yield request.getfixturevalue("confinement")
        return
    plain = Unconfined()
    yield plain
    plain.close()


@pytest.fixture
def open_suite(tmp_path) -> Iterator[Callable[..., GradedSession]]:
    """Open a session on tests with these bodies; the item of a body is "a", or before a bar."""
    sessions: list[GradedSession] = []

    def open_suite(*bodies: str) -> GradedSession:
        (tmp_path / "suite").mkdir()
        tests = ""
        for number, body in enumerate(bodies):
            item, bar, rest = body.partition("|")
            tests += f'@pytest.mark.item("{item if bar else "a"}")\ndef test_n{number}(student):\n'
            tests += textwrap.indent(f'"""Title."""\n{rest if bar else body}\n', "    ")
        (tmp_path / "suite" / "test_it.py").write_text(HEAD + tests)
        sessions.append(GradedSession(tmp_path / "suite", "salt"))
        return sessions[-1]

    yield open_suite
    for session in sessions:
        session.close()


@pytest.fixture
def run(open_suite) -> Run:
    """Run tests with these bodies on a submission; return their results."""

    def run(
        confinement: Confinement,
        source: str,
        *bodies: str,
        files: dict[str, bytes] | None = None,
        modules: tuple[str, ...] = (),
        limits: Limits = TIGHT,
    ) -> list[CheckResult]:
        files = {"m.py": source.encode(), **(files or {})}
        host = SandboxHost(confinement, files, limits, modules)
        try:
            return [outcome.result for outcome in open_suite(*bodies).run(host)]
        finally:
            host.close()

    return run


# Verdicts

SOURCE = """
import warnings
import numpy as np
state = []
def count(): state.append(1); return len(state)
def double(x): return 2 * x
def wrong(): return (2, "two")
def raises(): raise ValueError("bad shape")
def gap(): raise NotImplementedError("b: fill in gap")
def spoil(x): x += 1
def warn(): warnings.warn("overflow", RuntimeWarning)
def call(f, x): return f(x)
def draw(): return np.random.rand()
class Thing: pass
"""
CASES = {
    "expect.close('y', student.m.double(np.arange(3.0)), 2 * np.arange(3.0))": "pass",
    "expect.equal('x', student.m.wrong(), (1, 'two'))": "wrong",
    "student.m.raises()": "raised",
    "expect.raises('r', student.m.raises, 'ValueError')": "pass",
    "b|student.m.gap()": "not-attempted",
    "student.m.gap()": "blocked",
    "student.m.Thing() + 1": "wrong",
    "student.broken.x": "raised",
    "student.missing.x": "not-attempted",
    "x = np.arange(3.0)\nkept = student.keep(x)\nstudent.m.spoil(kept)\n"
    "expect.unchanged('x', x, student.fetch(kept))": "wrong",
    "student.m.warn()\nexpect.equal('w', student.warnings(), [])": "wrong",
    "drawn = student.m.call(student.probe('generator'), 3).random()\n"
    "expect.equal('drawn', drawn, np.random.default_rng(3).random())": "pass",
    "expect.equal('drawn', student.m.draw(), 0.0)": "wrong",
    "expect.equal('calls', student.m.count(), 1)": "pass",
    "expect.equal('calls of a fresh worker', student.m.count(), 1)": "pass",
}
BROKEN = {"broken.py": b"x = (\n"}


def test_each_verdict_twice(place, open_suite):
    session = open_suite(*CASES)
    files = {"m.py": SOURCE.encode(), **BROKEN}
    runs = []
    for _ in range(2):
        host = SandboxHost(place, files, TIGHT, ["m.py", "missing.py"])
        runs.append([outcome.result for outcome in session.run(host)])
        host.close()
    first, second = runs
    assert dict(zip(CASES, [result.verdict for result in first], strict=True)) == CASES
    assert [result.message for result in first] == [result.message for result in second]


def test_a_sandbox_gives_what_this_process_gives(place, open_suite):
    """The diagnosis compares what came from a sandbox with what our own code gives here."""
    session = open_suite(*CASES)
    files = {"m.py": SOURCE.encode(), **BROKEN}
    host = SandboxHost(place, files, TIGHT)
    remote = [outcome.result for outcome in session.run(host)]
    host.close()
    local = [outcome.result for outcome in session.run(LocalHost(files))]
    assert [(r.verdict, r.message) for r in remote] == [(r.verdict, r.message) for r in local]


def test_a_missing_file_is_not_attempted_and_others_are_not_touched(place, run):
    bodies = ("student.missing.x", "b|student.m.double(1)")
    missing, there = run(place, SOURCE, *bodies, modules=("m.py", "missing.py"))
    assert missing.verdict is Verdict.NOT_ATTEMPTED
    assert missing.message == "There is no missing.py in your submission."
    assert there.verdict is Verdict.PASS


def test_an_import_that_failed_is_not_tried_again(place, run):
    source = "import os\nraise ValueError(os.urandom(8).hex())"
    first, second = run(place, source, "student.m.x", "student.m.y")
    assert first.verdict is Verdict.RAISED
    assert first.message == second.message


# What one test does to its worker

SURVIVES = ("expect.equal('x', student.m.f(1), 1)", "expect.equal('x', student.m.f(2), 2)")
DEEDS = {
    "os._exit(0)": "crash",
    "os.kill(os.getpid(), 11)": "crash",
    "os.abort()": "crash",
    "os.closerange(3, 99); time.sleep(9)": "violation",
    "while True: pass": "timeout",
    "while True: print('x' * 999)": "output",
    "return bytearray(10**9)": "memory",
    "sys.exit(0)": "raised",
    "raise KeyboardInterrupt": "raised",
    "return '\\ud800'": "wrong",
    "return {2**70: 1}": "wrong",
    "sys.stdout = sys.stderr = None; return 0": "wrong",
    "os.fork(); return 5": "wrong",
    "return np.ones(10**7)": "violation",
    "raise ValueError('\\ud800')": "raised",
}


@pytest.mark.parametrize(("deed", "verdict"), DEEDS.items())
def test_what_one_test_does_to_its_worker_leaves_the_next_alone(place, run, deed, verdict):
    head = "import os, sys, time\nimport numpy as np\n"
    source = f"{head}def f(n):\n    if n == 1:\n        {deed}\n    return n"
    first, second = run(place, source, *SURVIVES)
    assert first.verdict == verdict
    assert second.verdict is Verdict.PASS


def test_all_requests_of_a_test_share_its_time(place, run):
    source = "import time\ndef nap(): time.sleep(0.2)"
    limits = Limits(request_seconds=5.0, test_seconds=0.5)
    [result] = run(place, source, "for _ in range(100):\n    student.m.nap()", limits=limits)
    assert result.verdict is Verdict.TIMEOUT


# What brings the sandbox down is never our fault, and never lasts

NESTED = "".join(f"{' ' * n}try:\n{' ' * n} return 1\n{' ' * n}finally:\n" for n in range(1, 20))
SABOTAGE = {
    "the parent is killed in a test": "def f(n):\n    os.kill(os.getppid(), 9)\n    return n",
    "the parent is stopped in a test": "def f(n):\n    os.kill(os.getppid(), 19)\n    return n",
    "the parent is killed by a timer": (
        "signal.setitimer(signal.ITIMER_REAL, 0.01)\ndef f(n): return n"
    ),
    "the parent loses its descriptors": "os.closerange(3, 9)\ndef f(n): return n",
    "the parent gets a profile function": (
        "sys.setprofile(lambda *a: os._exit(1))\ndef f(n): return n"
    ),
    "the parent answers for itself": (
        "for fd in range(3, 9):\n    try: os.write(fd, b'ready' * 99)\n    except OSError: pass\n"
        "def f(n): return n"
    ),
    "the parent may have no memory": (
        "import resource\nresource.setrlimit(resource.RLIMIT_AS, (1 << 27, 1 << 27))\n"
        "def f(n): return n"
    ),
    "the import ends the process": "os._exit(0)",
    "the import spoils numpy": (
        "import numpy as np\nnp.random.default_rng = np.random.seed = None\ndef f(n): return n"
    ),
    "a few lines that take hours to compile": (
        f"def g():\n{NESTED}{' ' * 21}pass\ndef f(n): return n"
    ),
}


@pytest.mark.parametrize("source", SABOTAGE.values(), ids=SABOTAGE.keys())
def test_sabotage_is_never_recorded_as_our_fault(place, run, source):
    bodies = 3 * ("expect.equal('x', student.m.f(1), 1)",)
    results = run(place, f"import os, signal, sys\n{source}", *bodies)
    assert len(results) == 3
    assert Verdict.INFRA not in {result.verdict for result in results}


def test_an_item_that_brings_down_sandbox_after_sandbox_is_given_up_and_no_other(place, run):
    source = (
        "import os\ndef f(n):\n    os.kill(os.getppid(), 9)\n    os._exit(0)\ndef g(): return 1"
    )
    bodies = (MOST_LOST + 2) * ("expect.equal('x', student.m.f(1), 1)",)
    *results, honest = run(place, source, *bodies, "b|expect.equal('x', student.m.g(), 1)")
    assert {result.verdict for result in results} == {Verdict.CRASH}
    assert [result.message.startswith("Not run") for result in results[-2:]] == [True, True]
    assert not results[0].message.startswith("Not run")
    assert honest.verdict is Verdict.PASS


@pytest.mark.parametrize(
    "source",
    [
        "from threading import Event, Thread\nThread(target=Event().wait, daemon=True).start()",
        "import os\nif os.fork() == 0: os._exit(0)",
        "print('x' * 10_000)",
        "import time; time.sleep(0.1)",
        '"""The slope is \\sigma(x)."""',
    ],
    ids=["a thread", "a fork", "prints", "a nap", "an escape"],
)
def test_an_import_that_does_odd_things_costs_nothing(place, run, source):
    [result] = run(place, f"{source}\ndef f(n): return n", SURVIVES[0])
    assert result.verdict is Verdict.PASS


# What is our fault


class NoConfinement:
    """Can't start anything."""

    name, confined = "broken", True

    def start(self, launch):
        raise OSError("no namespaces left")


class DeadConfinement:
    """Starts something that ends at once, with a word."""

    name, confined = "dead", True

    def start(self, launch):
        command = ["/bin/sh", "-c", "echo no room in here >&2"]
        process = subprocess.Popen(
            command, stdout=launch.output, stderr=launch.output, pass_fds=[launch.control]
        )
        return Started(process)


@pytest.mark.parametrize(
    ("broken", "says"),
    [(NoConfinement(), "no namespaces left"), (DeadConfinement(), "no room in here")],
    ids=["refused", "dead"],
)
def test_a_sandbox_that_cannot_be_started_is_our_fault(run, broken, says):
    for result in run(broken, "x = 1", "student.m.x", "student.m.x"):
        assert result.verdict is Verdict.INFRA
        assert says in result.message


ENDLESS = """
class Endless:
    def __add__(self, other):
        while True: pass
"""


@pytest.mark.parametrize(("training", "seconds"), [(False, 0.5), (True, 3.0)])
def test_a_driver_has_a_requests_time_except_in_a_test_that_trains(confinement, training, seconds):
    """Else an endless loop that a driver meets would take minutes of every such test."""
    limits = replace(TIGHT, request_seconds=0.5, training_seconds=3.0)
    host = SandboxHost(confinement, {"m.py": ENDLESS.encode()}, limits)
    try:
        student = host.start(0, large=training, own=worker_of(ROOT, courses.load(ROOT).week(2)))
        with pytest.raises(Fault) as caught:
            student.prepare("chain", student.m.Endless(), 3, "+")
        host.finish(caught.value)
    finally:
        host.close()
    assert caught.value.verdict is Verdict.TIMEOUT
    assert caught.value.message == f"No answer within {seconds} seconds."


HOMES = {"parts": ("m", "more"), "more": ("m",), "wrong": ("more",)}
IN_HOMES = {
    "expect.equal('one', student.parts.one, 1)": "pass",
    "expect.equal('two', student.parts.two, 2)": "pass",
    "expect.equal('three', student.parts.three(), 3)": "pass",
    "expect.equal('two', student.more.two, 'not this')": "pass",
    "student.parts.five": "not-attempted",  # what the missing module itself would say
    "student.m.three": "raised",
    "expect.equal('four', student.wrong.four, 4)": "pass",
    "student.wrong.five": "raised",
    "student.imported('parts')": "not-attempted",
}


def test_a_name_is_found_in_each_home_of_its_module(place, open_suite):
    session = open_suite(*IN_HOMES)
    session._plugin.worker = replace(session.worker, homes=HOMES)
    files = {
        "m.py": b"one = 1\ntwo = 2\n",
        "more.py": b"two = 'not this'\nfour = 4\ndef three(): return 3\n",
        "wrong.py": b"five = (\n",
    }
    host = SandboxHost(place, files, TIGHT, ["m.py", "more.py", "parts.py", "wrong.py"])
    outcomes = session.run(host)
    host.close()
    found = [str(outcome.result.verdict) for outcome in outcomes]
    assert dict(zip(IN_HOMES, found, strict=True)) == IN_HOMES


def test_the_homes_of_a_week_are_the_courses() -> None:
    course = courses.load(ROOT)
    week = course.week(1)
    homes = worker_of(ROOT, week).homes
    assert homes["gradient_check"] == ("test_gradients",)
    project = next(week for week in course.weeks if week.job)
    changed = project.model_copy(update={"homes": {"models/layers.py": ("models/resnet.py",)}})
    assert worker_of(ROOT, changed).homes == {"models.layers": ("models.resnet",)}


IMPORTS_PYTEST = b"""
import pytest
from pytest import approx, mark

@pytest.fixture
def layer(): return 3

@pytest.mark.parametrize("x", [1, 2])
@mark.slow
def test_it(x): pass

def one(): return 1
"""


def test_a_file_of_tests_can_be_imported_for_its_functions(place, open_suite):
    session = open_suite("expect.equal('one', student.test_m.one(), 1)")
    host = SandboxHost(place, {"test_m.py": IMPORTS_PYTEST}, TIGHT, ["test_m.py"])
    [outcome] = session.run(host)
    host.close()
    assert outcome.result.verdict is Verdict.PASS, outcome.result.message


SHARED = """
import pytest
from autograder.suite import expect

@pytest.mark.item("a")
def test_1(student):
    \"\"\"One.\"\"\"
    expect.equal("calls", student.m.count(), 1)

@pytest.mark.item("a")
def test_2(student):
    \"\"\"Two.\"\"\"
    expect.equal("calls", student.m.count(), 2)

@pytest.mark.fresh
@pytest.mark.item("a")
def test_3(student):
    \"\"\"Three.\"\"\"
    expect.equal("calls", student.m.count(), 1)

@pytest.mark.item("b")
def test_4(student):
    \"\"\"Four.\"\"\"
    expect.equal("calls", student.m.count(), 1)
"""


def test_tests_of_one_item_share_a_worker_unless_they_ask_for_their_own(place, tmp_path):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "test_it.py").write_text(SHARED)
    session = GradedSession(tmp_path / "suite", "salt")
    host = SandboxHost(place, {"m.py": SOURCE.encode()}, TIGHT)
    found = [str(outcome.result.verdict) for outcome in session.run(host)]
    host.close()
    session.close()
    assert found == ["pass"] * 4


def test_what_was_not_handed_in_starts_no_sandbox(place, open_suite, monkeypatch):
    def start(*arguments, **options):
        raise AssertionError("a sandbox was started")

    session = open_suite("student.missing.x")
    monkeypatch.setattr("autograder.suite.hidden.sandbox_host.Sandbox", start)
    host = SandboxHost(place, {}, TIGHT, ["missing.py"])
    [outcome] = session.run(host)
    host.close()
    assert outcome.result.verdict is Verdict.NOT_ATTEMPTED


# Another worker in the middle of a test

REMEMBERS = """
from pathlib import Path
seen = []
def see(x): seen.append(x); Path("left").write_text("something"); return len(seen)
def known(): return [len(seen), Path("left").exists()]
"""
ANEW = """
expect.equal("seen", student.m.see(3), 1)
expect.equal("known", student.m.known(), [1, {left}])
other = student.anew()
expect.equal("known in another worker", other.m.known(), [0, {still}])
again = other.anew()
expect.equal("seen in the third", again.m.see(3), 1)
"""


def test_another_worker_knows_nothing(place, run):
    body = ANEW.format(left=True, still=False)
    found = run(place, REMEMBERS, body, "expect.equal('seen', student.m.see(1), 1)")
    assert [result.message for result in found] == ["", ""]


def test_trusted_code_forgets_likewise(open_suite, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    session = open_suite(ANEW.format(left=True, still=True))  # its files are ours, and stay
    host = LocalHost({"m.py": REMEMBERS.encode(), "n.py": b""})
    (outcome,) = session.run(host)
    assert outcome.result.message == ""
    assert host.loaded == {"m"}
