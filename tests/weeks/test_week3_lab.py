"""The debugging lab of week 3: the faulty scripts train badly and mended ones well, by far."""

from __future__ import annotations

import re
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
DIVIDED = "w[name] -= rate * step / len(rows)"
IN_ORDER = "indices = np.arange(count)"
SHIFTED = "rows[np.arange(len(y)), y - 1] = 1.0"
ZEROS = (
    "    first = Linear(np.zeros((hidden, features)))\n"
    "    second = Linear(np.zeros((classes, hidden)))\n"
)


def both(weights: str) -> str:
    """Return the two layers with weights from one expression of `shape` and `inputs`."""
    return (
        f"    make = lambda shape, inputs: {weights}\n"
        "    first = Linear(make((hidden, features), features))\n"
        "    second = Linear(make((classes, hidden), hidden))\n"
    )


REPAIRS = {
    "lab_1": {
        DIVIDED: ("w[name] -= rate * step", "w[name] -= 3.0 * rate * step"),
        "return gradient / len(y)": ("return gradient",),
        "rate = 200, 150, 0.3": ("rate = 200, 150, 45.0",),
        "step / len(rows)": ("step", "(step / len(rows)) * len(rows)"),
    },
    "lab_2": {
        IN_ORDER: (
            "indices = np.argsort(rng.random(count))",
            "indices = rng.integers(0, count, count)",
            "indices = np.random.default_rng(0).permutation(count)",
            "indices = np.arange(count).reshape(4, -1).T.ravel()",
        ),
        "    weights = []\n": (
            "    p = rng.permutation(len(x))\n    x, y = x[p], y[p]\n    weights = []\n",
        ),
    },
    "lab_3": {
        "20.0, 0.9": [
            *("2.0, 0.9", "1.5, 0.9", "1.0, 0.9", "0.3, 0.9", "0.1, 0.9", "0.01, 0.9"),
            *("0.5, 0.0", "0.05, 0.0", "0.5, 0.5"),
        ]
    },
    "lab_4": {"rate = 0.000003": [f"rate = {rate}" for rate in (0.0007, 0.001, 0.01, 0.03)]},
    "lab_5": {
        SHIFTED: (
            "rows[range(len(y)), y] = 1.0",
            "rows = np.eye(classes)[y]",
            "rows = (y[:, np.newaxis] == np.arange(classes)) * 1.0",
            "np.put_along_axis(rows, y[:, np.newaxis], 1.0, axis=1)",
        )
    },
    "lab_6": {
        ZEROS: [
            both(weights)
            for weights in (
                "rng.normal(size=shape)",
                "0.01 * rng.normal(size=shape)",
                "rng.normal(size=shape) * np.sqrt(2.0 / sum(shape))",
                "rng.uniform(-1.0, 1.0, shape) / np.sqrt(inputs)",
                "rng.random(shape)",
            )
        ],
        "first = Linear(np.zeros((hidden, features)))": (
            "first = Linear(rng.normal(size=(hidden, features)))",
        ),
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


def test_lab_6_is_not_mended_by_equal_weights():
    equal = faulty("lab_6").replace(ZEROS, both("np.full(shape, 0.1)"))
    x, y, *_ = training_lab.draw("lab_6", np.random.default_rng(0))
    assert not training_lab.differ(script(equal).train(x, y, 0)["W1"])
    for right in REPAIRS["lab_6"][ZEROS]:
        assert training_lab.differ(
            script(faulty("lab_6").replace(ZEROS, right)).train(x, y, 0)["W1"]
        )


def test_each_script_has_at_least_four_other_repairs():
    tried = [lab for lab, _, _ in repaired()]
    assert min(tried.count(lab) for lab in LABS) >= 4


@pytest.mark.parametrize("lab", LABS)
def test_students_get_a_short_script_without_an_answer(lab):
    stub = script(faulty(lab))
    assert (stub.FAULT, stub.WHY) == (None, "")
    assert len(faulty(lab).splitlines()) <= LONGEST


def test_all_scripts_and_the_suites_have_the_same_names():
    names = training_lab.FAULTS
    assert len(set(names)) == len(names) >= 10
    assert {script(solution(lab)).FAULTS for lab in LABS} == {names}
    assert list(training_lab.PROBLEMS) == LABS


def test_each_script_has_another_fault_and_a_reason():
    answers = [script(solution(lab)) for lab in LABS]
    assert len({answer.FAULT for answer in answers} & set(training_lab.FAULTS)) == len(LABS)
    assert all(re.fullmatch(r"\S.{20,}", answer.WHY) for answer in answers)


def test_the_handout_explains_every_fault():
    handout = (WEEK / "README.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `([a-z ]+)` \| .+ \|$", handout, re.MULTILINE))
    assert set(training_lab.FAULTS) <= explained
