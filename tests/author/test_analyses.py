"""The analyses run from top to bottom on the digits, draw their pictures, and say what is so."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from autograder.author import analyses

ROOT = Path(__file__).resolve().parents[2]
SOURCES = {source.stem[:5]: source for source in analyses.sources(ROOT)}
PICTURES = {"week1": 8, "week2": 12, "week3": 6, "week4": 7, "week5": 7, "week6": 6}
"""The least number of pictures in each."""

# Cells that are run after a notebook's own: what its text claims, of what it has measured.
CLAIMS = {
    "week1": """
assert np.allclose(curves["your CrossEntropyLoss"], curves["float64"], rtol=1e-3)
assert set(last) == {"naive", "shifted"}, "both end in infinity, and adding 1e-12 does not"
assert last["naive"] < last["shifted"]
assert 75 < scales[last["naive"]] * logits.max() < 89
assert np.allclose(factors["ReLU"], fine_gains / np.sqrt(2), rtol=0.1)
assert max(factors["Sigmoid"]) < 1 < factors["Tanh"][-1]
assert np.isinf(errors["naive", "float32", -1][GAPS > 104]).all()
assert np.isinf(errors["shifted", "float32", -1][GAPS > 104]).all()
assert np.isinf(errors["naive", "float32", 1][GAPS > 79]).all()
assert np.isfinite(errors["shifted", "float32", 1]).all()
assert (errors["log-softmax", "float32", -1] < 1e-6).all()
assert (errors["log-softmax", "float32", 1][GAPS > 17.5] == 1).all()
assert (errors["log-softmax", "float64", 1][GAPS > 37.5] == 1).all()
assert max(errors["log1p", "float64", side].max() for side in SIDES) < 1e-15
assert max(curves["$p + 10^{-12}$"]) < 0.1 * curves["float64"][-1]
assert all(0.9 < norms["Tanh", gain][0] ** (1 / 19) < 1.1 for gain in (1.0, float(np.sqrt(2))))
assert (factors["Sigmoid"] < fine_gains / 4).all() and norms["Sigmoid", 1.0][0] < 1e-11
learns = {name: losses[-1] < 1.8 for name, losses in trained.items()}
assert [name for name in learns if learns[name]] == list(trained)[:2]
""",
    "week2": """
assert (a.grad.shape, b.grad.shape) == ((2, 3), ())
assert value_nodes == formula and len(set(tensor_nodes)) == 1 and tensor_nodes[0] == 10
assert paths_of == [2**n for n in doublings] and slopes == [2.0**n for n in doublings]
assert gradients[(3,)].tolist() == [0, 2.5, 7] and gradients[()] == 9.5
assert gradients[(2, 1)].ravel().tolist() == [6, 3.5]
assert count(loss) == 11
saturated = [p["w1"].grad for p, z in zip(neurons, before_tanh) if abs(z) > 3]
assert max(map(abs, saturated)) < 0.02, "1 - o ** 2 is below 0.01, and x1 is 2"
""",
    "week3": """
until = steps_until
assert until("bent valley", "Adam", 0.01) < until("bent valley", "SGDMomentum", 0.01)
assert until("bent valley", "SGD", 0.01) is None
assert max(until("saddle", name, 0.01) for name in ("RMSprop", "Adam")) < 20
assert until("saddle", "SGD", 0.01) > 40
assert walks["bent valley", "RMSprop"][1][-50:].min() > 1e-3, "it comes close and stays there"
worst = max(run[-1] for name, runs in settled.items() if name != "constant" for run in runs)
assert worst < min(run[-1] for run in settled["constant"])
others = [run[-1] for name, runs in begun.items() if not name.startswith("Warm") for run in runs]
assert max(run[-1] for run in begun["WarmupLR, then cosine"]) < min(others)
assert ratios["half of He", False] < 1 / 500 and ratios["twice He", False] > 500
assert len({round(ratios[title, True], 4) for title in STARTS}) == 1
guessing = 0.2
for (depth, title, normalise), runs in learned.items():
    fails = not normalise and (title == "twice He" or (title, depth) == ("half of He", 12))
    assert all((accuracy < guessing) == fails for _, accuracy in runs), (depth, title, normalise)
""",
    "week4": """
assert len(differences) == 2 * len(WAYS) and max(differences.values()) < 1e-4
for times in measured.values():
    assert all(times["seven loops"] > 30 * times[name] for name in WAYS)
assert rates["loop over positions"][-1] > 3 * rates["loop over positions"][1]
assert history["test"][-1] > 0.93 and history["loss"][-1] < 0.3 * history["loss"][0]
assert (moved / size < 1.5).all() and (moved > 0).all() and sum(sums < 0.35) >= 3
assert [maps.shape[1] for maps in stages.values()] == [6, 6, 3]
assert smaller["stride 4"].shape == smaller["max pooling 4"].shape == (1, 7, 7, 1)
assert min(kept["max over all places"]) > 0.99, "as long as nothing leaves the image"
for shift in SHIFTS[1:]:
    assert kept["nothing"][shift] < kept["max pooling 2"][shift] < kept["max pooling 4"][shift]
    assert kept["stride 4"][shift] < kept["max pooling 4"][shift]
assert all(found[count, "scratch"] < found[count, "frozen"] for count in COUNTS if found)
""",
    "week5": """
for scale in SCALES:
    assert np.allclose(kept[scale, True], scale ** np.arange(STEPS)[::-1], rtol=0.5, atol=0)
    assert kept[scale, False][0] < 0.1 * kept[scale, True][0]
assert 0.8**59 < 2e-6 and 1.2**59 > 4e4
assert kept[1.0, False][0] < 1e-3
assert [by_bias[b][0] for b in BIASES] == sorted(by_bias[b][0] for b in BIASES)
assert by_bias[0.0][0] < 1e-9 and by_bias[5.0][0] > 0.1
assert all(by_bias[b][0] > sigmoid(np.array(b)) ** 59 for b in BIASES) and by_bias[3.0][0] > 0.5
assert right[0] < 0.5 and right[-1] == 1.0
assert known["before training"][-1].max() < 0.3 < 0.6 < known["after training"][-1].max()
assert abs(into["after"] - 0.5) < 0.15 and forget["after"] < forget["before"] + 0.02
side = np.sign(after[4, -1, :, best])
assert (pushed["after training"][5:, :, best] * side).mean() > 0.2
assert np.abs((pushed["before training"][5:, :, best] * side).mean()) < 0.1
assert counted[:5] == sorted(counted[:5], reverse=True)
assert read[0] > counted[1] and read[-1] < counted[2], "also in the quick run"
assert entropies == sorted(entropies) and known_words[0] > known_words[-1] + 0.2
""",
    "week6": """
none, root, whole = DIVISORS
assert spread[none] == sorted(spread[none], reverse=True) and spread[none][-1] < 0.2
assert np.ptp(spread[root]) < 0.2 and spread[whole][-1] > 0.99 * np.log(KEYS)
assert slopes[none][-1] < 0.1 * slopes[root][-1] and np.ptp(slopes[root]) < slopes[root][0]
assert np.mean(right[:10]) < 0.7 < 0.99 < np.mean(right[-10:]) and losses[-1] < 0.1
asked_for = np.arange(len(after)), seen[2]
assert before[asked_for].min() < 0.3 and after[asked_for].min() > 0.9
assert np.allclose(np.diag(products), COLUMNS / 2)
assert np.allclose(products[20, 25], products[50, 55])
assert (places[BACK:] == np.arange(T - BACK)).all()
""",
}


@pytest.mark.prove
@pytest.mark.parametrize("week", SOURCES)
def test_it_runs_to_its_end_and_its_text_is_true(week, monkeypatch):
    monkeypatch.setenv("COURSE_QUICK", "1")
    monkeypatch.setenv("COURSE_MODULES", "solutions")
    notebook = analyses.notebook_from(SOURCES[week])
    notebook.cells.append(nbformat.v4.new_code_cell(CLAIMS[week], id="claims"))
    analyses.run(notebook, week, ROOT / analyses.FOLDER)
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    said = [output.text for output in outputs if output.get("name") == "stderr"]
    assert said == [], "no warnings"
    drawn = [
        next(iter({"image/png", "image/svg+xml"} & output.get("data", {}).keys()), None)
        for output in outputs
    ]
    assert sum(kind is not None for kind in drawn) >= PICTURES[week]
    for output in outputs:
        if "image/png" in output.get("data", {}):
            png = base64.b64decode(output.data["image/png"])
            width, height = (int.from_bytes(png[at : at + 4], "big") for at in (16, 20))
            assert png.startswith(b"\x89PNG")
            assert width >= 500
            assert height >= 200
            assert len(png) > 5_000, "there is something on it"


def test_there_is_one_for_each_week_and_none_with_outputs_in_git():
    assert list(SOURCES) == ["week1", "week2", "week3", "week4", "week5", "week6"]
    listing = ["git", "ls-files", "notebooks/*.ipynb", "solutions/*.ipynb"]
    found = subprocess.run(listing, cwd=ROOT, capture_output=True, text=True, check=True)
    assert found.stdout == ""
    for source in SOURCES.values():
        notebook = analyses.notebook_from(source)
        assert all(cell.get("outputs", []) == [] for cell in notebook.cells)
        text = "\n".join(cell.source for cell in notebook.cells)
        assert text.count("### Your turn") == 3 + source.stem.startswith(("week2", "week4"))


@pytest.mark.prove
def test_the_command_writes_them_and_keeps_what_else_is_there(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    done = subprocess.run(
        [sys.executable, "-m", "autograder", "notebooks", "--out", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {
        "mine.txt",
        "workbench.py",
        *(f"{source.stem}.ipynb" for source in SOURCES.values()),
    }
    assert len(re.findall("written: ", done.stdout)) == len(SOURCES)
    for path in tmp_path.glob("*.ipynb"):
        nbformat.validate(nbformat.read(path, as_version=4))


def test_students_run_them_on_their_own_modules(tmp_path):
    """In a tree like theirs, with the solutions filled in where their stubs are."""
    for part in ("assignments/course.toml", "data"):
        source = ROOT / part
        copy = shutil.copytree if source.is_dir() else shutil.copy
        (tmp_path / part).parent.mkdir(parents=True, exist_ok=True)
        copy(source, tmp_path / part)
    folder = tmp_path / "assignments/week2_autograd"
    shutil.copytree(ROOT / "solutions/week2_autograd", folder)
    shutil.copy(ROOT / "assignments/week2_autograd/graph_picture.py", folder)
    place = tmp_path / analyses.FOLDER
    place.mkdir(parents=True)
    shutil.copy(ROOT / analyses.FOLDER / analyses.WORKBENCH, place)
    notebook = analyses.notebook_from(SOURCES["week2"])
    notebook.cells = notebook.cells[:8]
    before = {key: os.environ.pop(key, None) for key in ("COURSE_MODULES", "COURSE_QUICK")}
    try:
        analyses.run(notebook, "week2", place)
    finally:
        os.environ.update({key: value for key, value in before.items() if value})
    said = [output.get("text", "") for output in notebook.cells[2].outputs]
    assert said == ["The modules of week 2 come from assignments/week2_autograd.\n"]
