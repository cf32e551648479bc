"""`autograder grade --scheduler`, as a person types it: what is refused, and a class on a node."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autograder.course import load
from autograder.grading.cluster.link import open_link
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.reference.misconceptions import solution_files
from tests.dask_cluster import DaskProcesses

ROOT = Path(__file__).resolve().parents[3]


def grade(*options: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "autograder", "grade", *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=500,
    )


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ("tcp://10.0.0.1:8786", "takes no TLS: everybody who reaches it could run programs"),
        ("tls://head:8786", "takes TLS, and no files for it are given"),
        ("head:8786", "is no address of a scheduler"),
    ],
)
def test_what_is_refused_before_anything_is_read(address, problem, tmp_path):
    done = grade("--scheduler", address, "--submissions", tmp_path, "--out", tmp_path / "out")
    assert done.returncode == 2
    assert problem in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_without_dask_the_error_says_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"distributed.*bash scripts/setup\.sh cluster"):
        open_link(ClusterSetting(scheduler="tcp://127.0.0.1:1"))


def test_grading_here_needs_no_dask_and_loads_none():
    program = "import sys, autograder.commands.grade, autograder.grading.class_run; "
    program += "print([name for name in ('dask', 'distributed', 'tornado') if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.prove
def test_a_week_of_the_course_is_graded_on_a_node(tmp_path, confinement):
    """A node started as the guide says, in its own copy of the repository at another path."""
    pytest.importorskip("distributed", reason="Dask is not installed: scripts/setup.sh cluster")
    week = load(ROOT).week(1)
    for name in ("ada", "bob"):
        (tmp_path / "in" / name).mkdir(parents=True)
        for file, content in solution_files(ROOT, week).items():
            (tmp_path / "in" / name / file).write_bytes(content)
    there = tmp_path / "there"
    there.mkdir()
    for folder in ("autograder", "data", "assignments", "solutions"):
        subprocess.run(["cp", "-r", ROOT / folder, there / folder], check=True)
    dask = DaskProcesses(tmp_path)
    try:
        dask.worker("one", threads=2, tree=there)
        done = grade(
            *("--scheduler", dask.address, "--week", "1", "--submissions", tmp_path / "in"),
            *("--out", tmp_path / "out"),
        )
        again = grade(
            *("--scheduler", dask.address, "--week", "1", "--submissions", tmp_path / "in"),
            *("--out", tmp_path / "out"),
        )
    finally:
        dask.close()
    assert done.returncode == 0, done.stderr
    assert "Grading on a cluster: tcp://127.0.0.1:" in done.stdout
    assert f"2 at a time, rung {confinement.name[0]}" in done.stdout.replace("\n", " ")
    assert again.returncode == 0, again.stderr
    rows = (tmp_path / "out" / "gradebook.csv").read_text().splitlines()
    assert len(rows) == 3
