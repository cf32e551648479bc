"""The main job: plan, run, record. Reading it top to bottom is reading what grading does.

A job is one student's submission of one week. Jobs run on anything shaped like
`concurrent.futures.Executor`. Student code runs in sandboxes that the jobs' examiners start; the
gradebook has one writer, this process.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.gradebook.flags import Examined
from autograder.gradebook.journal import Gradebook, Job
from autograder.grading.absent import record_absent
from autograder.records import CheckResult, PlannedCheck, Submission, Verdict

ONE_THREAD = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Setting:
    """What a grading run is made with.

    `datasets` names the data of a week's accuracy threshold, by the week's number; `packages` what
    the weeks' sandboxes hold on top of numpy.
    """

    root: Path
    datasets: Mapping[int, str | None]
    unconfined: bool = False
    packages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far a run is: jobs done out of all, and the one just finished."""

    done: int
    total: int
    student: str = ""
    week: int = 0


def grade_class(
    course: Course,
    setting: Setting,
    taken: Mapping[int, Sequence[Submission]],
    gradebook: Gradebook,
    jobs: int,
    report: Callable[[Progress], None],
    pool: Executor | None = None,
) -> None:
    """Grade what a class handed in, by the week's number; keep each result once it is there.

    Submissions whose results are in the gradebook already are not run again. A submission that
    brings down its examiner is graded once more by a fresh one, then recorded as our fault.
    `pool` is one of `open_pool` for the same setting, which stays open; without it there are `jobs`
    processes for this run alone.
    """
    data = ", ".join(sorted({name for name in setting.datasets.values() if name})) or "none"
    with nullcontext(pool) if pool else open_pool(setting, jobs) as pool:
        plans = _plans(sorted(taken), pool)
        machine = next(iter(plans.values()))
        gradebook.start_run(machine.confinement, data, course.salt, machine.versions)
        todo: Todo = []
        for week, plan in plans.items():
            gradebook.add_submissions(taken[week], week)
            record_absent(course.week(week), taken[week], gradebook)
            todo += _plan(taken[week], week, plan, gradebook)
        total = sum(map(len, taken.values()))
        before = total - len(todo)
        report(Progress(before, total))
        for done, (job, found, seconds) in enumerate(_run(todo, pool, setting), start=1):
            results = _complete(plans[job.week].checks, found.results)
            gradebook.record(job.key, results, seconds, found.flags)
            report(Progress(before + done, total, job.student, job.week))
    gradebook.finish_run()


@dataclass(frozen=True)
class Plan:
    """What a week's examiner will check, and what its results depend on."""

    checks: list[PlannedCheck]
    fingerprint: str
    confinement: str
    versions: dict[str, str]


Todo = list[tuple[Job, Submission]]
Ended = tuple[Job, Examined, float]


def _plans(weeks: Sequence[int], pool: Executor) -> dict[int, Plan]:
    """Return the plan of each week, made by examiners side by side."""
    futures = {week: pool.submit(describe, week) for week in weeks}
    return {week: future.result() for week, future in futures.items()}


def _plan(taken: Sequence[Submission], week: int, plan: Plan, gradebook: Gradebook) -> Todo:
    """Fix the checks of every submission before any of them runs; return what is to be run."""
    todo: Todo = []
    for submission in taken:
        parts = (submission.student, str(week), submission.fingerprint, plan.fingerprint)
        key = hashlib.sha256("\0".join((*parts, submission.refusal or "")).encode()).hexdigest()
        job = Job(key, submission.student, week, submission.fingerprint, plan.confinement)
        gradebook.plan(job, plan.checks)
        if not gradebook.finished(key):
            todo.append((job, submission))
    return todo


def _run(todo: Todo, pool: Executor, setting: Setting) -> Iterator[Ended]:
    """Yield each job's results as it ends."""
    futures: dict[Future, tuple[Job, Submission]] = {
        pool.submit(examine_submission, submission, job.week): (job, submission)
        for job, submission in todo
    }
    lost: Todo = []
    try:
        for future in as_completed(futures):
            job, submission = futures[future]
            try:
                found, seconds = future.result()
            except BrokenProcessPool:
                lost.append((job, submission))
                continue
            yield job, found, seconds
    except BaseException:
        for future in futures:
            future.cancel()
        raise
    for job, submission in lost:
        yield _once_more(job, submission, setting)


def _once_more(job: Job, submission: Submission, setting: Setting) -> Ended:
    """Examine a submission in a pool of its own, after an examiner was lost with it or near it."""
    with open_pool(setting, 1) as pool:
        try:
            return job, *pool.submit(examine_submission, submission, job.week).result()
        except BrokenProcessPool:
            return job, Examined([]), 0.0


def _complete(plan: Sequence[PlannedCheck], results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return a record for each planned check: what is missing is our fault, never a pass."""
    known = {result.check: result for result in results}
    lost = "The grader lost this check's result; it has to be graded again."
    return [
        known.get(check.id) or CheckResult(check.id, Verdict.INFRA, message=lost) for check in plan
    ]


# What runs in the processes of the pool. Each has one examiner a week, made when first needed.

_setting: Setting | None = None
_slots: multiprocessing.queues.Queue | None = None  # type: ignore[name-defined]
_confinement: Any = None
_examiners: dict[int, Any] = {}


def open_pool(setting: Setting, jobs: int, first_slot: int = 0) -> ProcessPoolExecutor:
    """Return a pool of examiners, each with a slot (a uid of its own, where we are root).

    They are forked from a server process that has loaded what they need and runs one thread.
    Slots are counted from `first_slot`: two pools at a time must not share any.
    """
    os.environ.update(dict.fromkeys(ONE_THREAD, "1"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["autograder.grading.examiner"])
    slots = context.Queue()
    for slot in range(first_slot, first_slot + jobs):
        slots.put(slot)
    return ProcessPoolExecutor(jobs, context, begin, (setting, slots))


def begin(setting: Setting, slots: multiprocessing.queues.Queue) -> None:  # type: ignore[name-defined]
    """Make this process one of examiners; `slots` has one for it."""
    global _setting, _slots
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the main process to handle
    _setting, _slots = setting, slots


def confinement_here() -> Any:
    """Return what confines student code in this process of a pool; made when first needed.

    Raises NotConfinedError where this machine can't confine it.
    """
    global _confinement
    from autograder.sandbox import Unconfined
    from autograder.sandbox.choose import choose
    from autograder.sandbox.starter import separate

    assert _setting is not None
    assert _slots is not None
    if _confinement is None:
        slot = _slots.get(timeout=60)
        if _setting.unconfined:
            _confinement = Unconfined()
        else:
            _confinement = choose(slot, _setting.packages)
            if os.geteuid() == 0:  # what decodes strangers' answers needs none of root's rights
                _confinement = separate(_confinement, slot)
        # Not before: giving up root takes a process of one thread.
        threading.Thread(target=_end_with_parent, daemon=True, name="parent").start()
    return _confinement


def _end_with_parent() -> None:
    """End this process when the one that opened the pool is gone, however it went."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _examiner_of(week: int) -> Any:
    """Return this process's examiner of a week."""
    from autograder.grading.examiner import Examiner

    assert _setting is not None
    confinement = confinement_here()
    if week not in _examiners:
        dataset = _setting.datasets.get(week)
        _examiners[week] = Examiner(_setting.root, week, confinement, dataset)
    return _examiners[week]


def describe(week: int) -> Plan:
    """Return what this process's examiner of a week will check."""
    import platform

    import numpy

    examiner = _examiner_of(week)
    versions = {"python": platform.python_version(), "numpy": numpy.__version__}
    return Plan(examiner.plan, examiner.fingerprint, examiner.confinement.name, versions)


def examine_submission(
    submission: Submission, week: int, report: Callable[[CheckResult], None] | None = None
) -> tuple[Examined, float]:
    """Examine one submission; what goes wrong on our side is recorded as ours.

    `report` gets each result as it is there, see Examiner.examine.
    """
    from autograder.grading.examiner import infra, refused

    examiner = _examiner_of(week)
    started = time.perf_counter()
    if submission.refusal is not None:
        return Examined(refused(examiner.plan, submission.refusal)), 0.0
    try:
        found = examiner.examine(submission.files, report)
    except Exception as error:  # noqa: BLE001 - a mistake of ours must not stop the class
        found = Examined(infra(examiner.plan, f"{type(error).__name__}: {error}"))
    return found, time.perf_counter() - started
