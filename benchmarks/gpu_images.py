"""The images of the GPU job: CIFAR-10 from an archive without a network, and its two parts.

    python benchmarks/gpu_images.py DATA TARGET COUNT

DATA has a cifar10.npz, or a prepare.py that makes one: `prepare.py FOLDER cifar10`. TARGET gets
train/cifar10.npz with the training images, test.npz with the others, and about.json. COUNT is how
many images of each part are kept, 0 for all. Where there are none, there are made-up ones, and
about.json says why: they give times, and no accuracy.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from benchmarks.gpu_run import end_with_parent  # noqa: E402

NPZ = "cifar10.npz"
TRAIN, TEST = 50_000, 10_000
CIFAR10, MADE_UP = "CIFAR-10 as found in the data folder", "made-up images"


def images(data: Path, target: Path) -> Path:
    """Return the path of the cache file, made first if need be. Raises OSError, RuntimeError."""
    if (data / NPZ).is_file():
        return data / NPZ
    script = data / "prepare.py"
    if not script.is_file():
        raise FileNotFoundError(f"neither {NPZ} nor prepare.py is in the data folder")
    command = [sys.executable, str(script), str(target), "cifar10"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode or not (target / NPZ).is_file():
        last = (ended.stderr.strip().splitlines() or ["it wrote no cifar10.npz"])[-1]
        raise RuntimeError(f"prepare.py failed: {last}")
    return target / NPZ


def checked(path: Path) -> dict[str, np.ndarray]:
    """Return the four arrays. Raises ValueError unless they are CIFAR-10 by shape and type."""
    with np.load(path) as arrays:
        found = {name: arrays[name] for name in ("x_train", "y_train", "x_test", "y_test")}
    for part in ("train", "test"):
        x, y = found[f"x_{part}"], found[f"y_{part}"]
        if x.dtype != np.uint8 or x.shape[1:] != (32, 32, 3) or y.shape != (len(x),):
            raise ValueError(f"x_{part} is {x.dtype}, {x.shape}, and y_{part} {y.shape}")
    return found


def made_up(most: int) -> dict[str, np.ndarray]:
    """Return images of a colour for each class under noise: as many as CIFAR-10 has, or `most`."""
    rng = np.random.default_rng(0)
    colours = rng.integers(60, 196, (10, 1, 1, 3))
    found: dict[str, np.ndarray] = {}
    for part, count in (("train", TRAIN), ("test", TEST)):
        count = min(count, most or count)
        labels = np.arange(count) % 10
        x = rng.integers(-60, 60, (count, 32, 32, 3), dtype=np.int16) + colours[labels]
        found |= {f"x_{part}": x.astype(np.uint8), f"y_{part}": labels.astype(np.uint8)}
    return found


def main(data: Path, target: Path, count: int) -> None:
    """Write the three files; about.json last."""
    target.mkdir(parents=True, exist_ok=True)
    about = {"name": CIFAR10, "problem": ""}
    try:
        arrays = checked(images(data, target))
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        about = {"name": MADE_UP, "problem": f"{type(error).__name__}: {error}"}
        arrays = made_up(count)
    if count:
        arrays = {name: array[:count] for name, array in arrays.items()}
    (target / "train").mkdir(parents=True, exist_ok=True)
    np.savez(target / "train" / NPZ, x_train=arrays["x_train"], y_train=arrays["y_train"])
    np.savez(target / "test.npz", x_test=arrays["x_test"], y_test=arrays["y_test"])
    digest = hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays)))
    sizes = {"train": len(arrays["x_train"]), "test": len(arrays["x_test"])}
    partial = target / "about.json.part"
    partial.write_text(json.dumps(about | sizes | {"sha256": digest.hexdigest()}))
    partial.replace(target / "about.json")


if __name__ == "__main__":
    end_with_parent()
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
