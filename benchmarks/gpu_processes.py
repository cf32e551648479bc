"""The processes of the GPU job: started, watched, ended in time, and read while they still run."""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.gpu_run import PARENT, Settings
from benchmarks.gpu_table import EPOCHS, Figures, Stage, Table

ROOT = Path(__file__).resolve().parent.parent
POLL = 0.2
REWRITE = 4.0
"""Seconds between two looks at the running processes, and between two tables."""
ERROR_LINES = 12


@dataclass(frozen=True)
class Variant:
    """A form of the reference's training step."""

    name: str
    capture: bool
    compile: bool
    batch_size: int = 512


CAPTURED = Variant("captured", capture=True, compile=False)


@dataclass(frozen=True)
class Sizes:
    """How much is measured: on a GPU, or as a try on a CPU."""

    images: int = 0
    batch: int | None = None
    few: int = 10
    many: int = EPOCHS
    variant: int = 3
    sandbox: int = 2
    least: int = 10
    variants: int = 4
    others: int = 3
    compiler: str = "inductor"


TINY = Sizes(
    images=24,
    batch=8,
    few=2,
    many=3,
    variant=2,
    sandbox=1,
    least=2,
    variants=2,
    others=1,
    compiler="aot_eager",
)


@dataclass
class Running:
    """A training run that was started, or a program that helps."""

    process: subprocess.Popen[bytes]
    begun: float
    settings: Settings | None = None


@dataclass
class Job:
    """What the stages share."""

    options: argparse.Namespace
    sizes: Sizes
    device: str
    table: Table
    work: Path
    until: float = 0.0
    """When the present stage has to be over, by time.monotonic()."""
    usable: bool = False
    """Whether torch can be used, and finds its GPU."""
    real: bool = False
    """Whether the images are CIFAR-10's."""
    chosen: Variant = CAPTURED
    written: float = 0.0
    stage: Stage = field(default_factory=lambda: Stage("", "", 0.0))

    def left(self) -> float:
        """Return the seconds that the present stage has left."""
        return self.until - time.monotonic()

    def rewrite(self) -> None:
        """Write the table if the last time was a while ago."""
        if time.monotonic() - self.written > REWRITE:
            self.written = time.monotonic()
            self.table.write()

    def note(self, text: str) -> None:
        """Add a note to the present stage."""
        self.stage.notes.append(text)

    def settings(self, kind: str, folder: str, epochs: int, variant: Variant) -> Settings:
        """Return the settings of a run in a folder of its own."""
        test = str(self.work / "images" / "test.npz") if self.real else ""
        return Settings(
            kind=kind,
            data=str(self.work / "images" / "train"),
            test=test,
            out=str(self.work / folder),
            epochs=epochs,
            batch_size=self.sizes.batch or variant.batch_size,
            device=self.device,
            capture=variant.capture,
            compile=variant.compile,
            compiler=self.sizes.compiler,
            workers=min(16, os.cpu_count() or 1),
        )

    def start(self, program: str, *arguments: str) -> Running:
        """Start a program of this folder; its output goes to the log."""
        environment = {**os.environ, "PYTHONUNBUFFERED": "1", PARENT: str(os.getpid())}
        environment["TORCHINDUCTOR_CACHE_DIR"] = str(self.work / "compiled")
        if self.device == "cpu":
            environment |= {"CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": "1"}
        command = [sys.executable, str(ROOT / "benchmarks" / program), *arguments]
        with (self.options.out / "gpu_job.log").open("ab") as log:
            log.write(f"\n$ {program} {' '.join(arguments)}\n".encode())
            log.flush()
            process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                cwd=self.work,
                env=environment,
                start_new_session=True,
            )
        return Running(process, time.monotonic())

    def wait(self, running: Sequence[Running], look: Callable[[], None]) -> bool:
        """Wait for processes; return False if the stage's time ended before, and they with it."""
        try:
            while any(one.process.poll() is None for one in running):
                if self.left() <= 0:
                    return False
                look()
                self.rewrite()
                time.sleep(POLL)
            return True
        finally:
            for one in running:
                end(one.process)
            look()

    def train(self, runs: dict[str, Settings]) -> None:
        """Do runs of training side by side, and keep their figures under their names.

        Raises RuntimeError with the end of the log if one of them fails.
        """
        running: dict[str, Running] = {}
        for name, settings in runs.items():
            path = self.work / f"{Path(settings.out).name}.json"
            settings.write(path)
            running[name] = self.start("gpu_run.py", str(path))
            running[name].settings = settings

        def look() -> None:
            for name, one in running.items():
                assert one.settings is not None
                # A run that has ended keeps its time: look only while it runs, and once after.
                wall = time.monotonic() - one.begun
                if one.process.poll() is not None and "wall" not in self.table.runs.get(name, {}):
                    self.table.runs[name] = figures_of(one.settings, one.begun) | {"wall": wall}
                elif one.process.poll() is None:
                    self.table.runs[name] = figures_of(one.settings, one.begun)

        whole = self.wait(list(running.values()), look)
        if not whole:
            self.stage.state = "cut off"
            for name in running:
                self.table.runs[name].pop("wall", None)
                self.table.runs[name].setdefault("notes", []).append("cut off by the stage's time")
        elif any(one.process.returncode for one in running.values()):
            raise RuntimeError(f"the run ended with an error:\n{self.end_of_log()}")

    def end_of_log(self) -> str:
        """Return the last lines of what the processes printed."""
        text = (self.options.out / "gpu_job.log").read_bytes()[-20_000:].decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-ERROR_LINES:])


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process with all that it has started, and wait for it."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def figures_of(settings: Settings, begun: float) -> Figures:
    """Return what a run, finished or not, has written down so far.

    begun: when it was started, by time.monotonic().
    """
    out = Path(settings.out)
    found: Figures = {"epochs": settings.epochs, "batch_size": settings.batch_size}
    lines = whole_lines(out / "metrics.jsonl")
    found["epochs_done"] = len(lines)
    if lines:
        rows = [json.loads(line) for line in lines]
        seconds = [row["seconds"] for row in rows]
        found["seconds_per_epoch"] = statistics.median(seconds[1:] or seconds)
        found["train_loss"] = [rows[0]["train_loss"], rows[-1]["train_loss"]]
        found["val_accuracy"] = rows[-1]["val_accuracy"]
        found["curve"] = [round(row["val_accuracy"], 4) for row in rows]
        if rows[-1].get("images_per_second"):
            images = statistics.median(row["images_per_second"] * row["seconds"] for row in rows)
            found["images_per_second"] = images / found["seconds_per_epoch"]
    ends = [float(line) for line in whole_lines(out / "ends.txt")]
    if ends:
        first = ends[0] - (time.time() - time.monotonic()) - begun
        steps = [later - earlier for earlier, later in itertools.pairwise(ends)]
        found["wall_per_epoch"] = statistics.median(steps) if steps else first
        found["start_seconds"] = max(0.0, first - found["wall_per_epoch"])
    if (out / "figures.json").exists():
        measured = json.loads((out / "figures.json").read_text())
        notes = measured.pop("not_done")
        if measured["stand_ins"]:
            notes.append(f"stand-ins for {', '.join(measured['stand_ins'])}")
        found |= measured | {"notes": notes}
    return found


def whole_lines(path: Path) -> list[str]:
    """Return a file's lines that are written to their end; none without the file."""
    if not path.exists():
        return []
    return path.read_text().rpartition("\n")[0].splitlines()
