"""A pool of real examiners: what a hijacked one tries, how they end, and what stands in for a pool.

What an attacker could make of an examiner is played by operations of this file: they run in the
process that has given up root, with all that it can reach.
"""

from __future__ import annotations

import gc
import json
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError, ProcessPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.errors import CantExamineError
from autograder.gradebook.flags import Examined
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading import messages
from autograder.grading import run as grading
from autograder.grading.examiner_process import LostError
from autograder.grading.operations import (
    begin,
    confinement_here,
    describe,
    examine_submission,
    operation,
)
from autograder.grading.pool import open_pool
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.grading.single import Checked, Ended, Planned, examine_one
from autograder.records import CheckResult, Verdict
from autograder.sandbox.running import wait_until_gone
from autograder.sandbox.starter import FIRST_EXAMINER

ROOT = Path(__file__).resolve().parents[2]
FORGED = [CheckResult("test_suite::test_double[1]", Verdict.PASS, 10_000)]


@pytest.fixture(scope="module")
def solution(small: Path) -> bytes:
    """The reference of week 2."""
    return (small / "solutions" / "week2_small" / "double.py").read_bytes()


def grade(root: Path, students: dict[str, bytes], path: Path, executor=None) -> dict[str, str]:
    """Grade week 2; return how each student's job stands: verdicts that occur, and its state."""
    course = courses.load(root)
    taken = {2: [Submission(name, {"double.py": source}) for name, source in students.items()]}
    with Gradebook.open(path) as gradebook:
        setting = Setting(root, {})
        grade_class(course, setting, taken, gradebook, 2, lambda progress: None, executor)
        return {
            name: " ".join(sorted({str(r.verdict) for r in gradebook.results(name, 2)}))
            + f" {gradebook.job(name, 2).state}"
            for name in students
        }


# A hijacked examiner. Each attack gets the examiner's channel and the number of the job.


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, marker: str):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def pickled(marker: str) -> list[bytes]:
    """Return a bomb as bytes, and as Connection and this pool would send it."""
    raw = pickle.dumps(Bomb(marker))
    framed = (len(raw).to_bytes(4, "big") + raw, len(raw).to_bytes(8, "big") + raw)
    return [raw, *framed, b"REGISTER:" + raw.replace(b"\n", b"") + b":semaphore\n"]


def writes_pickles_everywhere(channel: socket.socket, job: int, marker: str) -> None:
    for name in os.listdir("/proc/self/fd"):
        for body in pickled(marker):
            with suppress(OSError):
                os.set_blocking(int(name), False)
                os.write(int(name), body)


def sends_a_pickle_as_a_message(channel: socket.socket, job: int, marker: str) -> None:
    channel.sendall(pickled(marker)[1])


def hides_a_pickle_in_a_result(channel: socket.socket, job: int, marker: str) -> None:
    raw = pickle.dumps(Bomb(marker)).decode("latin-1")
    result = {**messages.fields_of(FORGED)[0], "__reduce__": ["os.mkdir", [marker]], "raw": raw}
    channel.sendall(messages.written("examined", job, results=[result], flags=[], seconds=0.0))


def answers_for_another(channel: socket.socket, job: int, marker: str) -> None:
    results = messages.fields_of(FORGED)
    for other in (job + 1, job + 2, job - 1):
        channel.sendall(messages.written("examined", other, results=results, flags=[], seconds=0.0))


def stops_in_the_middle(channel: socket.socket, job: int, marker: str) -> None:
    channel.sendall((1000).to_bytes(messages.LENGTH_BYTES, "big") + b'{"kind": "exam')
    time.sleep(600)


ATTACKS = {
    attack.__name__: attack
    for attack in (
        writes_pickles_everywhere,
        sends_a_pickle_as_a_message,
        hides_a_pickle_in_a_result,
        answers_for_another,
        stops_in_the_middle,
    )
}


@operation("examined")
def attack_or_examine(submission, week, report=None):
    """Examine as ever; where the student's name is that of an attack, attack instead."""
    if submission.student in ATTACKS:
        assert confinement_here() is not None  # from here on the process is not root's
        assert os.geteuid() != 0
        [channel] = {
            one.fileno(): one
            for one in gc.get_objects()
            if isinstance(one, socket.socket) and one.fileno() >= 0
            if one.type == socket.SOCK_STREAM
        }.values()
        marker = submission.files["marker"].decode()
        ATTACKS[submission.student](channel, _job(channel), marker)
    return examine_submission(submission, week, report)


def _job(channel: socket.socket) -> int:
    """Return the number of the job that this process does: what an attacker reads in its frames."""
    frame = sys._getframe()
    while frame is not None and "job" not in frame.f_locals:
        frame = frame.f_back
    assert frame is not None
    return frame.f_locals["job"]


class Unpickled:
    """Notes what is unpickled in this process, by an audit hook: Python can't take one back."""

    def __init__(self) -> None:
        self.watching = False
        self.seen: list[object] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if event == "pickle.find_class" and self.watching:
            self.seen.append(arguments)


WATCH = Unpickled()


@pytest.fixture
def unpickled(monkeypatch):
    """What is unpickled in this process while a test runs."""
    WATCH.seen.clear()
    WATCH.watching = True
    pickle.loads(pickle.dumps(Path))
    assert WATCH.seen, "the hook sees nothing"
    WATCH.seen.clear()
    for name in ("load", "loads"):
        monkeypatch.setattr(pickle, name, lambda *_, **__: WATCH.seen.append("loads"))
    yield WATCH.seen
    WATCH.watching = False


def test_a_hijacked_examiner_gets_nothing_run_or_believed_and_the_class_goes_on(
    small, solution, tmp_path, confinement, monkeypatch, unpickled, capfd
) -> None:
    marker = tmp_path / "marker"
    monkeypatch.setattr("autograder.grading.examiner_process.MESSAGE_SECONDS", 5.0)
    monkeypatch.setattr(grading, "examine_submission", attack_or_examine)
    course = courses.load(small)
    files = {"double.py": solution}
    hostile = [Submission(name, {**files, "marker": str(marker).encode()}) for name in ATTACKS]
    honest = [Submission(name, files) for name in ("ada", "grace")]
    taken = {2: [honest[0], *hostile, honest[1]]}
    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        grade_class(course, Setting(small, {}), taken, gradebook, 2, lambda progress: None)
        for name in ATTACKS:
            found = {(r.verdict, r.credit) for r in gradebook.results(name, 2)}
            assert found == {(Verdict.INFRA, 0)}, name
            assert gradebook.job(name, 2).state == "planned", name
        for one in honest:
            results = gradebook.results(one.student, 2)
            assert {r.verdict for r in results} == {Verdict.PASS}
            assert gradebook.job(one.student, 2).state == "finished"
    assert not marker.exists()
    assert unpickled == []
    assert capfd.readouterr().err.count("attempt 2 of 2") == len(ATTACKS)


@pytest.mark.parametrize("framing", range(2))
def test_the_bomb_of_the_test_above_goes_off_where_it_is_unpickled(tmp_path, framing) -> None:
    marker = tmp_path / "marker"
    body = pickled(str(marker))[framing]
    program = f"import pickle; pickle.loads({body[-len(pickled(str(marker))[0]) :]!r})"
    subprocess.run([sys.executable, "-c", program], check=True)
    assert marker.is_dir()


@operation("text")
def descriptors() -> str:
    """Return what each descriptor of this process leads to, and who and where it is."""
    confinement_here()
    found = {}
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            found[name] = os.readlink(f"/proc/self/fd/{name}")
    with suppress(OSError):
        found["terminal"] = str(os.open("/dev/tty", os.O_RDWR))
    return json.dumps([os.getuid(), os.getsid(0), sorted(found.items())])


def test_an_examiner_holds_nothing_but_its_channel_and_what_it_writes(small, confinement) -> None:
    """No pipe of a resource tracker, no fork server, no queue, no terminal."""
    with open_pool(Setting(small, {}), 1, first_slot=3) as one:
        user, session, found = json.loads(one.submit(descriptors).result())
    kinds = dict(found)
    assert "terminal" not in kinds
    assert session != os.getsid(0)
    assert kinds.pop("0") == "/dev/null"
    assert kinds.pop("1") == kinds.pop("2")
    sockets = [name for name, place in kinds.items() if place.startswith("socket:")]
    files = [place for name, place in kinds.items() if name not in sockets]
    # The channel; as root also that of the process that starts sandboxes.
    assert len(sockets) == (2 if os.geteuid() == 0 else 1), found
    assert not [place for place in files if place.startswith("pipe:")], found
    if os.geteuid() == 0:
        assert user == FIRST_EXAMINER + 3


def test_two_pools_at_a_time_have_users_of_their_own(small, confinement) -> None:
    with (
        open_pool(Setting(small, {}), 1) as first,
        open_pool(Setting(small, {}), 1, first_slot=7) as second,
    ):
        futures = [one.submit(descriptors) for one in (first, second)]
        users = [json.loads(future.result())[0] for future in futures]
    mine = os.geteuid()
    assert users == ([FIRST_EXAMINER, FIRST_EXAMINER + 7] if mine == 0 else [mine, mine])


# Their end.


@operation("text")
def pid_here() -> str:
    """Return the pid of this process and that of its parent, the fork server."""
    return f"{os.getpid()} {os.getppid()}"


@operation("text")
def keeps_its_process() -> str:
    """Leave a thread for which the interpreter waits when it ends."""
    threading.Thread(target=time.sleep, args=(600,)).start()
    return pid_here()


@operation("text")
def sleeps_long() -> str:
    """Take longer than anybody waits."""
    time.sleep(600)
    return ""


@operation("text")
def dies() -> str:
    """End this process in a way of its own."""
    os._exit(3)


def unconfined(small: Path) -> Setting:
    return Setting(small, {}, unconfined=True)


def test_examiners_are_gone_when_the_pool_is_shut_and_the_server_stays(small) -> None:
    with open_pool(unconfined(small), 1) as one:
        examiner, server = map(int, one.submit(pid_here).result().split())
        assert one.submit(pid_here).result() == f"{examiner} {server}"
    assert wait_until_gone([examiner], 5.0)
    with open_pool(unconfined(small), 1) as one:
        assert one.submit(pid_here).result().split()[1] == str(server)


def test_one_that_does_not_end_is_killed(small, monkeypatch) -> None:
    monkeypatch.setattr("autograder.grading.examiner_process.END_SECONDS", 0.5)
    with open_pool(unconfined(small), 1) as one:
        examiner = int(one.submit(keeps_its_process).result().split()[0])
        started = time.monotonic()
    assert time.monotonic() - started < 20
    assert wait_until_gone([examiner], 5.0)


def test_without_waiting_what_runs_comes_to_its_end(small) -> None:
    one = open_pool(unconfined(small), 1)
    futures = [one.submit(pid_here) for _ in range(3)]
    one.shutdown(wait=False)
    pids = {future.result() for future in futures}
    assert len(pids) == 1
    assert wait_until_gone([int(pids.pop().split()[0])], 20.0)


def test_what_dies_is_tried_twice_and_the_next_job_gets_a_fresh_one(small, capfd) -> None:
    with open_pool(unconfined(small), 1) as one:
        before = one.submit(pid_here).result()
        with pytest.raises(LostError, match="sudden end, exit status 3"):
            one.submit(dies).result()
        assert one.submit(pid_here).result() != before
    assert capfd.readouterr().err.count("sudden end") == 2


def test_one_that_is_killed_while_it_waits_is_replaced(small) -> None:
    with open_pool(unconfined(small), 1) as one:
        examiner = int(one.submit(pid_here).result().split()[0])
        os.kill(examiner, signal.SIGKILL)
        assert wait_until_gone([examiner], 5.0)
        assert one.submit(pid_here).result()


def test_a_server_that_is_killed_takes_its_examiners_with_it_and_is_replaced(small, capfd) -> None:
    with open_pool(unconfined(small), 1) as one:
        examiner, server = map(int, one.submit(pid_here).result().split())
        running = one.submit(sleeps_long)
        time.sleep(0.3)
        os.kill(server, signal.SIGKILL)
        assert wait_until_gone([examiner], 10.0)
        one.give_up()
        with pytest.raises((CancelledError, LostError)):
            running.result()
    with open_pool(unconfined(small), 1) as one:
        assert one.submit(pid_here).result().split()[1] != str(server)


def test_a_pool_that_is_given_up_ends_what_runs(small) -> None:
    one = open_pool(unconfined(small), 1)
    examiner = int(one.submit(pid_here).result().split()[0])
    running, waiting = one.submit(sleeps_long), one.submit(sleeps_long)
    started = time.monotonic()
    while not running.running():
        time.sleep(0.01)
    one.give_up()
    assert time.monotonic() - started < 20
    for future in (running, waiting):
        with pytest.raises(CancelledError):
            future.result(0)
    assert wait_until_gone([examiner], 5.0)


def test_an_exception_in_the_body_gives_up_what_runs(small) -> None:
    started = time.monotonic()
    futures = []

    def interrupted() -> None:
        with open_pool(unconfined(small), 1) as one:
            futures.append(one.submit(sleeps_long))
            while not futures[0].running():
                time.sleep(0.01)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    [running] = futures
    with pytest.raises(CancelledError):
        running.result(0)
    assert time.monotonic() - started < 60


PARENT = """
import os, signal, sys
from pathlib import Path
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting
from tests.grading.test_pool import pid_here, sleeps_long

one = open_pool(Setting(Path(sys.argv[1]), {}, unconfined=True), 1)
print(one.submit(pid_here).result(), flush=True)
one.submit(sleeps_long)
sys.stdin.readline()
os.kill(os.getpid(), int(sys.argv[2]))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_all_ends_with_the_process_that_opened_the_pool(small, number) -> None:
    command = [sys.executable, "-c", PARENT, str(small), str(int(number))]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    pids = [int(pid) for pid in process.stdout.readline().split()]
    process.communicate("\n", timeout=30)
    assert process.returncode == -number
    assert len(pids) == 2
    assert wait_until_gone(pids, 10.0)


def test_ctrl_c_is_not_for_examiners(small) -> None:
    with open_pool(unconfined(small), 1) as one:
        examiner = int(one.submit(pid_here).result().split()[0])
        os.kill(examiner, signal.SIGINT)
        assert int(one.submit(pid_here).result().split()[0]) == examiner


# What can't be examined.


def broken(small: Path, folder: Path, file: str, text: str) -> Path:
    """Return a copy of the small course in which a file holds something else."""
    subprocess.run(["cp", "-r", str(small), str(folder)], check=True)
    (folder / file).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("file", "text", "problem"),
    [
        ("assignments/week2_small/hidden/test_suite.py", "import nothing_like_it", "nothing_like"),
        ("assignments/course.toml", "[course", "course.toml"),
        ("solutions/week2_small/misconceptions.toml", "[[misconception]]\nid = 1", "misconc"),
    ],
    ids=["suite", "course", "catalogue"],
)
def test_what_is_wrong_with_a_week_is_one_error_with_the_problem(
    small, tmp_path, file, text, problem
) -> None:
    root = broken(small, tmp_path / "course", file, text)
    with open_pool(unconfined(root), 1) as one:
        with pytest.raises(CantExamineError, match=problem) as failed:
            one.submit(describe, 2).result()
        assert not isinstance(failed.value, LostError)
        assert one.submit(pid_here).result()


@operation("text")
def fails() -> str:
    """Fail by a mistake of the grader's."""
    raise ZeroDivisionError("zero")


def test_a_mistake_of_ours_is_told_as_one_and_its_traceback_is_shown(small, capfd) -> None:
    with open_pool(unconfined(small), 1) as one:
        with pytest.raises(CantExamineError, match=r"ZeroDivisionError: zero.*the grader's own"):
            one.submit(fails).result()
        assert one.submit(pid_here).result()
    assert "examiner: Traceback" in capfd.readouterr().err


# One student, and other executors.


def test_one_student_is_told_of_check_by_check_and_in_the_end_of_all(small, solution) -> None:
    files = {"double.py": solution.replace(b"2.0 * x", b"x * x")}
    told = list(examine_one(unconfined(small), {2: Submission("ada", files)}))
    assert isinstance(told[0], Planned)
    assert isinstance(told[-1], Ended)
    checks = [one.result for one in told if isinstance(one, Checked)]
    planned = {check.id for check in told[0].checks}
    assert {result.check for result in checks} == planned
    assert len(checks) >= 2 * len(planned)  # as each ends, and in the end
    last = {result.check: result for result in checks}
    assert last["test_suite::test_double[3]"].misconception == "double-squares"


def test_what_one_student_loses_is_our_fault_and_the_rest_is_kept(
    small, solution, monkeypatch
) -> None:
    monkeypatch.setattr("autograder.grading.single.examine_submission", tells_one_and_dies)
    told = list(examine_one(unconfined(small), {2: Submission("ada", {"double.py": solution})}))
    assert isinstance(told[-1], Ended)
    last = {one.result.check: one.result for one in told if isinstance(one, Checked)}
    verdicts = [result.verdict for result in last.values()]
    assert verdicts.count(Verdict.PASS) == 1
    assert set(verdicts) == {Verdict.PASS, Verdict.INFRA}
    assert last.keys() == {check.id for check in told[0].checks}


@operation("examined")
def tells_one_and_dies(submission, week, report):
    """Tell of one check and come to an end."""

    def first(result: CheckResult) -> None:
        report(result)
        os._exit(1)

    return examine_submission(submission, week, first)


def test_details_that_no_message_can_hold_are_our_fault(small, solution, tmp_path, monkeypatch):
    monkeypatch.setattr(grading, "examine_submission", measures_nothing_finite)
    found = grade(small, {"ada": solution}, tmp_path / "gradebook.sqlite")
    assert found == {"ada": "infra planned"}


@operation("examined")
def measures_nothing_finite(submission, week):
    """Give a detail that isn't finite."""
    check = describe(week).checks[0].id
    return Examined([CheckResult(check, Verdict.PASS, 1, detail={"x": float("nan")})]), 0.0


def test_any_executor_will_do(small, solution, tmp_path, confinement) -> None:
    context = multiprocessing.get_context("spawn")
    setting = Setting(small, {})
    with ProcessPoolExecutor(1, context, begin, (setting, 0)) as executor:
        found = grade(small, {"ada": solution}, tmp_path / "gradebook.sqlite", executor)
    assert found == {"ada": "pass finished"}


def test_an_executor_that_breaks_costs_nobody_anything(
    small, solution, tmp_path, confinement, monkeypatch
) -> None:
    monkeypatch.setattr(grading, "examine_submission", dies_at_once)
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, context, begin, (Setting(small, {}), 0)) as executor:
        found = grade(small, {"ada": solution}, tmp_path / "gradebook.sqlite", executor)
    assert found == {"ada": "infra planned"}


@operation("examined")
def dies_at_once(submission, week):
    """End this process."""
    os._exit(1)


# What a review found.


@operation("examined")
def refuses_or_examines(submission, week, report=None):
    """Examine as ever, but refuse what one student handed in, with orders to a terminal."""
    if submission.student == "mallory":
        raise CantExamineError("\x1b]0;owned\x07no", "\x1b[2J")
    return examine_submission(submission, week, report)


def test_one_that_will_not_examine_stops_no_class_and_writes_to_no_terminal(
    small, solution, tmp_path, confinement, monkeypatch, capfd
) -> None:
    monkeypatch.setattr(grading, "examine_submission", refuses_or_examines)
    students = {"ada": solution, "mallory": solution, "zoe": solution}
    found = grade(small, students, tmp_path / "gradebook.sqlite")
    assert found["ada"] == found["zoe"] == "pass finished"
    assert found["mallory"].startswith("infra")
    said = capfd.readouterr().err
    assert "a submission could not be examined" in said
    assert "\x1b" not in said


def test_a_week_is_never_planned_by_an_examiner_that_a_submission_was_in(small, solution) -> None:
    """It might be the submission that speaks, and its plan would be everybody's."""
    with open_pool(unconfined(small), 1) as pool:
        pool.submit(describe, 2).result()
        before = pool.submit(pid_here).result()
        after = pool.submit(pid_here).result()
        assert before == after, "one examiner does what needs no other"
        pool.submit(describe, 3).result()
        assert pool.submit(pid_here).result() != after


@operation("text")
def forks_a_child_that_stays() -> str:
    """Leave a child that shares this process's channel; return its pid."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)
    return str(pid)


def test_what_an_examiner_leaves_behind_ends_with_it(small, confinement) -> None:
    with open_pool(Setting(small, {}), 1) as pool:
        pool.submit(describe, 2).result()
        child = int(pool.submit(forks_a_child_that_stays).result())
        assert Path(f"/proc/{child}").exists()
        with pytest.raises(LostError):
            pool.submit(dies).result()
        assert wait_until_gone([child], 10)
