"""Classes graded on real workers of Dask, some of which are killed, frozen or refused meanwhile."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.gradebook.heartbeat import RunningJob
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading.cluster import link as links
from autograder.grading.cluster.link import DaskLink
from autograder.grading.cluster.opening import open_nodes
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.grading.cluster.slots import FIRST, LAST
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.records import Verdict
from autograder.sandbox.bubblewrap import FIRST_UID
from tests.dask_cluster import DaskProcesses, marked, sandboxes, wait_for

pytest.importorskip("distributed", reason="Dask is not installed: pip install -e '.[cluster]'")

ROOT = Path(__file__).resolve().parents[3]
NODE_UIDS = range(FIRST_UID + FIRST, FIRST_UID + LAST + 1)


@pytest.fixture(scope="module")
def solution(small: Path) -> str:
    """The reference of week 2."""
    return (small / "solutions" / "week2_small" / "double.py").read_text()


def slow(solution: str, seconds: float = 0.4) -> str:
    """Return the solution with calls that take so long."""
    return solution.replace(
        "    return 2.0", f"    import time; time.sleep({seconds})\n    return 2.0"
    )


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[DaskProcesses]:
    """A scheduler without workers; afterwards nothing that it started is left."""
    processes = DaskProcesses(tmp_path)
    try:
        yield processes
    finally:
        processes.close()
        wait_for(lambda: not list(marked(processes.mark)), 20)


def taken(students: dict[str, str]) -> dict[int, list[Submission]]:
    return {2: [Submission(s, {"double.py": text.encode()}) for s, text in students.items()]}


class Run:
    """A grading of week 2 on nodes: what it said, and the nodes that worked."""

    def __init__(self, root: Path, address: str, path: Path, **setting: object):
        self.root, self.path = root, path
        self.cluster = ClusterSetting(scheduler=address, course=str(root), **setting)
        self.said: list[str] = []
        self.nodes: set[str] = set()
        self.done = 0

    def grade(self, students: dict[str, str], watch=lambda run, running: None) -> dict[str, str]:
        """Grade; return each student's verdicts and the state of the job."""
        course = courses.load(self.root)
        setting = Setting(self.root, {2: None})

        def look(running: list[RunningJob]) -> None:
            self.nodes |= {job.node for job in running}
            watch(self, running)

        def report(progress) -> None:
            self.done = progress.done

        with Gradebook.open(self.path) as gradebook:
            with open_nodes(course, setting, self.cluster, self.said.append) as pool:
                grade_class(course, setting, taken(students), gradebook, 1, report, pool, look)
            return {
                name: " ".join(sorted({str(r.verdict) for r in gradebook.results(name, 2)}))
                + f" {gradebook.job(name, 2).state}"
                for name in students
            }


def test_a_local_cluster_gives_the_results_of_this_machine(small, solution, tmp_path, confinement):
    """Two processes with two threads each; every result is the same, and its rung stands by it."""
    from distributed import LocalCluster

    students = {
        "good": solution,
        "wrong": solution.replace("2.0 * x", "x * x"),
        "stub": solution.replace("return 2.0 * x", 'raise NotImplementedError("week2.double: x")'),
        "broken": "def (",
    }
    course = courses.load(small)
    with LocalCluster(
        n_workers=2, threads_per_worker=2, dashboard_address=None, silence_logs=50
    ) as cluster:
        run = Run(small, cluster.scheduler_address, tmp_path / "nodes")
        run.grade(students)
    with Gradebook.open(tmp_path / "here") as here, Gradebook.open(tmp_path / "nodes") as there:
        grade_class(course, Setting(small, {2: None}), taken(students), here, 2, lambda p: None)
        for student in students:
            one, two = (
                [
                    (r.check, r.verdict, r.credit, r.message, r.advice)
                    for r in book.results(student, 2)
                ]
                for book in (here, there)
            )
            assert one == two
            assert there.job(student, 2).confinement == confinement.name
            assert there.job(student, 2).key == here.job(student, 2).key
        assert there.runs()[0]["confinement"] == confinement.name


def test_killed_nodes_cost_no_result_and_no_student(small, solution, tmp_path, dask, confinement):
    """Of three nodes two are killed at work, and one that comes later takes over."""
    for name in ("one", "two", "three"):
        dask.worker(name)
    students = {f"s{number}": slow(solution) + f"# {number}\n" for number in range(8)}
    killed: list[str] = []

    def watch(run: Run, running: list[RunningJob]) -> None:
        at_work = {job.node.split()[-1] for job in running}
        if run.done > len(killed) and len(killed) < 2 and at_work & dask.workers.keys():
            killed.append(min(at_work & dask.workers.keys()))
            dask.kill(killed[-1])
            if len(killed) == 2:
                dask.worker("late")

    run = Run(small, dask.address, tmp_path / "gradebook.sqlite")
    results = run.grade(students, watch)
    assert results == dict.fromkeys(students, "pass finished")
    assert len(killed) == 2
    assert sum("run again" in line for line in run.said) == 2
    wait_for(lambda: not dask.descendants(), 20)
    with sqlite3.connect(tmp_path / "gradebook.sqlite") as database:
        assert database.execute("SELECT COUNT(*) FROM results").fetchone() == (8 * 5,)


def test_all_nodes_lost_is_waited_out_or_ends_with_an_error(
    small, solution, tmp_path, dask, confinement
):
    dask.worker("one")
    students = {f"s{number}": slow(solution) + f"# {number}\n" for number in range(3)}
    later = threading.Timer(5, lambda: dask.worker("two"))

    def watch(run: Run, running: list[RunningJob]) -> None:
        if run.done and "one" in dask.workers:
            dask.kill("one")
            later.start()

    run = Run(small, dask.address, tmp_path / "a")
    assert run.grade(students, watch) == dict.fromkeys(students, "pass finished")
    assert any("No node is there. " in line for line in run.said)

    def end(run: Run, running: list[RunningJob]) -> None:
        if run.done and "two" in dask.workers:
            dask.kill("two")

    run = Run(small, dask.address, tmp_path / "b", wait_minutes=0.05)
    with pytest.raises(ClusterError, match="no node that may grade"):
        run.grade(students, end)
    with Gradebook.open(tmp_path / "b") as gradebook:
        states = [gradebook.job(student, 2).state for student in students]
    assert states.count("finished") == run.done < 3


def test_a_node_without_its_network_is_left_alone(small, solution, tmp_path, dask, confinement):
    """A frozen worker answers nothing and is not seen to end; later it goes on, too late."""
    for name in ("one", "two"):
        dask.worker(name)
    students = {f"s{number}": slow(solution) + f"# {number}\n" for number in range(4)}
    frozen: list[str] = []

    def watch(run: Run, running: list[RunningJob]) -> None:
        if not frozen and len(running) == 2:
            frozen.append(running[0].node.split()[-1])
            os.kill(dask.workers[frozen[0]].pid, signal.SIGSTOP)

    run = Run(small, dask.address, tmp_path / "gradebook.sqlite", silent_seconds=5)
    assert run.grade(students, watch) == dict.fromkeys(students, "pass finished")
    assert any("has been silent for 5 s; 1 job(s)" in line for line in run.said)


def test_nodes_with_other_code_or_packages_are_refused(
    small, solution, tmp_path, dask, confinement
):
    """Each has its own tree: one changed, one with another NumPy (by its metadata), one right."""
    trees = {}
    for name in ("code", "numpy", "right"):
        trees[name] = tmp_path / name
        for package in ("autograder", "data"):
            shutil.copytree(
                ROOT / package, trees[name] / package, ignore=shutil.ignore_patterns("cache")
            )
    with (trees["code"] / "autograder/suite/compare.py").open("a") as file:
        file.write("\nCHANGED = True\n")
    metadata = trees["numpy"] / "numpy-9.9.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 9.9.0\n")
    for name in ("code", "numpy"):
        dask.worker(name, tree=trees[name])
    run = Run(small, dask.address, tmp_path / "a")
    with pytest.raises(ClusterError, match="all nodes are refused"):
        run.grade({"ada": solution})
    dask.worker("right", tree=trees["right"])
    run = Run(small, dask.address, tmp_path / "b")
    assert run.grade({"ada": solution}) == {"ada": "pass finished"}
    refused = "\n".join(line for line in run.said if "refused" in line)
    assert "code (tcp" in refused
    assert "code: autograder/suite/compare.py" in refused
    assert "versions: numpy (9.9.0 there," in refused
    assert {node.split()[-1] for node in run.nodes} <= {"right"}


def test_a_node_with_another_salt_is_refused_and_no_salt_is_seen(
    small, solution, tmp_path, dask, confinement
):
    there = shutil.copytree(small, tmp_path / "there")
    (there / "assignments" / "grading.toml").write_text('salt = "a salt of the node"\n')
    dask.worker("one")
    run = Run(small, dask.address, tmp_path / "a")
    run.cluster = run.cluster.model_copy(update={"course": str(there)})
    with pytest.raises(ClusterError, match="salt") as error:
        run.grade({"ada": solution})
    for text in (str(error.value), *run.said, dask.log()):
        assert "a salt of the node" not in text


def test_the_logs_of_nodes_hold_no_test_no_solution_and_no_student(
    small, solution, tmp_path, dask, confinement
):
    dask.worker("one")
    students = {"ada-lovelace": solution.replace("2.0 * x", "x * x")}
    run = Run(small, dask.address, tmp_path / "a")
    run.grade(students)
    assert dask.log()
    for secret in ("ada-lovelace", "BEGIN SOLUTION", "double(x)", "return 2.0"):
        assert secret not in dask.log()


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, marker: str):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (self.marker,)


def bomb(what: str, body: bytes) -> Bomb:
    """Answer as a hijacked node might."""
    return Bomb(body.decode())


def test_the_head_unpickles_no_result(tmp_path, dask, monkeypatch):
    monkeypatch.setattr(links, "ENTRY", f"{__name__}:bomb")
    dask.worker("one")
    link = DaskLink(dask.address, None)
    try:
        wait_for(link.seen)
        marker = tmp_path / "unpickled"
        [address] = link.seen()
        assert not isinstance(
            link.ask(address, "x", str(marker).encode()).exception(30), AssertionError
        )
        assert not marker.exists()
    finally:
        link.close()


PROGRAM = """
import signal, sys
sys.path.insert(0, sys.argv[1])
signal.signal(signal.SIGINT, signal.default_int_handler)
from pathlib import Path
from autograder.commands.instructors import ending_when_terminated, when_stopped
from autograder.grading.class_run import grade_submissions
from autograder.grading.cluster.setting import ClusterSetting
root, folder, out, address = Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), sys.argv[5]
out.mkdir(exist_ok=True)
with when_stopped("It goes on."), ending_when_terminated():
    cluster = ClusterSetting(scheduler=address, course=str(root))
    grade_submissions(root, folder, out, cluster=cluster)
"""


def status(root: Path, out: Path) -> str:
    from autograder.grading.status import as_json, read_status

    return as_json(read_status(out), courses.load(root))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_keeps_what_is_finished_and_leaves_nothing_on_nodes(
    small, solution, tmp_path, dask, confinement, number
):
    for name in ("one", "two"):
        dask.worker(name)
    folder, out = tmp_path / "in", tmp_path / "out"
    for student in range(6):
        (folder / f"s{student}").mkdir(parents=True)
        (folder / f"s{student}" / "double.py").write_text(slow(solution, 1) + f"# {student}\n")
    script = tmp_path / "run.py"
    script.write_text(PROGRAM)
    command = [sys.executable, script, ROOT, small, folder, out, dask.address]
    command = [str(part) for part in command]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        wait_for(lambda: (out / "gradebook.sqlite").is_file())
        wait_for(lambda: '"node": "' in _quietly(small, out), 120)
        wait_for(lambda: len(finished(out)) >= 1, 120)
        process.send_signal(number)
        printed = process.communicate(timeout=60)[0].decode()
    assert process.returncode == (130 if number == signal.SIGINT else 143), printed
    assert "Stopped. The reports hold what is finished" in printed
    wait_for(lambda: not dask.descendants(), 20)
    wait_for(lambda: not sandboxes(NODE_UIDS), 20)
    before = finished(out)
    assert 0 < len(before) < 6
    assert (out / "gradebook.csv").is_file()
    subprocess.run(command, check=True, capture_output=True, timeout=200)
    assert finished(out) > before
    assert len(finished(out)) == 6
    with Gradebook.open(out / "gradebook.sqlite") as gradebook:
        for student in range(6):
            assert {r.verdict for r in gradebook.results(f"s{student}", 2)} == {Verdict.PASS}


def finished(out: Path) -> set[str]:
    """Return the students whose jobs are finished."""
    with sqlite3.connect(f"file:{out / 'gradebook.sqlite'}?mode=ro", uri=True) as database:
        try:
            rows = database.execute("SELECT student FROM jobs WHERE state = 'finished'").fetchall()
        except sqlite3.OperationalError:
            return set()
    return {student for (student,) in rows}


def _quietly(root: Path, out: Path) -> str:
    from autograder.errors import AutograderError

    try:
        return status(root, out)
    except AutograderError:
        return ""


def test_with_tls_only_holders_of_a_certificate_get_in(small, solution, tmp_path, confinement):
    pytest.importorskip("cryptography", reason="no cryptography here to make certificates with")
    from distributed.security import Security

    files = {}
    for owner in ("ours", "theirs"):
        security = Security.temporary()
        files[owner] = {}
        for name, text in (
            ("ca", security.tls_ca_file),
            ("cert", security.tls_client_cert),
            ("key", security.tls_client_key),
        ):
            path = tmp_path / f"{owner}-{name}.pem"
            path.write_text(text)
            files[owner][name] = str(path)
    ours = files["ours"]
    options = [
        f"--tls-{n}={ours[f]}" for n, f in (("ca-file", "ca"), ("cert", "cert"), ("key", "key"))
    ]
    dask = DaskProcesses(tmp_path, options, "tls")
    try:
        dask.worker("one")
        run = Run(small, dask.address, tmp_path / "a", **ours)
        assert run.grade({"ada": solution}) == {"ada": "pass finished"}
        plain = dask.address.replace("tls", "tcp")
        for address, wrong in ((dask.address, files["theirs"]), (plain, {})):
            stranger = Run(small, address, tmp_path / "b", **wrong)
            with pytest.raises(ClusterError, match="can't be reached"):
                stranger.grade({"ada": solution})
    finally:
        dask.close()


def test_a_scheduler_that_is_not_there_is_an_error(small, monkeypatch):
    monkeypatch.setattr(links, "CONNECT_SECONDS", 1)
    started = time.monotonic()
    with pytest.raises(ClusterError, match="can't be reached"):
        DaskLink("tcp://127.0.0.1:9", None)
    assert time.monotonic() - started < 60
