"""The scripts that train: pictures, expected accuracies, and bars that are for terminals alone."""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
WEEK1, WEEK2 = "week1_backprop/mnist_mlp.py", "week2_autograd/mnist_autograd.py"


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A students' tree with the solutions in it."""
    tree = tmp_path_factory.mktemp("tree")
    for week in (WEEK1, WEEK2):
        folder = Path(week).parent
        for place in ("assignments", "solutions"):
            for path in (ROOT / place / folder).glob("*.py"):
                (tree / "assignments" / folder).mkdir(parents=True, exist_ok=True)
                shutil.copy(path, tree / "assignments" / folder)
    shutil.copytree(ROOT / "data", tree / "data", ignore=shutil.ignore_patterns("cache"))
    return tree


def run(tree: Path, script: str, *options: str) -> subprocess.CompletedProcess[str]:
    path = tree / "assignments" / script
    environment = {**os.environ, "COURSE_DATA": str(tree / "none"), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, path.name, *options],
        cwd=path.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "pictures"),
    [
        (WEEK1, {"learning_curves.png", "what_was_learnt.png"}),
        (WEEK2, {"learning_curves_autograd.png", "training_step.svg"}),
    ],
)
def test_a_run_says_what_to_expect_and_saves_its_pictures(tree, tmp_path, script, pictures):
    done = run(tree, script, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # no progress bar in a pipe
    assert {path.name for path in tmp_path.iterdir()} == pictures
    expected = re.search(
        r"Right solutions end at (\S+)% to (\S+)% on digits after 20 epochs\.", done.stdout
    )
    assert expected is not None, done.stdout
    reached = 100 * float(re.findall(r"test accuracy ([\d.]+)", done.stdout)[-1])
    assert float(expected[1]) - 0.5 <= reached <= float(expected[2]) + 0.5


def test_the_study_has_both_accuracies_and_no_bar_in_a_pipe(tree):
    done = run(tree, WEEK1, "--study", "--epochs", "1")
    assert done.stderr == ""
    head, *rows = done.stdout.splitlines()[1:]
    assert head.split("  ")[:4] == ["hidden layers", "width", "training accuracy", "test accuracy"]
    assert len(rows) == 9


@pytest.fixture(params=[WEEK1, WEEK2])
def script(request, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A script of a solution, imported."""
    path = ROOT / "solutions" / request.param
    monkeypatch.syspath_prepend(str(path.parent))
    before = set(sys.modules)
    yield __import__(path.stem)
    for name in set(sys.modules) - before:
        if str(path.parent) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def options(**changed: float) -> argparse.Namespace:
    return argparse.Namespace(**{"epochs": None, "batch_size": 64, "lr": 0.01, **changed})


@pytest.mark.parametrize("name", ["mnist", "digits"])
def test_both_data_sets_have_expected_accuracies(script: ModuleType, name: str) -> None:
    low, high = script.EXPECTED[name]
    assert "this is less" not in script.expectation(name, options(), low)
    assert "this is less" not in script.expectation(name, options(), high)
    below = script.expectation(name, options(), low - 0.02)
    assert "this is less" in below
    assert f"{low:.1%} to {high:.1%} on {name} after {script.EPOCHS[name]} epochs" in below


def test_with_other_settings_nothing_is_called_too_low(script: ModuleType) -> None:
    text = script.expectation("digits", options(epochs=1), 0.3)
    assert "with the settings of the handout" in text
    assert "this is less" not in text


def test_the_units_that_changed_most_come_first(script: ModuleType, tmp_path, monkeypatch) -> None:
    if not hasattr(script, "plot_learnt"):
        pytest.skip("week 1's picture")
    saved = []
    monkeypatch.setattr(script, "save_figure", lambda figure, path: saved.append(figure))
    start = np.zeros((40, 784))
    end = start + np.arange(40)[:, None]
    script.plot_learnt(start, end, tmp_path / "x.png")
    grid = [axes.images[0].get_array() for axes in saved[0].axes if axes.images]
    assert [float(image[0, 0]) for image in grid[8:24]] == [*range(39, 31, -1)] * 2  # end, change
    assert len(grid) == 16 + 32


def test_accuracies_may_come_in_percent(script: ModuleType) -> None:
    if hasattr(script, "share"):
        assert script.share(96.5) == pytest.approx(0.965)
        assert script.share(0.965) == 0.965
