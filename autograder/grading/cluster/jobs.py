"""What a pool of nodes keeps of its nodes and jobs, and which job goes where next.

A job that was on a node when that was lost is a suspect: it may have ended the node itself. No
two suspects share a node, and they run last, so a job that ends nodes soon fails alone, after
ATTEMPTS, while jobs that only were beside it are done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from autograder.gradebook.submission import Submission
from autograder.grading.cluster.admission import Proved

ATTEMPTS = 3
"""Maximum number of attempts at a job: losses of its node, and failures of examiners."""

FAILURES_IN_A_ROW = 5
"""A node on which so many jobs in a row fail is used no longer."""


class JobFuture(Future[Any]):
    """The outcome of a job; `node` is the name of the node where it is, "" while it waits."""

    node: str = ""


@dataclass(eq=False)
class Job:
    """A submission to be examined; `function` is the operation's name, "module:name".

    `lost` and `failed` are numbers of attempts that ended with the loss of the node, and with a
    failure of its examiner; `tried` are the addresses of nodes where it failed.
    """

    function: str
    submission: Submission
    week: int
    future: JobFuture = field(default_factory=JobFuture)
    lost: int = 0
    failed: int = 0
    tried: set[str] = field(default_factory=set)

    @property
    def is_suspect(self) -> bool:
        """Whether a node was lost with it."""
        return self.lost > 0


class NodeState(StrEnum):
    """What the pool knows of a node."""

    ASKED = "asked"
    BUSY = "busy"
    PROVED = "proved"
    ADMITTED = "admitted"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(eq=False)
class Node:
    """A node: `running` are its jobs by the requests that carry them.

    `heard` is when the scheduler last heard of it, by its clock; `changed` when that changed, by
    this machine's; `asked` the request for its proof.
    """

    address: str
    name: str
    threads: int
    heard: float
    changed: float
    state: NodeState = NodeState.ASKED
    asked: Future[Any] | None = None
    ask_again: float = 0.0
    was_busy: bool = False
    proved: Proved | None = None
    running: dict[Future[Any], Job] = field(default_factory=dict)
    failures: int = 0

    @property
    def free(self) -> int:
        """Number of jobs that it can take now."""
        if self.state is not NodeState.ADMITTED or self.proved is None:
            return 0
        return self.proved.places - len(self.running)

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name else self.address


def next_for(waiting: Iterable[Job], nodes: Collection[Node]) -> tuple[Job, Node] | None:
    """Return the next job that can run, and where; None if nothing can.

    Fresh jobs go before suspects; each goes to the node with most free places.
    """
    free = sorted((node for node in nodes if node.free > 0), key=lambda node: -node.free)
    if not free:
        return None
    for job in sorted(waiting, key=lambda job: (job.is_suspect, job.failed)):
        for node in free:
            beside_suspect = any(other.is_suspect for other in node.running.values())
            if job.is_suspect and beside_suspect:
                continue
            if node.address in job.tried and not _tried_all(job, nodes):
                continue
            return job, node
    return None


def _tried_all(job: Job, nodes: Collection[Node]) -> bool:
    usable = {node.address for node in nodes if node.state is NodeState.ADMITTED}
    return usable <= job.tried


def by_node(nodes: Mapping[str, Node]) -> dict[NodeState, list[Node]]:
    """Return the nodes by their states."""
    found: dict[NodeState, list[Node]] = {state: [] for state in NodeState}
    for node in nodes.values():
        found[node.state].append(node)
    return found
