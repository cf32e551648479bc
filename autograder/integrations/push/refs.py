"""Which of the refs that a push changed counts, and what is said about the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.integrations.git import Repository
from autograder.integrations.push.spool import Change
from autograder.text.display import one_line

HEADS = "refs/heads/"
GRADES = "grades"
"""The branch that the service writes feedback to."""

USUAL = ("main", "master")


@dataclass(frozen=True)
class Chosen:
    """The change that is graded, None where there is none; and sentences for who pushed."""

    change: Change | None
    remarks: tuple[str, ...]


def choose(repository: Repository, branch: str | None, changes: Sequence[Change]) -> Chosen:
    """Find the change of the branch that counts: `branch`, or the one that HEAD names.

    Where HEAD names one that nobody has pushed yet, the first branch to be pushed becomes it: main,
    master, or the only one. Raises GitError where git fails.
    """
    counts = HEADS + branch if branch else _head(repository, changes)
    remarks = []
    others = [_name(change.ref) for change in changes if change.ref not in (counts, HEADS + GRADES)]
    if counts is None:
        names = " or ".join(USUAL)
        remarks.append(f"Nothing is graded: it is not clear which branch counts. Push {names}.")
    elif others:
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        remarks.append(f"Not graded: {shown}. Only the branch {_name(counts)} counts.")
    if any(change.ref == HEADS + GRADES for change in changes):
        remarks.append(f"The branch {GRADES} is the grader's: it is written anew each time.")
    mine = next((change for change in changes if change.ref == counts), None)
    if mine is not None and not mine.new.strip("0"):
        remarks.append(f"{_name(mine.ref)} was deleted: nothing is graded, earlier grades stay.")
        mine = None
    return Chosen(mine, tuple(remarks))


def is_rewrite(repository: Repository, change: Change) -> bool:
    """Whether a push took away commits that were there before."""
    if not change.old.strip("0"):
        return False
    return not repository.tip(change.old) or not repository.contains(change.new, change.old)


def _head(repository: Repository, changes: Sequence[Change]) -> str | None:
    head = repository.head()
    pushed = [c.ref for c in changes if c.ref.startswith(HEADS) and c.new.strip("0")]
    if head is None or head in pushed or repository.tip(head):
        return head
    if any(change.ref == head for change in changes):
        return head  # it was deleted just now
    usual = [HEADS + name for name in USUAL if HEADS + name in pushed]
    first = usual[:1] or (pushed if len(pushed) == 1 else [])
    if not first or first == [HEADS + GRADES]:
        return None
    repository.point_head_at(first[0])
    return first[0]


def _name(ref: str) -> str:
    return one_line(ref.removeprefix(HEADS), 60)
