"""The head's pool of nodes, played through with nodes that only say what a real one would."""

from __future__ import annotations

import json
import pickle
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from autograder.errors import CantExamineError
from autograder.gradebook.submission import Submission
from autograder.grading import fingerprint, messages
from autograder.grading.cluster import exchange, pool
from autograder.grading.cluster.link import Seen
from autograder.grading.cluster.pool import ClusterPool
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.grading.examiner_process import LostError
from autograder.grading.operations import describe, examine_submission, rung_here
from autograder.grading.setting import Setting
from autograder.records import CheckResult, PlannedCheck, Verdict

WEEK = 2
A, B = "A (bubblewrap)", "B (bubblewrap)"
PLAN = [PlannedCheck("one", "week2.double", "One", 1)]
RESULT = CheckResult("one", Verdict.PASS, 10_000)
PARTS = {
    "versions: Python": "3.11",
    "versions: numpy": "2.4",
    "code: autograder/a.py": "abc",
    "salt": "123",
}


def parts(week: int, confinement: str) -> dict[str, str]:
    return {**PARTS, "confinement": confinement}


def proof(confinement: str = A, host: str = "host", places: int = 1, **other: str) -> bytes:
    """Return the answer of a node that proves itself; `other` are parts that differ there."""
    there = parts(WEEK, confinement) | {name.replace("__", ": "): v for name, v in other.items()}
    described = {
        "kind": "described",
        "job": 0,
        "checks": messages.fields_of(PLAN),
        "fingerprint": fingerprint.digest(there),
        "confinement": confinement,
        "versions": {"python": "3.11"},
    }
    weeks = [{"week": WEEK, "described": described, "parts": there}]
    told = messages.written("proof", 0, host=host, places=places, weeks=weeks)
    return exchange.answer("done", confinement, told)


def examined(confinement: str = A, results: Iterable[CheckResult] = (RESULT,)) -> bytes:
    """Return the answer of a node that examined a submission."""
    fields = messages.fields_of(results)
    told = messages.written("examined", 0, results=fields, flags=[], seconds=1.0)
    return exchange.answer("done", confinement, told)


def failed(problem: str = "the disk is full") -> bytes:
    return exchange.answer("done", A, messages.written("failed", 0, problem=problem, remedy=""))


@dataclass
class PlayedNode:
    """A node: its proof, and its answer to a student's name; None is no answer, yet."""

    proof: bytes = field(default_factory=proof)
    examine: Callable[[str], bytes | None] = lambda student: examined()
    threads: int = 1
    heard: float = 0.0
    beats: bool = True


class PlayedLink:
    """A cluster of played nodes, by address."""

    def __init__(self, **nodes: PlayedNode):
        self.nodes = nodes
        self.asked: list[tuple[str, str, dict[str, Any]]] = []
        self.open: dict[str, list[Future[Any]]] = {}
        self.ended: list[str] = []
        self.closed = False

    def seen(self) -> dict[str, Seen]:
        for node in self.nodes.values():
            node.heard += node.beats
        return {
            address: Seen(f"name-{address}", node.threads, node.heard)
            for address, node in dict(self.nodes).items()
        }

    def ask(self, address: str, what: str, body: bytes) -> Future[Any]:
        fields = messages.read_request(body)
        self.asked.append((address, what, fields))
        request: Future[Any] = Future()
        node = self.nodes.get(address)
        if node is not None:
            student = fields["submission"]["student"] if what == "examine" else ""
            answer = node.proof if what == "begin" else node.examine(student)
            if answer is not None:
                request.set_result(answer)
            else:
                self.open.setdefault(address, []).append(request)
        return request

    def end(self, addresses: Iterable[str], run: str) -> None:
        self.ended += addresses

    def close(self) -> None:
        self.closed = True

    def examined_on(self, student: str) -> list[str]:
        """Return where a student's submission was sent, in this order."""
        return [
            address
            for address, what, fields in list(self.asked)
            if what == "examine" and fields["submission"]["student"] == student
        ]


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for nothing longer than a test needs."""
    for name in ("LOOK_SECONDS", "ASK_AGAIN_SECONDS"):
        monkeypatch.setattr(pool, name, 0.01)
    for name in ("GRACE_SECONDS", "PATIENCE_SECONDS"):
        monkeypatch.setattr(pool, name, 0.2)


@contextmanager
def nodes(link: PlayedLink, **setting: Any) -> Iterator[tuple[ClusterPool, list[str]]]:
    """Open a pool; yield it and the lines that it says."""
    said: list[str] = []
    cluster = ClusterSetting(scheduler="tcp://127.0.0.1:1", **setting)
    with ClusterPool(link, Setting(Path(), {WEEK: None}), cluster, parts, said.append) as opened:
        yield opened, said


def hand_in(opened: ClusterPool, *students: str) -> dict[str, Future[Any]]:
    return {
        name: opened.submit(examine_submission, Submission(name, {"double.py": b"x"}), WEEK)
        for name in students
    }


def wait_for(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")


def test_jobs_run_on_nodes_and_the_plan_is_theirs():
    link = PlayedLink(one=PlayedNode(proof(host="h1")), two=PlayedNode(proof(host="h2")))
    with nodes(link) as (opened, said):
        assert opened.confinement == A
        assert opened.places == 2
        assert opened.submit(describe, WEEK).result(5).checks == PLAN
        for future in hand_in(opened, "ada", "bob", "cem").values():
            done, seconds = future.result(5)
            assert (done.results, seconds) == ([RESULT], 1.0)
        with pytest.raises(TypeError, match="no operation of a node"):
            opened.submit(rung_here)
    assert {line.split(" (")[0] for line in said} == {"Node h1 name-one", "Node h2 name-two"}
    assert sorted(link.ended) == ["one", "two"]
    assert link.closed


def test_a_node_that_is_gone_costs_nothing_and_its_late_answer_counts_for_nothing():
    link = PlayedLink(gone=PlayedNode(proof(host="h"), lambda student: None))
    with nodes(link) as (opened, said):
        [job] = hand_in(opened, "ada").values()
        wait_for(lambda: link.examined_on("ada"))
        assert job.running()
        assert job.node == "h name-gone"
        link.nodes["other"] = PlayedNode()
        del link.nodes["gone"]
        done, _ = job.result(5)
        assert done.results == [RESULT]
        [late] = link.open["gone"]
        assert late.cancelled()
    assert link.examined_on("ada") == ["gone", "other"]
    assert any("is gone; 1 job(s) that ran there run again" in line for line in said)


def test_a_silent_node_is_given_up_and_used_again_when_it_is_heard_of(monkeypatch):
    link = PlayedLink(mute=PlayedNode(examine=lambda student: None))
    with nodes(link, silent_seconds=5) as (opened, said):
        clock = time.monotonic
        [job] = hand_in(opened, "ada").values()
        wait_for(lambda: link.examined_on("ada"))
        link.nodes["mute"].beats = False
        time.sleep(0.1)
        monkeypatch.setattr(pool.time, "monotonic", lambda: clock() + 60)
        wait_for(lambda: any("silent for 5 s; 1 job(s)" in line for line in said))
        wait_for(lambda: job.node == "")
        assert opened.places == 0
        link.nodes["mute"].beats = True
        link.nodes["mute"].examine = lambda student: examined()
        assert job.result(5)[0].results == [RESULT]


def test_a_job_that_ends_nodes_fails_alone_and_not_for_ever():
    """A node with two places is lost whenever the fatal job is on it; a new one takes its place."""
    link = PlayedLink()
    deaths = []

    def examine(address: str, student: str) -> bytes | None:
        if student == "fatal":
            deaths.append(address)
            threading.Timer(0.05, lambda: start(link.nodes.pop(address) and len(deaths))).start()
            return None
        time.sleep(0.02)
        return examined()

    def start(number: int) -> None:
        address = f"n{number}"
        node = PlayedNode(proof(places=2), lambda student: examine(address, student))
        link.nodes[address] = node

    start(0)
    with nodes(link) as (opened, _):
        jobs = hand_in(opened, "fatal", *(f"s{number}" for number in range(6)))
        with pytest.raises(LostError, match="3 nodes were lost"):
            jobs.pop("fatal").result(10)
        for job in jobs.values():
            assert job.result(10)[0].results == [RESULT]
    assert len(deaths) == 3


def test_a_node_that_was_restarted_is_asked_to_prove_itself_again():
    link = PlayedLink(one=PlayedNode())
    with nodes(link) as (opened, said):
        answers = iter([exchange.answer("stranger"), examined()])
        link.nodes["one"].examine = lambda student: next(answers)
        [job] = hand_in(opened, "ada").values()
        assert job.result(5)[0].results == [RESULT]
    assert [what for _, what, _ in link.asked] == ["begin", "examine", "begin", "examine"]
    assert any("began anew" in line for line in said)


def test_nodes_that_differ_are_refused_by_name_and_the_others_grade():
    link = PlayedLink(
        good=PlayedNode(),
        old=PlayedNode(proof(versions__numpy="1.26", salt="456")),
        other=PlayedNode(proof(code__x="9", **{"code__autograder/a.py": "abd"})),
        broken=PlayedNode(failed("this machine can't confine student code")),
    )
    with nodes(link) as (opened, said):
        wait_for(lambda: sum("refused" in line for line in said) == 3)
        for job in hand_in(opened, "ada", "bob").values():
            job.result(5)
        assert opened.places == 1
    refused = "\n".join(line for line in said if "refused" in line)
    assert "name-old (old) is refused: it differs" in refused
    assert "versions: numpy (1.26 there, 2.4 here); salt" in refused
    assert "code: autograder/a.py; code: x (missing here)" in refused
    assert "name-broken (broken) is refused: this machine can't confine student code" in refused
    assert "456" not in refused
    assert {address for address, what, _ in link.asked if what == "examine"} == {"good"}


def test_where_all_are_refused_the_error_names_each():
    link = PlayedLink(
        one=PlayedNode(proof(salt="4")), two=PlayedNode(proof(versions__Python="3.12"))
    )
    with pytest.raises(ClusterError, match=r"all nodes are refused.*salt.*3\.12 there, 3\.11 here"):
        nodes(link).__enter__()
    assert link.closed
    assert not [what for _, what, _ in link.asked if what == "examine"]


def test_rungs_are_not_mixed():
    link = PlayedLink(worse=PlayedNode(proof(B)), better=PlayedNode(proof(A)))
    with nodes(link) as (opened, said):
        assert opened.confinement == A
        wait_for(lambda: len(said) == 2)
        assert any(f"worse) is refused: it confines student code by {B}" in line for line in said)
    link = PlayedLink(worse=PlayedNode(proof(B), lambda s: examined(B)), better=PlayedNode())
    with nodes(link, rung="B") as (opened, said):
        assert opened.submit(describe, WEEK).result(5).confinement == B
        [job] = hand_in(opened, "ada").values()
        job.result(5)
    assert any("rung B is asked for" in line for line in said)
    assert link.examined_on("ada") == ["worse"]


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, marker: str):
        self.marker = marker

    def __reduce__(self):
        import os

        return os.mkdir, (self.marker,)


@pytest.mark.parametrize(
    "kind", ["pickle", "other rung", "other check", "twice", "text", "not bytes", "nothing"]
)
def test_what_is_no_answer_is_not_taken_and_its_node_not_used_again(kind, tmp_path):
    marker = tmp_path / "unpickled"
    answers: dict[str, Any] = {
        "pickle": pickle.dumps(Bomb(str(marker))),
        "other rung": examined(B),
        "other check": examined(results=[CheckResult("two", Verdict.PASS, 10_000)]),
        "twice": examined(results=[RESULT, RESULT]),
        "text": exchange.answer("done", A, messages.written("text", 0, text="x")),
        "not bytes": Bomb(str(marker)),
        "nothing": b"",
    }
    link = PlayedLink(bad=PlayedNode(examine=lambda student: answers[kind]))
    with nodes(link) as (opened, said):
        [job] = hand_in(opened, "ada").values()
        wait_for(lambda: any("refused" in line for line in said))
        link.nodes["good"] = PlayedNode()
        assert job.result(5)[0].results == [RESULT]
    assert not marker.exists()
    assert link.examined_on("ada") == ["bad", "good"]


def test_a_node_that_lacks_our_code_is_refused_with_the_remedy():
    class Foreign(PlayedLink):
        def ask(self, address: str, what: str, body: bytes) -> Future[Any]:
            request: Future[Any] = Future()
            request.set_exception(ModuleNotFoundError("No module named 'autograder'"))
            return request

    with pytest.raises(ClusterError, match=r"No module named 'autograder'\)\. Start it in the"):
        nodes(Foreign(one=PlayedNode())).__enter__()


def test_a_proof_that_is_none_is_refused(tmp_path):
    marker = tmp_path / "unpickled"
    forged = json.loads(exchange.read_answer(proof()).body)
    forged["weeks"][0]["parts"]["salt"] = "456"  # the plan's fingerprint is another one
    told = (0).to_bytes(4, "big") + json.dumps(forged).encode()
    link = PlayedLink(
        good=PlayedNode(),
        bomb=PlayedNode(pickle.dumps(Bomb(str(marker)))),
        forged=PlayedNode(exchange.answer("done", A, told)),
        weeks=PlayedNode(exchange.answer("done", A, messages.written("proof", 0, host="x"))),
    )
    with nodes(link) as (_, said):
        wait_for(lambda: sum("refused" in line for line in said) == 3)
    assert not marker.exists()


def test_a_job_that_fails_is_tried_elsewhere_and_a_node_where_all_fail_is_left():
    link = PlayedLink(full=PlayedNode(examine=lambda student: failed()))
    with nodes(link) as (opened, said):
        jobs = hand_in(opened, *(f"s{number}" for number in range(8)))
        wait_for(lambda: link.examined_on("s1"))
        link.nodes["good"] = PlayedNode()
        ended = [job.exception(5) for job in jobs.values()]
    assert any("5 jobs in a row failed there" in line for line in said)
    assert sum(error is None for error in ended) >= 6
    assert all(isinstance(error, CantExamineError) for error in ended if error)


def test_a_job_that_fails_everywhere_is_our_fault_after_a_few_attempts():
    fails = PlayedNode(examine=lambda s: failed("no memory") if s == "ada" else examined())
    with nodes(PlayedLink(one=fails, two=fails)) as (opened, _):
        jobs = hand_in(opened, "ada", "bob")
        with pytest.raises(CantExamineError, match=r"on node .*: no memory"):
            jobs["ada"].result(5)
        jobs["bob"].result(5)


def test_without_any_node_it_says_so_waits_and_ends():
    with pytest.raises(ClusterError, match=r"no node that may grade in 0\.005 minutes"):
        nodes(PlayedLink(), wait_minutes=0.005).__enter__()
    link = PlayedLink(one=PlayedNode(examine=lambda student: None))
    with nodes(link, wait_minutes=0.01) as (opened, said):
        jobs = hand_in(opened, "ada", "bob")
        wait_for(lambda: link.examined_on("ada"))
        del link.nodes["one"]
        for job in jobs.values():
            with pytest.raises(ClusterError, match="no node that may grade"):
                job.result(5)
        assert any("No node is there. 2 job(s) wait" in line for line in said)
        with pytest.raises(ClusterError):
            hand_in(opened, "cem")["cem"].result(5)


def test_a_busy_node_is_asked_again():
    link = PlayedLink(one=PlayedNode(exchange.answer("busy")))
    threading.Timer(0.1, lambda: setattr(link.nodes["one"], "proof", proof())).start()
    with nodes(link) as (opened, said):
        assert opened.places == 1
    assert sum("still grades for another run" in line for line in said) == 1


def test_given_up_jobs_are_cancelled_and_nodes_told():
    link = PlayedLink(one=PlayedNode(examine=lambda student: None))
    with suppress(KeyboardInterrupt), nodes(link) as (opened, _):
        jobs = hand_in(opened, "ada", "bob")
        wait_for(lambda: link.examined_on("ada"))
        raise KeyboardInterrupt
    for job in jobs.values():
        with pytest.raises(CancelledError):
            job.result(5)
    assert link.ended == ["one"]
    with pytest.raises(RuntimeError, match="has ended"):
        hand_in(opened, "cem")


def test_what_is_asked_of_nodes_holds_nothing_secret():
    """Paths, names of data sets and the submission: no test, no solution, no salt."""
    link = PlayedLink(one=PlayedNode())
    with nodes(link) as (opened, _):
        hand_in(opened, "ada")["ada"].result(5)
    begin, job = (fields for _, _, fields in link.asked)
    run = begin.pop("run")
    assert begin == {
        "course": "",
        "datasets": {WEEK: None},
        "unconfined": False,
        "packages": [],
        "places": 1,
    }
    assert job == {
        "run": run,
        "function": "autograder.grading.operations:examine_submission",
        "week": WEEK,
        "submission": {"student": "ada", "files": {"double.py": b"x"}, "refusal": None},
    }
