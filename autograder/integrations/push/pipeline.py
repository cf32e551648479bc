"""The pipeline of pushes: read the commit, run the public suites, queue, grade, answer.

The pipeline starts work and checks what has ended; it never waits. All of it runs in the service's
main thread, except the gradings themselves.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.integrations.git import GitError, Repository
from autograder.integrations.push import hidden, messages, public, refs
from autograder.integrations.push.ledger import Fingerprints, Ledger, Push, PushState
from autograder.integrations.push.pools import Pools
from autograder.integrations.push.pushed_commit import CommitSubmissions, read_commit
from autograder.integrations.push.spool import Arrival, Spool, SpoolError
from autograder.results.student import StudentReport

MAX_ATTEMPTS = 3
READERS = 8
"""Repositories that are read, or written to, at a time: one that is slow delays no other."""

MAX_QUEUE_SECONDS = 20.0
"""Gradings wait while public suites of new pushes run, but at most this many seconds."""


@dataclass
class PushInProgress:
    """A push that is being processed, and the work that runs for it."""

    push: Push
    submissions: CommitSubmissions
    public: dict[int, Future[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    hidden: Future | None = None
    report: StudentReport | None = None
    committing: Future[str] | None = None
    since: float = 0.0


@dataclass(frozen=True)
class ReadPush:
    """What git says of a push: its files, and the fingerprints of those of the push before.

    `error` says why git can't read it; there are no submissions then.
    """

    submissions: CommitSubmissions | None = None
    before: Fingerprints = field(default_factory=dict)
    error: str = ""
    chosen: refs.GradedChange | None = None
    is_rewrite: bool = False


def _now() -> datetime:
    return datetime.now(UTC)


class PushPipeline:
    """All open pushes. `now` is the server's clock."""

    def __init__(
        self,
        root: Path,
        out: Path,
        course: Course,
        spool: Spool,
        ledger: Ledger,
        pools: Pools,
        now: Callable[[], datetime] = _now,
    ):
        self.root, self.out, self.course = root, out, course
        self.spool, self.ledger, self.pools, self.now = spool, ledger, pools, now
        self.zone = course.handing_in.zone
        self.cases: dict[int, PushInProgress] = {}
        self.graded = False
        """Whether any push was graded since the class's tables were written."""
        self._threads = ThreadPoolExecutor(pools.jobs, "grading")
        self._readers = ThreadPoolExecutor(READERS, "git")
        self._reading: dict[str, tuple[Arrival, Future[ReadPush]]] = {}
        """The arrivals that are being read, by their ids."""
        self._looking: dict[int, tuple[Push, Future[ReadPush]]] = {}
        """Pushes of an earlier service that are being read, by their numbers."""
        self._resuming: dict[int, Future[CommitSubmissions]] = {}

    # Arrivals.

    def resume(self) -> None:
        """Continue with the pushes that an earlier service left open."""
        for push in self.ledger.open_pushes():
            if push.state is PushState.ARRIVED:
                future = self._readers.submit(self._read_push, push, push.old, push.commit)
                self._looking[push.number] = (push, future)
            elif push.state is PushState.RUNNING:
                self._again(push, "the grader was stopped")

    def take_arrivals(self) -> int:
        """Have git read what has arrived, and process what has been read.

        Returns the number of pushes that were taken up or processed. Of one repository one push
        is read at a time, so that they come in their order.
        """
        taken = self._take_read()
        repositories = {arrival.repository for arrival, _ in self._reading.values()}
        for id in self.spool.waiting():
            if id in self._reading:
                continue
            try:
                arrival = self.spool.read(id)
            except (ValueError, OSError) as error:
                self._set_aside(id, error)
                continue
            if arrival.repository not in repositories:
                repositories.add(arrival.repository)
                self._reading[id] = (arrival, self._readers.submit(self._read_arrival, arrival))
                taken += 1
        return taken

    def _take_read(self) -> int:
        """Process the pushes that have been read since the last time; return their number."""
        done = [id for id, (_, future) in self._reading.items() if future.done()]
        for id in sorted(done):
            arrival, future = self._reading.pop(id)
            try:
                self._receive(arrival, future.result())
            except (ValueError, OSError, GitError) as error:
                self._set_aside(id, error)
            else:
                self.spool.remove(id)
        for number in [number for number, (_, f) in self._looking.items() if f.done()]:
            push, looked = self._looking.pop(number)
            if any(push.number == other.number for other in self.ledger.open_pushes()):
                self._look_at(push, [], looked.result())  # no newer one has superseded it
        return len(done)

    def _set_aside(self, id: str, error: Exception) -> None:
        note(f"{id} is set aside: {error}")
        self._say(id, [messages.failed(str(error))], end=True)
        if id in self.spool.waiting():  # it came through a hook
            self.spool.set_aside(id)

    def take_lost(self, arrivals: Sequence[Arrival]) -> None:
        """Process pushes that no hook could write down."""
        known = self.ledger.newest_commits()
        for arrival in arrivals:
            [change] = arrival.changes
            if known.get((arrival.repository, change.ref)) == change.new:
                continue  # its hook was only slow
            if arrival.id in self._reading:
                continue
            note(f"{arrival.student}: a push that was never queued is found again")
            future = self._readers.submit(self._read_arrival, arrival)
            self._reading.setdefault(arrival.id, (arrival, future))

    def _read_arrival(self, arrival: Arrival) -> ReadPush:
        """Have git say what an arrival changed and holds. Runs in a thread of its own."""
        repository = Repository(arrival.repository)
        chosen = refs.choose(repository, arrival.branch, arrival.changes)
        if chosen.change is None:
            return ReadPush(chosen=chosen)
        read = self._read_push(arrival, chosen.change.old, chosen.change.new)
        rewrite = refs.is_rewrite(repository, chosen.change)
        return replace(read, chosen=chosen, is_rewrite=rewrite)

    def _read_push(self, push: Push | Arrival, old: str, new: str) -> ReadPush:
        """Have git read a push's files, and those before it. Runs in a thread of its own."""
        try:
            submissions = self._read(push, new)
            known = Repository(push.repository).tip(old) is not None
            before = self._read(push, old).fingerprints if known else {}
        except GitError as error:
            return ReadPush(error=str(error))
        return ReadPush(submissions, before)

    def _receive(self, arrival: Arrival, read: ReadPush) -> None:
        """Record a push that was read, and go on with it."""
        assert read.chosen is not None
        remarks = list(read.chosen.remarks)
        change = read.chosen.change
        if change is None:
            self._say(arrival.id, remarks, end=True)
            return
        if read.is_rewrite:
            remarks.append("Earlier commits are gone from this branch; what they held stays kept.")
        limit = arrival.limit
        if limit is None:
            limit = self.course.handing_in.gradings_per_day or 0
        push = self.ledger.add(arrival, change.ref, change.old, change.new, limit)
        if push is not None:
            note(f"{push.student}: {push.short} on {push.branch}")
            self._look_at(push, remarks, read)

    def _look_at(self, push: Push, remarks: list[str], read: ReadPush) -> None:
        """Start the public suites of a push, and supersede the student's older pushes."""
        submissions, before = read.submissions, read.before
        if submissions is None:
            self._fail(push, read.error, read.error)
            return
        title, branch = self.course.title, push.branch
        greeting = messages.greeting(title, push.short, branch, push.received, self.zone)
        self._say(push.id, [greeting, *remarks])
        if not submissions.weeks:
            nothing = "It holds nothing of any week that isn't as it was handed out."
            reason = submissions.refusal or nothing
            self.ledger.set(push, PushState.REFUSED)
            self._say(push.id, [f"Not taken: {reason}", "What was graded before stays."], end=True)
            return
        self.ledger.note_files(push, submissions.fingerprints)
        case = PushInProgress(push, submissions, remarks=remarks, since=time.monotonic())
        self._supersede(case)
        self.cases[push.number] = case
        fingerprints = submissions.fingerprints
        changed = [week for week, pair in fingerprints.items() if before.get(week) != pair]
        if not changed:
            self._say(push.id, ["Nothing that is graded has changed since the push before."])
        for number in changed:
            if not self.pools.why_not(number):
                files = submissions.weeks[number].files
                case.public[number] = self.pools.ask(public.answer, number, dict(files))

    def _read(self, push: Push | Arrival, commit: str) -> CommitSubmissions:
        return read_commit(
            self.root, self.course, push.repository, push.student, commit, push.received
        )  # fmt: skip

    def _supersede(self, case: PushInProgress) -> None:
        """Remove a student's older pushes from the queue, if they are not being graded yet."""
        for old in self.ledger.open_pushes():
            is_older = old.student == case.push.student and old.number < case.push.number
            if is_older and old.state is not PushState.RUNNING:
                self.ledger.set(old, PushState.SUPERSEDED, old.counted_day)
                superseded = self.cases.pop(old.number, None)
                for future in superseded.public.values() if superseded else ():
                    future.cancel()
                self._say(old.id, [messages.superseded(case.push.short)], end=True)

    # Work in progress.

    def step(self, *, start: bool = True) -> None:
        """Answer what has ended since the last step, and start what can be started."""
        for case in list(self.cases.values()):
            if case.push.state is PushState.ARRIVED and all(f.done() for f in case.public.values()):
                self._say_public(case)
            if case.hidden is not None and case.hidden.done():
                self._take_report(case)
            if case.committing is not None and case.committing.done():
                self._say_hidden(case)
        for push in self.ledger.open_pushes():
            if push.state is PushState.HELD and self._day(push) is not None:
                self.ledger.set(push, PushState.WAITING)
        if start:
            self._start_waiting()

    @property
    def busy(self) -> bool:
        """Whether anything runs or can be started."""
        reading = self._reading or self._looking
        return bool(self.cases or reading) or any(
            push.state is not PushState.HELD for push in self.ledger.open_pushes()
        )

    @property
    def running(self) -> int:
        """The number of pushes whose gradings run, or whose feedback is being committed."""
        return sum(_is_running(case) for case in self.cases.values())

    @property
    def answering(self) -> list[PushInProgress]:
        """The pushes whose public results have not been sent yet."""
        return [case for case in self.cases.values() if case.push.state is PushState.ARRIVED]

    def _say_public(self, case: PushInProgress) -> None:
        for future in case.public.values():
            try:
                self._say(case.push.id, [future.result()])
            except Exception as error:  # noqa: BLE001 - reported, and the grading continues
                note("".join(traceback.format_exception(error)))
                problem = f"The public tests could not be run here: {type(error).__name__}."
                self._say(case.push.id, [problem])
        self._enqueue(case)

    def _enqueue(self, case: PushInProgress) -> None:
        """Queue a push for grading, today or on another day."""
        push = case.push
        for why in filter(None, map(self.pools.why_not, case.submissions.weeks)):
            self._say(push.id, [f"Not graded here: {why.partition(':')[0]}."])
        day = self._day(push)
        if day is None:
            case.push = self.ledger.set(push, PushState.HELD)
            self.cases.pop(push.number)
            self._say_held(push)
            return
        others = [other for other in self.ledger.open_pushes() if other.number != push.number]
        ahead = sum(other.state in (PushState.WAITING, PushState.RUNNING) for other in others)
        case.push = self.ledger.set(push, PushState.WAITING)
        self._say(push.id, [messages.waiting(ahead)])

    def _start_waiting(self) -> None:
        if self.answering and not any(self._overdue(case) for case in self.cases.values()):
            return
        busy = {case.push.student for case in self.cases.values() if _is_running(case)}
        # What is being read now may supersede what waits.
        busy |= {arrival.student for arrival, _ in self._reading.values()}
        for push in self.ledger.open_pushes():
            if sum(case.hidden is not None for case in self.cases.values()) >= self.pools.jobs:
                return
            if push.state is PushState.WAITING and push.student not in busy:
                self._start(push)
                busy.add(push.student)

    def _overdue(self, case: PushInProgress) -> bool:
        waits = case.push.state is PushState.WAITING and case.hidden is None
        return waits and time.monotonic() - case.since > MAX_QUEUE_SECONDS

    def _start(self, push: Push) -> None:
        case = self.cases.get(push.number) or self._resumed(push)
        if case is None:
            return
        submissions = case.submissions
        day = self._day(push, submissions)
        if day is None:  # another push of today was started in between
            self.ledger.set(push, PushState.HELD)
            self.cases.pop(push.number, None)
            self._say_held(push)
            return
        free = self._is_free(push, submissions)
        case.push = self.ledger.set(push, PushState.RUNNING, None if free else day)
        weeks = hidden.in_time(self.ledger, push, self._gradable(submissions))
        self.cases[push.number] = case
        case.since = time.monotonic()
        case.hidden = self._threads.submit(
            hidden.grade,
            self.course,
            self.pools.setting,
            weeks,
            self.out,
            self.pools.hidden(),
        )

    def _resumed(self, push: Push) -> PushInProgress | None:
        """Return a push that an earlier service left; None until it has been read again."""
        future = self._resuming.get(push.number)
        if future is None:
            reading = self._readers.submit(self._read, push, push.commit)
            self._resuming[push.number] = reading
            return None
        if not future.done():
            return None
        del self._resuming[push.number]
        try:
            return PushInProgress(push, future.result())
        except GitError as error:
            self._fail(push, str(error), str(error))
            return None

    # Results.

    def _take_report(self, case: PushInProgress) -> None:
        """Have what a grading found committed for the student, or grade once more."""
        assert case.hidden is not None
        push, hidden_run = case.push, case.hidden
        case.hidden = None
        try:
            report = hidden_run.result()
        except Exception as error:  # noqa: BLE001 - one push must not stop the others
            note("".join(traceback.format_exception(error)))
            self.cases.pop(push.number)
            self._again(push, str(error) or type(error).__name__)
            return
        self.graded = True
        weeks = self._gradable(case.submissions)
        faults = hidden.our_faults(report, self.course, weeks)
        if faults and push.attempts < MAX_ATTEMPTS:
            self.cases.pop(push.number)
            self._again(push, f"{faults} checks could not be graded")
            return
        case.report = report
        case.committing = self._readers.submit(hidden.commit_feedback, push, self.out)

    def _say_hidden(self, case: PushInProgress) -> None:
        """Tell what a grading found, and record that it is over."""
        assert case.report is not None
        assert case.committing is not None
        push, report = case.push, case.report
        self.cases.pop(push.number)
        weeks = self._gradable(case.submissions)
        faults = hidden.our_faults(report, self.course, weeks)
        names = [self.course.week(number).name for number in sorted(weeks)]
        lines = [messages.summary(report, names)]
        if faults:
            lines.append(messages.failed(f"{faults} checks could not be graded", counts=True))
        problem = _problem_of(case.committing)
        if problem:
            note(f"{push.student}: no feedback in the repository: {problem}")
        else:
            lines.append(messages.where(refs.FEEDBACK_BRANCH))
        counted = self._day_of_failure(push) if faults else push.counted_day
        self.ledger.set(push, PushState.FAILED if faults else PushState.DONE, counted)
        if counted:
            used = self.ledger.counted_on(push.student, counted)
            lines.append(messages.left_over(push.day_limit, used))
        note(f"{push.student}: {push.short} is graded")
        self._say(push.id, list(filter(None, lines)), end=True)

    def _again(self, push: Push, why: str) -> None:
        """Queue a push for another grading, unless it failed too often."""
        if push.attempts < MAX_ATTEMPTS:
            self.ledger.set(push, PushState.WAITING, push.counted_day)
        else:
            self._fail(push, why)

    def _fail(self, push: Push, why: str, said: str = "") -> None:
        """Give a push up. `why` is for whoever runs the service; the pusher reads `said`."""
        note(f"{push.student}: {push.short}: {why}")
        self.ledger.set(push, PushState.FAILED, self._day_of_failure(push))
        self._say(push.id, [messages.failed(said, counts=True)], end=True)

    def _day_of_failure(self, push: Push) -> date:
        """Return the day that a push counts for which the grader failed on."""
        return push.counted_day or push.received.astimezone(self.zone).date()

    def _say(self, id: str, lines: list[str], *, end: bool = False) -> None:
        """Send lines to the pusher; a failure does not stop the grading."""
        try:
            self.spool.say(id, [fitted for line in lines for fitted in messages.fit(line)], end=end)
        except SpoolError as error:
            note(str(error))

    def _say_held(self, push: Push) -> None:
        today = self._today()
        self._say(push.id, [messages.held(push.day_limit, today, self.zone)], end=True)

    # The days that gradings count for.

    def _today(self) -> date:
        return self.now().astimezone(self.zone).date()

    def _day(self, push: Push, submissions: CommitSubmissions | None = None) -> date | None:
        """Return the day for which a push counts if it is graded now: of its arrival, or today.

        None where neither has a grading left.
        """
        arrived = push.received.astimezone(self.zone).date()
        day = self.ledger.day_with_room(push, dict.fromkeys((arrived, self._today())))
        if day is None:
            case = self.cases.get(push.number)
            submissions = submissions or (case.submissions if case else None)
            return arrived if submissions and self._is_free(push, submissions) else None
        return day

    def _is_free(self, push: Push, submissions: CommitSubmissions) -> bool:
        """Whether the hidden tests have been run on all these files already, or are running now."""
        path = self.out / hidden.GRADEBOOK
        unknown = {
            number: submission
            for number, submission in self._gradable(submissions).items()
            if submission.files
            and not self.ledger.is_known(push.student, number, submission.fingerprint, push)
        }
        if not unknown or not path.exists():
            return not unknown
        with Gradebook.open(path) as book:
            return all(hidden.is_graded(book, submission, n) for n, submission in unknown.items())

    def _gradable(self, submissions: CommitSubmissions) -> dict[int, Submission]:
        """Return the weeks of a push that this machine can grade."""
        return {n: week for n, week in submissions.weeks.items() if not self.pools.why_not(n)}

    def release_held(self) -> None:
        """Queue all pushes that wait for another day, or failed, whatever the limits."""
        for push in self.ledger.newest_of_each():
            if push.state in (PushState.HELD, PushState.FAILED):
                self.ledger.release(push)

    def close(self) -> None:
        """Abandon the running work; the ledger has recorded it."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._readers.shutdown(wait=False, cancel_futures=True)
        self.pools.close()


def _is_running(case: PushInProgress) -> bool:
    return case.hidden is not None or case.committing is not None


def _problem_of(committing: Future[str]) -> str:
    """Return why feedback could not be committed, or ""."""
    try:
        return committing.result()
    except OSError as error:
        return str(error)


def note(text: str) -> None:
    """Write a line to the service's log."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text.rstrip()}", file=sys.stderr, flush=True)
