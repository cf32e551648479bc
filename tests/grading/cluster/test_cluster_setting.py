"""Where a class is graded: the table [cluster], --scheduler, and addresses that are not safe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from autograder.course import Course, CourseError, load
from autograder.grading.cluster.setting import ClusterError, cluster_setting
from autograder.grading.flags.watched import watched_names

TLS = {"ca": "tls/ca.pem", "cert": "tls/cert.pem", "key": "tls/key.pem"}
SLURM = {"kind": "slurm", "cores": 4, "memory": "8GB"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "tls").mkdir()
    for name in TLS.values():
        (tmp_path / name).write_text("x")
    return tmp_path


def course(small: Path, table: dict[str, Any] | None) -> Course:
    return load(small).model_copy(update={"more": {"cluster": table} if table else {}})


def test_without_a_table_or_an_address_there_is_no_cluster(small, root):
    assert cluster_setting(course(small, None), root) is None


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tcp://localhost:8786", "tcp://[::1]:8786"]
)
def test_the_machine_itself_needs_no_tls(small, root, address):
    setting = cluster_setting(course(small, None), root, address)
    assert setting.scheduler == address


@pytest.mark.parametrize("address", ["tcp://head:8786", "tcp://10.0.0.1:8786", "tcp://0.0.0.0:1"])
def test_another_machine_without_tls_is_refused_unless_the_network_is_trusted(small, root, address):
    with pytest.raises(ClusterError, match=r"could run programs on the nodes.*--insecure-network"):
        cluster_setting(course(small, TLS), root, address)
    assert cluster_setting(course(small, None), root, address, insecure=True).scheduler == address
    table = {"scheduler": address, "insecure_network": True}
    assert cluster_setting(course(small, table), root).scheduler == address


def test_tls_takes_its_files_and_finds_them_from_the_repository(small, root):
    with pytest.raises(ClusterError, match="takes TLS, and no files"):
        cluster_setting(course(small, None), root, "tls://head:8786")
    setting = cluster_setting(course(small, TLS), root, "tls://head:8786")
    assert (setting.ca, setting.key) == (str(root / TLS["ca"]), str(root / TLS["key"]))


def test_the_option_wins_over_the_table(small, root):
    table = {**SLURM, "course": "/shared/course"}
    setting = cluster_setting(course(small, table), root, "tcp://127.0.0.1:1")
    assert (setting.scheduler, setting.kind) == ("tcp://127.0.0.1:1", None)
    assert setting.course == "/shared/course"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"nodes": 2}, "neither a scheduler nor a batch system"),
        ({**SLURM, "scheduler": "tcp://127.0.0.1:1"}, "both a scheduler and a batch system"),
        ({"kind": "slurm"}, "Add `cores` and `memory`"),
        ({**SLURM, "kind": "cron"}, r"cluster\.kind"),
        ({**SLURM, "cores": 0}, r"cluster\.cores"),
        ({**SLURM, "core": 1}, "Remove it or correct its spelling"),
        ({**SLURM, "ca": "tls/ca.pem"}, "cert, key is missing"),
        ({**SLURM, **TLS, "key": "tls/none.pem"}, "there is no file tls/none.pem"),
    ],
)
def test_a_wrong_table_is_explained(small, root, table, problem):
    with pytest.raises(CourseError, match=problem):
        cluster_setting(course(small, table), root)


@pytest.mark.parametrize(
    "address", ["head:8786", "tcp://head", "http://head:8786", "tcp://[:1", ""]
)
def test_what_is_no_address_is_refused(small, root, address):
    with pytest.raises((ClusterError, CourseError)):
        cluster_setting(course(small, None), root, address)


def test_the_table_disturbs_nobody_who_reads_grading_toml(small):
    assert watched_names(course(small, SLURM)) == ()
