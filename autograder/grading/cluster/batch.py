"""Nodes from a batch system (Slurm, PBS and the like), by dask-jobqueue.

The scheduler runs in the grading's own process, each node is a job of the batch system. They trust
each other by TLS: with the files of the setting, or a certificate made for this run, whose files
the nodes read in a folder that only this user can open, below one that all machines share.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from autograder.grading import fingerprint
from autograder.grading.cluster.setting import ClusterError, ClusterSetting
from autograder.text.display import one_line

CLUSTERS = {
    "htcondor": "HTCondorCluster",
    "lsf": "LSFCluster",
    "moab": "MoabCluster",
    "oar": "OARCluster",
    "pbs": "PBSCluster",
    "sge": "SGECluster",
    "slurm": "SLURMCluster",
}
KEEP_SECONDS = "5s"
"""Time between two looks at how many nodes there are; a lost one is asked for again."""


class Batch:
    """A scheduler in this process, and the jobs of the batch system that are its nodes.

    Raises ClusterError if the batch system's programs are missing or refuse.
    """

    def __init__(self, setting: ClusterSetting, security: Any):
        try:
            import dask_jobqueue
        except ImportError as error:
            problem = f"`kind` in [cluster] needs {error.name}, which is not installed"
            raise ClusterError(problem, "`bash scripts/setup.sh cluster` installs it") from error
        assert setting.kind is not None
        shared = setting.shared or str(fingerprint.HOME)
        self._files = Path(tempfile.mkdtemp(prefix=".autograder-tls-", dir=shared))
        self._cluster: Any = None
        try:
            self.security = security or _temporary_security(self._files)
            self._cluster = getattr(dask_jobqueue, CLUSTERS[setting.kind])(
                **_options(setting), security=self.security, protocol="tls://"
            )
            self._demand_nodes(setting.nodes)
        except (OSError, RuntimeError, ValueError) as error:
            self.close()
            problem = f"{setting.kind} gives no nodes ({one_line(str(error), 1_000)})"
            raise ClusterError(problem, "Correct [cluster]; try its own commands here") from error
        except ClusterError:
            self.close()
            raise
        self.address: str = self._cluster.scheduler_address

    def _demand_nodes(self, number: int) -> None:
        """Ask for nodes, now and whenever one is lost. Raises RuntimeError for a refusal."""
        # What its `scale` does, whose errors nobody hears of.
        for _ in range(number):
            self._cluster.worker_spec.update(self._cluster.new_worker_spec())
        self._cluster.sync(self._cluster._correct_state)
        self._cluster.adapt(minimum_jobs=number, maximum_jobs=number, interval=KEEP_SECONDS)

    def close(self) -> None:
        """End the jobs, and remove the certificate that was made for them."""
        try:
            if self._cluster is not None:
                self._forget_refused()
                self._cluster.close()
        finally:
            shutil.rmtree(self._files, ignore_errors=True)

    def _forget_refused(self) -> None:
        """Mark jobs that the batch system refused: Dask can't close what never began."""
        from distributed.core import Status

        for job in self._cluster.workers.values():
            if job.status == Status.created:
                job.status = Status.failed


def _options(setting: ClusterSetting) -> dict[str, Any]:
    """Return what dask-jobqueue is told: one worker process for each job."""
    course = setting.course or str(fingerprint.HOME)
    options = {
        "cores": setting.cores,
        "memory": setting.memory,
        "processes": 1,
        "walltime": setting.walltime,
        "queue": setting.queue,
        "account": setting.account,
        "interface": setting.interface,
        "python": shlex.quote(
            setting.python or sys.executable
        ),  # it goes into a script of the shell
        "job_extra_directives": list(setting.directives),
        "job_script_prologue": [*setting.before, f"cd {shlex.quote(course)}"],
        "log_directory": setting.logs,
        "job_name": "autograder",
        # What Dask shows in a browser is not behind TLS.
        "scheduler_options": {"dashboard": False, "dashboard_address": "127.0.0.1:0"},
        "worker_extra_args": ["--no-dashboard"],
    }
    return {name: value for name, value in options.items() if value is not None}


def _temporary_security(folder: Path) -> Any:
    """Make a certificate for this run, in files that only this user can read."""
    from distributed.security import Security

    try:
        made = Security.temporary()
    except ImportError as error:
        problem = "a certificate for this run needs cryptography, which is not installed"
        remedy = (
            "`bash scripts/setup.sh cluster` installs it; or name `ca`, `cert`, `key` in [cluster]"
        )
        raise ClusterError(problem, remedy) from error
    files = {}
    for name, text in (
        ("ca_file", made.tls_ca_file),
        ("cert", made.tls_client_cert),
        ("key", made.tls_client_key),
    ):
        files[name] = str(folder / f"{name}.pem")
        with open(os.open(files[name], os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(text)
    return security_of(files["ca_file"], files["cert"], files["key"])


def security_of(ca: str, cert: str, key: str) -> Any:
    """Return Dask's setting of TLS: the same certificate for all of ours, and nothing without."""
    from distributed.security import Security

    names = {
        f"tls_{role}_{name}": file
        for role in ("client", "scheduler", "worker")
        for name, file in (("cert", cert), ("key", key))
    }
    return Security(tls_ca_file=ca, require_encryption=True, **names)
