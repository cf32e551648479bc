"""Survival time of a fork bomb after its sandbox is closed, on every rung of confinement.

It forks up to the limit, and one of its processes keeps trying; its processes end by themselves
after at most 30 seconds. Measured: the time from the start of closing until no process is alive.
The goal is 100 ms.
"""

from __future__ import annotations

import statistics
import time

from autograder.channel.remote import Remote
from autograder.sandbox import Confinement, Limits, Sandbox
from autograder.sandbox.choose import rungs
from autograder.sandbox.limits import alive

ROUNDS = 10
TINY = {"rounds": 1}
BOMB = b"""
import os, signal, time

def explode():
    count = 0
    for _ in range(200):
        try:
            if os.fork() == 0:
                signal.alarm(30)
                while True:
                    time.sleep(0.01)
                    try:
                        if os.fork() == 0:
                            signal.alarm(20)
                            time.sleep(20)
                            os._exit(0)
                    except OSError:
                        pass
            count += 1
        except OSError:
            break
    return count
"""


def main(rounds: int = ROUNDS) -> None:
    """Print milliseconds for each rung. Raises SystemExit where no rung works."""
    ladder = rungs(slot=60)
    if not ladder:
        raise SystemExit("this machine can't confine programs: `autograder doctor` says why")
    for confinement in ladder:
        times, counts = zip(*(once(confinement) for _ in range(rounds)), strict=True)
        middle, most = statistics.median(times), max(times)
        print(f"Fork bomb of {max(counts)} processes on rung {confinement.rung}:")
        print(f"  gone {middle:.0f} ms after the kill, at most {most:.0f} ms in {rounds} rounds")


def once(confinement: Confinement) -> tuple[float, int]:
    """Start a fork bomb, close its sandbox; return milliseconds and number of processes."""
    limits = Limits(memory_mb=4096, training_memory_mb=4096)
    sandbox = Sandbox(confinement, {"bomb.py": BOMB}, limits)
    try:
        ask = Remote(sandbox.fresh(0), 10, 10, None, lambda file, line: None)
        ask("call", ask("get", ask("import", "bomb"), "explode"), [], {})
        time.sleep(0.05)
        pids = sandbox.processes()
    finally:
        started = time.perf_counter()
        sandbox.close()
    while any(alive(pid) for pid in pids):
        time.sleep(0.001)
    return 1000 * (time.perf_counter() - started), len(pids)


if __name__ == "__main__":
    main()
