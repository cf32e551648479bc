"""Choosing the graded branch among the refs that a push changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autograder.integrations.git import Repository
from autograder.integrations.push.spool import RefChange
from autograder.text.display import one_line

HEADS = "refs/heads/"
FEEDBACK_BRANCH = "grades"
"""The branch that the service writes feedback to."""

USUAL_BRANCHES = ("main", "master")


@dataclass(frozen=True)
class GradedChange:
    """The change to be graded, None where there is none, and remarks for the pusher."""

    change: RefChange | None
    remarks: tuple[str, ...]


def choose(
    repository: Repository, branch: str | None, changes: Sequence[RefChange]
) -> GradedChange:
    """Return the change of the graded branch: `branch`, or the one that HEAD names.

    Where HEAD names a branch that nobody has pushed yet, it is set to the first branch pushed:
    main, master, or the only one. Raises GitError where git fails.
    """
    graded = HEADS + branch if branch else _head(repository, changes)
    remarks = []
    others = [
        _name(change.ref)
        for change in changes
        if change.ref not in (graded, HEADS + FEEDBACK_BRANCH)
    ]
    if graded is None:
        names = " or ".join(USUAL_BRANCHES)
        remarks.append(f"Nothing is graded: it is not clear which branch counts. Push {names}.")
    elif others:
        shown = ", ".join(others[:3]) + (f" and {len(others) - 3} more" if others[3:] else "")
        remarks.append(f"Not graded: {shown}. Only the branch {_name(graded)} counts.")
    if any(change.ref == HEADS + FEEDBACK_BRANCH for change in changes):
        remarks.append(
            f"The branch {FEEDBACK_BRANCH} is the grader's: it is written anew each time."
        )
    chosen = next((change for change in changes if change.ref == graded), None)
    if chosen is not None and not chosen.new.strip("0"):
        remarks.append(f"{_name(chosen.ref)} was deleted: nothing is graded, earlier grades stay.")
        chosen = None
    return GradedChange(chosen, tuple(remarks))


def is_rewrite(repository: Repository, change: RefChange) -> bool:
    """Whether a push removed commits from the branch."""
    if not change.old.strip("0"):
        return False
    return not repository.tip(change.old) or not repository.contains(change.new, change.old)


def _head(repository: Repository, changes: Sequence[RefChange]) -> str | None:
    head = repository.head()
    pushed = [c.ref for c in changes if c.ref.startswith(HEADS) and c.new.strip("0")]
    if head is None or head in pushed or repository.tip(head):
        return head
    if any(change.ref == head for change in changes):
        return head  # it was deleted just now
    usual_refs = [HEADS + name for name in USUAL_BRANCHES if HEADS + name in pushed]
    first = usual_refs[:1] or (pushed if len(pushed) == 1 else [])
    if not first or first == [HEADS + FEEDBACK_BRANCH]:
        return None
    repository.point_head_at(first[0])
    return first[0]


def _name(ref: str) -> str:
    return one_line(ref.removeprefix(HEADS), 60)
