"""Grading on nodes: what a second node brings, and what the way to a node costs per job.

    python -m benchmarks.cluster_speed [--jobs 48] [--places 4] [--rounds 3]

A second node of the same size is simulated, since there is one machine: the examiners of the nodes
only sleep, for the time that real jobs of week 1 took here before, one at a time. All else is real:
head, scheduler, two worker processes over loopback, their pools of examiners, every message. So
this says what the head and the way to the nodes allow, not how fast another machine is.

The cost per job compares real jobs on a pool of this machine and on a node, one at a time, in
turns, with examiners that run already.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autograder import course as courses
from autograder.gradebook.flags import Examined
from autograder.gradebook.submission import Submission
from autograder.grading.cluster.opening import open_nodes
from autograder.grading.cluster.pool import ClusterPool
from autograder.grading.cluster.setting import ClusterSetting
from autograder.grading.operations import describe, examine_submission, operation
from autograder.grading.pool import open_pool
from autograder.grading.setting import Setting
from benchmarks.grading_speed import make_class
from benchmarks.rows import Row
from tests.dask_cluster import DaskProcesses, wait_for

ROOT = Path(__file__).resolve().parent.parent
JOBS, PLACES, ROUNDS, EMPTY = 48, 4, 3, 50
GOAL = 1.9
SETTING = Setting(ROOT, {1: None})


@operation("examined")
def sleep_as_measured(submission: Submission, week: int) -> tuple[Examined, float]:
    """Sleep for the seconds that the submission names, in place of examining it."""
    seconds = float(submission.files["seconds"])
    time.sleep(seconds)
    return Examined([]), seconds


@contextmanager
def nodes(dask: DaskProcesses, count: int) -> Iterator[ClusterPool]:
    """Open a pool on `count` nodes."""
    cluster = ClusterSetting(scheduler=dask.address)
    with open_nodes(courses.load(ROOT), SETTING, cluster, lambda line: None) as pool:
        wait_for(lambda: len(pool.names) == count)
        yield pool


def seconds_for(
    pool: Executor, operation: Callable[..., Any], submissions: Sequence[Submission]
) -> float:
    """Return the seconds until all are done."""
    started = time.perf_counter()
    futures = [pool.submit(operation, one, 1) for one in submissions]
    wait(futures)
    for future in futures:
        future.result()
    return time.perf_counter() - started


def second_node(folder: Path, seconds: Sequence[float], jobs: int, places: int) -> list[float]:
    """Return the seconds of a class of sleeping jobs on one node, and on two."""
    sleeping = [
        Submission(f"s{n}", {"seconds": str(seconds[n % len(seconds)]).encode()})
        for n in range(jobs)
    ]
    warm = [Submission(f"w{n}", {"seconds": b"0.2"}) for n in range(8 * places)]
    took = []
    for count in (1, 2):
        dask = DaskProcesses(folder)
        try:
            for number in range(count):
                dask.worker(f"node{number}", places)
            with nodes(dask, count) as pool:
                seconds_for(pool, sleep_as_measured, warm)
                took.append(seconds_for(pool, sleep_as_measured, sleeping))
        finally:
            dask.close()
    return took


Pairs = list[tuple[float, float]]


def cost_per_job(folder: Path, rounds: int) -> tuple[Pairs, Pairs]:
    """Return the seconds of jobs on a pool of this machine and on a node: real ones, empty ones."""
    submissions = [Submission(f"s{n}", files) for n, files in enumerate(make_class(4))]
    nothing = [Submission("nobody", {"seconds": b"0"})]
    real: Pairs = []
    empty: Pairs = []
    dask = DaskProcesses(folder)
    try:
        dask.worker("node")
        with open_pool(SETTING, 1) as local, nodes(dask, 1) as cluster:
            local.submit(describe, 1).result()
            # In turns: what else the machine does slows both.
            for round in range(rounds + 1):
                for one in submissions if round else submissions[:1]:
                    pair = [seconds_for(p, examine_submission, [one]) for p in (local, cluster)]
                    real += [(pair[0], pair[1])] if round else []
            for _ in range(EMPTY):
                pair = [seconds_for(p, sleep_as_measured, nothing) for p in (local, cluster)]
                empty.append((pair[0], pair[1]))
    finally:
        dask.close()
    return real, empty


TINY = {"jobs": 4, "places": 1, "rounds": 1}


def main(jobs: int = JOBS, places: int = PLACES, rounds: int = ROUNDS) -> list[Row] | None:
    """Print the cost per job, and the throughput of two nodes against one; return that."""
    try:
        import distributed  # noqa: F401
    except ImportError:
        print("Nodes of a cluster: not measured, Dask is missing (bash scripts/setup.sh cluster)")
        return None
    with tempfile.TemporaryDirectory() as name:
        real, empty = cost_per_job(Path(name), rounds)
        for what, pairs in {"week 1 without training": real, "empty jobs": empty}.items():
            local, node = (statistics.median(column) for column in zip(*pairs, strict=True))
            more = statistics.median(b - a for a, b in pairs)
            print(
                f"One job at a time, {what}, {len(pairs)} pairs in turns: this machine {local:.4f} "
                f"s, a node {node:.4f} s; median difference {1000 * more:+.1f} ms"
            )
        here = [local for local, _ in real]
        one, two = second_node(Path(name), here, jobs, places)
        ideal = sum(here[n % len(here)] for n in range(jobs)) / places
        print(
            f"A second node, simulated: examiners sleep for these times, {jobs} jobs, {places} at "
            "a time on each node"
        )
        print(
            f"  one node {one:.2f} s (at best {ideal:.2f}), two {two:.2f} s: "
            f"{one / two:.2f} times the throughput (goal: {GOAL})"
        )
    what = "throughput of two nodes against one"
    return [Row(what, one / two, GOAL, "times", at_least=True, remark="simulated")]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--jobs", type=int, default=JOBS)
    parser.add_argument("--places", type=int, default=PLACES)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    from benchmarks import cluster_speed  # nodes know its operation by that name, not as __main__

    cluster_speed.main(**vars(parser.parse_args()))
