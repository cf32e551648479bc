"""The training jobs of a class: a queue in the gradebook, several jobs at once, none run twice."""

from __future__ import annotations

import queue
import re
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

from autograder.channel.faults import InfraError
from autograder.course import Week
from autograder.gpu.job import Job, Plan, Stopped, prove_device
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.journal import GradingJob as Entry
from autograder.gradebook.submission import Submission
from autograder.grading.absent import record_absent
from autograder.grading.fingerprint import training_key
from autograder.grading.preview import Why, changes, reason_to_run
from autograder.grading.training_check import CHECK, planned_checks
from autograder.records import CheckResult, Verdict
from autograder.sandbox import Confinement
from autograder.text.display import one_line

TRIAL = "trial"
"""The part of the gradebook for trial jobs, which give no points."""

POLL = 0.3


@dataclass(frozen=True)
class Seat:
    """The resources of one concurrent job: a confinement with its own uid, and its GPUs."""

    confinement: Confinement
    gpus: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """Progress of a queue: numbers of finished and of all jobs, epochs of each running job."""

    done: int
    total: int
    running: dict[str, int]


def run_class(
    plan: Plan,
    taken: Sequence[Submission],
    gradebook: Gradebook,
    seats: Sequence[Seat],
    folder: Path,
    part: str,
    report: Callable[[Progress], None],
    *,
    depends: Mapping[str, str],
    say: Callable[[str], None],
) -> int:
    """Train and measure a class, one concurrent job per seat; return the number of jobs run.

    Jobs with a record are not run again; interrupted jobs continue. Each job writes into a folder
    of its own below `folder`. On KeyboardInterrupt all running jobs are stopped; they can continue
    later, unless their dependencies `depends` (gpu.depends) have changed. `say` gets a line for
    every project that is trained again or from the beginning for that reason. The caller has
    started a run in the gradebook. Raises InfraError, before any job, if a GPU can't be used.
    """
    for line in trained_again(plan.week, taken, gradebook, folder, part, depends):
        say(line)
    entries: list[tuple[Entry, Submission]] = []
    gradebook.add_submissions(taken, plan.week.number)
    record_absent(plan.week, taken, gradebook)
    for one in (one for one in taken if one.files):
        key, name = job_key(one, part, depends), seats[0].confinement.name
        entry = Entry(key, one.student, plan.week.number, one.fingerprint, name, part)
        gradebook.plan(entry, planned_checks(plan.week), depends)
        entries.append((entry, one))
    todo = [(entry, one) for entry, one in entries if not gradebook.finished(entry.key)]
    if todo:
        _prove(plan, seats)
    left = {entry.key for entry, _ in todo}
    running: dict[str, int] = {}

    def tell() -> None:
        report(Progress(len(entries) - len(left), len(entries), dict(running)))

    for entry, result in _run(plan, todo, seats, folder, running, tell):
        gradebook.record(entry.key, [result], result.seconds)
        left.remove(entry.key)
        tell()
    return len(todo)


def _prove(plan: Plan, seats: Sequence[Seat]) -> None:
    """Raise InfraError unless each GPU of these seats can be used in a sandbox."""
    if plan.device == "cuda":
        for seat in {seat.gpus: seat for seat in seats}.values():
            prove_device(plan, seat.confinement, seat.gpus)


def job_key(one: Submission, part: str, depends: Mapping[str, str]) -> str:
    """Return a job's key: a digest of part, student, submission and dependencies."""
    return training_key(one.student, part, one.fingerprint, depends)


def trained_again(
    week: Week,
    taken: Sequence[Submission],
    gradebook: Gradebook,
    folder: Path,
    part: str,
    depends: Mapping[str, str],
) -> list[str]:
    """Return lines on projects trained again though unchanged, and interrupted trainings restarted.

    Both have a new key. The folders of the interrupted trainings are kept.
    """
    again: dict[str, list[str]] = defaultdict(list)
    left_behind = []
    jobs = gradebook.jobs(week.number, part)
    for one in (one for one in taken if one.files):
        key = job_key(one, part, depends)
        earlier = [job for job in jobs if job.student == one.student]
        reason = reason_to_run(key, one, depends, earlier, gradebook)
        if reason is None:
            continue
        if reason.why is Why.AGAIN:
            again[reason.changes].append(one.student)
        for job in earlier:
            place = folder_of(job, folder)
            if job.state != "finished" and job.key != key and place.is_dir():
                why = "other files were handed in"
                if job.fingerprint == one.fingerprint:
                    why = changes(gradebook.dependencies(job.key), depends)
                left_behind.append(
                    f"The training of {one_line(one.student)} that was interrupted does not go on, "
                    f"it begins anew: {why}. What it had got to stays in {place}."
                )
    said = [
        f"{len(students)} project{'s are' if len(students) > 1 else ' is'} trained again: {why}."
        for why, students in again.items()
    ]
    return [*said, *left_behind]


def folder_of(entry: Entry, folder: Path) -> Path:
    """Return the folder of a job's state."""
    name = re.sub(r"[^\w.@+-]", "_", entry.student)
    return folder / f"{name}-{entry.key[:12]}"


def _run(
    plan: Plan,
    todo: Sequence[tuple[Entry, Submission]],
    seats: Sequence[Seat],
    folder: Path,
    running: dict[str, int],
    beat: Callable[[], None],
) -> Iterator[tuple[Entry, CheckResult]]:
    """Yield each job's record at its end; call `beat` at least every POLL seconds."""
    free: queue.SimpleQueue[Seat] = queue.SimpleQueue()
    for seat in seats:
        free.put(seat)
    stop = threading.Event()

    def work(entry: Entry, one: Submission) -> CheckResult:
        seat = free.get()
        try:
            running[entry.student] = 0
            job = Job(plan, one.files, folder_of(entry, folder), seat.confinement, seat.gpus)
            result = job.run(stop, lambda epochs: running.__setitem__(entry.student, epochs))
            if result.verdict in (Verdict.RAISED, Verdict.CRASH):
                _prove(plan, [seat])  # the GPU may be the cause
            return result
        except Stopped:
            raise
        except Exception as error:  # noqa: BLE001 - a failure of the grader must not stop the class
            reason = (
                str(error) if isinstance(error, InfraError) else f"{type(error).__name__}: {error}"
            )
            return CheckResult(CHECK, Verdict.INFRA, message=f"The grader failed: {reason}")
        finally:
            running.pop(entry.student, None)
            free.put(seat)

    with ThreadPoolExecutor(len(seats)) as pool:
        futures: dict[Future[CheckResult], Entry] = {
            pool.submit(work, entry, one): entry for entry, one in todo
        }
        left = set(futures)
        try:
            while left:
                ended, left = wait(left, timeout=POLL, return_when=FIRST_COMPLETED)
                for future in ended:
                    yield futures[future], future.result()
                beat()
        except BaseException:
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
