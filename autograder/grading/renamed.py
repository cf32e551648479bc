"""The keys of jobs of a student who got another id, so that nothing is graded again for that."""

from __future__ import annotations

from autograder.gradebook.journal import PARTS, SUITE, Gradebook
from autograder.grading.fingerprint import digest, suite_key, training_key


def keys_for(gradebook: Gradebook, student: str) -> dict[str, str]:
    """Return the keys that a student's jobs have under the present id, by those they have still."""
    keys = {}
    for week in gradebook.weeks(student):
        for part in PARTS:
            for job in gradebook.jobs(week, part):
                if job.student != student:
                    continue
                depends = gradebook.dependencies(job.key)
                receipt = gradebook.submission(student, week, job.fingerprint)
                if depends is None or receipt is None:
                    continue  # it is graded again, and its results count until then
                if part == SUITE:
                    files, what = job.fingerprint, digest(depends)
                    keys[job.key] = suite_key(student, week, files, what, receipt.refusal)
                else:
                    keys[job.key] = training_key(student, part, job.fingerprint, depends)
    return keys
