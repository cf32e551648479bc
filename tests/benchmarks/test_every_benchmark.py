"""Every benchmark runs to its end on its tiny setting and prints its table, with finite numbers.

Which numbers is not asked: no timing decides. Their own settings are for `make bench`.
"""

from __future__ import annotations

import ast
import math
import os
import re
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

from benchmarks.__main__ import BENCHMARKS, BY_NAME, HELPERS, SHOWN, summary
from benchmarks.goals import PARTS, SECOND_NODE

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "benchmarks"

N = r"(-?[\d,]*\.?\d+(?:e[-+]?\d+)?|-?inf|nan)"
"""A number in a table, or what stands there in its place."""

PRINTS: dict[str, tuple[str, ...]] = {
    "goals": (
        rf"toy, whole job, one process +{N} s <= 0\.10 s  (?:not )?reached",
        rf"the same against lean pytest +{N} x <= 0\.25 x  (?:not )?reached",
        rf"week 1 without training against lean pytest, one process +{N} x <= 0\.35 x",
        rf"one student, week \d, one process +{N} s <= 4\.50 s",
        rf"an empty submission of a week \(the slowest one\) +{N} s <= 0\.10 s",
        rf"`grade` before its first job and after its last +{N} s <= 0\.90 s",
        rf"a cold push until the public answer +{N} s <= 1\.50 s",
        rf"a cold push until the score +{N} s <= 3\.00 s",
        rf"1 pushes at once, the last score +{N} s <= 8\.00 s",
        rf"{N} of {N} goals are reached",
    ),
    "toy": (
        rf"grader {N} s a submission, {N} s .* lean pytest {N} s",
        rf"ratio {N} \(median of 1 rounds",
    ),
    "grading": (rf"1 at a time: grader {N} s, lean pytest {N} s per submission; ratio {N} ",),
    "student": (
        rf"week \d +{N} s +{N} s",
        rf"together +{N} s",
        rf"2 processes(?: {N} times as fast|.* there is one processor here)",
    ),
    "ends": (rf"{N} s before the job and after it .* the job {N} s", rf"left to grade: {N} s"),
    "push": (
        rf"cold, no service yet: median +{N} s +{N} s",
        rf"warm: median +{N} s +{N} s",
        rf"1 at once: the last one +{N} s +{N} s",
    ),
    "class": (
        rf"{N} s wall time, {N} s per student, {N} s per student and week",
        rf"training +{N} +{N} s +{N}%",
        rf"sandbox start +{N} +{N} s +{N}%",
        rf"nothing changed: {N} s",
    ),
    "pool": (rf"second pool .*: {N} s until", rf"10 jobs with {N} results each: {N} ms a job"),
    "training": (rf"through the grader: {N}%", rf"grader {N} s, bare loop {N} s; ratio {N} "),
    "autograd": (rf"week 1 {N} s, week 2 {N} s an epoch; ratio {N} ", rf"built in {N} s, .* {N} s"),
    "project": (
        rf"reference +{N} s per epoch, +{N} s in all, peak {N} MiB; test accuracy {N}%",
        rf"plain +{N} s per epoch, +{N} s in all, peak {N} MiB; test accuracy {N}%",
        rf"the reference is {N} times as fast",
    ),
    "cluster": (
        rf"week 1 without training, 4 pairs in turns: this machine {N} s, a node {N} s",
        rf"one node {N} s \(at best {N}\), two {N} s: {N} times the throughput",
    ),
    "pages": (rf" +3 +{N} +{N} +{N} +{N} +{N}", rf" +6 +{N} +{N} +{N} +{N} +{N}"),
    "journal": (rf"journal MB +{N} +{N} KB +{N}", rf"gather s +{N} +{N} ms +{N}"),
    "hostile": (
        rf"alone {N} s, {N} s per submission",
        rf"with 1 attackers {N} s, {N} s per submission",
        r"exactly the same results: 1 of 1",
        r"gained a point: none; that reached anything: none",
    ),
    "kill": (rf"gone {N} ms after the kill, at most {N} ms in 1 rounds",),
    "notebooks": (rf"honest +{N} +{N} ms", r"2 of 2 got what they should"),
    "calibrate": (rf"none +{N} +{N} +{N} +{N} +\d/1", rf"frozen-1 +{N} +{N} +{N} +{N} +\d/1"),
    "fuzz": (rf'"refused": {N}', rf'"slowest_ms": {N}', rf'"more_memory_mb": {N}'),
    "literal": (rf"week3 +texts +{N} of +{N} +{N} +{N}", rf"week3 +tutorial +{N} of +{N} +{N}"),
    "answers": (
        rf"week 1 +a long array +{N} s +{N} s +{N} MB",
        rf"the worst: {N} s of processor time in one test",
    ),
    "one_fault": (
        rf"week3 +sgd-\S+ +sgd {N} of {N}  \| beyond: -",
        rf"{N} of {N} faults cost another item; {N} points in all",
    ),
    "mistakes": (r"mistakes +check saw +named", rf"all +{N} +{N} +{N} +{N} +{N} +{N} +{N}"),
    "mutants": (rf"week4 +{N}  conv-backward-overwrites", r"(\d+) of \1 mutants are noticed"),
    "explanations": (
        rf"all +2 +{N} +{N} +{N} +{N} +{N} +{N} +{N}",
        r"2 of 2 kinds are named",
        rf"false explanations: {N}; survivors not judged: {N}",
    ),
    "styles": (rf"week3 +slots +{N} of +{N} +{N} +0",),
    "reruns": (r"a comment in a report +nothing", r"the salt +everything"),
    "term": (rf"{N} of {N} students have the points computed apart, {N} in all",),
    "training-weeks": (
        r"week4 on digits, reference: ",
        rf"least +credit +{N} .*accuracy +{N} +CPU s +{N}",
    ),
}
"""What a benchmark prints on its tiny setting. Each group is a number, which must be finite."""

QUICK = ("autograd", "calibrate", "fuzz", "pool")
"""These take a few seconds at most; the others belong to `make prove`."""

SANDBOXED = set(BENCHMARKS) - {
    *("autograd", "calibrate", "fuzz", "mutants", "project", "reruns", "training-weeks"),
}
"""These need a machine that can confine programs."""


@pytest.mark.parametrize(
    "name",
    [pytest.param(one, marks=() if one in QUICK else pytest.mark.prove) for one in BENCHMARKS],
)
def test_a_benchmark_prints_its_table(name: str, request: pytest.FixtureRequest) -> None:
    if name in SANDBOXED:
        request.getfixturevalue("confinement")
    if name == "project" and find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    printed = tiny(name)
    for pattern in PRINTS[name]:
        found = re.search(pattern, printed)
        assert found, f"{pattern!r} is not in what {name} prints:\n{printed}"
        for number in filter(None, found.groups()):
            assert math.isfinite(float(number.replace(",", ""))), found.group()


def tiny(name: str) -> str:
    """Return what a benchmark prints on its tiny setting; `goals` prints that of its parts, too."""
    return tiny_run("goals" if BENCHMARKS[name] in (*PARTS, SECOND_NODE) else name)


@cache
def tiny_run(name: str) -> str:
    """Run a benchmark once, whoever asks."""
    return run(name, "--tiny")


def run(*arguments: str) -> str:
    """Run benchmarks as a person does; return what they print. They must succeed."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", *arguments],
        cwd=ROOT,
        env={**os.environ, "COLUMNS": "100", "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=1200,
        check=False,
    )
    assert done.returncode == 0, f"{arguments}: {done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done.stdout


def test_every_file_is_a_benchmark_in_the_table_or_a_helper() -> None:
    files = {path.stem for path in FOLDER.glob("*.py")} - {"__init__", "__main__"}
    named = [*BENCHMARKS.values(), *HELPERS]
    assert files == set(named), "put a new file into SHOWN, BY_NAME or HELPERS of __main__.py"
    assert len(named) == len(set(named)), "each stands there once"
    assert not SHOWN.keys() & BY_NAME.keys()


def test_every_benchmark_is_tried_here() -> None:
    assert PRINTS.keys() == BENCHMARKS.keys(), "say in PRINTS what the new benchmark prints"
    assert {*QUICK, *SANDBOXED} <= BENCHMARKS.keys()


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_has_a_line_of_help_a_real_setting_and_a_tiny_one(name: str) -> None:
    """Whatever the tiny setting changes has a default: `main()` alone is the real setting."""
    module = BENCHMARKS[name]
    assert re.fullmatch(r"[A-Z`].{10,110}[.0-9s]", summary(module)), summary(module)
    tree = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
    (main,) = (
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "main"
    )
    assert len(main.args.defaults) == len(main.args.args), "each parameter has a default"
    (tiny,) = (
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "TINY"
    )
    assert isinstance(tiny, ast.Dict)
    assert tiny.keys, "a tiny setting differs"
    assert {ast.literal_eval(key) for key in tiny.keys if key} <= {a.arg for a in main.args.args}


def test_the_goals_run_what_they_are_measured_by() -> None:
    assert set(PARTS) <= set(BY_NAME.values())
    assert SECOND_NODE not in PARTS


# The command


def test_help_has_a_line_for_each_benchmark() -> None:
    printed = run("--help")
    for name, module in BENCHMARKS.items():
        assert re.search(rf"^  {name} +{re.escape(summary(module))}$", printed, re.MULTILINE)


def test_an_unknown_name_is_refused_with_those_that_are_there() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "gradign"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "there is no gradign; choose from: goals, class" in done.stderr


def test_one_that_fails_does_not_keep_the_others_from_running(monkeypatch, capfd) -> None:
    from benchmarks import __main__ as command

    monkeypatch.setattr(command, "BENCHMARKS", {"gone": "rows", "calibrate": "calibrate_digits"})
    assert command.run_each(["gone", "calibrate"], tiny=True) == ["gone"]
    printed = capfd.readouterr().out
    assert "== gone: FAILED with exit status 2" in printed
    assert re.search(r"frozen-1 +\d", printed)
    assert re.search(r"== calibrate: after \d+ s", printed)
