"""A pool of nodes behind the interface of `concurrent.futures.Executor`.

One thread decides everything: it hears of nodes, of requests and of jobs by events, admits or
refuses nodes, and sends each job to a node with a free place. A job whose node is lost runs again
on another one. Answers are taken only for the request that is current, so a node that comes back
can't give a second result.
"""

from __future__ import annotations

import queue
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from functools import partial
from types import TracebackType
from typing import Any

from autograder.errors import AutograderError, CantExamineError
from autograder.grading import messages
from autograder.grading.cluster import exchange
from autograder.grading.cluster.admission import PartsOf, best, proved, why_not
from autograder.grading.cluster.jobs import (
    ATTEMPTS,
    FAILURES_IN_A_ROW,
    Job,
    Node,
    NodeState,
    by_node,
    next_for,
)
from autograder.grading.cluster.link import Link, Seen
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.grading.examiner_process import LostError
from autograder.grading.operations import Plan
from autograder.grading.pool import examined_of
from autograder.grading.setting import Setting
from autograder.text.display import one_line

LOOK_SECONDS = 0.5
"""Time between two looks at which nodes there are."""

GRACE_SECONDS = 5.0
"""Nodes that start together don't appear together: so long no decision is made without the rest."""

PATIENCE_SECONDS = 3.0
"""Time without any node until that is said."""

ASK_AGAIN_SECONDS = 5.0
"""Time until a node that grades for another run is asked again."""


class ClusterPool(Executor):
    """Examiners of the nodes of a cluster.

    `link` is closed with it; `parts` says what results depend on here; `say` prints a line. Raises
    ClusterError if there is no node that may grade.
    """

    def __init__(
        self,
        link: Link,
        setting: Setting,
        cluster: ClusterSetting,
        parts: PartsOf,
        say: Callable[[str], None],
    ):
        self._link, self._setting, self._cluster = link, setting, cluster
        self._parts, self._say = parts, say
        self._run = uuid.uuid4().hex
        self._begin = exchange.request(
            run=self._run,
            course=cluster.course or "",
            datasets=dict(setting.datasets),
            unconfined=setting.unconfined,
            packages=list(setting.packages),
        )
        self._nodes: dict[str, Node] = {}
        self._waiting: deque[Job] = deque()
        self._plans: dict[int, Plan] = {}
        self.confinement = ""
        """The name of what confines student code on every node that is used."""
        self._error: AutograderError | None = None
        self._refusals: list[str] = []
        self._began = time.monotonic()
        self._alone_since: float | None = self._began
        self._told_alone = False
        self._events: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._ready, self._ended = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=target, name=name, daemon=True)
            for name, target in {"nodes": self._decide, "look": self._look}.items()
        ]
        for thread in self._threads:
            thread.start()
        try:
            self._ready.wait()
            if self._error is not None:
                raise self._error
        except BaseException:
            self.give_up()
            raise

    @property
    def places(self) -> int:
        """Number of jobs that run at a time now."""
        nodes = list(self._nodes.values())
        return sum(n.proved.places for n in nodes if n.proved and n.state is NodeState.ADMITTED)

    @property
    def names(self) -> list[str]:
        """The names of the nodes that are used now."""
        nodes = list(self._nodes.values())
        return sorted(node.name for node in nodes if node.state is NodeState.ADMITTED)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Have an operation done: `describe`, or one that examines a submission.

        The future raises CantExamineError if the examiners of ATTEMPTS nodes failed, its subclass
        LostError if so many nodes were lost with it, ClusterError if there is no node any more,
        and CancelledError if the pool was given up. Raises TypeError for other operations.
        """
        kind = getattr(fn, "operation", "")
        name = f"{fn.__module__}:{fn.__qualname__}"
        if self._ended.is_set():
            raise RuntimeError("this pool has ended")
        if kind == "described":
            plan: Future[Plan] = Future()
            plan.set_result(self._plans[args[0]])
            return plan
        if kind != "examined" or kwargs or len(args) != 2:
            raise TypeError(f"{name} is no operation of a node")
        job = Job(name, *args)
        self._events.put(partial(self._take, job))
        return job.future

    # The thread that decides, and the events that it hears of.

    def _decide(self) -> None:
        while True:
            try:
                event = self._events.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                event = self._send
            if event is None:
                return
            try:
                event()
                self._send()
                self._check_nodes()
            except AutograderError as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 - otherwise the run would wait for ever
                problem = f"the grader failed ({type(error).__name__}: {one_line(str(error))})"
                self._fail(ClusterError(problem, "This is a mistake of the grader's own"))

    def _look(self) -> None:
        """Tell the deciding thread again and again which nodes there are."""
        while not self._ended.wait(LOOK_SECONDS):
            try:
                self._events.put(partial(self._see, self._link.seen()))
            except (OSError, TimeoutError):
                self._events.put(partial(self._see, {}))
            except ClusterError as error:
                self._events.put(partial(self._fail, error))

    def _take(self, job: Job) -> None:
        if self._error is not None:
            job.future.set_exception(self._error)
        else:
            self._waiting.append(job)

    def _see(self, seen: dict[str, Seen]) -> None:
        """Take note of nodes that came, went, fell silent or were heard of again."""
        now, patience = time.monotonic(), self._cluster.silent_seconds
        for address in [address for address in self._nodes if address not in seen]:
            self._lose(self._nodes.pop(address), "is gone")
        for address, one in seen.items():
            node = self._nodes.get(address)
            if node is None:
                name = "" if one.name == address else one_line(one.name, 80)
                node = Node(address, name, one.threads, one.heard, now)
                self._nodes[address] = node
                self._ask(node)
                continue
            if node.heard != one.heard:
                node.heard, node.changed = one.heard, now
                if node.state is NodeState.SILENT:
                    self._ask(node)
            elif now - node.changed > patience and node.state is not NodeState.SILENT:
                self._lose(node, f"has been silent for {patience:.0f} s")
                node.state = NodeState.SILENT
            if node.state is NodeState.BUSY and now > node.ask_again:
                self._ask(node)

    def _ask(self, node: Node) -> None:
        """Ask a node for its proof."""
        node.state = NodeState.ASKED
        body = exchange.request(**messages.read_request(self._begin), places=node.threads)
        node.asked = self._link.ask(node.address, "begin", body)
        node.asked.add_done_callback(partial(self._post, self._hear_proof, node))

    def _post(
        self, hear: Callable[[Node, Future[Any]], None], node: Node, request: Future[Any]
    ) -> None:
        """Tell the deciding thread, from another one, that a request has ended."""
        self._events.put(partial(hear, node, request))

    def _hear_proof(self, node: Node, asked: Future[Any]) -> None:
        if node.asked is not asked:
            return  # the node is gone, or was asked again
        node.asked = None
        try:
            answer = exchange.read_answer(_outcome(asked))
            if answer.state == "busy":
                node.state = NodeState.BUSY
                node.ask_again = time.monotonic() + ASK_AGAIN_SECONDS
                if not node.was_busy:
                    node.was_busy = True
                    self._say(f"Node {node} still grades for another run: it is asked again.")
                return
            proof = exchange.read_proof(answer.body)
        except (ValueError, LostError) as error:
            self._refuse(node, str(error))
            return
        if isinstance(proof, exchange.Unready):
            self._refuse(node, str(AutograderError(proof.problem, proof.remedy)))
            return
        if proof.host not in node.name:
            node.name = f"{proof.host} {node.name}".strip()
        found = proved(proof, list(self._setting.datasets), self._parts)
        if isinstance(found, str):
            self._refuse(node, found)
            return
        node.proved, node.state = found, NodeState.PROVED
        self._admit()

    def _admit(self) -> None:
        """Admit nodes that proved themselves; the first time, choose the confinement."""
        states = by_node(self._nodes)
        ready = [node for node in states[NodeState.PROVED] if node.proved is not None]
        if not self.confinement:
            waited = time.monotonic() - self._began > GRACE_SECONDS
            rung = self._cluster.rung
            usable = [n.proved for n in ready if n.proved and rung in (None, n.proved.rung)]
            if usable and (waited or not states[NodeState.ASKED]):
                self.confinement = best(usable)
                self._plans = dict(
                    next(one for one in usable if one.confinement == self.confinement).plans
                )
        for node in ready:
            assert node.proved is not None
            rung = self._cluster.rung
            if not self.confinement and (rung is None or node.proved.rung == rung):
                continue
            problem = why_not(node.proved, self.confinement, self._plans, rung)
            if problem:
                self._refuse(node, problem)
                continue
            node.state = NodeState.ADMITTED
            node.failures = 0
            self._say(f"Node {node}: {node.proved.places} at a time, rung {self.confinement}.")
        if self.confinement and self.places:
            self._ready.set()

    def _refuse(self, node: Node, problem: str) -> None:
        node.state = NodeState.REFUSED
        self._again(node)
        self._refusals.append(f"{node}: {problem}")
        self._say(f"Node {node} is refused: {one_line(problem, 1_000)}")

    def _lose(self, node: Node, what: str) -> None:
        """Give up on a node for now: its jobs run again."""
        if node.asked is not None:
            node.asked.cancel()
            node.asked = None
        count = len(node.running)
        for job in node.running.values():
            job.lost += 1
        self._again(node)
        if node.state in (NodeState.ADMITTED, NodeState.SILENT):
            jobs = f"; {count} job(s) that ran there run again" if count else ""
            self._say(f"Node {node} {what}{jobs}.")

    def _again(self, node: Node) -> None:
        """Put a node's jobs back among those that wait, or end those that were tried enough."""
        running, node.running = node.running, {}
        for request, job in running.items():
            request.cancel()
            self._put_back(job)

    def _put_back(self, job: Job, problem: str = "") -> None:
        job.future.node = ""
        if job.lost + job.failed < ATTEMPTS:
            self._waiting.append(job)
        elif job.lost:
            problem = f"{job.lost} nodes were lost while this ran"
            job.future.set_exception(LostError(problem, "The same command tries it again"))
        else:
            job.future.set_exception(CantExamineError(problem))

    # Jobs.

    def _send(self) -> None:
        """Send out what can run."""
        if not self._ready.is_set():
            self._admit()
        while (found := next_for(self._waiting, self._nodes.values())) is not None:
            job, node = found
            self._waiting.remove(job)
            if not job.future.running() and not job.future.set_running_or_notify_cancel():
                continue
            job.future.node = node.name
            body = exchange.request(
                run=self._run,
                function=job.function,
                week=job.week,
                submission={
                    "student": job.submission.student,
                    "files": dict(job.submission.files),
                    "refusal": job.submission.refusal,
                },
            )
            request = self._link.ask(node.address, "examine", body)
            node.running[request] = job
            request.add_done_callback(partial(self._post, self._hear, node))

    def _hear(self, node: Node, request: Future[Any]) -> None:
        """Take the answer to a job, if it is still asked for."""
        job = node.running.pop(request, None)
        if job is None:
            return
        try:
            raw = _outcome(request)
        except LostError:  # the connection broke, or the node was restarted
            job.lost += 1
            self._put_back(job)
            return
        try:
            answer = exchange.read_answer(raw)
            if answer.state != "done":
                job.lost += 1
                self._put_back(job)
                if node.state is NodeState.ADMITTED:
                    self._lose(node, "began anew")
                    self._ask(node)
                return
            message = messages.read(answer.body)
            plan = self._plans[job.week]
            if isinstance(message, messages.Failed):
                self._failed(node, job, str(AutograderError(message.problem, message.remedy)))
                return
            if not isinstance(message, messages.Done):
                raise ValueError("it answered something else than was asked")
            if answer.confinement != plan.confinement:
                raise ValueError("its confinement changed")
            outcome = examined_of(message, {check.id for check in plan.checks})
        except ValueError as error:
            job.failed += 1
            job.tried.add(node.address)
            self._put_back(job, f"node {node}: {error}")
            self._refuse(node, str(error))
            return
        node.failures = 0
        job.future.set_result(outcome)

    def _failed(self, node: Node, job: Job, problem: str) -> None:
        """Try a job elsewhere whose examiner failed; use a node no longer where all do."""
        self._say(f"Node {node}: a submission could not be examined: {one_line(problem, 500)}")
        job.failed += 1
        job.tried.add(node.address)
        node.failures += 1
        self._put_back(job, f"on node {node}: {problem}")
        if node.failures >= FAILURES_IN_A_ROW and node.state is NodeState.ADMITTED:
            self._refuse(node, f"{node.failures} jobs in a row failed there")

    # The end.

    def _check_nodes(self) -> None:
        """End the run if no node has been there for long, or none that is may grade."""
        states = by_node(self._nodes)
        now = time.monotonic()
        if states[NodeState.ADMITTED]:
            self._alone_since, self._told_alone = None, False
            return
        if self._alone_since is None:
            self._alone_since = now
        alone = now - self._alone_since
        hope = states[NodeState.ASKED] or states[NodeState.BUSY] or states[NodeState.PROVED]
        refused = states[NodeState.REFUSED]
        none_can = bool(refused) and len(refused) == len(self._nodes)
        if none_can and alone > GRACE_SECONDS and self._cluster.kind is None:
            raise self._no_node("all nodes are refused")
        minutes = self._cluster.wait_minutes
        if alone > 60 * minutes:
            raise self._no_node(f"no node that may grade in {minutes:g} minutes")
        if not self._told_alone and not hope and alone > PATIENCE_SECONDS:
            self._told_alone = True
            left = f"{len(self._waiting)} job(s) wait" if self._ready.is_set() else "Waiting"
            self._say(f"No node is there. {left} for one, {minutes:g} minutes at most.")

    def _no_node(self, problem: str) -> ClusterError:
        why = list(dict.fromkeys(self._refusals))
        told = "".join(f"; {one_line(text, 1_000)}" for text in why)
        remedy = "Start nodes that are as this machine is; the same command goes on"
        return ClusterError(f"{problem}{told}", remedy)

    def _fail(self, error: AutograderError) -> None:
        """Let all that waits or runs end with this error."""
        self._error = self._error or error
        jobs = [*self._waiting]
        self._waiting.clear()
        for node in self._nodes.values():
            for request, job in node.running.items():
                request.cancel()
                jobs.append(job)
            node.running = {}
        for job in jobs:
            if job.future.running() or job.future.set_running_or_notify_cancel():
                job.future.set_exception(self._error)
        self._ready.set()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End now. Jobs that have not ended raise CancelledError: wait for them before."""
        if self._ended.is_set():
            return
        self._ended.set()
        self._events.put(None)
        for thread in self._threads:
            thread.join()
        # The threads have ended: nobody else uses nodes and jobs now.
        self._fail_cancelled()
        try:
            begun = [n.address for n in self._nodes.values() if n.state is not NodeState.SILENT]
            if begun:
                self._link.end(begun, self._run)
        finally:
            self._link.close()

    def _fail_cancelled(self) -> None:
        for node in self._nodes.values():
            for request, job in node.running.items():
                request.cancel()
                job.future.set_exception(CancelledError())
            if node.asked is not None:
                node.asked.cancel()
        for job in self._waiting:
            if not job.future.running():
                job.future.cancel()
            else:
                job.future.set_exception(CancelledError())

    def give_up(self) -> None:
        """Stop all jobs now; their futures raise CancelledError."""
        self.shutdown()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        self.shutdown()
        return None


def _outcome(request: Future[Any]) -> Any:
    """Return a request's outcome. Raises LostError if there is none."""
    try:
        return request.result()
    except CancelledError:
        raise LostError("the connection to it broke") from None
    except Exception as error:  # noqa: BLE001 - whatever Dask or the node's Python had to say
        text = f"{type(error).__name__}: {one_line(str(error), 300)}"
        remedy = ""
        if isinstance(error, ModuleNotFoundError):
            remedy = "Start it in the course's repository, with its Python"
        raise LostError(f"it can't run our code ({text})", remedy) from None
