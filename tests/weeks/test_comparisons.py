"""The scripts with which students compare: they run on right work, and name what is wrong."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
WEEK_1, WEEK_2, WEEK_3 = "week1_backprop", "week2_autograd", "week3_training"
WEEK_4, WEEK_5 = "week4_cnn", "week5_rnn"
PROJECT, PHOTOGRAPHS = f"{WEEK_3}/phase1_project", f"{WEEK_4}/photographs"
RECURRENT = ("RNN", "LST")
needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@pytest.fixture(scope="module")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A students' tree in which everything is right."""
    tree = tmp_path_factory.mktemp("solved")
    shutil.copytree(ROOT / "data", tree / "data", ignore=shutil.ignore_patterns("cache"))
    for week in (WEEK_1, WEEK_2, WEEK_3, WEEK_4, WEEK_5):
        for side in ("assignments", "solutions"):
            target = tree / "assignments" / week
            shutil.copytree(ROOT / side / week, target, dirs_exist_ok=True)
    return tree


@pytest.fixture
def tree(solved: Path, tmp_path: Path) -> Path:
    """A copy of that tree, to break."""
    return Path(shutil.copytree(solved, tmp_path / "tree"))


def run(tree: Path, week: str, *arguments: str, **environment: str) -> tuple[int, str]:
    """Run a script in the week's folder as a student would; return its end and what it printed."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    kept |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=tree / "assignments" / week,
        env=kept | environment,
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def change(tree: Path, name: str, old: str, new: str) -> None:
    """Put another text into a file, at the one place where it fits."""
    path = tree / "assignments" / name
    text = path.read_text("utf-8")
    assert text.count(old) == 1
    path.write_text(text.replace(old, new), "utf-8")


def rows_of(printed: str) -> list[list[str]]:
    """Return the cells of all lines of tables, heads and rules too."""
    lines = [line for line in printed.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def test_the_cost_of_measuring_grows_with_every_parameter(solved: Path) -> None:
    code, printed = run(solved, WEEK_1, "compare_costs.py", "--widths", "1", "4", "8")
    assert code == 0, printed
    rows = rows_of(printed)[2:]
    assert [int(row[1]) for row in rows] == [196 * h + h + 10 * h + 10 for h in (1, 4, 8)]
    ratios = [float(row[4]) for row in rows]
    assert ratios[0] < ratios[-1]
    assert all(float(row[5]) < 1e-7 for row in rows)


@needs_torch
def test_all_values_of_week_1_are_torchs(solved: Path) -> None:
    code, printed = run(solved, WEEK_1, "compare_torch.py")
    assert code == 0, printed
    assert printed.count("backward ") == 7
    assert "All values and gradients are those of PyTorch." in printed


@needs_torch
@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("dL_dy.sum(axis=0)", "dL_dy.mean(axis=0)", "layer 3, Linear: dL_db"),
        ("np.tanh(x)", "np.tanh(0.9 * x)", "layer 3, Tanh: forward"),
        ("dL_dy.T @", "dL_dy.T[:, :, None][:, :, 0] @", ""),
    ],
)
def test_the_first_difference_to_torch_is_named(tree: Path, old: str, new: str, place: str) -> None:
    change(tree, f"{WEEK_1}/neural_net.py", old, new)
    code, printed = run(tree, WEEK_1, "compare_torch.py")
    assert code == (1 if place else 0), printed
    assert (f"The first difference is in `{place}`" in printed) == bool(place)


@needs_torch
def test_weights_kept_the_other_way_are_right_too(tree: Path) -> None:
    text = (tree / f"assignments/{WEEK_1}/neural_net.py").read_text("utf-8")
    other = text[text.index("class ReLU(") :]
    head = text[: text.index("class Linear(")]
    linear = (
        "class Linear(Layer):\n"
        "    def __init__(self, in_features, out_features):\n"
        "        self.W = np.zeros((in_features, out_features))\n"
        "        self.b = np.zeros((1, out_features))\n\n"
        "    def forward(self, x):\n"
        "        self.x = x\n"
        "        return x @ self.W + self.b\n\n"
        "    def backward(self, dL_dy):\n"
        "        self.dL_dW = self.x.T @ dL_dy\n"
        "        self.dL_db = dL_dy.sum(axis=0, keepdims=True)\n"
        "        return dL_dy @ self.W.T\n\n\n"
    )
    path = tree / f"assignments/{WEEK_1}/neural_net.py"
    path.write_text(head + linear + other, "utf-8")
    for week, script in ((WEEK_1, "compare_torch.py"), (WEEK_2, "compare_engines.py")):
        code, printed = run(tree, week, script)
        assert code == 0, printed


def test_without_torch_the_comparison_says_so(tree: Path) -> None:
    (tree / "assignments" / WEEK_1 / "torch.py").write_text("raise ModuleNotFoundError('torch')\n")
    code, printed = run(tree, WEEK_1, "compare_torch.py")
    assert code == 2
    assert "PyTorch is not installed" in printed
    assert "Traceback" not in printed


def test_a_gap_ends_a_comparison_in_a_sentence(tree: Path) -> None:
    stubs = ROOT / "assignments"
    shutil.copy(stubs / WEEK_1 / "neural_net.py", tree / "assignments" / WEEK_1)
    for week, script in ((WEEK_1, "compare_costs.py"), (WEEK_2, "compare_engines.py")):
        code, printed = run(tree, week, script)
        assert code == 2
        assert "not written yet: week1.linear" in printed
        assert "Traceback" not in printed


def test_data_that_are_not_there_are_named(solved: Path, tmp_path: Path) -> None:
    options = ("optimizers", "--data", "mnist")
    code, printed = run(solved, WEEK_3, "compare_training.py", *options, COURSE_DATA=str(tmp_path))
    assert code == 1
    assert "mnist is not in the data cache" in printed
    assert "Traceback" not in printed


def test_the_engine_finds_the_gradients_of_week_1(solved: Path) -> None:
    for seed in ("0", "1"):
        code, printed = run(solved, WEEK_2, "compare_engines.py", "--seed", seed)
        assert code == 0, printed
        assert "finds the gradients that you derived by hand" in printed


def test_a_gradient_that_differs_from_week_1_is_shown(tree: Path) -> None:
    change(tree, f"{WEEK_1}/neural_net.py", "dL_dy.sum(axis=0)", "dL_dy.mean(axis=0)")
    code, printed = run(tree, WEEK_2, "compare_engines.py")
    assert code == 1
    differences = {
        line[:12]: line.split()[-1] for line in printed.splitlines() if " of layer" in line
    }
    assert float(differences["b of layer 1"]) > 0.1
    assert float(differences["W of layer 1"]) < 1e-10


@pytest.mark.prove
def test_the_comparisons_of_the_report_run_and_show_what_they_are_for(
    solved: Path, tmp_path: Path
) -> None:
    code, printed = run(
        solved, WEEK_3, "compare_training.py", "all", "--epochs", "2", "--out", str(tmp_path)
    )
    assert code == 0, printed
    names = ("initialisations", "optimizers", "batch_norm")
    for name in names:
        picture = tmp_path / f"compare_{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
    by_first = {}
    for row in rows_of(printed):
        by_first.setdefault(row[0], []).append(row[1:])
    arriving = {name: [float(n) for n in by_first[name][0]] for name in ("He", "small, 0.01")}
    assert arriving["small, 0.01"][0] < 1e-8 * arriving["small, 0.01"][-1]
    assert 0.3 < arriving["He"][0] / arriving["He"][-1] < 3.0
    assert [float(n) for n in by_first["zero"][0]][:4] == [0.0] * 4
    assert len(by_first["Adam"]) == len(by_first["SGD"]) == 3
    diverged = {(row[0], row[1]) for row in rows_of(printed) if "diverged" in row}
    assert ("2.0", "without") in diverged or ("2", "without") in diverged
    assert not any(second == "with" for _, second in diverged)


def test_what_is_not_written_is_left_out_of_the_report(tree: Path, tmp_path: Path) -> None:
    for name in ("optimizers.py", "batch_norm.py"):
        shutil.copy(ROOT / "assignments" / WEEK_3 / name, tree / "assignments" / WEEK_3 / name)
    options = ("--epochs", "1", "--out", str(tmp_path))
    for comparison, said in (("optimizers", "left out SGD: week3"), ("batch_norm", "left out")):
        code, printed = run(tree, WEEK_3, "compare_training.py", comparison, *options)
        assert code == 0, printed
        assert printed.count(said) == 1
        assert "Traceback" not in printed


@pytest.mark.prove
@needs_torch
def test_schedules_are_compared_on_the_same_start(solved: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(60, 32, 32, 3)).astype(np.uint8)
    np.savez(tmp_path / "cifar10.npz", x_train=images, y_train=np.arange(60, dtype=np.uint8) % 10)
    options = ("--data", str(tmp_path), "--out", str(tmp_path / "out"), "--device", "cpu")
    code, printed = run(
        solved, PROJECT, "compare_schedules.py", *options, "--epochs", "3", "--subset", "32"
    )
    assert code == 0, printed
    rows = {row[0]: row[1:] for row in rows_of(printed)}
    assert set(rows) >= {"constant", "StepLR", "cosine", "warm-up, cosine"}
    assert float(rows["constant"][0]) == 3e-3
    assert float(rows["StepLR"][0]) == pytest.approx(3e-5)
    first = [line for line in printed.splitlines() if ", epoch 1:" in line]
    assert len({line.partition("training loss")[2] for line in first if "0.00300" in line}) == 1
    (warm,) = (line for line in first if line.startswith("warm-up"))
    assert "rate 0.00150" in warm
    assert (tmp_path / "out" / "schedules.png").is_file()
    assert len((tmp_path / "out" / "schedules.jsonl").read_text("utf-8").splitlines()) == 12


def test_what_recurrent_layers_forget_is_measured(solved: Path, tmp_path: Path) -> None:
    code, printed = run(
        solved, WEEK_5, "compare_memory.py", "gradients", "--out", str(tmp_path / "out")
    )
    assert code == 0, printed
    rows = {row[0]: row[1:] for row in rows_of(printed)}
    kept = {name: [float(n) for n in row] for name, row in rows.items() if name[:3] in RECURRENT}
    assert all(row[0] == 1.0 for row in kept.values())
    assert kept["RNN"][-1] < 1e-10
    at_the_end = [kept[f"LSTM, forget bias {bias}"][-1] for bias in (0, 1, 3)]
    assert at_the_end[0] < 1e-10 < at_the_end[1] < 1e-3 < 0.1 < at_the_end[2]
    assert (tmp_path / "out" / "memory_gradients.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.prove
def test_an_open_forget_gate_remembers_the_first_symbol(solved: Path, tmp_path: Path) -> None:
    code, printed = run(solved, WEEK_5, "compare_memory.py", "recall", "--out", str(tmp_path))
    assert code == 0, printed
    rows = {row[0]: row[1:] for row in rows_of(printed)}
    assert rows["LSTM, forget bias 3"][-1] == "100"
    assert all(float(rows[f"LSTM, forget bias {bias}"][-1]) < 40 for bias in (0, 1))
    assert (tmp_path / "memory_recall.png").is_file()


def test_a_gap_ends_the_comparison_of_memory_in_a_sentence(tree: Path) -> None:
    shutil.copy(ROOT / "assignments" / WEEK_5 / "rnn.py", tree / "assignments" / WEEK_5)
    code, printed = run(tree, WEEK_5, "compare_memory.py")
    assert code == 2
    assert "not written yet: week5.rnn" in printed


SMALL = ("--size", "6", "--filters", "4", "--batch", "2", "--channels", "2", "3")


@needs_torch
def test_four_convolutions_agree_and_the_loops_are_the_slowest(solved: Path) -> None:
    for options in ((), ("--stride", "2", "--padding", "0"), ("--kernel", "5", "--padding", "2")):
        code, printed = run(solved, WEEK_4, "compare_convolutions.py", *SMALL, *options)
        assert code == 0, printed
        assert "All ways that were run agree." in printed
        rows = [row for row in rows_of(printed) if row[2].replace(",", "").isdigit()]
        assert len(rows) == 2 * 4
        assert {row[0] for row in rows if row[2] == "1"} == {"seven nested loops"}
        assert all(float(row[4]) < 1e-4 for row in rows if row[4])


def test_a_convolution_that_differs_is_named(tree: Path) -> None:
    change(tree, f"{WEEK_4}/conv.py", "y += seen @ kernel[i, j]", "y += seen @ kernel[j, i]")
    code, printed = run(tree, WEEK_4, "compare_convolutions.py", *SMALL)
    assert code == 1
    assert "look there before you look at times: loop over positions" in printed


def test_without_torch_convolutions_are_compared_without_its_line(tree: Path) -> None:
    (tree / "assignments" / WEEK_4 / "torch.py").write_text("raise ModuleNotFoundError('torch')\n")
    code, printed = run(tree, WEEK_4, "compare_convolutions.py", *SMALL)
    assert code == 0, printed
    assert "PyTorch is not installed, so it is left out" in printed
    assert not [row for row in rows_of(printed) if row[0] == "PyTorch"]


def test_a_convolution_that_is_not_written_is_left_out(tree: Path) -> None:
    shutil.copy(ROOT / "assignments" / WEEK_4 / "conv.py", tree / "assignments" / WEEK_4)
    code, printed = run(tree, WEEK_4, "compare_convolutions.py", *SMALL)
    assert code == 0, printed
    assert printed.count("left out: week4.conv2d") == printed.count("left out: week4.im2col") == 2
    assert "Traceback" not in printed


@needs_torch
def test_the_loops_are_the_convolution_of_torch(solved: Path) -> None:
    code = (
        "import numpy as np, torch\n"
        "from compare_convolutions import conv_by_loops\n"
        "rng = np.random.default_rng(0)\n"
        "x, kernel = rng.normal(size=(2, 3, 7, 6)), rng.normal(size=(4, 3, 3, 2))\n"
        "for s, p in ((1, 0), (2, 1), (3, 2)):\n"
        "    right = torch.nn.functional.conv2d(\n"
        "        torch.tensor(x), torch.tensor(kernel), stride=s, padding=p)\n"
        "    np.testing.assert_allclose(conv_by_loops(x, kernel, s, p), right, rtol=1e-12)\n"
    )
    assert run(solved, WEEK_4, "-c", code) == (0, "")


@needs_torch
def test_transfer_names_the_data_that_are_not_there(solved: Path, tmp_path: Path) -> None:
    code, printed = run(solved, PHOTOGRAPHS, "compare_transfer.py", COURSE_DATA=str(tmp_path))
    assert code == 1
    assert "is not in the data cache" in printed
    assert "needs both cifar10 and efficientnet" in printed
    assert "Traceback" not in printed


STRANGER = """
import numpy as np, torch
import compare_transfer
from compare_transfer import Comparison, Pets, compare, table
from efficientnet import FEATURES, Trunk, pretrained

torch.manual_seed(0)
rng = np.random.default_rng(0)
x = torch.from_numpy(rng.integers(256, size=(40, 3, 32, 32), dtype=np.uint8))
y = torch.arange(40) % 2
x[y == 1] //= 4
kept = {key: array.numpy() for key, array in Trunk().state_dict().items() if "tracked" not in key}
trunk = pretrained(kept)
before = {key: array.clone() for key, array in trunk.state_dict().items()}
compare_transfer.STEPS = 4
pets = Pets(x[:20], y[:20], x[20:], y[20:])
images, labels = pets.draw(6, 1)
assert labels.tolist() == [0, 0, 0, 1, 1, 1] and images.shape == (6, 3, 32, 32)
assert not torch.equal(images, pets.draw(6, 2)[0])
ways = list(compare_transfer.WAYS)
found = {}
for count, way, right, _ in compare(Comparison(pets, trunk, 32), [4, 6], 2, ways):
    assert 0.0 <= right <= 1.0
    found.setdefault((count, way), []).append(right)
assert {len(runs) for runs in found.values()} == {2} and len(found) == 8
after = trunk.state_dict()
assert all(torch.equal(before[key], after[key]) for key in before), "the trunk is never changed"
print(table(found, [4, 6], ways))
try:
    pretrained({**kept, "one_too_many": kept["_bn0.bias"]})
except RuntimeError:
    print("refused")
"""


@needs_torch
def test_four_ways_of_transfer_run_and_leave_the_trunk_as_it_is(solved: Path) -> None:
    code, printed = run(solved, PHOTOGRAPHS, "-c", STRANGER)
    assert code == 0, printed
    assert [row[0] for row in rows_of(printed)] == ["images", "---", "4", "6"]
    assert printed.endswith("refused\n")


@needs_torch
def test_a_gap_ends_transfer_in_a_sentence(tree: Path) -> None:
    shutil.copy(
        ROOT / "assignments" / PHOTOGRAPHS / "transfer.py", tree / f"assignments/{PHOTOGRAPHS}"
    )
    code = STRANGER.replace(
        "for count, way",
        "compare_transfer.load = lambda n: (pets, trunk)\n"
        "import sys\nsys.argv = ['x', '--ways', 'frozen', '--pixels', '32', '--images', '4']\n"
        "sys.exit(compare_transfer.main())\nfor count, way",
    )
    ended, printed = run(tree, PHOTOGRAPHS, "-c", code)
    assert ended == 2, printed
    assert "not written yet: cifar.transfer" in printed
    assert "Traceback" not in printed
