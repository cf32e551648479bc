"""The side of a node, called as Dask calls it: its proof, its jobs, its end; and its slots."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.grading import messages
from autograder.grading.cluster import exchange, node
from autograder.grading.cluster.setting import ClusterError
from autograder.grading.cluster.slots import FIRST, LAST, Slots

ROOT = Path(__file__).resolve().parents[3]
EXAMINE = "autograder.grading.operations:examine_submission"


def begin(root: Path, run: str = "r1") -> exchange.Answer:
    body = exchange.request(
        run=run, course=str(root), datasets={2: None}, unconfined=False, packages=[], places=1
    )
    return exchange.read_answer(node.do("begin", body))


def examine(source: bytes, run: str = "r1") -> exchange.Answer:
    submission = {"student": "ada", "files": {"double.py": source}, "refusal": None}
    body = exchange.request(run=run, function=EXAMINE, week=2, submission=submission)
    return exchange.read_answer(node.do("examine", body))


@pytest.fixture
def ended():
    yield
    for run in ("r1", "r2"):
        node._end(run)


@pytest.mark.usefixtures("ended")
def test_a_node_examines_for_the_run_that_it_proved_itself_to(small, confinement):
    source = (small / "solutions" / "week2_small" / "double.py").read_bytes()
    assert examine(source).state == "stranger"
    told = begin(small)
    assert (told.state, told.confinement) == ("done", confinement.name)
    proof = exchange.read_proof(told.body)
    assert [week.week for week in proof.weeks] == [2]
    assert proof.weeks[0].parts["confinement"] == confinement.name
    assert begin(small) == told
    assert begin(small, "r2").state == "busy"
    assert examine(source, "r2").state == "stranger"
    answer = examine(source)
    assert answer.confinement == confinement.name
    done = messages.read(answer.body)
    assert {result.verdict for result in done.results} == {"pass"}
    assert node._end("r1")
    assert examine(source).state == "stranger"
    assert begin(small, "r2").state == "done"


@pytest.mark.usefixtures("ended")
def test_a_node_whose_head_is_gone_ends_its_examiners(small, confinement, monkeypatch):
    monkeypatch.setattr(node, "IDLE_SECONDS", 0.2)
    monkeypatch.setattr(node, "WATCH_SECONDS", 0.05)
    assert begin(small).state == "done"
    for _ in range(200):
        if node._begun is None:
            break
        node.threading.Event().wait(0.05)
    assert node._begun is None
    assert begin(small, "r2").state == "done"


@pytest.mark.usefixtures("ended")
def test_what_goes_wrong_is_told_and_nothing_raised(small, tmp_path):
    for what, body in (("begin", b"\xc1"), ("other", exchange.request(a=1))):
        refused = exchange.read_proof(exchange.read_answer(node.do(what, body)).body)
        assert isinstance(refused, exchange.Unready)
    refused = exchange.read_proof(begin(tmp_path).body)
    assert "assignments/course.toml" in refused.problem
    assert node._begun is None


@pytest.mark.usefixtures("ended")
def test_a_node_that_has_loaded_other_code_than_its_files_have_is_refused(
    small, confinement, monkeypatch
):
    monkeypatch.setattr(node, "_loaded", {"code: autograder/errors.py": "before"})
    refused = exchange.read_proof(begin(small).body)
    assert "our code has changed: code: autograder/errors.py" in refused.problem
    monkeypatch.setattr(node, "_loaded", {})
    assert isinstance(exchange.read_proof(begin(small).body), exchange.Proof)
    assert node._loaded


# Slots.


def test_slots_of_nodes_on_one_machine_are_never_the_same(tmp_path):
    """Three nodes in this process, one in another that ends, by SIGKILL: its slots are free."""
    first, second = (Slots(2, tmp_path, locked=True) for _ in range(2))
    used = {first.first, first.first + 1, second.first, second.first + 1}
    assert len(used) == 4
    assert min(used) >= FIRST
    program = (
        "import sys; from pathlib import Path; "
        "from autograder.grading.cluster.slots import Slots; "
        f"slots = Slots({LAST - FIRST - 1}, Path(sys.argv[1]), locked=True)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], cwd=ROOT, capture_output=True, text=True
    )
    assert "slots in a row are free" in done.stderr
    for slots in (first, second):
        slots.close()
    done = subprocess.run([sys.executable, "-c", program, tmp_path], cwd=ROOT, check=True)


def test_all_slots_taken_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("autograder.grading.cluster.slots.LAST", FIRST + 2)
    held = Slots(2, tmp_path, locked=True)
    with pytest.raises(ClusterError, match="no 2 slots"):
        Slots(2, tmp_path, locked=True)
    held.close()
    Slots(2, tmp_path, locked=True).close()


def test_a_folder_of_locks_that_others_can_write_is_refused(tmp_path):
    for name, make in {
        "open": lambda path: path.mkdir(mode=0o777) or path.chmod(0o777),
        "link": lambda path: path.symlink_to(tmp_path),
        "file": lambda path: path.write_text(""),
    }.items():
        make(tmp_path / name)
        with pytest.raises(ClusterError):
            Slots(1, tmp_path / name, locked=True)
    if os.geteuid() == 0:
        (tmp_path / "theirs").mkdir(mode=0o700)
        os.chown(tmp_path / "theirs", 12345, 12345)
        with pytest.raises(ClusterError, match="no folder of this user's own"):
            Slots(1, tmp_path / "theirs", locked=True)
