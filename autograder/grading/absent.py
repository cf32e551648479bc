"""Records for those who handed in no project that the training job has nothing to run."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from autograder.course import Week
from autograder.gradebook.journal import TRAINING, Gradebook
from autograder.gradebook.journal import GradingJob as Entry
from autograder.gradebook.submission import Submission
from autograder.grading.training_check import CHECK, planned_checks
from autograder.records import CheckResult, Verdict


def record_absent(week: Week, taken: Iterable[Submission], gradebook: Gradebook) -> None:
    """Record for those who handed in no project that there is nothing to train."""
    for one in taken:
        if one.files or one.refusal or week.job is None:
            continue
        key = hashlib.sha256("\0".join(("absent", week.id, one.student)).encode()).hexdigest()
        entry = Entry(key, one.student, week.number, one.fingerprint, "none", TRAINING)
        gradebook.plan(entry, planned_checks(week))
        if not gradebook.finished(key):
            message = "No project was handed in."
            gradebook.record(key, [CheckResult(CHECK, Verdict.NOT_ATTEMPTED, message=message)], 0)
