"""How far a grading is, read from the gradebook that its process writes: for people and programs.

Nothing is written: the gradebook is copied into memory, which its writer doesn't notice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from autograder.course import Course
from autograder.errors import InputError
from autograder.gradebook.heartbeat import Heartbeat, RunningJob
from autograder.gradebook.journal import Gradebook, Standing
from autograder.grading.lock import Holder, holder
from autograder.grading.pace import Timed, in_words, seconds_each, seconds_left
from autograder.grading.preview import listed
from autograder.text.display import one_line

GRADEBOOK = "gradebook.sqlite"
SILENT_SECONDS = 60
"""A grading that has been silent for longer hangs, or its machine sleeps."""


class StatusError(InputError):
    """There is no grading to tell of: the folder is none that `autograder grade` wrote."""


class State(StrEnum):
    """The states of a run."""

    BEGINNING = "beginning"
    RUNNING = "running"
    REPORTING = "reporting"
    FINISHED = "finished"
    STOPPED = "stopped"


IN_WORDS = {
    State.BEGINNING: "A grading begins",
    State.RUNNING: "A grading is running",
    State.REPORTING: "A grading is done and writes its reports",
    State.FINISHED: "No grading is running; the last one came to its end",
    State.STOPPED: "No grading is running; the last one was stopped, and the same command goes on",
}


@dataclass(frozen=True)
class WeekStatus:
    """The submissions of a week in a run: `infra` of the `done` ones have a failure of ours."""

    week: int
    total: int
    done: int
    running: int
    infra: int

    @property
    def left(self) -> int:
        """Number of those that have not begun."""
        return self.total - self.done - self.running


@dataclass(frozen=True)
class Status:
    """How far the last run is, and what the gradebook has of the whole class.

    `heard` is when its process last told of itself, None for runs of earlier versions; `holder` is
    the process that holds the lock now. `infra` and `unfinished` are the class's submissions, by
    student and week, with a failure of ours in their last results, and without whole results.
    """

    state: State
    holder: Holder | None
    started: datetime
    ended: datetime | None
    heard: datetime | None
    running: tuple[RunningJob, ...]
    weeks: tuple[WeekStatus, ...]
    seconds_left: float | None
    students: int
    infra: tuple[tuple[str, int], ...]
    unfinished: tuple[tuple[str, int], ...]

    @property
    def total(self) -> int:
        """Number of the run's submissions."""
        return sum(week.total for week in self.weeks)

    @property
    def done(self) -> int:
        """Number of those that have their results."""
        return sum(week.done for week in self.weeks)

    @property
    def left(self) -> int:
        """Number of those that have not begun."""
        return sum(week.left for week in self.weeks)


def read_status(out: Path) -> Status:
    """Return the status of the folder that a grading writes into.

    Raises StatusError if it is none, GradebookError if its gradebook can't be read.
    """
    path = out / GRADEBOOK
    holding = holder(out)
    if not path.is_file():
        problem = f"{out} holds no grades: there is no {path}"
        if not out.is_dir():
            problem = f"there is no folder {out}"
        raise StatusError(problem, "Name the folder that `autograder grade` writes into: --grades")
    with Gradebook.copy_of(path) as gradebook:
        status = _status(gradebook, holding)
    if status is None:
        problem = f"nothing has been graded into {out} yet"
        raise StatusError(problem, "A grading that has just begun is seen in a moment")
    return status


def _status(gradebook: Gradebook, holding: Holder | None) -> Status | None:
    beat = gradebook.last_heartbeat()
    runs = {run["id"]: run for run in gradebook.runs()}
    if not runs:
        return None
    run = runs[beat.run if beat else max(runs)]
    state = _state(run["finished"] is not None, beat, holding)
    everybody, ours = gradebook.standings(), gradebook.standings(run["id"])
    # The heartbeat may be older than the last results.
    done = {(one.student, one.week) for one in ours if _is_done(one, run["id"])}
    at_work = beat.running if beat and state is State.RUNNING else ()
    running = tuple(job for job in at_work if (job.student, job.week) not in done)
    return Status(
        state,
        holding,
        datetime.fromisoformat(run["started"]),
        datetime.fromisoformat(run["finished"]) if run["finished"] else None,
        beat.heard if beat else None,
        running,
        _weeks(ours, run["id"], running),
        _seconds_left(ours, everybody, run["id"], beat) if state is State.RUNNING else 0.0,
        len({one.student for one in everybody}),
        tuple((one.student, one.week) for one in everybody if one.failures),
        tuple((one.student, one.week) for one in everybody if not one.is_finished),
    )


def _state(finished: bool, beat: Heartbeat | None, holding: Holder | None) -> State:
    if holding is None:
        return State.FINISHED if finished else State.STOPPED
    own = beat is not None and (beat.pid, beat.host) == (holding.pid, holding.host)
    if not own:
        return State.BEGINNING  # the heartbeat is of an earlier run
    return State.REPORTING if finished else State.RUNNING


def _is_done(one: Standing, run: int) -> bool:
    """Whether a submission has its results in this run: whole ones, or those of a failure."""
    return one.is_finished or (one.run == run and one.results > 0)


def _weeks(
    ours: Iterable[Standing], run: int, running: Sequence[RunningJob]
) -> tuple[WeekStatus, ...]:
    total, done, infra = Counter[int](), Counter[int](), Counter[int]()
    for one in ours:
        total[one.week] += 1
        if _is_done(one, run):
            done[one.week] += 1
            infra[one.week] += bool(one.failures)
    at_work = Counter(job.week for job in running)
    return tuple(
        WeekStatus(week, total[week], done[week], at_work[week], infra[week])
        for week in sorted(total)
    )


def _seconds_left(
    ours: Iterable[Standing], everybody: Iterable[Standing], run: int, beat: Heartbeat | None
) -> float | None:
    left = Counter(one.week for one in ours if one.has_files and not _is_done(one, run))
    before = seconds_each(_timed(everybody))
    now = seconds_each(_timed(one for one in ours if one.run == run))
    return seconds_left(left, {**before, **now}, beat.at_once if beat else 1)


def _timed(standings: Iterable[Standing]) -> list[Timed]:
    return [
        Timed(one.student, one.week, one.seconds)
        for one in standings
        if one.has_files and one.results
    ]


# In words, and for programs.


def lines(status: Status, course: Course, now: datetime | None = None) -> list[str]:
    """Say how far a grading is."""
    now = now or datetime.now(UTC)
    names = _names(status, course)
    who = f" ({status.holder})" if status.holder else ""
    said = [f"{IN_WORDS[status.state]}{who}."]
    if status.state is State.BEGINNING:
        said.append("What follows is of the one before.")
    said.append(f"Begun {_time(status.started)}{_last_heard(status, now)}.")
    done = f"{status.done} of {status.total} submissions have their results"
    if status.state is State.RUNNING:
        running = status.total - status.done - status.left
        done += f", {running} running, {status.left} waiting, {in_words(status.seconds_left)}"
    said.append(f"{done}.")
    said += (_week_line(week, names[week.week]) for week in status.weeks)
    said += (
        f"  running: {one_line(job.student)}, {names[job.week]}, {(now - job.since).seconds} s"
        + (f", on {one_line(job.node, 80)}" if job.node else "")
        for job in status.running
    )
    return said + _class_lines(status, names)


def _week_line(week: WeekStatus, name: str) -> str:
    infra = f", {week.infra} with a failure of ours" if week.infra else ""
    parts = f"{week.done} of {week.total} done, {week.running} running, {week.left} left"
    return f"  {name}: {parts}{infra}"


def _class_lines(status: Status, names: Mapping[int, str]) -> list[str]:
    said = [f"The gradebook has {status.students} student{'' if status.students == 1 else 's'}."]
    if status.infra:
        who = listed([f"{student} {names[week]}" for student, week in status.infra])
        said.append(f"A failure of ours, tried again by `grade --only infra`: {who}.")
    rest = [one for one in status.unfinished if one not in status.infra]
    if rest and status.state is not State.RUNNING:
        who = listed([f"{student} {names[week]}" for student, week in rest])
        said.append(f"Not graded to the end: {who}.")
    return said


def _last_heard(status: Status, now: datetime) -> str:
    if status.ended and status.state is not State.RUNNING:
        return f", ended {_time(status.ended)}"
    if status.heard is None:
        return ""
    ago = max(0, round((now - status.heard).total_seconds()))
    text = f", last heard of {_time(status.heard)}, {ago} s ago"
    hangs = status.state is State.RUNNING and ago > SILENT_SECONDS
    return f"{text} (for a process that runs, that is long)" if hangs else text


def _time(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S}"


def _names(status: Status, course: Course) -> dict[int, str]:
    """Return the weeks' names; a week that the course no longer has goes by its number."""
    known = {week.number: week.name for week in course.weeks}
    numbers = {week.week for week in status.weeks}
    numbers |= {week for _, week in (*status.infra, *status.unfinished)}
    numbers |= {job.week for job in status.running}
    return {number: known.get(number, f"week {number}") for number in numbers}


def as_json(status: Status, course: Course) -> str:
    """Return the status for programs; times are ISO 8601 in UTC."""
    ids = {week.number: week.id for week in course.weeks}

    def pairs(those: Iterable[tuple[str, int]]) -> list[dict[str, Any]]:
        return [{"student": student, "week": ids.get(week, str(week))} for student, week in those]

    held_by = {"pid": status.holder.pid, "host": status.holder.host} if status.holder else None
    heard = status.heard.isoformat() if status.heard else None
    told = {
        "state": status.state.value,
        "process": held_by,
        "started": status.started.isoformat(),
        "ended": status.ended.isoformat() if status.ended else None,
        "heard": heard,
        "total": status.total,
        "done": status.done,
        "running": [
            {**pair, "since": job.since.isoformat(), **({"node": job.node} if job.node else {})}
            for job, pair in zip(
                status.running, pairs((j.student, j.week) for j in status.running), strict=True
            )
        ],
        "left": status.left,
        "seconds_left": status.seconds_left,
        "weeks": [
            {
                "week": ids.get(week.week, str(week.week)),
                "total": week.total,
                "done": week.done,
                "running": week.running,
                "left": week.left,
                "infra": week.infra,
            }
            for week in status.weeks
        ],
        "class": {
            "students": status.students,
            "infra": pairs(status.infra),
            "unfinished": pairs(status.unfinished),
        },
    }
    return json.dumps(told, indent=2, ensure_ascii=False)
