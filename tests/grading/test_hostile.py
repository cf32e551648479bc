"""A class with hostile submissions in it: each gets its verdict, stops nobody, and gains nothing.

The rest of each submission is the reference, so that what the attack does to honest files shows
too. All cases of the corpus, each by itself: test_hostile_rungs.py.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.channel.faults import Fault
from autograder.channel.handles import Handle
from autograder.gradebook.journal import Gradebook
from autograder.grading.examiner import solution_files
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.intake.reading import take_in
from autograder.records import Verdict
from autograder.report.gather import GradedReport, gather
from autograder.sandbox import Limits, Sandbox
from autograder.sandbox.choose import choose
from autograder.suite.hidden.sandbox_host import SandboxHost
from tests.hostile.corpus import load

ROOT = Path(__file__).resolve().parents[2]
CORPUS = load()
CASES = (
    *("endless_loop", "exception_without_text", "exit_at_import", "exit_in_forward", "fork_bomb"),
    *("forges_answers", "hundred_megabytes_printed", "kills_everybody", "leaves_daemons"),
    *("lying_array", "patches_numpy_and_pytest", "pickle_bomb", "syntax_error"),
    "ten_gigabytes",
)
ATTACKED = ("linear", "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "network", "accuracy")
UNTOUCHED = ("mse", "cross_entropy", "huber", "numerical_gradient", "gradient_check")
UNTOUCHED += ("gradient_check_weights", "student_tests")


@pytest.fixture(scope="module")
def graded(tmp_path_factory, confinement) -> dict[str, GradedReport]:
    """One class: every hostile case, an honest student, an empty folder, a truncated archive."""
    folder = tmp_path_factory.mktemp("class")
    course = courses.load(ROOT)
    reference = solution_files(ROOT, course.week(1))
    for name in ("honest", *CASES):
        (folder / name).mkdir()
        for file, content in reference.items():
            (folder / name / file).write_bytes(content)
        if name in CORPUS:
            source = CORPUS[name].source(reference["neural_net.py"])
            (folder / name / "neural_net.py").write_bytes(source)
    (folder / "empty").mkdir()
    (folder / "truncated.zip").write_bytes(b"PK\x03\x04 and no more")
    seen: list[int] = []
    with Gradebook.open(folder.parent / "gradebook.sqlite") as gradebook:
        taken = take_in(folder, [course.week(1)])
        report = lambda progress: seen.append(progress.done)  # noqa: E731 - a probe
        setting = Setting(ROOT, {1: "digits"})
        grade_class(course, setting, taken, gradebook, os.cpu_count() or 1, report)
        reports = gather(course, gradebook)
    assert seen[-1] == len(CASES) + 3
    return {report.score.student: report for report in reports}


def points(report: GradedReport, *names: str) -> dict[str, int]:
    """Return the points in hundredths of some items of week 1."""
    by_id = {item.id: item.points for item in report.score.items}
    return {name: by_id[f"week1.{name}"] for name in names}


def checks(report: GradedReport, item: str) -> list:
    return next(part.checks for part in report.score.items if part.id == f"week1.{item}")


def test_the_honest_student_beside_them_gets_everything(graded):
    course = courses.load(ROOT)
    earned = {item.id: item.points for item in graded["honest"].score.items}
    for item in course.items(1):
        if item.kind == "auto":
            assert earned[item.id] == item.points, item.id


@pytest.mark.parametrize("case", CASES)
def test_attack_gets_its_verdict(graded, case):
    expected = set(map(Verdict, CORPUS[case].verdicts))
    verdicts = {check.result.verdict for check in checks(graded[case], "linear")}
    assert expected & verdicts
    assert Verdict.INFRA not in verdicts


@pytest.mark.parametrize("case", CASES)
def test_attack_gains_nothing_and_harms_no_honest_file(graded, case):
    course = courses.load(ROOT)
    gained = points(graded[case], *ATTACKED)
    assert gained == dict.fromkeys(ATTACKED, 0)
    for name, earned in points(graded[case], *UNTOUCHED).items():
        assert earned == course.item(f"week1.{name}").points, name


def test_every_planned_check_has_a_record_that_is_not_our_fault(graded):
    for report in graded.values():
        for item in report.score.items:
            for check in item.checks:
                assert check.result is not None, (report.score.student, check)
                assert check.result.verdict is not Verdict.INFRA, (report.score.student, check)


@pytest.mark.parametrize("student", ["empty", "truncated"])
def test_nothing_handed_in_is_nothing_attempted(graded, student):
    score = graded[student].score
    assert score.total == 0
    verdicts = {check.result.verdict for item in score.items for check in item.checks}
    assert verdicts <= {Verdict.NOT_ATTEMPTED, Verdict.BLOCKED}
    assert bool(graded[student].refusals) == (student == "truncated")


@pytest.fixture(scope="module")
def corpus_files():
    """Return the submission that a case of the corpus is."""
    reference = solution_files(ROOT, courses.load(ROOT).week(1))
    return lambda name: {"neural_net.py": CORPUS[name].source(reference["neural_net.py"])}


def _forward(layer: Handle, faults: list[Fault]) -> None:
    """Call forward in a thread, and keep how that ended."""
    try:
        layer.forward([[0.0] * 4])
    except Fault as fault:
        faults.append(fault)


def test_a_fork_bomb_next_door_starves_nobody(confinement, corpus_files):
    """While one sandbox is full of processes, an honest submission beside it is graded as ever.

    It is another examiner's, as it always is, so its user is another one where root grades.
    """
    limits = Limits(request_seconds=3, memory_mb=4096)
    bomb = SandboxHost(confinement, corpus_files("starves_its_neighbours"), limits)
    honest = SandboxHost(choose(1), corpus_files("honest_reference"), limits)
    try:
        layer = bomb.start(0).neural_net.Linear(4, 3)
        faults: list[Fault] = []
        thread = threading.Thread(target=_forward, args=(layer, faults))
        thread.start()
        for _ in range(20):
            student = honest.start(0)
            assert student.neural_net.Linear(4, 3).forward([[0.0] * 4]).shape == (1, 3)
            honest.finish(None)
        thread.join()
    finally:
        bomb.close()
        honest.close()
    assert faults[0].verdict in (Verdict.VIOLATION, Verdict.TIMEOUT)


def test_a_sandbox_is_gone_when_it_is_closed(confinement):
    """What a submission started does not outlive its sandbox."""
    source = b"import os\nfor _ in range(3):\n    if os.fork() == 0:\n        os.setsid()\n"
    source += b"        import time\n        time.sleep(600)\n"
    sandbox = Sandbox(confinement, {"late.py": source}, Limits())
    sandbox.fresh(0).request("import", "late", seconds=10)
    pids = sandbox.processes()
    assert len(pids) >= 5
    sandbox.close()
    assert not [pid for pid in pids if _alive(pid)]


def _alive(pid: int) -> bool:
    """Tell whether a process exists and is not just waiting to be collected."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False
