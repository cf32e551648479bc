"""Code that behaves only while it is graded is noticed, and nobody else is."""

from __future__ import annotations

import builtins
import datetime
import hashlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from autograder.channel.faults import InfraError
from autograder.grading.examiner import Examiner
from autograder.grading.flags import second_look
from autograder.grading.flags.second_look import STORED, SURROUNDINGS, SecondLook, another, aspects
from autograder.records import Flag, Verdict
from autograder.sandbox import PLAIN, Guise
from autograder.suite.hosts import LocalHost, SandboxHost

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def examiner(confinement) -> Iterator[Examiner]:
    made = Examiner(ROOT, 1, confinement, None)
    yield made
    made.close()


@pytest.fixture(scope="module")
def look(examiner) -> Callable[[dict[str, bytes]], tuple[list[Flag], int]]:
    """Run a submission as the examiner does; return its flags and how many checks passed."""

    def look(files: dict[str, bytes]) -> tuple[list[Flag], int]:
        host = SandboxHost(examiner.confinement, files, examiner.limits, examiner.week.modules)
        try:
            outcomes = examiner.session.run(host)
        finally:
            host.close()
        passed = [o for o in outcomes if o.result.verdict is Verdict.PASS]
        return examiner.second_look.look(files, outcomes), len(passed)

    return look


ELSE_WRONG = """
import os, socket, sys, time, datetime

if not ({condition}):
    for _kind in (Linear, ReLU, LeakyReLU, Sigmoid, Tanh, Softmax, Network):
        _kind.forward = _kind.backward = lambda self, array: array * 0.0
"""
GRADED_ONLY = {
    "os.getuid() == 65534": "another user",
    "os.getgid() == 65534": "another user",
    "'USER' not in os.environ": "another user",
    "os.environ['HOME'] == '/scratch'": "another user",
    "os.getcwd() == '/scratch'": "another user",
    "socket.gethostname() == 'sandbox'": "another host name",
    "os.uname().nodename == 'sandbox'": "another host name",
    "__file__.startswith('/submission')": "another folder",
    "os.path.exists('/submission')": "another folder",
    "abs(time.time() - {now}) < 40 * 86400": "the calendar",
    "abs(time.time_ns() / 1e9 - {now}) < 40 * 86400": "the calendar",
    "abs((datetime.datetime.now() - datetime.datetime({day})).days) < 40": "the calendar",
    "abs((datetime.date.today() - datetime.date({day})).days) < 40": "the calendar",
    "time.strftime('%Y-%m-%d') in {days}": "the calendar",
    "time.localtime().tm_yday in {yeardays}": "the calendar",
}


def graded_only(examiner: Examiner, condition: str) -> dict[str, bytes]:
    today = datetime.datetime.now()
    near = [today + datetime.timedelta(days=n) for n in (-1, 0, 1)]
    condition = condition.format(
        now=int(today.timestamp()),
        day=f"{today.year}, {today.month}, {today.day}",
        days=[day.strftime("%Y-%m-%d") for day in near],
        yeardays=[day.timetuple().tm_yday for day in near],
    )
    source = examiner.reference["neural_net.py"] + ELSE_WRONG.format(condition=condition).encode()
    return {**examiner.reference, "neural_net.py": source}


@pytest.mark.parametrize("condition", GRADED_ONLY)
def test_code_that_is_right_only_when_graded_is_noticed(examiner, look, condition) -> None:
    if examiner.confinement.rung not in "AB" and GRADED_ONLY[condition] != "the calendar":
        pytest.skip("this confinement can't change it")
    [flag], passed = look(graded_only(examiner, condition))
    assert passed == len(examiner.session.plan) - len(examiner.session.training)
    assert flag.rule == SURROUNDINGS
    assert flag.item is not None
    assert flag.item.startswith("week1.")
    assert "once more as at first: pass" in flag.evidence
    *_, tried = flag.evidence.partition("Tried one by one: ")
    told = dict(part.rsplit(": ", 1) for part in tried.partition(".")[0].split("; "))
    blamed = {what for what, verdict in told.items() if verdict != "pass"}
    assert len(blamed) == 1, flag.evidence
    assert blamed.pop().startswith(GRADED_ONLY[condition])


def test_answers_stored_for_this_salt_are_noticed(examiner, look) -> None:
    """Forward passes that know their inputs by hash; for any other they give nonsense."""
    hook = "        builtins._seen.add(hashlib.sha256(x.tobytes()).hexdigest()[:12])\n"
    source = examiner.reference["neural_net.py"].decode()
    source = source.replace("import numpy as np", "import builtins, hashlib\nimport numpy as np", 1)
    seen: set[str] = set()
    builtins._seen = seen
    try:
        collecting = source.replace("        self._x = x\n", hook + "        self._x = x\n")
        host = LocalHost({**examiner.reference, "neural_net.py": collecting.encode()})
        examiner.session.run(host)
    finally:
        del builtins._seen
    table = ", ".join(repr(name) for name in sorted(seen))
    check = (
        "        if hashlib.sha256(x.tobytes()).hexdigest()[:12] not in KNOWN:\n"
        "            return x * 0.0\n        self._x = x\n"
    )
    cheat = source.replace("        self._x = x\n", check) + f"\nKNOWN = {{{table}}}\n"
    files = {**examiner.reference, "neural_net.py": cheat.encode()}
    [flag], passed = look(files)
    assert passed > 0.7 * len(examiner.session.plan)
    assert flag.rule == STORED
    assert "failed with 3 others, with which the reference passes" in flag.evidence
    assert look(files)[0] == [flag], "the same again"


@pytest.mark.prove
@pytest.mark.parametrize("variation", range(3))
@pytest.mark.parametrize("kind", ["reference", "style"])
def test_honest_work_is_not_noticed(examiner, look, kind, variation) -> None:
    folder = ROOT / "tests" / "styles" / examiner.week.folder
    files = dict(examiner.reference)
    if kind == "style":
        files = {name: (folder / name).read_bytes() for name in examiner.week.modules}
    files["losses.py"] += b"\n# %d\n" % variation  # other checks are chosen
    assert look(files)[0] == []


def test_chance_is_no_evidence(examiner, look) -> None:
    """What fails now and then, whatever it is given, is neither of the two."""
    source = (
        examiner.reference["neural_net.py"]
        + b"""
import os
_right = Linear.forward
Linear.forward = lambda self, x: _right(self, x) * (0.0 if os.urandom(1)[0] < 25 else 1.0)
"""
    )
    files = {**examiner.reference, "neural_net.py": source}
    assert STORED not in {flag.rule for flag in look(files)[0]}


def test_limits_and_our_own_faults_are_no_evidence(examiner, look, monkeypatch) -> None:
    files = graded_only(examiner, "os.getuid() == 65534")
    slow = files["neural_net.py"].replace(
        b"lambda self, array: array * 0.0", b"lambda *a: time.sleep(9)"
    )
    assert look({**files, "neural_net.py": slow})[0] == []
    host = SandboxHost(examiner.confinement, files, examiner.limits, examiner.week.modules)
    outcomes = examiner.session.run(host)
    host.close()

    def fails(*args: object, **kwargs: object) -> None:
        raise InfraError("no sandbox")

    monkeypatch.setattr("autograder.suite.hosts.Sandbox", fails)
    assert examiner.second_look.look(files, outcomes) == []


def test_which_checks_are_chosen_follows_from_the_salt_and_the_submission(examiner) -> None:
    first = examiner.second_look
    passed = [check.id for check in examiner.session.plan]
    chosen = first._choose(passed, "a")
    assert chosen == first._choose(reversed(passed), "a")
    assert chosen != first._choose(passed, "b")
    items = [check.item for check in examiner.session.plan if check.id in chosen]
    assert len(items) == len(set(items)) == second_look.MOST_CHECKS
    assert not chosen & examiner.session.long
    assert first._choose(passed[:1], "a") == {passed[0]}
    assert first._choose([], "a") == set()
    assert isinstance(first, SecondLook)


# Guises.


def test_a_guise_differs_in_everything_and_is_the_same_again() -> None:
    for seed in (0, 1, 12345, 2**63):
        guise = another(seed)
        assert guise == another(seed)
        for name in ("uid", "gid", "user", "hostname", "folder", "home", "days"):
            assert getattr(guise, name) != getattr(PLAIN, name), name
        assert 60 <= abs(guise.days) <= 760
        assert len(aspects(guise)) == 4


@pytest.mark.parametrize(
    "bad",
    [
        {"folder": "/a\0--bind\0/\0/x"},
        {"folder": "/../x"},
        {"folder": "/scratch/x"},
        {"home": "relative"},
        {"hostname": "a b"},
        {"user": "a\0"},
        {"uid": 0},
        {"gid": 0},
        {"uid": "1000"},
        {"days": 10**9},
    ],
)
def test_a_guise_that_could_do_harm_is_refused(bad) -> None:
    with pytest.raises(ValueError, match="not a guise"):
        replace(PLAIN, **bad)


def test_the_worker_lives_in_its_guise(examiner) -> None:
    if examiner.confinement.rung not in "AB":
        pytest.skip("this confinement can't change it")
    guise = Guise(1234, 1235, "grace", "lab-7", "/srv/courses/grace", "/home/grace", 100)
    source = b"""
import datetime, getpass, os, socket, time

def here():
    open("note", "w").close()
    return [os.getuid(), os.getgid(), getpass.getuser(), socket.gethostname(), __file__,
        os.getcwd(), os.path.expanduser("~"), time.time(), time.gmtime().tm_year,
        isinstance(datetime.datetime.now(), datetime.datetime),
        isinstance(datetime.datetime.now(), datetime.date)]
"""
    host = SandboxHost(examiner.confinement, {"a.py": source}, examiner.limits, guise=guise)
    try:
        found = host.start(0).a.here()
    finally:
        host.close()
    assert found[:4] == [1234, 1235, "grace", "lab-7"]
    assert found[4:7] == ["/srv/courses/grace/a.py", "/home/grace", "/home/grace"]
    now = datetime.datetime.now().timestamp()
    assert found[7] == pytest.approx(now + 100 * 86_400, abs=60)
    assert found[9:] == [True, True]


def test_the_calendar_moves_whole() -> None:
    code = """
import datetime, time
real, real_ns = time.time(), time.time_ns()
monotonic = time.monotonic()
from channel import clock
clock.move(-200)
def off(x): return round((x - real) / 86400, 2)
assert off(time.time()) == off(time.time_ns() / 1e9) == -200
assert off(time.clock_gettime(time.CLOCK_REALTIME)) == -200
assert off(time.clock_gettime_ns(time.CLOCK_REALTIME) / 1e9) == -200
assert off(time.mktime(time.localtime())) == -200
assert off(datetime.datetime.now().timestamp()) == -200
assert off(datetime.datetime.now(datetime.timezone.utc).timestamp()) == -200
assert off(datetime.datetime.utcnow().replace(tzinfo=datetime.timezone.utc).timestamp()) == -200
assert off(datetime.datetime.today().timestamp()) == -200
day = datetime.date.fromtimestamp(real - 200 * 86400)
assert datetime.date.today() == day == datetime.datetime.now().date()
assert time.strftime("%Y-%m-%d") == str(day)
assert time.strftime("%Y", time.gmtime(0)) == "1970"
assert time.gmtime(0).tm_year == 1970 and time.ctime(0).endswith("1970")
assert time.monotonic() - monotonic < 60
assert datetime.datetime(2020, 1, 1) + datetime.timedelta(1) == datetime.datetime(2020, 1, 2)
assert isinstance(datetime.datetime.strptime("2020", "%Y"), datetime.datetime)
import pickle
assert pickle.loads(pickle.dumps(datetime.datetime(2020, 1, 1))) == datetime.datetime(2020, 1, 1)
print("done")
"""
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT / "autograder",
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.stdout == "done\n", run.stderr


def test_the_fingerprint_is_that_of_names_and_contents() -> None:
    first = second_look._fingerprint({"a": b"bc"})
    assert first != second_look._fingerprint({"ab": b"c"})
    assert first == second_look._fingerprint({"a": b"bc"})
    assert len(first) == len(hashlib.sha256().hexdigest())
