"""What of the grader's GPU job runs on this machine: PyTorch in a sandbox with the GPU bound in.

    python benchmarks/gpu_sandbox.py DATA OUT DEVICE EPOCHS SECONDS

DATA has train/cifar10.npz and test.npz. OUT gets steps.jsonl, a line for each step, written when
the step is over: the GPU's device files, each rung of confinement (what it lacks, or that PyTorch
computes in it), the reference trained in the best of them, and the whole graded job there. Where no
rung works the steps go on without a sandbox, and the lines say so. A step that fails is a line.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from autograder.gradebook.looked_up import training_setting  # noqa: E402
from benchmarks.gpu_run import PROJECT, REPLACED, STAND_INS, end_with_parent  # noqa: E402

PROBE = b"""import torch

def product(device):
    with torch.autocast(device, dtype=torch.bfloat16):
        ones = torch.ones(64, 64, device=device)
        return float((ones @ ones).float().sum())
"""
PRODUCT = 64.0**3
FOLDER_MB = 2048
MEMORY_MB = 24_576


class Steps:
    """The lines of steps.jsonl."""

    def __init__(self, out: Path) -> None:
        """Start with none."""
        self.path = out / "steps.jsonl"
        self.path.write_text("")

    def say(self, step: str, good: bool, text: str, **figures: Any) -> None:
        """Write one line."""
        line = {"step": step, "good": good, "text": text[:600], **figures}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def project_files() -> dict[str, bytes]:
    """Return the reference's modules, and a stand-in for tensorboardX where it is missing.

    (safetensors has none here: the worker itself needs it.)
    """
    from autograder.sandbox.runtime import installed

    files = {p.relative_to(PROJECT).as_posix(): p.read_bytes() for p in PROJECT.rglob("*.py")}
    if not installed("tensorboardX"):
        # As a module: a submission's packages have no code of their own.
        files["tensorboardX.py"] = (STAND_INS / "tensorboardX" / "__init__.py").read_bytes()
    return files


def packages() -> tuple[str, ...]:
    """Return what of the project's packages is installed."""
    from autograder.sandbox.runtime import installed

    return tuple(name for name in ("torch", *REPLACED) if installed(name))


def confinements(steps: Steps) -> Iterator[Any]:
    """Yield each confinement that works here, the best first, and at last none at all."""
    from autograder.sandbox import Unconfined
    from autograder.sandbox.choose import try_rungs

    for tried in try_rungs(0, packages()):
        if tried.confinement is None:
            steps.say(f"rung {tried.rung}", False, f"not on this machine: {tried.problem}")
        else:
            yield tried.confinement
    yield Unconfined()


def prove(confinement: Any, gpus: tuple[str, ...], device: str) -> str:
    """Compute on the device in a sandbox; return what is wrong, "" for nothing."""
    from autograder.channel.faults import Fault, InfraError
    from autograder.channel.remote import Remote
    from autograder.channel.source_lines import Sources
    from autograder.sandbox import Limits, Sandbox
    from autograder.suite.student import Student

    limits = replace(Limits(), training_memory_mb=MEMORY_MB, address_space=device != "cuda")
    limits = replace(limits, request_seconds=60.0, test_seconds=60.0, processes=256)
    files = {"probe.py": PROBE}
    sandbox = None
    try:
        sandbox = Sandbox(confinement, files, limits, packages=packages(), gpus=gpus)
        times = limits.request_seconds, limits.test_seconds, limits.training_seconds
        channel = sandbox.fresh(0, large=True)
        student = Student(Remote(channel, *times, Sources(files).place), {})
        found = student.module("probe").product(device)
    except (Fault, InfraError, OSError) as error:
        return getattr(error, "message", "") or str(error)
    finally:
        if sandbox is not None:
            sandbox.close()
    return "" if found == PRODUCT else f"a product of ones is {found!r}, not {PRODUCT}"


def train(confinement: Any, gpus: tuple[str, ...], asked: Asked, steps: Steps) -> None:
    """Run the reference's train.py in a sandbox, as the graded job does."""
    from autograder.gpu.script import run_script
    from autograder.records import Verdict
    from autograder.sandbox import Limits
    from autograder.sandbox.launch import Folder, Launch, Script

    out = asked.out / "trained"
    out.mkdir()
    if confinement.own_uid is not None:
        os.chown(out, confinement.own_uid, confinement.own_uid)
    images = Folder(str(asked.data / "train"), "/data")
    writable = Folder(str(out), "/out", writable=True)
    arguments = ["--data", confinement.place(images), "--out", confinement.place(writable)]
    arguments += ["--epochs", str(asked.epochs), "--device", asked.device]
    script = Script("train", tuple(arguments), max(1, (os.cpu_count() or 1) // 2))
    limits = replace(Limits(), training_memory_mb=MEMORY_MB, processes=256, file_mb=256)

    def launch(control: int, output: int) -> Launch:
        return Launch(
            *(project_files(), limits, control, output),
            packages=packages(),
            folders=(images, writable),
            gpus=gpus,
            script=script,
        )

    ended = run_script(
        confinement,
        launch,
        seconds=asked.seconds,
        folder=out,
        folder_mb=FOLDER_MB,
        stop=threading.Event(),
    )
    said = " / ".join(ended.said.strip().splitlines()[-4:])
    good = ended.verdict is Verdict.PASS
    text = f"train.py, {asked.epochs} epochs, {ended.seconds:.1f} s. {ended.message} {said}"
    steps.say(f"training on rung {confinement.name}", good, text, seconds=ended.seconds)


def grade(confinement: Any, gpus: tuple[str, ...], asked: Asked, steps: Steps) -> None:
    """Run the whole graded job: the untrained network, the training, and the test images."""
    import numpy as np

    from autograder import course as courses
    from autograder.gpu.images import Images
    from autograder.gpu.job import Job, Plan
    from autograder.records import Verdict
    from autograder.sandbox import Limits
    from autograder.suite.week_worker import worker_of

    course = courses.load(ROOT)
    week = next(week for week in course.weeks if week.job is not None)
    assert week.job is not None
    with np.load(asked.data / "train" / "cifar10.npz") as a, np.load(asked.data / "test.npz") as b:
        images = Images("cifar10", a["x_train"], a["y_train"], b["x_test"], b["y_test"])
    plan = Plan(
        week=week.model_copy(update={"packages": packages()}),
        job=week.job,
        limits=Limits(**week.limits.model_dump()),
        images=images,
        data=asked.data / "train",
        epochs=asked.epochs,
        device=asked.device,
        threads=max(1, (os.cpu_count() or 1) // 2),
        seed=1,
        curve=training_setting(course, week, week.job.data),
        worker=worker_of(ROOT, week),
    )
    begun = time.monotonic()
    job = Job(plan, project_files(), asked.out / "graded", confinement, gpus)
    result = job.run(threading.Event(), lambda epochs: None)
    whole = time.monotonic() - begun
    around = whole - result.seconds
    good = result.verdict in (Verdict.PASS, Verdict.WRONG) and "accuracy" in result.detail
    text = f"{result.message} ({whole:.1f} s in all, {around:.1f} s of it around the training)"
    steps.say(f"the graded job on rung {confinement.name}", good, text, around_seconds=around)


class Asked:
    """The command line."""

    def __init__(self, argv: list[str]) -> None:
        """Read it."""
        self.data, self.out, self.device = Path(argv[0]), Path(argv[1]), argv[2]
        self.epochs, self.seconds = int(argv[3]), float(argv[4])


def main(argv: list[str]) -> None:
    """Take all steps; a step that fails stops no other."""
    end_with_parent()
    asked = Asked(argv)
    steps = Steps(asked.out)
    from autograder.sandbox.gpu import binds
    from autograder.sandbox.gpu import gpus as find_gpus

    found = find_gpus()
    gpus = tuple(found[:1]) if asked.device == "cuda" else ()
    told = " ".join(binds(gpus)) or "none used"
    steps.say("device files", bool(found) or asked.device == "cpu", f"{len(found)} GPUs; {told}")
    best = None
    for confinement in confinements(steps):
        problem = prove(confinement, gpus, asked.device)
        text = problem or f"PyTorch computes on {asked.device}"
        steps.say(f"rung {confinement.name}", not problem, text)
        if not problem:
            best = confinement
            break
    if best is None:
        return
    for step in (train, grade):
        try:
            step(best, gpus, asked, steps)
        except Exception as error:  # noqa: BLE001 - written down, and the next step is tried
            steps.say(step.__name__, False, f"not done: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
