"""The dependencies of a training job's result besides the submission: named parts with digests.

As for a suite (grading.fingerprint), a job's key is computed from all parts: the code that starts,
watches and measures a training, the week's own drivers and probes, its settings, the images, the
training parameters, the versions of the computing packages, and whether the project was confined.
The rung of confinement is not a part, so a training need not be repeated on another machine. Of the
hidden suite only the list of what is refused is a part, and nothing of the reference.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from autograder.gpu.job import Plan
from autograder.grading import fingerprint
from autograder.grading.fingerprint import CONFINEMENT, DATA, SALT, SETTINGS, WORKER, Parts
from autograder.suite.hidden.refused import FILE

TRAINS = ("autograder.gpu.job", "autograder.sandbox.choose")
COMPUTES = ("numpy", "msgpack")
NOT_OF_THE_JOB = frozenset(("title", "due", "documents", "notebooks", "student_tests", "data"))
"""Settings of a week in course.toml that no training depends on."""


def parts_of_job(root: Path, plan: Plan, *, confined: bool, home: Path = fingerprint.HOME) -> Parts:
    """Return the parts that the results of these jobs depend on.

    root: the course's repository; confined: whether projects run in a sandbox; home: where the
    code lies.
    """
    worker = fingerprint.worker_files(root, plan.week)
    parts = fingerprint.code(home, TRAINS, fingerprint.IN_SANDBOXES, worker.values())
    parts |= fingerprint.contents(worker)
    refused = root / "assignments" / plan.week.folder / "hidden" / FILE
    parts |= fingerprint.contents({f"{WORKER}: {FILE}": refused} if refused.is_file() else {})
    parts |= fingerprint.week_settings(plan.week, NOT_OF_THE_JOB)
    how = {"epochs": plan.epochs, "device": plan.device, "curve": plan.curve.curve}
    parts |= {f"{SETTINGS}: {name}": fingerprint.value(setting) for name, setting in how.items()}
    parts[SALT] = hashlib.sha256(str(plan.seed).encode()).hexdigest()[: fingerprint.DIGEST_LENGTH]
    parts[f"{DATA}: {plan.images.name}"] = plan.images.digest[: fingerprint.DIGEST_LENGTH]
    parts |= fingerprint.versions((*COMPUTES, *plan.week.packages))
    parts[CONFINEMENT] = "confined" if confined else "not confined"
    return parts
