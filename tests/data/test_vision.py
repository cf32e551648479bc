"""torchvision through data.vision: beside a CPU-only torch, beside its own, and broken."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from data.vision import datasets, transforms

ROOT = Path(__file__).parents[2]


def run_with_torchvision(folder: Path, init: str, code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a new interpreter in which `import torchvision` runs `init` instead."""
    package = folder / "torchvision"
    (package / "transforms").mkdir(parents=True)
    (package / "__init__.py").write_text(init)
    for name in ("datasets.py", "transforms/__init__.py", "transforms/v2.py"):
        (package / name).write_text("")
    code = f"import sys; sys.path[:0] = [{str(folder)!r}, {str(ROOT)!r}]\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)


def test_a_training_pipeline_runs_on_tensors():
    pipeline = transforms.Compose(
        [
            transforms.RandomCrop(32, padding=4),
            transforms.RandomHorizontalFlip(p=1.0),
            transforms.ToDtype(torch.float32, scale=True),
            transforms.Normalize(mean=[0.5, 0.5, 0.5], std=[0.25, 0.25, 0.25]),
        ]
    )
    images = torch.full((5, 3, 32, 32), 255, dtype=torch.uint8)
    out = pipeline(images)
    assert out.shape == (5, 3, 32, 32)
    assert out.dtype == torch.float32
    assert set(out.unique().tolist()) <= {-2.0, 2.0}  # padding and white, (x - 0.5) / 0.25
    assert (out == 2.0).any()


def test_flip_mirrors_the_columns():
    image = torch.arange(12).reshape(1, 3, 4)
    assert torch.equal(transforms.RandomHorizontalFlip(p=1.0)(image), image.flip(-1))


def test_a_dataset_with_transforms_gives_tensors():
    to_tensor = transforms.Compose(
        [transforms.ToImage(), transforms.ToDtype(torch.float32, scale=True)]
    )
    images = datasets.FakeData(size=3, image_size=(3, 8, 8), num_classes=10, transform=to_tensor)
    image, label = images[0]
    assert image.shape == (3, 8, 8)
    assert image.dtype == torch.float32
    assert 0 <= int(label) < 10
    assert len(images) == 3


@pytest.mark.prove
def test_the_usual_import_works_afterwards_and_without_warnings():
    code = (
        "import warnings; warnings.simplefilter('error')\n"
        f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
        "import data.vision, torchvision\n"
        "assert torchvision.datasets is data.vision.datasets\n"
        "from torchvision.transforms.v2 import RandomCrop\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr


@pytest.mark.prove
def test_a_working_torchvision_is_left_alone(tmp_path):
    run = run_with_torchvision(
        tmp_path,
        "",
        "import data.vision, torch; print(len(data.vision._DECLARED))\n"
        "print(hasattr(torch.ops.torchvision, 'nms'))",
    )
    assert run.stdout.split() == ["0", "False"], run.stderr


@pytest.mark.prove
def test_missing_operators_are_declared_and_the_import_is_done_again(tmp_path):
    init = (
        "import torch, torchvision.datasets\n"
        "for name in ('nms', 'qnms'):\n"
        "    torch.library.register_fake('torchvision::' + name)(lambda *args: None)\n"
    )
    run = run_with_torchvision(
        tmp_path, init, "import data.vision; print(len(data.vision._DECLARED))"
    )
    assert run.stdout.split() == ["1"], run.stderr


@pytest.mark.prove
def test_another_fault_of_torchvision_is_not_hidden(tmp_path):
    init = "raise RuntimeError('operator torchvision::unheard_of does not exist')"
    run = run_with_torchvision(tmp_path, init, "import data.vision")
    assert run.returncode == 1
    assert "unheard_of does not exist" in run.stderr
