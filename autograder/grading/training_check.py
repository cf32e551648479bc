"""The one check of a training job, as it is planned and recorded."""

from __future__ import annotations

from autograder.course import Week
from autograder.records import PlannedCheck

CHECK = "training::accuracy"
TITLE = "Accuracy of the trained network"


def planned_checks(week: Week) -> list[PlannedCheck]:
    """Return what a job of this week checks."""
    return [PlannedCheck(CHECK, f"{week.id}.performance", TITLE)]
