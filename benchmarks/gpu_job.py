"""All that has to be measured on a GPU, in one call that ends in time and leaves what it had.

    python benchmarks/gpu_job.py --data FOLDER --out FOLDER [--minutes 12] [--tiny]

Needs Python 3.11 or later, torch with CUDA, numpy and this checkout; no network. FOLDER of --data
has cifar10.npz, or an archive with a prepare.py that makes it. The table (gpu_job.md, gpu_job.json)
and the output of all runs (gpu_job.log) are in --out; the table is written anew after each stage
and every few seconds in between. Each stage has a share of the time, and may use what the stages
before it left over: what does not fit is shortened or skipped, and the table says so. A stage that
fails is written down, and the others go on. --tiny tries all of it on a few images on the CPU.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.gpu_images import CIFAR10  # noqa: E402
from benchmarks.gpu_processes import (  # noqa: E402
    CAPTURED,
    ERROR_LINES,
    TINY,
    Job,
    Sizes,
    Variant,
    whole_lines,
)
from benchmarks.gpu_table import Figures, Stage, Table, whole_run  # noqa: E402

FIRST_IMPORT = 90.0
"""Seconds that PyTorch's first import may take, from a disk that nothing has read yet."""
MARGIN = 8.0
"""Seconds that a run may take longer than expected before its stage ends."""
NEEDED = ("numpy", "torch", "triton", "PIL", "safetensors", "tensorboardX", "msgpack", "packaging")
FOR_GRADING = ("pydantic", "pytest")
"""What the course's settings need; without them the sandbox is tried, and not the graded job."""
LARGER_PAYS = 0.9
"""A larger batch is another training: it is chosen below this share of the time of a run."""


VARIANTS = (
    Variant("compiled and captured", capture=True, compile=True),
    Variant("neither", capture=False, compile=False),
    Variant("compiled", capture=False, compile=True),
    Variant("compiled and captured, 1024", capture=True, compile=True, batch_size=1024),
)
OTHER_SETTINGS: tuple[dict[str, float], ...] = (
    {"WEIGHT_DECAY": 0.1},
    {"LEARNING_RATE": 2e-3, "WEIGHT_DECAY": 0.5},
    {"LEARNING_RATE": 5e-3, "WEIGHT_DECAY": 0.15},
)


# The stages, in the order in which they are worth most.


def machine(job: Job) -> None:
    """Say what this machine has, and what it lacks."""
    have = {name: find_spec(name) is not None for name in (*NEEDED, *FOR_GRADING)}
    lacks = [name for name, there in have.items() if not there]
    programs = {name: shutil.which(name) is not None for name in ("bwrap", "gcc", "nvidia-smi")}
    lacks += [name for name, there in programs.items() if not there]
    job.table.head["lacks"] = ", ".join(lacks) or "nothing that is looked for"
    code = "import torch; print(torch.__version__, torch.cuda.get_device_name(0)"
    code += " if torch.cuda.is_available() else 'no GPU')"
    command = [sys.executable, "-c", code]
    limit = max(FIRST_IMPORT, job.left())
    # Where it runs, nothing lies that could be imported by mistake.
    asked = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=limit, cwd=job.work
    )
    if asked.returncode:
        raise RuntimeError(f"torch can't be used here:\n{asked.stderr.strip()[-600:]}")
    job.table.head["torch"] = asked.stdout.strip()
    if job.device == "cuda" and asked.stdout.strip().endswith("no GPU"):
        raise RuntimeError("torch finds no GPU here. --tiny tries all this out without one")
    job.usable = True


def make_images(job: Job) -> None:
    """Make the images, from the archive or, where that fails, made-up ones."""
    target = job.work / "images"
    target.mkdir()
    data, count = str(job.options.data.resolve()), str(job.sizes.images)
    running = job.start("gpu_images.py", data, str(target), count)
    if not job.wait([running], lambda: None):
        raise RuntimeError("the stage's time was up before the images were made")
    if running.process.returncode:
        raise RuntimeError(f"no images were made:\n{job.end_of_log()}")
    about = json.loads((target / "about.json").read_text())
    job.real = about["name"] == CIFAR10
    job.table.head["images"] = about["name"] + f", {about['train']} and {about['test']}"
    job.table.head["digest of the images"] = about["sha256"][:16]
    if about["problem"]:
        job.note(f"{about['problem']}. Times only: no accuracy is measured")


def few_epochs(job: Job) -> None:
    """Train the reference as it is graded, for 10 epochs."""
    job.train({"10 epochs": job.settings("reference", "few", job.sizes.few, CAPTURED)})


def sandbox(job: Job) -> None:
    """Prove PyTorch in the sandbox's GPU bindings, train there, and run the graded job."""
    out = job.work / "sandbox"
    out.mkdir()
    arguments = [str(job.work / "images"), str(out), job.device, str(job.sizes.sandbox)]
    running = job.start("gpu_sandbox.py", *arguments, f"{job.left() / 3:.0f}")
    whole = job.wait([running], lambda: None)
    steps = [json.loads(line) for line in whole_lines(out / "steps.jsonl")]
    for step in steps:
        job.note(f"{step['step']}: {'' if step['good'] else 'NOT: '}{step['text']}")
        job.table.around = step.get("around_seconds", job.table.around)
    if not whole:
        job.stage.state = "cut off"
    elif running.process.returncode:
        raise RuntimeError(job.end_of_log())
    elif not any(step["good"] and "training" in step["step"] for step in steps):
        raise RuntimeError("nothing was trained in a sandbox; see the notes")


def variants(job: Job) -> None:
    """Try forms of the training step for a few epochs, and choose the fastest that learns."""
    done = {CAPTURED: job.table.runs.get("10 epochs", {})}
    for number, variant in enumerate(VARIANTS[: job.sizes.variants]):
        name, before = f"variant: {variant.name}", job.until
        if job.left() < job.stage.allowed / 10:
            job.note(f"{variant.name}: no time left")
            continue
        # One that hangs in a compiler leaves the others a part of the time.
        share = 0.6 if number == 0 else 1.0
        job.until = time.monotonic() + share * job.left()
        try:
            settings = job.settings("reference", f"variant{number}", job.sizes.variant, variant)
            job.train({name: settings})
        except RuntimeError as error:
            job.note(f"{variant.name} failed: {str(error).splitlines()[-1]}")
        finally:
            job.until = before
        done[variant] = job.table.runs.get(name, {})
    job.chosen = choose(done, job.sizes.many)
    job.note(f"chosen: {job.chosen.name}")


def choose(done: dict[Variant, Figures], epochs: int) -> Variant:
    """Return the variant whose run of so many epochs would end first, of those that learn."""
    costs = {}
    for variant, figures in done.items():
        seconds, loss = whole_run(figures, epochs), figures.get("train_loss", [1.0, 0.0])
        if seconds is not None and loss[1] < loss[0]:
            costs[variant] = seconds
            if variant.batch_size > CAPTURED.batch_size:
                costs[variant] /= LARGER_PAYS
    return min(costs, key=costs.__getitem__) if costs else CAPTURED


def fitting(job: Job, wanted: int, slower: float = 1.0) -> int:
    """Return how many epochs of the chosen variant fit into the stage, at most `wanted`.

    slower: by how much an epoch takes longer than it did alone.
    """
    names = (f"variant: {job.chosen.name}", "10 epochs")
    known = [job.table.runs[name] for name in names if name in job.table.runs]
    known = [figures for figures in known if whole_run(figures) is not None]
    if not known:
        return wanted
    start, each = known[0]["start_seconds"], known[0]["wall_per_epoch"] * slower
    return max(0, min(wanted, int((job.left() - MARGIN - start) / each)))


def many_epochs(job: Job) -> None:
    """Train the reference for 100 epochs, or for as many as fit."""
    epochs = fitting(job, job.sizes.many)
    if epochs < job.sizes.least:
        raise Skipped(f"only {epochs} epochs would fit")
    if epochs < job.sizes.many:
        job.stage.state = "shortened"
        job.note(f"{epochs} epochs of {job.sizes.many}, with a schedule of that length")
    job.note(f"as {job.chosen.name}")
    job.train({"100 epochs": job.settings("reference", "many", epochs, job.chosen)})


def plain_script(job: Job) -> None:
    """Train the same network with torch's own parts and a DataLoader, for 10 epochs."""
    job.train({"plain script": job.settings("plain", "plain", job.sizes.few, CAPTURED)})


def two_at_once(job: Job) -> None:
    """Train the reference twice at the same time."""
    epochs = fitting(job, job.sizes.few, slower=2.2)
    if epochs < 2:
        raise Skipped(f"only {epochs} epochs would fit")
    if epochs < job.sizes.few:
        job.stage.state = "shortened"
        job.note(f"{epochs} epochs of {job.sizes.few}")
    runs = {}
    for seed, name in ((1, "two at once"), (2, "two at once, the other")):
        settings = job.settings("reference", f"two{seed}", epochs, job.chosen)
        runs[name] = replace(settings, seed=seed)
    job.train(runs)


def other_settings(job: Job) -> None:
    """Spend what is left on whole runs with other settings of the optimizer."""
    done = 0
    wanted = OTHER_SETTINGS[: job.sizes.others]
    for number, changes in enumerate(wanted):
        if fitting(job, job.sizes.many) < job.sizes.many:
            job.note(f"{len(wanted) - number} of {len(wanted)} did not fit")
            break
        name = ", ".join(f"{constant} {value:g}" for constant, value in changes.items())
        settings = job.settings("reference", f"other{number}", job.sizes.many, job.chosen)
        job.train({name: replace(settings, changes=changes)})
        done += 1
    if not done:
        raise Skipped("no whole run would fit")


class Skipped(Exception):
    """A stage has no time for anything that is worth it."""


@dataclass(frozen=True)
class Planned:
    """A stage's work, and its seconds of a job of 12 minutes."""

    work: Callable[[Job], None]
    title: str
    seconds: float


PLAN = (
    Planned(machine, "the machine", 20),
    Planned(make_images, "the images", 60),
    Planned(few_epochs, "10 epochs of the reference", 50),
    Planned(sandbox, "PyTorch in the sandbox", 80),
    Planned(variants, "variants of the training step", 130),
    Planned(many_epochs, "100 epochs of the reference", 150),
    Planned(plain_script, "10 epochs of the plain script", 110),
    Planned(two_at_once, "two jobs at once", 60),
    Planned(other_settings, "other settings, in what is left", 60),
)
ALWAYS = (machine, make_images)
WHOLE = sum(planned.seconds for planned in PLAN)


def do(job: Job, planned: Planned) -> None:
    """Do one stage, and write down how it ended."""
    begun = time.monotonic()
    job.stage.state = "running"
    job.table.write()
    try:
        if job.left() <= 0:
            raise Skipped("no time left")
        if not job.usable and planned.work not in ALWAYS:
            raise Skipped("without PyTorch and its device there is nothing to measure")
        planned.work(job)
    except Skipped as reason:
        job.stage.state = "skipped"
        job.note(str(reason))
    except Exception:  # noqa: BLE001 - written down, and the other stages go on
        job.stage.state = "failed"
        job.stage.error = "\n".join(traceback.format_exc().strip().splitlines()[-ERROR_LINES:])
    if job.stage.state == "running":
        job.stage.state = "done"
    job.stage.seconds = time.monotonic() - begun
    job.table.write()


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="cifar10.npz, or prepare.py")
    parser.add_argument("--out", type=Path, required=True, help="folder for the table and the log")
    parser.add_argument("--minutes", type=float, default=WHOLE / 60, help="default: 12")
    parser.add_argument("--tiny", action="store_true", help="a try on the CPU, with few images")
    names = [planned.work.__name__ for planned in PLAN]
    parser.add_argument("--stages", nargs="+", choices=names, help="only these; default: all")
    forms = [variant.name for variant in (CAPTURED, *VARIANTS)]
    text = "the form of the training step, where the stage `variants` chooses none"
    parser.add_argument("--variant", choices=forms, default=CAPTURED.name, help=text)
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Do all stages; return 1 if one of them failed."""
    begun = time.monotonic()
    options = parse(argv)
    options.out = options.out.resolve()
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "gpu_job.log").write_bytes(b"")
    scale = 60 * options.minutes / WHOLE
    stages = [Stage(p.work.__name__, p.title, p.seconds * scale) for p in PLAN]
    head: dict[str, Any] = {"begun": time.strftime("%Y-%m-%d %H:%M:%S %Z")}
    head |= {"minutes": options.minutes, "python": platform.python_version()}
    head |= {"processors": os.cpu_count()}
    if options.tiny:
        head["a try"] = "a few images on the CPU: no figure here stands for anything"
    table = Table(options.out, head, stages, a_try=options.tiny)
    with tempfile.TemporaryDirectory(prefix="gpu-job-") as name:
        work = Path(name)
        work.chmod(0o755)  # a sandbox's user reads the images
        sizes, device = (TINY, "cpu") if options.tiny else (Sizes(), "cuda")
        job = Job(options, sizes, device, table, work, until=begun)
        job.chosen = next(v for v in (CAPTURED, *VARIANTS) if v.name == options.variant)
        wanted = {*(options.stages or [stage.name for stage in stages])}
        wanted |= {work.__name__ for work in ALWAYS}
        for stage in stages:
            stage.state = "to come" if stage.name in wanted else "not asked"
        for planned, stage in zip(PLAN, stages, strict=True):
            # What earlier stages did not need is left to this one, and no more than that.
            job.stage, job.until = stage, job.until + stage.allowed
            if stage.name in wanted:
                do(job, planned)
                print(f"{stage.title}: {stage.state}, {stage.seconds:.0f} s", flush=True)
    print((options.out / "gpu_job.md").read_text())
    return int(any(stage.state == "failed" for stage in stages))


if __name__ == "__main__":
    sys.exit(main())
