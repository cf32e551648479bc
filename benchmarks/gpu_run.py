"""One training run of the GPU job, in a process of its own: the reference, or the plain script.

    python benchmarks/gpu_run.py SETTINGS.json

The settings are a `Settings`, as gpu_job.py writes them. In the run's folder stand metrics.jsonl,
a line for each epoch; ends.txt, when each of the reference's epochs was over, checkpoint included;
and at last figures.json: accuracy on the test images, peak memory, and what could not be done.
Packages that are missing have stand-ins. The process ends with the one that started it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time
import warnings
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "solutions" / "week3_training" / "phase1_project"
STAND_INS = ROOT / "benchmarks" / "stand_ins"
REPLACED = ("safetensors", "tensorboardX")
DIES_WITH_PARENT = 1
PARENT = "GPU_JOB_PROCESS"
"""The variable with the number of the process that runs the job."""
EVALUATION_BATCH = 500


@dataclass(frozen=True)
class Settings:
    """What a run does.

    kind: "reference" or "plain"; data: folder of the training images; test: file of the test
    images, "" for none; out: the run's folder; capture, compile: see the reference's trainer;
    compiler: torch.compile's backend; changes: constants of train.py that are set to something
    else; workers: processes of the plain script's DataLoader.
    """

    kind: str
    data: str
    test: str
    out: str
    epochs: int
    batch_size: int
    device: str
    seed: int = 0
    capture: bool = True
    compile: bool = False
    compiler: str = "inductor"
    changes: dict[str, float] = field(default_factory=dict)
    workers: int = 2

    def write(self, path: Path) -> None:
        """Write them to a file for this program."""
        path.write_text(json.dumps(asdict(self)))


def stand_in_for_the_missing() -> list[str]:
    """Let stand-ins be imported for packages that aren't installed; return their names."""
    missing = [name for name in REPLACED if find_spec(name) is None]
    if missing:
        sys.path.append(str(STAND_INS))
    return missing


def end_with_parent() -> None:
    """Let the kernel end this process when the GPU job ends, however that may end."""
    ctypes.CDLL(None).prctl(DIES_WITH_PARENT, signal.SIGKILL)
    parent = os.environ.get(PARENT)
    if parent is not None and os.getppid() != int(parent):
        raise SystemExit("the GPU job ended before this process had begun")


def reference(settings: Settings) -> dict[str, Any]:
    """Train the reference; return the accuracy on the test images, None without any."""
    # The project's folder `data` has the name of a package of this repository.
    sys.path[0] = str(PROJECT)
    import train

    from training import trainer as trainers

    trainers.CAPTURE, trainers.COMPILER = settings.capture, settings.compiler
    for name, number in settings.changes.items():
        if not hasattr(train, name):
            raise AttributeError(f"train.py has no {name}")
        setattr(train, name, number)
    made: list[Any] = []
    make, save = train.make_trainer, trainers.Trainer.save

    def make_and_keep(options: Any) -> Any:
        made.append(make(options))
        return made[-1]

    def save_and_note(self: Any, path: Path, epoch: int) -> None:
        save(self, path, epoch)
        with (path.parent / "ends.txt").open("a") as file:
            file.write(f"{time.time()}\n")

    train.make_trainer, trainers.Trainer.save = make_and_keep, save_and_note
    train.main([*arguments(settings), *["--compile"] * settings.compile])
    from data.cifar10_loader import normalise

    return {"test_accuracy": accuracy(settings, made[0].model, normalise)}


def plain(settings: Settings) -> dict[str, Any]:
    """Run the plain script; return the accuracy on the test images, None without any."""
    sys.argv = ["plain_cifar10.py", *arguments(settings), "--workers", str(settings.workers)]
    sys.argv += ["--keep", str(settings.epochs)]
    import plain_cifar10
    from safetensors.torch import load_file

    plain_cifar10.main()
    model = plain_cifar10.network()
    model.load_state_dict(load_file(Path(settings.out) / f"{settings.epochs}.safetensors"))

    def normalise(images: Any) -> Any:
        mean, std = (t.to(images.device) for t in (plain_cifar10.MEAN, plain_cifar10.STD))
        return (images.float() / 255 - mean) / std

    return {"test_accuracy": accuracy(settings, model.to(settings.device), normalise)}


def arguments(settings: Settings) -> list[str]:
    """Return the arguments that both programs know."""
    named = {"data": settings.data, "out": settings.out, "epochs": settings.epochs}
    named |= {"batch-size": settings.batch_size, "seed": settings.seed, "device": settings.device}
    return [part for name, value in named.items() for part in (f"--{name}", str(value))]


def accuracy(settings: Settings, model: Any, normalise: Any) -> float | None:
    """Return the share of test images that the model gets right, in float32; None without any."""
    if not settings.test:
        return None
    import numpy as np
    import torch

    with np.load(settings.test) as arrays:
        x = torch.from_numpy(arrays["x_test"]).permute(0, 3, 1, 2).to(settings.device)
        y = torch.from_numpy(arrays["y_test"].astype(np.int64)).to(settings.device)
    model.eval()
    with torch.no_grad():
        parts = zip(x.split(EVALUATION_BATCH), y.split(EVALUATION_BATCH), strict=True)
        hits = sum(int((model(normalise(a)).argmax(1) == b).sum()) for a, b in parts)
    return hits / len(x)


def peaks(device: str) -> dict[str, float]:
    """Return the peak memory in MiB: on a GPU of tensors, of the allocator, and what is in use."""
    if device == "cpu":
        return {"process_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10}
    import torch

    free, total = torch.cuda.mem_get_info()
    found = {"tensors_mib": torch.cuda.max_memory_allocated()}
    found |= {"reserved_mib": torch.cuda.max_memory_reserved(), "device_mib": total - free}
    return {name: size / 2**20 for name, size in found.items()}


def main(path: Path) -> None:
    """Run what the settings say, and write figures.json."""
    end_with_parent()
    settings = Settings(**json.loads(path.read_text()))
    missing = stand_in_for_the_missing()
    out = Path(settings.out)
    out.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        figures = (reference if settings.kind == "reference" else plain)(settings)
    said = [str(warning.message) for warning in caught]
    print(*said, sep="\n", file=sys.stderr)
    figures["not_done"] = [text[:300] for text in said if text.startswith("not c")]
    figures["stand_ins"] = missing
    figures |= peaks(settings.device)
    partial = out / "figures.json.part"
    partial.write_text(json.dumps(figures))
    os.replace(partial, out / "figures.json")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
