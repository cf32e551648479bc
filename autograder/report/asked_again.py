"""Items whose mark is for an answer that was replaced since: a person is asked again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from autograder.course.scoring import ItemScore, StudentScore

TO_BE_MARKED_AGAIN = "to be marked again: what was handed in for it was replaced since"


def asked_again(score: StudentScore, items: Collection[str]) -> StudentScore:
    """Return a score in which these items are pending; their points stay until then."""

    def item(one: ItemScore) -> ItemScore:
        if one.id not in items or one.pending:
            return one
        return replace(one, pending=True, reason=TO_BE_MARKED_AGAIN)

    return score.with_items(item)
