"""The heartbeat of a grading: what it is at, as its process last wrote it into the gradebook."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import asdict, dataclass
from datetime import datetime


@dataclass(frozen=True)
class RunningJob:
    """A submission that is being examined, since when, and on which node; "" is this machine."""

    student: str
    week: int
    since: datetime
    node: str = ""


@dataclass(frozen=True)
class Heartbeat:
    """What the process of a run last told: itself, when, and the jobs that it examined then.

    `at_once` is the number of jobs that it examines at a time.
    """

    run: int
    pid: int
    host: str
    at_once: int
    heard: datetime
    running: tuple[RunningJob, ...] = ()


def heartbeat_row(beat: Heartbeat) -> tuple[int, int, str, int, str, str]:
    """Return the row of a heartbeat."""
    running = [{**asdict(job), "since": job.since.isoformat()} for job in beat.running]
    heard = beat.heard.isoformat()
    return beat.run, beat.pid, beat.host, beat.at_once, heard, json.dumps(running)


def heartbeat_of(row: sqlite3.Row) -> Heartbeat:
    """Return the heartbeat in a row."""
    running = tuple(
        RunningJob(
            job["student"],
            job["week"],
            datetime.fromisoformat(job["since"]),
            job.get("node", ""),  # earlier versions wrote none
        )
        for job in json.loads(row["running"])
    )
    heard = datetime.fromisoformat(row["heard"])
    return Heartbeat(row["run"], row["pid"], row["host"], row["at_once"], heard, running)
