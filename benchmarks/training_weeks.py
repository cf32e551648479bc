"""How accurate is the reference of a week's graded training, and what does it cost? Measures it.

    python -m benchmarks training-weeks                        all weeks that train, one seed each
    python -m benchmarks training-weeks --week cifar --seeds 5
    python -m benchmarks training-weeks --week cifar --data digits --style residual

Runs the checks of a week's hidden suite that are marked `training` on the reference, in this
process, with the settings of grading.toml: what is measured is what grading measures. Another seed
is another salt, from which the suite draws the weights and orders that are its own. Prints for each
seed what the check notes (the last number of each curve), its credit and CPU seconds, then the
least, the mean and the largest of each. A data set other than the one in the cache is named with
--data, another right solution with --style.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # has to stand before NumPy's and torch's imports
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import argparse
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder import course as courses
from autograder.author.prove import other_solutions
from autograder.author.simulate.student_week import has_content
from autograder.course import Week
from autograder.grading.examiner import Examiner
from autograder.grading.setting import dataset_here
from autograder.records import FULL_CREDIT, CheckResult
from autograder.sandbox import Unconfined
from autograder.sandbox.runtime import installed
from autograder.suite.hidden.local_host import LocalHost

ROOT = Path(__file__).resolve().parents[1]
TINY = {"weeks": ("week4",), "seeds": 1}


def trains(week: Week) -> bool:
    """True if a hidden check of the week is marked `training`, and it has no training job."""
    suite = (ROOT / "assignments" / week.folder / "hidden").glob("test_*.py")
    return not week.job and any("mark.training" in path.read_text("utf-8") for path in suite)


def weeks_that_train(names: Sequence[str]) -> list[Week]:
    """Return the weeks of these ids, or all whose accuracy the suite measures and that are here."""
    course = courses.load(ROOT)
    known = {week.id: week for week in course.weeks if trains(week)}
    if unknown := sorted(set(names) - known.keys()):
        raise SystemExit(f"no graded training in {', '.join(unknown)}; there is {', '.join(known)}")
    here = [
        week.id
        for week in known.values()
        if has_content(ROOT, week) and all(map(installed, week.packages))
    ]
    return [known[name] for name in names or here]


def solution(examiner: Examiner, style: str | None) -> Mapping[str, bytes]:
    """Return the files of the reference, or of another right solution."""
    if style is None:
        return examiner.reference
    others = other_solutions(ROOT, examiner.week, examiner.reference)
    if style not in others:
        raise SystemExit(f"{examiner.week.id} has no style {style!r}; it has {', '.join(others)}")
    return others[style].files


def noted(result: CheckResult) -> dict[str, float]:
    """Return the last number of each curve that a check notes, and its credit as a share."""
    found = {"credit": result.credit / FULL_CREDIT}
    detail: Mapping[str, Any] = result.detail or {}
    for name, value in detail.items():
        last = value[-1] if isinstance(value, list) and value else value
        if type(last) in (int, float) and math.isfinite(last):
            found[name] = float(last)
    return found


def run(examiner: Examiner, files: Mapping[str, bytes], seed: int) -> dict[str, dict[str, float]]:
    """Return what each training check notes of these files, by its id, with its CPU seconds."""
    found = {}
    host = LocalHost(files)
    for check in sorted(examiner.session.training):
        started = time.process_time()
        [outcome] = examiner.session.run(host, only={check}, salt=f"training-weeks {seed}")
        seconds = time.process_time() - started
        if outcome.fault is not None:
            raise SystemExit(f"{check}: {outcome.result.message}")
        found[check] = {**noted(outcome.result), "CPU s": seconds}
    return found


def show(label: str, values: Mapping[str, float]) -> None:
    """Print one line."""
    numbers = "  ".join(f"{name} {value:8.3f}" for name, value in values.items())
    print(f"{label:10}  {numbers}", flush=True)


def measure(week: Week, seeds: int, dataset: str | None, style: str | None) -> None:
    """Train one week's solution over seeds and print the table."""
    if week.packages:
        import torch

        torch.set_num_threads(1)
    examiner = Examiner(ROOT, week.number, Unconfined(), dataset)
    files, setting = solution(examiner, style), examiner.session.context
    print(f"{week.id} on {dataset or 'data of its suite'}, {style or 'reference'}", end="")
    if setting is not None:
        how = f"{setting.epochs} epochs, batch {setting.batch_size}, lr {setting.lr}"
        print(f": {how}; full from {setting.full_from}", end="")
    print()
    runs: dict[str, list[dict[str, float]]] = {}
    for seed in range(seeds):
        for check, values in run(examiner, files, seed).items():
            runs.setdefault(check, []).append(values)
            show(f"seed {seed}", values)
    for check, each in runs.items():
        print(f"{check}, {len(each)} seeds")
        columns = {name: [one[name] for one in each if name in one] for name in each[0]}
        show("least", {name: min(values) for name, values in columns.items()})
        show("mean", {name: sum(values) / len(values) for name, values in columns.items()})
        show("largest", {name: max(values) for name, values in columns.items()})
    print()
    examiner.close()


def main(
    weeks: Sequence[str] = (), seeds: int = 1, dataset: str | None = None, style: str | None = None
) -> None:
    """Print a table for each week. `dataset` is by default the week's own, or the digits."""
    for week in weeks_that_train(weeks):
        measure(week, seeds, dataset or dataset_here(week), style)


def command(arguments: Sequence[str] | None = None) -> None:
    """Read the options and print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks training-weeks", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--week", dest="weeks", action="append", default=[], metavar="ID")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--data", dest="dataset", help="the data set, where it is another one")
    parser.add_argument("--style", help="another right solution instead of the reference")
    main(**vars(parser.parse_args(arguments)))


if __name__ == "__main__":
    command()
