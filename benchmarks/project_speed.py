"""The final project: its reference against a plain training script of the same network.

    python -m benchmarks.project_speed --data FOLDER [--epochs 100] [--device cuda] [--jobs 2]

Trains both in processes of their own, one after the other, on the same images with the same batch
size and seed, and prints seconds per epoch (the median, without the first epoch where there are
more), their ratio, the whole run's time, the peak memory, and the accuracy on the test images after
the epochs of --checkpoints. Training sees no test image: they are left out of the file that it is
given. With --jobs N, N runs of the reference with different seeds then share the machine.

A schedule ends with its last epoch, so the accuracy after 10 of 100 epochs is not that of a run of
10 epochs. On a CPU, --subset 512 --epochs 1 takes about a minute (with fewer test images, too).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROJECT = ROOT / "solutions" / "week3_training" / "phase1_project"
EVALUATION_BATCH = 250
SUBSET, BATCH_SIZE = 512, 128
TINY = {"subset": 32, "batch_size": 16, "made_up": True}

# Runs a training script and prints the peak memory at its end, in MiB: of the GPU's allocator, or
# of this process where there is none.
RUNNER = """
import json, resource, runpy, sys
script, keep, *arguments = sys.argv[1:]
sys.argv, sys.path[0] = [script, *arguments], script.rpartition("/")[0]
keep = json.loads(keep)
if keep is not None:
    import shutil
    from training.trainer import Trainer
    save = Trainer.save
    def save_and_keep(self, path, epoch):
        save(self, path, epoch)
        if epoch in keep:
            shutil.copy(path, path.with_name(f"{epoch}.safetensors"))
    Trainer.save = save_and_keep
runpy.run_path(script, run_name="__main__")
import torch
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
if torch.cuda.is_available() and torch.cuda.max_memory_allocated():
    peak = torch.cuda.max_memory_reserved() / 2**20
print("peak", peak)
"""


@dataclass(frozen=True)
class Run:
    """What was measured of one training run."""

    name: str
    out: Path
    wall: float
    peak_mib: float

    @property
    def seconds(self) -> float:
        """Median seconds of an epoch; the first one warms up, and counts only if it is alone."""
        lines = (self.out / "metrics.jsonl").read_text().splitlines()
        each = [json.loads(line)["seconds"] for line in lines]
        return statistics.median(each[1:] or each)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    cache = os.environ.get("COURSE_DATA", ROOT / "data" / "cache")
    parser.add_argument("--data", type=Path, default=Path(cache), help="folder of cifar10.npz")
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--subset", type=int, help="train on so many images only")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--device", default="cpu", choices=["cuda", "cpu"])
    parser.add_argument("--checkpoints", default="10,30,100", help="epochs: the last one always is")
    parser.add_argument("--jobs", type=int, default=1, help="runs of the reference at once")
    parser.add_argument("--compile", action="store_true", help="torch.compile the reference")
    return parser.parse_args(argv)


def cut(source: Path, target: Path, subset: int | None) -> None:
    """Write the training images, or the first `subset` of them, to a file of their own."""
    import numpy as np

    with np.load(source / "cifar10.npz") as arrays:
        x, y = arrays["x_train"][:subset], arrays["y_train"][:subset]
    np.savez(target / "cifar10.npz", x_train=x, y_train=y)


def start(name: str, options: argparse.Namespace, folder: Path, seed: int = 0) -> subprocess.Popen:
    """Start a run of "reference" or "plain" that writes to folder/name-seed."""
    arguments = ["--data", str(folder), "--out", str(folder / f"{name}-{seed}")]
    arguments += ["--epochs", str(options.epochs), "--batch-size", str(options.batch_size)]
    arguments += ["--device", options.device, "--seed", str(seed)]
    keep = kept(options)
    if name == "plain":
        script, wrapped = ROOT / "benchmarks" / "plain_cifar10.py", "null"
        arguments += ["--workers", str(os.cpu_count() or 1), "--keep", *map(str, keep)]
    else:
        script, wrapped = PROJECT / "train.py", json.dumps(keep)
        arguments += ["--compile"] * options.compile
    command = [sys.executable, "-c", RUNNER, str(script), wrapped, *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kept(options: argparse.Namespace) -> list[int]:
    """Return the epochs after which the accuracy is measured."""
    named = {int(epoch) for epoch in options.checkpoints.split(",") if epoch}
    return sorted({epoch for epoch in named if epoch < options.epochs} | {options.epochs})


def train(name: str, options: argparse.Namespace, folder: Path, seeds: range) -> list[Run]:
    """Run all seeds at once and wait for them."""
    started = time.perf_counter()
    processes = [start(name, options, folder, seed) for seed in seeds]
    runs = []
    for seed, process in zip(seeds, processes, strict=True):
        printed, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the run of {name} with seed {seed} failed")
        wall, peak = time.perf_counter() - started, float(printed.split()[-1])
        runs.append(Run(name, folder / f"{name}-{seed}", wall, peak))
    return runs


def test_accuracy(run: Run, epoch: int, options: argparse.Namespace) -> float:
    """Return the accuracy on the test images of the weights after an epoch, in float32."""
    import numpy as np
    import torch
    from safetensors.torch import load_file

    from benchmarks import plain_cifar10 as plain

    # The two networks are one; their parameters come in the same order.
    tensors = load_file(run.out / f"{epoch}.safetensors")
    model = plain.network().to(options.device).eval()
    model.load_state_dict(renamed(tensors, model.state_dict()))
    with np.load(options.data / "cifar10.npz") as arrays:
        x, y = arrays["x_test"][: options.subset], arrays["y_test"][: options.subset]
    hits = 0
    with torch.no_grad():
        for at in range(0, len(x), EVALUATION_BATCH):
            images = torch.from_numpy(x[at : at + EVALUATION_BATCH]).permute(0, 3, 1, 2)
            images = ((images.float() / 255 - plain.MEAN) / plain.STD).to(options.device)
            hits += int((model(images).argmax(1).cpu().numpy() == y[at : at + len(images)]).sum())
    return hits / len(x)


def renamed(tensors: dict, model: dict) -> dict:
    """Give the reference's tensors the names of the plain network; leave its own as they are."""
    if "model.fc.weight" not in tensors:
        return tensors
    named = {}
    for name in model:
        at, _, rest = name.partition(".")
        index = int(at)
        block = f"layer{(index - 3) // 2 + 1}.{(index - 3) % 2}"
        own = {0: "conv1", 1: "bn1", 13: "fc"}.get(index, block)
        if not rest.endswith("num_batches_tracked"):
            named[name] = tensors[f"model.{own}.{rest}"]
        else:
            named[name] = model[name]
    return named


def show(run: Run, options: argparse.Namespace) -> None:
    """Print one run."""
    accuracies = ", ".join(
        f"{test_accuracy(run, epoch, options):.2%} after {epoch}" for epoch in kept(options)
    )
    print(
        f"  {run.name:10} {run.seconds:8.2f} s per epoch, {run.wall:7.1f} s in all, "
        f"peak {run.peak_mib:,.0f} MiB; test accuracy {accuracies}",
        flush=True,
    )


def measure(options: argparse.Namespace) -> None:
    """Measure and print."""
    if options.device == "cpu":
        os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cut(options.data, folder, options.subset)
        images = options.subset or 50_000
        print(
            f"ResNet-18, {images} images, {options.epochs} epochs, batch {options.batch_size}, "
            f"{options.device}",
            flush=True,
        )
        (reference,) = train("reference", options, folder, range(1))
        show(reference, options)
        (plain,) = train("plain", options, folder, range(1))
        show(plain, options)
        print(f"  the reference is {plain.seconds / reference.seconds:.2f} times as fast")
        if options.jobs > 1:
            runs = train("reference", options, folder, range(1, options.jobs + 1))
            for run in runs:
                show(run, options)
            wall = max(run.wall for run in runs)
            print(f"  {options.jobs} at once: {3600 * len(runs) / wall:.1f} such runs an hour")


def main(subset: int = SUBSET, batch_size: int = BATCH_SIZE, made_up: bool = False) -> None:
    """Measure a small slice on the CPU, where PyTorch is installed and CIFAR-10 is cached.

    `made_up` takes random images instead: a trial of this program, whose accuracies mean nothing.
    """
    if find_spec("torch") is None:
        print("The project's speed: PyTorch is not installed, so nothing was measured")
        return
    settings = ["--subset", str(subset), "--epochs", "1", "--batch-size", str(batch_size)]
    if made_up:
        with tempfile.TemporaryDirectory() as folder:
            make_up(Path(folder), subset)
            measure(parse([*settings, "--data", folder]))
    elif not (parse([]).data / "cifar10.npz").exists():
        print("The project's speed: cifar10 is not cached, so nothing was measured")
    else:
        measure(parse(settings))


def make_up(folder: Path, count: int) -> None:
    """Write random images in the place of CIFAR-10's, so many to train on and to test with."""
    import numpy as np

    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (2, count, 32, 32, 3), np.uint8)
    y = rng.integers(0, 10, (2, count))
    np.savez(folder / "cifar10.npz", x_train=x[0], y_train=y[0], x_test=x[1], y_test=y[1])


if __name__ == "__main__":
    measure(parse(None))
