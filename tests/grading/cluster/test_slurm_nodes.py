"""A class graded on nodes that Slurm gives: a cluster of one machine, by scripts/one_node_slurm.sh.

It takes root and Debian's packages slurm-wlm and munge, and is left out, aloud, without them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from autograder import course as courses
from autograder.course import GRADING_FILE
from autograder.gradebook.heartbeat import RunningJob
from autograder.gradebook.journal import Gradebook
from autograder.gradebook.submission import Submission
from autograder.grading.cluster.opening import open_nodes
from autograder.grading.cluster.setting import ClusterError, cluster_setting
from autograder.grading.run import grade_class
from autograder.grading.setting import Setting
from autograder.records import Verdict
from tests.dask_cluster import wait_for

pytest.importorskip("dask_jobqueue", reason="no dask-jobqueue here: pip install -e '.[cluster]'")

ROOT = Path(__file__).resolve().parents[3]
SCRIPT = ROOT / "scripts" / "one_node_slurm.sh"
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")

pytestmark = [
    pytest.mark.prove,
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning"),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a running cluster."""
    missing = [program for program in PROGRAMS if shutil.which(program) is None]
    if missing:
        pytest.skip(f"no {', '.join(missing)} here: apt-get install slurm-wlm munge")
    if os.geteuid() != 0:
        pytest.skip("Slurm's daemons are started as root here, and this is another user")
    folder = tmp_path_factory.mktemp("slurm") / "cluster"
    subprocess.run([SCRIPT, "start", folder], check=True)
    before = os.environ.get("SLURM_CONF")
    os.environ["SLURM_CONF"] = str(folder / "slurm.conf")
    try:
        yield folder
    finally:
        if before is None:
            del os.environ["SLURM_CONF"]
        else:
            os.environ["SLURM_CONF"] = before
        subprocess.run([SCRIPT, "stop", folder], check=True)
        assert not folder.exists()


def jobs(states: str) -> list[str]:
    """Return the ids of Slurm's jobs in one of these states."""
    done = subprocess.run(
        ["squeue", "-h", "-t", states, "-o", "%i"], check=True, capture_output=True, text=True
    )
    return done.stdout.split()


def test_a_node_that_slurm_takes_away_costs_nothing(
    small, tmp_path, slurm, monkeypatch, confinement
):
    """Two jobs of one core; one is cancelled at work, and another one is asked for."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))  # the small course holds no code
    root = shutil.copytree(small, tmp_path / "course")
    with (root / GRADING_FILE).open("a") as file:
        file.write(
            f'[cluster]\nkind = "slurm"\nnodes = 2\ncores = 1\nmemory = "1GB"\n'
            f'walltime = "00:10:00"\nqueue = "all"\ninterface = "lo"\ncourse = "{root}"\n'
            f'shared = "{tmp_path}"\nlogs = "{tmp_path / "logs"}"\nwait_minutes = 3\n'
        )
    course = courses.load(root)
    cluster = cluster_setting(course, root)
    solution = (root / "solutions" / "week2_small" / "double.py").read_text()
    slow = solution.replace("    return 2.0", "    import time; time.sleep(0.5)\n    return 2.0")
    taken = {2: [Submission(f"s{n}", {"double.py": f"{slow}# {n}\n".encode()}) for n in range(6)]}
    said: list[str] = []
    nodes: set[str] = set()
    cancelled: list[str] = []
    done = 0

    def report(progress) -> None:
        nonlocal done
        done = progress.done

    def watch(running: list[RunningJob]) -> None:
        nodes.update(job.node for job in running)
        if done >= 1 and not cancelled:
            cancelled.append(jobs("RUNNING")[0])
            subprocess.run(["scancel", "--signal=KILL", "--full", cancelled[0]], check=True)

    with Gradebook.open(tmp_path / "gradebook.sqlite") as gradebook:
        setting = Setting(root, {2: None})
        with open_nodes(course, setting, cluster, said.append) as pool:
            [folder] = tmp_path.glob(".autograder-tls-*")
            files = [folder, *folder.iterdir()]
            assert len(files) == 4
            assert {path.stat().st_mode & 0o077 for path in files} == {0}
            grade_class(course, setting, taken, gradebook, 1, report, pool, watch)
        for one in taken[2]:
            assert {r.verdict for r in gradebook.results(one.student, 2)} == {Verdict.PASS}
            assert gradebook.job(one.student, 2).confinement == confinement.name
    assert cancelled
    assert any("is gone" in line for line in said), said
    assert any("SLURMCluster" in node for node in nodes), nodes
    wait_for(lambda: not jobs("PENDING,RUNNING,COMPLETING"))
    assert not folder.exists()


def test_a_batch_system_that_refuses_is_an_error(small, tmp_path, slurm, monkeypatch):
    """Slurm has no such queue."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    course = courses.load(small)
    table = {"kind": "slurm", "cores": 1, "memory": "1GB", "queue": "none", "interface": "lo"}
    table |= {"wait_minutes": 0.1, "shared": str(tmp_path)}
    course = course.model_copy(update={"more": {"cluster": table}})
    cluster = cluster_setting(course, small)
    with pytest.raises(ClusterError, match=r"slurm gives no nodes .*invalid partition"):
        open_nodes(course, Setting(small, {2: None}), cluster, print).__enter__()
    assert not list(tmp_path.iterdir())
