"""What nobody handed in is worth nothing, and is not waited for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autograder.course import Course, Item
from autograder.course.scoring import (
    NOT_GRADED_YET,
    PENDING_GPU,
    TO_BE_MARKED,
    ItemScore,
    StudentScore,
)
from autograder.gradebook.journal import Receipt
from autograder.gradebook.looked_up import documents_for

NOTHING_HANDED_IN = "nothing was handed in for this"


def without_waiting(
    course: Course, score: StudentScore, receipts: Mapping[int, Receipt | None]
) -> StudentScore:
    """Return a score in which what wasn't handed in has 0 points for good, and says why.

    `receipts` has the student's latest submission of each week. That is a manual item without any
    of the documents by which it is marked, and all of a week of which the gradebook has nothing
    while it knows the student. What is marked by no document, an oral examination say, waits.
    """
    items = {item.id: item for item in course.items()}

    def settled(one: ItemScore) -> ItemScore:
        item = items[one.id]
        if one.pending and receipts and _is_missing(course, item, one, receipts.get(item.week)):
            return replace(one, pending=False, reason=NOTHING_HANDED_IN)
        return one

    return score.with_items(settled)


def _is_missing(course: Course, item: Item, one: ItemScore, receipt: Receipt | None) -> bool:
    if one.reason == TO_BE_MARKED:
        documents = documents_for(course, item)
        return bool(documents) and not (receipt and set(documents) & receipt.documents.keys())
    return receipt is None and one.reason in (NOT_GRADED_YET, PENDING_GPU)
