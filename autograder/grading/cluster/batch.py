"""Nodes from a batch system (Slurm, PBS and the like), by dask-jobqueue.

The scheduler runs in the grading's own process, each node is a job of the batch system. They trust
each other by TLS: with the files of the setting, or a certificate made for this run, whose files
the nodes read in a folder that only this user can open.
"""

from __future__ import annotations

import shlex
import sys
from typing import Any

from autograder.grading import fingerprint
from autograder.grading.cluster.setting import ClusterError, ClusterSetting

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


def start(setting: ClusterSetting, security: Any) -> Any:
    """Start a scheduler here and ask for nodes; return dask-jobqueue's cluster.

    Raises ClusterError if the batch system's programs are missing or refuse.
    """
    try:
        import dask_jobqueue
    except ImportError as error:
        problem = f"`kind` in [cluster] needs {error.name}, which is not installed"
        raise ClusterError(problem, "`pip install dask-jobqueue` installs it") from error
    assert setting.kind is not None
    try:
        cluster = getattr(dask_jobqueue, CLUSTERS[setting.kind])(
            **_options(setting), security=_security(security), protocol="tls://"
        )
        cluster.adapt(minimum_jobs=setting.nodes, maximum_jobs=setting.nodes, interval=KEEP_SECONDS)
    except (OSError, RuntimeError, ValueError) as error:
        problem = f"{setting.kind} gives no nodes ({error})"
        raise ClusterError(problem, "Try its own commands on this machine") from error
    return cluster


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
        "python": setting.python or sys.executable,
        "job_extra_directives": list(setting.directives),
        "job_script_prologue": [*setting.before, f"cd {shlex.quote(course)}"],
        "shared_temp_directory": setting.shared or str(fingerprint.HOME),
        "log_directory": setting.logs,
        "job_name": "autograder",
        "scheduler_options": {"dashboard": False},
    }
    return {name: value for name, value in options.items() if value is not None}


def _security(security: Any) -> Any:
    if security is not None:
        return security
    from distributed.security import Security

    try:
        return Security.temporary()
    except ImportError as error:
        problem = "a certificate for this run needs cryptography, which is not installed"
        remedy = "`pip install cryptography` installs it; or name `ca`, `cert`, `key` in [cluster]"
        raise ClusterError(problem, remedy) from error
