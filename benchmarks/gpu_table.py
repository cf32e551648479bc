"""The table of the GPU job: what was measured so far, and what it says of the goals.

Kept as JSON and shown as Markdown, both written to a temporary name and then renamed. A measured
run is a mapping of its figures; seconds are wall-clock seconds.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

NAME = "gpu_job"
EPOCHS = 100
GIGAFLOP_PER_IMAGE = 3.328997
"""Of ResNet-18 for 32 x 32 pixels, forward and backward; two operations for a multiply-add."""

Figures = dict[str, Any]


@dataclass
class Stage:
    """One stage: what became of it, and why.

    state: "to come", "running", "done", "shortened", "cut off", "failed", "skipped", "not asked".
    """

    name: str
    title: str
    allowed: float
    state: str = "to come"
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    error: str = ""


@dataclass
class Table:
    """All that the job knows, in two files in `folder`."""

    folder: Path
    head: dict[str, Any]
    stages: list[Stage]
    runs: dict[str, Figures] = field(default_factory=dict)
    around: float | None = None
    """Seconds of a graded job around its training, where one was run."""
    a_try: bool = False
    """Whether this is a try on a CPU: then no goal is reached or missed."""

    def goals(self) -> list[Goal]:
        """Return the goals by what was measured so far."""
        goals = reached(self.runs, self.around)
        return [replace(goal, enough=None) for goal in goals] if self.a_try else goals

    def write(self) -> None:
        """Write both files anew."""
        goals = [asdict(goal) for goal in self.goals()]
        stages = [asdict(stage) for stage in self.stages]
        content = {**self.head, "stages": stages, "runs": self.runs, "goals": goals}
        _write(self.folder / f"{NAME}.json", json.dumps(content, indent=1) + "\n")
        _write(self.folder / f"{NAME}.md", markdown(self))


@dataclass(frozen=True)
class Goal:
    """One goal: what was measured, and whether that is enough (None: nothing was measured)."""

    name: str
    measured: str
    enough: bool | None


def whole_run(figures: Figures, epochs: int = EPOCHS) -> float | None:
    """Return the seconds of a whole run of so many epochs: its start, and each epoch with all
    that belongs to it. None where no epoch was finished."""
    if figures.get("wall_per_epoch") is None:
        return None
    return float(figures["start_seconds"] + epochs * figures["wall_per_epoch"])


def reached(runs: Mapping[str, Figures], around: float | None) -> list[Goal]:
    """Return the goals of the GPU job, by the runs "100 epochs", "10 epochs", "plain", "two"."""
    main, none = runs.get("100 epochs", {}), "not measured"
    goals = []
    whole = whole_run(main)
    exact = main.get("epochs_done") == EPOCHS and "wall" in main
    seconds = main["wall"] if exact else whole
    how = "" if exact else f", extrapolated from {main.get('epochs_done', 0)} epochs"
    right = main.get("test_accuracy") if exact else None
    for name, limit, share in (("goal", 100, 0.95), ("moonshot", 60, 0.96)):
        said = none if seconds is None else f"{seconds:.1f} s from start to end{how}"
        if seconds is not None and main.get("seconds_per_epoch"):
            said += f"; {EPOCHS * main['seconds_per_epoch']:.1f} s of it in training steps"
        enough = None if seconds is None else seconds <= limit
        goals.append(Goal(f"{name}: 100 epochs in at most {limit} s", said, enough))
        said = none if right is None else f"{right:.2%} of the test images of this copy"
        enough = None if right is None else right >= share
        goals.append(Goal(f"{name}: at least {share:.0%} after them", said, enough))
    return [*goals, _against_plain(runs), _an_hour(seconds, runs.get("two at once", {}), around)]


def _against_plain(runs: Mapping[str, Figures]) -> Goal:
    name = "goal: at least 5 times as fast as the plain script"
    ours = runs.get("100 epochs", {}).get("seconds_per_epoch")
    ours = ours or runs.get("10 epochs", {}).get("seconds_per_epoch")
    theirs = runs.get("plain script", {}).get("seconds_per_epoch")
    if not ours or not theirs:
        return Goal(name, "not measured", None)
    said = f"{theirs / ours:.2f} times ({theirs:.2f} s and {ours:.2f} s per epoch; "
    said += f"100 epochs of the plain script: {EPOCHS * theirs:.0f} s, extrapolated)"
    return Goal(name, said, theirs / ours >= 5)


def _an_hour(alone: float | None, two: Figures, around: float | None) -> Goal:
    """Return how many students' runs of 100 epochs fit into an hour, by the faster way."""
    extra, ways = around or 0.0, {}
    if alone is not None:
        ways["one after the other"] = 3600 / (alone + extra)
    together = whole_run(two)
    if together is not None:
        ways["two at once"] = 2 * 3600 / (together + extra)
    added = "without" if around is None else f"with {extra:.1f} s for"
    said = ", ".join(f"{count:.1f} {way}" for way, count in ways.items())
    said += f" ({added} what a graded job does around its training)" if ways else "not measured"
    return Goal("goal: 40 students an hour", said, max(ways.values()) >= 40 if ways else None)


def markdown(table: Table) -> str:
    """Return the table as Markdown."""
    lines = ["# The GPU job", ""]
    lines += [f"- {name}: {_cell(value)}" for name, value in table.head.items()]
    lines += ["", "## Goals", "", "| goal | measured | reached |", "|---|---|---|"]
    answers = {True: "yes", False: "no", None: "open"}
    for goal in table.goals():
        lines.append(f"| {goal.name} | {goal.measured} | {answers[goal.enough]} |")
    lines += ["", "## Runs", "", f"| {' | '.join(COLUMNS)} |", "|---" * len(COLUMNS) + "|"]
    lines += [_row(name, figures) for name, figures in table.runs.items()]
    lines += ["", "Seconds per epoch are medians of the training steps, without the first epoch;"]
    lines += ['"with all" adds evaluating, the log and the checkpoint. Accuracies are those of the']
    lines += ["weights after the last epoch, and stand for this copy of the images alone."]
    lines += [
        "",
        "## Stages",
        "",
        "| stage | state | seconds | allowed | notes |",
        "|---" * 5 + "|",
    ]
    for stage in table.stages:
        notes = _cell("; ".join(stage.notes))
        numbers = f"{stage.seconds:.0f} | {stage.allowed:.0f}"
        lines.append(f"| {stage.title} | {stage.state} | {numbers} | {notes} |")
    for stage in (stage for stage in table.stages if stage.error):
        lines += ["", f"{stage.title} failed:", "", "```", stage.error.replace("```", "'''"), "```"]
    return "\n".join(lines) + "\n"


COLUMNS = (
    "run",
    "epochs",
    "batch",
    "s per epoch",
    "with all",
    "start, s",
    "images/s",
    "TFLOP/s",
    "validation",
    "test",
    "peak memory, MiB",
    "notes",
)


def _row(name: str, run: Figures) -> str:
    rate = run.get("images_per_second")
    memory = {key: run.get(f"{key}_mib") for key in ("tensors", "reserved", "device", "process")}
    cells = (
        name,
        f"{run.get('epochs_done', 0)} of {run.get('epochs', 0)}",
        str(run.get("batch_size", "")),
        _number(run.get("seconds_per_epoch"), 3),
        _number(run.get("wall_per_epoch"), 3),
        _number(run.get("start_seconds"), 1),
        _number(rate, 0),
        _number(None if rate is None else rate * GIGAFLOP_PER_IMAGE / 1000, 1),
        _share(run.get("val_accuracy")),
        _share(run.get("test_accuracy")),
        ", ".join(f"{key} {size:,.0f}" for key, size in memory.items() if size is not None),
        _cell("; ".join(run.get("notes", []))),
    )
    return f"| {' | '.join(cells)} |"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:,.{digits}f}"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.2%}"


def _cell(value: Any) -> str:
    return " ".join(str(value).split()).replace("|", "/")


def _write(path: Path, text: str) -> None:
    partial = path.with_name(f".{path.name}.part")
    partial.write_text(text, "utf-8")
    os.replace(partial, path)
