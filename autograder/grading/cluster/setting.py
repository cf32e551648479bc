"""Where a class is graded: the table `[cluster]` of grading.toml, and `--scheduler`.

Whoever reaches a scheduler of Dask that asks for no certificate runs programs on its nodes, with
the rights of whoever started them. So an address of another machine is used with TLS only, unless
the instructor says that the network can be trusted.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from autograder.course import GRADING_FILE, Course, CourseError
from autograder.course.loading import explained
from autograder.course.model import Model, Text
from autograder.errors import CantRunError

Texts = Annotated[tuple[Text, ...], Field(strict=False)]
Kind = Literal["htcondor", "lsf", "moab", "oar", "pbs", "sge", "slurm"]
TLS_FILES = ("ca", "cert", "key")


class ClusterError(CantRunError):
    """The class can't be graded on these nodes: which of them, and what to do."""


class ClusterSetting(Model):
    """The table `[cluster]`: a running scheduler's address, or the batch system to ask for nodes.

    scheduler: the address of a running scheduler; kind: the batch system, without a scheduler.
    course: the repository's path on the nodes, None if they are started in it.
    ca, cert, key: files of TLS, relative to the repository.
    insecure_network: everybody who reaches the scheduler may run programs on the nodes.
    rung: the only rung of confinement to use; None: the best one that a node has.
    wait_minutes: how long to wait while there is no node, at the beginning and later.
    silent_seconds: how long a node may be silent before its jobs run elsewhere.
    nodes: number of nodes to ask for; cores, memory, walltime, queue, account: what each gets, in
    the batch system's own words; interface: the network that nodes reach the head by; python: the
    program on the nodes; directives: further lines of the job script's head; before: lines of shell
    before the worker; shared: a folder on all machines for temporary TLS files; logs: a folder for
    the nodes' output.
    """

    scheduler: Text | None = None
    course: Text | None = None
    ca: Text | None = None
    cert: Text | None = None
    key: Text | None = None
    insecure_network: bool = False
    rung: Literal["A", "B", "C"] | None = None
    wait_minutes: Annotated[float, Field(gt=0, le=10_000)] = 10.0
    silent_seconds: Annotated[float, Field(ge=5, le=3600)] = 60.0
    kind: Kind | None = None
    nodes: Annotated[int, Field(ge=1, le=10_000)] = 1
    cores: Annotated[int, Field(ge=1, le=1_000)] | None = None
    memory: Text | None = None
    walltime: Text | None = None
    queue: Text | None = None
    account: Text | None = None
    interface: Text | None = None
    python: Text | None = None
    directives: Texts = ()
    before: Texts = ()
    shared: Text | None = None
    logs: Text | None = None

    @property
    def is_secure(self) -> bool:
        """Whether there are files for TLS."""
        return self.ca is not None


class _Table(Model):
    cluster: ClusterSetting | None = None


def cluster_setting(
    course: Course, root: Path, scheduler: str | None = None, insecure: bool = False
) -> ClusterSetting | None:
    """Return where to grade: the table's setting, or `scheduler` with its TLS files.

    Returns None if there is neither. `insecure` says that the network can be trusted. Raises
    CourseError for a wrong table, ClusterError for an address that is none or is not safe.
    """
    table: dict[str, Any] = dict(course.more.get("cluster", {}))
    if not table and scheduler is None:
        return None
    if scheduler is not None:
        table = {key: value for key, value in table.items() if key != "kind"}
        table["scheduler"] = scheduler
    if insecure:
        table["insecure_network"] = True
    try:
        setting = _Table.model_validate({"cluster": table}).cluster
    except ValidationError as error:
        raise explained(GRADING_FILE, error) from error
    assert setting is not None
    _check(setting, root)
    return setting.model_copy(update=_absolute(setting, root))


def _check(setting: ClusterSetting, root: Path) -> None:
    if (setting.scheduler is None) == (setting.kind is None):
        problem = "it names neither a scheduler nor a batch system"
        if setting.kind:
            problem = "it names both a scheduler and a batch system"
        raise CourseError(GRADING_FILE, "cluster", problem, "Give one: `scheduler` or `kind`")
    if setting.kind and (setting.cores is None or setting.memory is None):
        problem = "a batch system has to be told what a node takes"
        raise CourseError(GRADING_FILE, "cluster", problem, "Add `cores` and `memory`")
    given = [name for name in TLS_FILES if getattr(setting, name) is not None]
    if given and len(given) < len(TLS_FILES):
        missing = ", ".join(name for name in TLS_FILES if name not in given)
        problem = f"TLS takes three files; {missing} is missing"
        raise CourseError(GRADING_FILE, "cluster", problem, f"Add {missing}")
    for name in given:
        if not (root / getattr(setting, name)).is_file():
            problem = f"there is no file {getattr(setting, name)}"
            raise CourseError(GRADING_FILE, f"cluster.{name}", problem, "Correct the path")
    if setting.scheduler is not None:
        _check_address(setting)


def _check_address(setting: ClusterSetting) -> None:
    """Refuse an address that others could send programs to, or read along."""
    address = setting.scheduler or ""
    try:
        parts = urlsplit(address)
        scheme, host, port = parts.scheme, parts.hostname, parts.port
    except ValueError:
        scheme, host, port = "", None, None
    if scheme not in ("tcp", "tls") or not host or not port:
        problem = f"{address!r} is no address of a scheduler"
        raise ClusterError(problem, "It looks like tls://head.example.org:8786")
    if scheme == "tls":
        if not setting.is_secure:
            problem = f"{address} takes TLS, and no files for it are given"
            raise ClusterError(problem, f"Name them: `ca`, `cert`, `key` in {_TABLE}")
    elif not (setting.insecure_network or _is_loopback(host)):
        raise ClusterError(
            f"{address} takes no TLS: everybody who reaches it could run programs on the nodes, "
            "and read what is graded there",
            f"Start scheduler and nodes with TLS files and name them in {_TABLE}, with an address "
            "that begins with tls://; only where nobody else is on the network: "
            "--insecure-network",
        )


_TABLE = f"[cluster] of {GRADING_FILE}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _absolute(setting: ClusterSetting, root: Path) -> dict[str, str]:
    names = [name for name in (*TLS_FILES, "shared", "logs") if getattr(setting, name)]
    return {name: str(root / getattr(setting, name)) for name in names}
