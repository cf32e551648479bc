"""What becomes of one push: read, public part, queue, hidden part, and every word that is said.

The desk starts work and looks at what has ended; it never waits. All of it runs in the service's
main thread, but the gradings themselves.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from autograder.course import Course
from autograder.gradebook.journal import Gradebook
from autograder.integrations.git import GitError, Repository
from autograder.integrations.push import hidden, public, refs
from autograder.integrations.push import messages as words
from autograder.integrations.push.ledger import Ledger, Push, State
from autograder.integrations.push.pools import Pools
from autograder.integrations.push.pushed_commit import CommitSubmissions, read_commit
from autograder.integrations.push.spool import Arrival, Spool, SpoolError
from autograder.records import Submission

MOST_ATTEMPTS = 3
PATIENCE = 20.0
"""So many seconds public parts of other pushes come before a grading that waits."""


@dataclass
class Case:
    """A push that is being worked on, and what runs for it."""

    push: Push
    taken: CommitSubmissions
    public: dict[int, Future[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    hidden: Future | None = None
    since: float = 0.0


def _now() -> datetime:
    return datetime.now(UTC)


class Desk:
    """All pushes that are not over. `now` is the server's clock."""

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
        self.cases: dict[int, Case] = {}
        self.graded = False
        """Whether anything was graded since the class's tables were written."""
        self._threads = ThreadPoolExecutor(pools.jobs, "grading")

    # What comes in.

    def resume(self) -> None:
        """Take up what an earlier service left."""
        for push in self.ledger.open_pushes():
            if push.state is State.ARRIVED:
                self._look_at(push, [])
            elif push.state is State.RUNNING:
                self._again(push, "the grader was stopped")

    def take_arrivals(self) -> int:
        """Take what has arrived; return how many pushes that were."""
        ids = self.spool.waiting()
        for id in ids:
            try:
                arrival = self.spool.read(id)
                self._receive(arrival)
            except (ValueError, OSError, GitError) as error:
                note(f"{id} is set aside: {error}")
                self._say(id, [words.failed(str(error))], end=True)
                self.spool.set_aside(id)
            else:
                self.spool.remove(id)
        return len(ids)

    def _receive(self, arrival: Arrival) -> None:
        repository = Repository(arrival.repository)
        chosen = refs.choose(repository, arrival.branch, arrival.changes)
        remarks = list(chosen.remarks)
        change = chosen.change
        if change is None:
            self._say(arrival.id, remarks, end=True)
            return
        if refs.is_rewrite(repository, change):
            remarks.append("Earlier commits are gone from this branch; what they held stays kept.")
        limit = arrival.limit
        if limit is None:
            limit = self.course.handing_in.gradings_per_day or 0
        push = self.ledger.add(arrival, change.ref, change.old, change.new, limit)
        if push is not None:
            note(f"{push.student}: {push.short} on {push.branch}")
            self._look_at(push, remarks)

    def _look_at(self, push: Push, remarks: list[str]) -> None:
        """Read what was pushed, start the public part, and put it in the place of an older one."""
        try:
            taken = self._take(push, push.commit)
            known = Repository(push.repository).tip(push.old) is not None
            before = self._take(push, push.old).fingerprints if known else {}
        except GitError as error:
            self._fail(push, str(error))
            return
        title, branch = self.course.title, push.branch
        hello = words.greeting(title, push.short, branch, push.received, self.zone)
        self._say(push.id, [hello, *remarks])
        if not taken.weeks:
            nothing = "It holds nothing of any week that isn't as it was handed out."
            why = taken.refusal or nothing
            self.ledger.set(push, State.REFUSED)
            self._say(push.id, [f"Not taken: {why}", "What was graded before stays."], end=True)
            return
        self.ledger.note_files(push, taken.fingerprints)
        case = Case(push, taken, remarks=remarks, since=time.monotonic())
        self._supersede(case)
        self.cases[push.number] = case
        changed = [n for n, both in taken.fingerprints.items() if before.get(n) != both]
        if not changed:
            self._say(push.id, ["Nothing that is graded has changed since the push before."])
        for number in changed:
            if not self.pools.why_not(number):
                files = taken.weeks[number].files
                case.public[number] = self.pools.ask(public.answer, number, dict(files))

    def _take(self, push: Push, commit: str) -> CommitSubmissions:
        return read_commit(
            self.root, self.course, push.repository, push.student, commit, push.received
        )  # fmt: skip

    def _supersede(self, case: Case) -> None:
        """Take a student's older pushes, which nobody grades yet, out of the queue."""
        for old in self.ledger.open_pushes():
            mine = old.student == case.push.student and old.number < case.push.number
            if mine and old.state is not State.RUNNING:
                self.ledger.set(old, State.SUPERSEDED)
                gone = self.cases.pop(old.number, None)
                for future in gone.public.values() if gone else ():
                    future.cancel()
                self._say(old.id, [words.superseded(case.push.short)], end=True)

    # What goes on.

    def step(self, *, start: bool = True) -> None:
        """Say what has come out since the last step, and start what can be started."""
        for case in list(self.cases.values()):
            if case.push.state is State.ARRIVED and all(f.done() for f in case.public.values()):
                self._say_public(case)
            if case.hidden is not None and case.hidden.done():
                self._say_hidden(case)
        for push in self.ledger.open_pushes():
            if push.state is State.HELD and self._day(push) is not None:
                self.ledger.set(push, State.WAITING)
        if start:
            self._start_waiting()

    @property
    def busy(self) -> bool:
        """Whether anything runs, or could."""
        return bool(self.cases) or any(
            push.state is not State.HELD for push in self.ledger.open_pushes()
        )

    @property
    def running(self) -> int:
        """How many gradings run."""
        return sum(case.hidden is not None for case in self.cases.values())

    @property
    def answering(self) -> list[Case]:
        """The pushes whose public part has not been said."""
        return [case for case in self.cases.values() if case.push.state is State.ARRIVED]

    def _say_public(self, case: Case) -> None:
        for future in case.public.values():
            try:
                self._say(case.push.id, [future.result()])
            except Exception as error:  # noqa: BLE001 - it is said, and the grading goes on
                note("".join(traceback.format_exception(error)))
                problem = f"The public tests could not be run here: {type(error).__name__}."
                self._say(case.push.id, [problem])
        self._enqueue(case)

    def _enqueue(self, case: Case) -> None:
        """Let a push wait for its grading, for today's or for another day's."""
        push = case.push
        for why in filter(None, map(self.pools.why_not, case.taken.weeks)):
            self._say(push.id, [f"Not graded here: {why.partition(':')[0]}."])
        day = self._day(push)
        if day is None:
            case.push = self.ledger.set(push, State.HELD)
            self.cases.pop(push.number)
            self._say_held(push)
            return
        before = [one for one in self.ledger.open_pushes() if one.number != push.number]
        ahead = sum(one.state in (State.WAITING, State.RUNNING) for one in before)
        case.push = self.ledger.set(push, State.WAITING)
        self._say(push.id, [words.waiting(ahead)])

    def _start_waiting(self) -> None:
        if self.answering and not any(self._overdue(case) for case in self.cases.values()):
            return
        busy = {case.push.student for case in self.cases.values() if case.hidden is not None}
        for push in self.ledger.open_pushes():
            if self.running >= self.pools.jobs:
                return
            if push.state is State.WAITING and push.student not in busy:
                self._start(push)
                busy.add(push.student)

    def _overdue(self, case: Case) -> bool:
        waits = case.push.state is State.WAITING and case.hidden is None
        return waits and time.monotonic() - case.since > PATIENCE

    def _start(self, push: Push) -> None:
        case = self.cases.get(push.number)
        try:
            taken = case.taken if case else self._take(push, push.commit)
        except GitError as error:
            self._fail(push, str(error))
            return
        case = case or Case(push, taken)
        day = self._day(push, taken)
        if day is None:  # another one of today's came between
            self.ledger.set(push, State.HELD)
            self.cases.pop(push.number, None)
            self._say_held(push)
            return
        free = self._is_free(push, taken)
        case.push = self.ledger.set(push, State.RUNNING, None if free else day)
        weeks = hidden.in_time(self.ledger, push, self._here(taken))
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

    # What comes out.

    def _say_hidden(self, case: Case) -> None:
        assert case.hidden is not None
        push = case.push
        self.cases.pop(push.number)
        try:
            report = case.hidden.result()
        except Exception as error:  # noqa: BLE001 - one push must not stop the others
            note("".join(traceback.format_exception(error)))
            self._again(push, str(error) or type(error).__name__)
            return
        self.graded = True
        weeks = self._here(case.taken)
        faults = hidden.our_faults(report, self.course, weeks)
        if faults and push.attempts < MOST_ATTEMPTS:
            self._again(push, f"{faults} checks could not be graded")
            return
        names = [self.course.week(number).name for number in sorted(weeks)]
        lines = [words.summary(report, names, time.monotonic() - case.since)]
        if faults:
            lines.append(words.failed(f"{faults} checks could not be graded"))
        problem = hidden.commit_feedback(push, self.out)
        if problem:
            note(f"{push.student}: no feedback in the repository: {problem}")
        else:
            lines.append(words.where(refs.GRADES))
        counted = None if faults or push.counted is None else date.fromisoformat(push.counted)
        self.ledger.set(push, State.FAILED if faults else State.DONE, counted)
        if counted:
            used = self.ledger.counted_on(push.student, counted)
            lines.append(words.left_over(push.day_limit, used))
        note(f"{push.student}: {push.short} is graded")
        self._say(push.id, list(filter(None, lines)), end=True)

    def _again(self, push: Push, why: str) -> None:
        """Have a push graded once more, unless that failed too often."""
        if push.attempts < MOST_ATTEMPTS:
            self.ledger.set(push, State.WAITING)
        else:
            self._fail(push, why)

    def _fail(self, push: Push, why: str) -> None:
        note(f"{push.student}: {push.short}: {why}")
        self.ledger.set(push, State.FAILED)
        self._say(push.id, [words.failed(why)], end=True)

    def _say(self, id: str, lines: list[str], *, end: bool = False) -> None:
        """Answer a push; where nobody can read it, the grading goes on all the same."""
        try:
            self.spool.say(id, [part for line in lines for part in words.fit(line)], end=end)
        except SpoolError as error:
            note(str(error))

    def _say_held(self, push: Push) -> None:
        today = self._today()
        self._say(push.id, [words.held(push.day_limit, today, self.zone)], end=True)

    # What it counts for.

    def _today(self) -> date:
        return self.now().astimezone(self.zone).date()

    def _day(self, push: Push, taken: CommitSubmissions | None = None) -> date | None:
        """Return the day for which a push counts if it is graded now; None where there is none.

        That of its arrival, or today.
        """
        arrived = push.received.astimezone(self.zone).date()
        day = self.ledger.day_with_room(push, dict.fromkeys((arrived, self._today())))
        if day is None:
            case = self.cases.get(push.number)
            taken = taken or (case.taken if case else None)
            return arrived if taken and self._is_free(push, taken) else None
        return day

    def _is_free(self, push: Push, taken: CommitSubmissions) -> bool:
        """Whether the hidden tests have been run on all these files, or are running now."""
        path = self.out / hidden.GRADEBOOK
        rest = {
            number: one
            for number, one in self._here(taken).items()
            if one.files and not self.ledger.is_known(push.student, number, one.fingerprint)
        }
        if not rest or not path.exists():
            return not rest
        with Gradebook.open(path) as book:
            return all(hidden.is_graded(book, one, number) for number, one in rest.items())

    def _here(self, taken: CommitSubmissions) -> dict[int, Submission]:
        """Return the weeks of a push that this machine can grade."""
        return {n: one for n, one in taken.weeks.items() if not self.pools.why_not(n)}

    def release_held(self) -> None:
        """Let everything be graded that waits for another day, or failed, whatever the limits."""
        for push in self.ledger.newest_of_each():
            if push.state in (State.HELD, State.FAILED):
                self.ledger.release(push)

    def close(self) -> None:
        """Give up what runs; the ledger knows."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self.pools.close()


def note(text: str) -> None:
    """Write a line into the service's log."""
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {text.rstrip()}", file=sys.stderr, flush=True)
