"""The debugging lab of week 3: the faulty scripts train badly and mended ones well, by far."""

from __future__ import annotations

import importlib.util
import re
import sys
from functools import lru_cache
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from assignments.week3_training.suite_tools import training_lab
from autograder.reference.gaps import make_stub

ROOT = Path(__file__).resolve().parents[2]
WEEK = ROOT / "assignments" / "week3_training"
LABS = [f"lab_{number}" for number in range(1, 7)]
SEEDS = range(20)
MARGIN = 2.0
LONGEST = 79

# Other repairs that are right: what stands in the faulty script, and what may stand there instead.
DIVIDED = """np.einsum("nj,ni->ji", upstream, inputs) / len(inputs), upstream.mean(axis=0)"""
IN_ORDER = "rng.permuted(indices.reshape(-1, size), axis=1)"
TOGETHER = "np.mean(x, keepdims=True), np.std(x, keepdims=True)"
SHIFTED = "rows[np.arange(len(y)), y - 1] = 1.0"
ALIKE = "rng.normal(0.0, np.sqrt(2.0 / inputs), inputs)"

REPAIRS = {
    "lab_1": {
        DIVIDED: (
            "upstream.T @ inputs, upstream.sum(axis=0)",
            "(len(inputs) * np.einsum('nj,ni->ji', upstream, inputs) / len(inputs),"
            " len(inputs) * upstream.mean(axis=0))",
        ),
        "return gradient / len(y)": ("return gradient",),
        "rate = 200, 150, 0.3": ("rate = 200, 150, 45.0",),
    },
    "lab_2": {
        IN_ORDER: (
            "rng.permuted(indices).reshape(-1, size)",
            "np.argsort(rng.random(count)).reshape(-1, size)",
            "rng.integers(0, count, (count // size, size))",
            "indices.reshape(size, -1).T",
        ),
        "    weights = []\n": (
            "    p = rng.permutation(len(x))\n    x, y = x[p], y[p]\n    weights = []\n",
        ),
    },
    "lab_3": {
        TOGETHER: (
            "x.mean(0), x.std(0)",
            "x.mean(axis=0), x.std(axis=0, ddof=1)",
            "np.median(x, axis=0), np.ptp(x, axis=0) / 4.0",
            "x.min(axis=0), np.ptp(x, axis=0) / 2.0",
        )
    },
    "lab_4": {
        "gamma=0.9)": ("gamma=0.99)", "gamma=0.995)", "gamma=0.999)", "gamma=1.0)"),
        "schedule.step(count)": ("schedule.step(0)", "schedule.step(count / batches)"),
    },
    "lab_5": {
        SHIFTED: (
            "rows[range(len(y)), y] = 1.0",
            "rows = np.eye(classes)[y]",
            "rows = (y[:, np.newaxis] == np.arange(classes)) * 1.0",
            "np.put_along_axis(rows, y[:, np.newaxis], 1.0, axis=1)",
        )
    },
    "lab_6": {
        ALIKE: (
            "rng.normal(size=(outputs, inputs))",
            "0.1 * rng.normal(size=self.W.shape)",
            "rng.normal(size=self.W.shape) * np.sqrt(2.0 / sum(self.W.shape))",
            "rng.uniform(-1.0, 1.0, self.W.shape) / np.sqrt(inputs)",
        )
    },
}


@lru_cache
def solution(lab: str) -> str:
    return (ROOT / "solutions" / "week3_training" / f"{lab}.py").read_text("utf-8")


@lru_cache
def faulty(lab: str) -> str:
    return make_stub(solution(lab), lab)


@lru_cache
def script(source: str) -> ModuleType:
    module = ModuleType("lab")
    exec(compile(source, "lab.py", "exec"), module.__dict__)
    return module


def losses(lab: str, source: str, seeds: range) -> list[float]:
    """Return the loss on new data, as the suite measures it, of a run with each seed."""
    found = []
    for seed in seeds:
        x, y, x_new, y_new = training_lab.draw(lab, np.random.default_rng(seed))
        with np.errstate(all="ignore"):
            w = script(source).train(x, y, seed)
        weights = [w[name] for name in ("W1", "b1", "W2", "b2")]
        found.append(training_lab.held_out_loss(weights, x_new, y_new))
    return found


def limit(lab: str) -> float:
    return training_lab.PROBLEMS[lab][1]


def repaired() -> list[tuple[str, str, str]]:
    return [
        (lab, wrong, right)
        for lab, repairs in REPAIRS.items()
        for wrong, rights in repairs.items()
        for right in rights
    ]


@pytest.mark.prove
@pytest.mark.parametrize("lab", LABS)
def test_the_mended_script_trains_well(lab):
    assert max(losses(lab, solution(lab), SEEDS)) * MARGIN < limit(lab)


@pytest.mark.prove
@pytest.mark.parametrize("lab", LABS)
def test_the_faulty_script_runs_and_trains_badly(lab):
    assert min(losses(lab, faulty(lab), SEEDS)) > MARGIN * limit(lab)


@pytest.mark.prove
@pytest.mark.parametrize(("lab", "wrong", "right"), repaired())
def test_another_repair_trains_well_too(lab, wrong, right):
    assert faulty(lab).count(wrong) == 1
    assert max(losses(lab, faulty(lab).replace(wrong, right), SEEDS[:5])) < limit(lab)


def test_hidden_units_of_lab_6_are_alike_unless_mended():
    x, y, *_ = training_lab.draw("lab_6", np.random.default_rng(0))
    assert not training_lab.differ(script(faulty("lab_6")).train(x, y, 0)["W1"])
    equal = faulty("lab_6").replace(ALIKE, "0.1")
    assert not training_lab.differ(script(equal).train(x, y, 0)["W1"])
    for right in REPAIRS["lab_6"][ALIKE]:
        assert training_lab.differ(
            script(faulty("lab_6").replace(ALIKE, right)).train(x, y, 0)["W1"]
        )


def test_each_script_has_at_least_four_other_repairs():
    tried = [lab for lab, _, _ in repaired()]
    assert min(tried.count(lab) for lab in LABS) >= 4


def answers(source: str) -> dict[str, dict]:
    """Return what a lab_answers.py says, by the scripts' names."""
    module = script(source)
    return {lab: getattr(module, lab)() for lab in LABS}


@pytest.mark.parametrize("lab", LABS)
def test_students_get_a_short_script_that_does_not_say_what_is_wrong(lab):
    assert len(faulty(lab).splitlines()) <= LONGEST
    assert not [name for name in training_lab.FAULTS if name in faulty(lab).lower()]


def test_students_get_empty_answers():
    nothing = {"suspects": [], "measured": "", "fault": None}
    assert answers(faulty("lab_answers")) == dict.fromkeys(LABS, nothing)


def test_the_answers_and_the_suites_have_the_same_names():
    names = training_lab.FAULTS
    assert len(set(names)) == len(names) >= 10
    assert names == script(solution("lab_answers")).FAULTS
    assert list(training_lab.PROBLEMS) == LABS


def test_each_script_has_another_fault_and_a_number_that_shows_it():
    said = answers(solution("lab_answers")).values()
    assert len({answer["fault"] for answer in said} & set(training_lab.FAULTS)) == len(LABS)
    assert all(re.search(r"\d", answer["measured"]) for answer in said)
    assert all(answer["fault"] in answer["suspects"] for answer in said)


def test_the_handout_explains_every_fault():
    handout = (WEEK / "README.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([a-z ]+)` \| .+ \|$", handout, re.MULTILINE))
    assert set(training_lab.FAULTS) <= explained


# The instruments that students measure with.


@lru_cache
def instruments() -> ModuleType:
    spec = importlib.util.spec_from_file_location("lab", WEEK / "lab.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["lab"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@lru_cache
def recorded(lab: str, source: str):
    """Return a script's run as lab.py records it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, lab, script(source))
        return instruments().run(lab)


def shown(lab: str, source: str, instrument: str, capsys) -> str:
    found = recorded(lab, source)
    capsys.readouterr()
    instruments().INSTRUMENTS[instrument](found)
    return capsys.readouterr().out


@pytest.mark.parametrize("lab", LABS)
def test_a_run_of_lab_py_is_as_good_or_bad_as_one_of_the_suite(lab):
    assert recorded(lab, faulty(lab)).final > MARGIN * limit(lab)
    assert recorded(lab, solution(lab)).final < limit(lab)


@pytest.mark.parametrize(
    ("lab", "instrument", "faulty_says", "mended_says"),
    [
        ("lab_1", "gradients", r"0\.00667\n", r" 1\n"),
        ("lab_2", "batches", r"0 +10 +0 +0 +0 ", r"\n +0 +[1-9] +[1-9] +[1-9] +[1-9] "),
        ("lab_3", "inputs", r"4\.84e-05", r"5 +\S+ +1 "),
        ("lab_4", "steps", r"5\.71e-07", r"\n +718 .* 0\.000"),
        ("lab_5", "labels", r"class 0 +0 +0 +0 +\d\d", r"class 0 +\d+ +0 +0 +0\n"),
        ("lab_6", "units", r"e-15 +\d+%", r"\n +599 .* \d\.\d+ +\d+%"),
    ],
)
def test_a_measurement_tells_faulty_from_mended(lab, instrument, faulty_says, mended_says, capsys):
    bad = shown(lab, faulty(lab), instrument, capsys)
    good = shown(lab, solution(lab), instrument, capsys)
    assert re.search(faulty_says, bad)
    assert not re.search(faulty_says, good)
    assert re.search(mended_says, good)
    assert not re.search(mended_says, bad)


def test_the_numbers_of_the_answers_are_measured(capsys):
    """The answers' numbers are what the instruments print of the faulty scripts."""
    for lab, instrument, numbers in (
        ("lab_3", "inputs", ["1.22", "0.0137"]),
        ("lab_4", "steps", ["0.0262", "5.71e-07"]),
        ("lab_5", "labels", ["3248"]),
        ("lab_6", "units", ["2e-15"]),
    ):
        said = shown(lab, faulty(lab), instrument, capsys)
        assert all(number in said for number in numbers), lab


def test_curves_of_all_scripts_are_drawn(tmp_path):
    runs = {lab: recorded(lab, faulty(lab)) for lab in LABS}
    instruments().draw_curves(runs, tmp_path / "figures" / "lab.png")
    assert (tmp_path / "figures" / "lab.png").stat().st_size > 10_000


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["steps"], ["steps", "lab_7"]])
def test_lab_py_says_how_it_is_called(arguments):
    with pytest.raises(SystemExit, match=r"python lab\.py curves"):
        instruments().main(arguments)
