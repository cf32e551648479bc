"""The grading of a class's submissions: plan all jobs, run them, record their results.

A job is one student's submission of one week. Jobs run on anything shaped like
`concurrent.futures.Executor` whose processes are set up by `operations.begin`; by default on a pool
of examiners of this machine. Student code runs in sandboxes that examiners start; the gradebook has
one writer, this process.
"""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType

from autograder.course import Course
from autograder.errors import CantExamineError
from autograder.gradebook.flags import Examined
from autograder.gradebook.heartbeat import RunningJob
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.grading import fingerprint
from autograder.grading.absent import record_absent
from autograder.grading.cluster.jobs import JobFuture
from autograder.grading.operations import Plan, describe, examine_submission
from autograder.grading.pool import note, open_pool
from autograder.grading.setting import Setting
from autograder.records import CheckResult, PlannedCheck, Verdict

LOST = "The grader lost this check's result; it has to be graded again."


BEAT_SECONDS = 1.0
"""Time between two looks at what is running."""


@dataclass(frozen=True)
class Progress:
    """Progress of a run: numbers of finished and of all jobs, and the job finished last.

    `left` is the number of jobs to be run still, by the week's number, and `with_files` that of
    those among them with files to examine.
    """

    done: int
    total: int
    student: str = ""
    week: int = 0
    seconds: float = 0.0
    left: Mapping[int, int] = field(default_factory=dict)
    with_files: Mapping[int, int] = field(default_factory=dict)


Watch = Callable[[Sequence[RunningJob]], None]
"""Gets the jobs that are running, at the beginning and then every BEAT_SECONDS or so."""


def grade_class(
    course: Course,
    setting: Setting,
    taken: Mapping[int, Sequence[Submission]],
    gradebook: Gradebook,
    jobs: int,
    report: Callable[[Progress], None],
    pool: Executor | None = None,
    watch: Watch = lambda running: None,
    left_out: Mapping[int, Sequence[Submission]] = MappingProxyType({}),
) -> None:
    """Grade a class's submissions, by the week's number; record each result at once.

    Submissions whose results are in the gradebook are not run again. A submission whose examiner is
    lost in all attempts gets INFRA results, and the next run tries it again. `pool` is an Executor
    for the same setting, which stays open; without it a pool of `jobs` processes is used for this
    run. Those `left_out` of the same weeks are only known from then on, as handed in and not graded
    yet. `report` and `watch` are called in this thread, after what they tell of is recorded. Raises
    CantExamineError if a week can't be graded, ClusterError if a cluster has no nodes any more.
    """
    data = ", ".join(sorted({name for name in setting.datasets.values() if name})) or "none"
    with nullcontext(pool) if pool else open_pool(setting, jobs) as pool:
        plans = _plans(sorted(taken), pool)
        machine = next(iter(plans.values()))
        gradebook.start_run(machine.confinement, data, course.salt, machine.versions)
        todo: Todo = []
        for week, plan in plans.items():
            gradebook.add_submissions([*taken[week], *left_out.get(week, ())], week)
            record_absent(course.week(week), taken[week], gradebook)
            depends = _parts(course, setting, week, plan)
            todo += _plan(taken[week], week, plan, depends, gradebook)
        total = sum(map(len, taken.values()))
        left = Counter(job.week for job, _ in todo)
        with_files = Counter(job.week for job, submission in todo if submission.files)
        report(Progress(total - len(todo), total, left=dict(left), with_files=dict(with_files)))
        for (job, submission), (examined, seconds) in _run(todo, pool, watch):
            results = _complete(plans[job.week].checks, examined.results)
            gradebook.record(job.key, results, seconds, examined.flags)
            left[job.week] -= 1
            with_files[job.week] -= bool(submission.files)
            ended = (job.student, job.week, seconds, dict(left), dict(with_files))
            report(Progress(total - left.total(), total, *ended))
    gradebook.finish_run()


Todo = list[tuple[GradingJob, Submission]]
Outcome = tuple[Examined, float]


def _plans(weeks: Sequence[int], pool: Executor) -> dict[int, Plan]:
    """Return the plan of each week, made by examiners side by side."""
    futures = {week: pool.submit(describe, week) for week in weeks}
    return {week: future.result() for week, future in futures.items()}


def _parts(course: Course, setting: Setting, week: int, plan: Plan) -> dict[str, str] | None:
    """Return what the results of a week depend on, part by part.

    Returns None if they differ from those of the week's examiner, because a file has changed.
    """
    parts = fingerprint.parts_of_week(
        setting.root, course, course.week(week), plan.confinement, setting.datasets.get(week)
    )
    return parts if fingerprint.digest(parts) == plan.fingerprint else None


def _plan(
    taken: Sequence[Submission],
    week: int,
    plan: Plan,
    depends: Mapping[str, str] | None,
    gradebook: Gradebook,
) -> Todo:
    """Fix the checks of every submission before any of them runs; return what is to be run."""
    jobs = []
    for submission in taken:
        key = fingerprint.job_key(submission, week, plan.fingerprint)
        job = GradingJob(key, submission.student, week, submission.fingerprint, plan.confinement)
        jobs.append((job, submission))
    gradebook.plan_all([job for job, _ in jobs], plan.checks, depends)
    return [(job, submission) for job, submission in jobs if not gradebook.finished(job.key)]


def _run(
    todo: Todo, pool: Executor, watch: Watch
) -> Iterator[tuple[tuple[GradingJob, Submission], Outcome]]:
    """Yield each job with its outcome as it ends."""
    ended: queue.SimpleQueue[Future[Outcome]] = queue.SimpleQueue()
    waiting: dict[Future[Outcome], tuple[GradingJob, Submission]] = {}
    try:
        for job, submission in todo:
            future = pool.submit(examine_submission, submission, job.week)
            waiting[future] = (job, submission)
            future.add_done_callback(ended.put)
        look = _Look(waiting, watch)
        while waiting:
            look()
            try:
                future = ended.get(timeout=BEAT_SECONDS)
            except queue.Empty:
                continue
            yield waiting.pop(future), _outcome(future)
    finally:
        for future in waiting:
            future.cancel()


class _Look:
    """Tells what is running, every BEAT_SECONDS at most, however often it is called."""

    def __init__(
        self, waiting: Mapping[Future[Outcome], tuple[GradingJob, Submission]], watch: Watch
    ):
        self._waiting, self._watch = waiting, watch
        self._next = 0.0
        self._since: dict[Future[Outcome], datetime] = {}

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + BEAT_SECONDS
        running = [future for future in self._waiting if future.running()]
        here = datetime.now(UTC)
        # A job whose node was lost waits again, though a future can't go back to that state.
        self._since = {
            future: self._since.get(future, here) for future in running if _node(future) is not None
        }
        jobs = [
            (self._waiting[future][0], since, _node(future) or "")
            for future, since in self._since.items()
        ]
        self._watch([RunningJob(job.student, job.week, since, node) for job, since, node in jobs])


def _node(future: Future[Outcome]) -> str | None:
    """Return the node of a cluster where a job runs, "" for this machine, None for nowhere."""
    return (future.node or None) if isinstance(future, JobFuture) else ""


def _outcome(future: Future[Outcome]) -> Outcome:
    """Return a job's outcome, without results if its examiner was lost or failed."""
    try:
        return future.result()
    except (CantExamineError, BrokenExecutor) as error:
        note(f"a submission could not be examined: {error}")
        return Examined([]), 0.0


def _complete(plan: Sequence[PlannedCheck], results: Sequence[CheckResult]) -> list[CheckResult]:
    """Return a record for each planned check; a missing result becomes INFRA, never PASS."""
    known = {result.check: result for result in results}
    return [
        known.get(check.id) or CheckResult(check.id, Verdict.INFRA, message=LOST) for check in plan
    ]
