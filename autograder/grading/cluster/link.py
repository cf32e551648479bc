"""The connection to a scheduler of Dask: who is there, and requests to single nodes.

A request is a task that one node alone may run; when the node is gone, nobody else runs it: the
pool decides. Tasks are made of functions of the standard library, so a scheduler needs none of our
modules, and of bytes. This end takes no pickles: results that are more than plain data are an
error.
"""

from __future__ import annotations

import asyncio
import logging
import operator
import pkgutil
import threading
import uuid
import warnings
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from autograder.grading.cluster.batch import Batch, security_of
from autograder.grading.cluster.setting import ClusterError, ClusterSetting

ENTRY = "autograder.grading.cluster.node:do"
CONNECT_SECONDS, END_SECONDS, ASK_SECONDS = 20, 15, 20
PLAIN = ["dask", "msgpack"]
"""The formats of results that this end reads."""

INSTALL = "bash scripts/setup.sh cluster"


@dataclass(frozen=True)
class Seen:
    """A node as the scheduler sees it: `heard` is its clock when the node was last heard of."""

    name: str
    threads: int
    heard: float


class Link(Protocol):
    """What a pool needs of a cluster."""

    def seen(self) -> dict[str, Seen]:
        """Return the nodes by their addresses.

        Raises OSError if the scheduler is silent, ClusterError if it is given up.
        """
        ...

    def ask(self, address: str, what: str, body: bytes) -> Future[Any]:
        """Have a node carry out a request; cancelling the future takes it back."""
        ...

    def end(self, addresses: Iterable[str], run: str) -> None:
        """Have nodes end a run, within END_SECONDS."""
        ...

    def close(self) -> None:
        """End the connection, and the nodes that were started for it."""
        ...


class DaskLink:
    """A link to a scheduler. Raises ClusterError if it can't be reached.

    `close_nodes` ends what was started for this link.
    """

    def __init__(self, address: str, security: Any, close_nodes: Callable[[], None] = lambda: None):
        from distributed import Client

        _quiet()
        self._close_nodes, self._address = close_nodes, address
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dask", daemon=True)
        self._thread.start()
        self._entries: dict[str, Any] = {}

        async def connect() -> Any:
            return await Client(
                address,
                asynchronous=True,
                security=security,
                timeout=CONNECT_SECONDS,
                deserializers=PLAIN,
                set_as_default=False,
            )

        try:
            self._client = self._wait(connect(), 2 * CONNECT_SECONDS)
        except (OSError, ValueError, TimeoutError, ImportError) as error:
            self._stop()
            close_nodes()
            raise ClusterError(
                f"the scheduler {address} can't be reached ({error or type(error).__name__})",
                "Does it run, is its port open to this machine, and are its TLS files the same?",
            ) from error

    def _wait(self, work: Coroutine[Any, Any, Any], seconds: float) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)

    def seen(self) -> dict[str, Seen]:
        """Return the nodes by their addresses.

        Raises OSError if the scheduler is silent, ClusterError if it is given up.
        """

        async def ask() -> Any:
            return await self._client.scheduler.identity(n_workers=-1)

        if self._client.status == "closed":
            raise ClusterError(f"the scheduler {self._address} is gone", "Start it and its nodes")
        if self._client.status != "running":
            raise OSError("the scheduler does not answer")
        told = self._wait(ask(), ASK_SECONDS)
        return {
            address: Seen(str(one["name"]), int(one["nthreads"]), float(one["last_seen"]))
            for address, one in told["workers"].items()
        }

    def ask(self, address: str, what: str, body: bytes) -> Future[Any]:
        """Have a node carry out a request; cancelling the future takes it back."""

        async def asked() -> Any:
            only = {"workers": [address], "allow_other_workers": False, "pure": False}
            if address not in self._entries:
                self._entries[address] = self._client.submit(pkgutil.resolve_name, ENTRY, **only)
            key = f"{what}-{uuid.uuid4().hex}"
            entry = self._entries[address]
            task = self._client.submit(operator.call, entry, what, body, key=key, **only)
            try:
                return await task
            finally:
                task.release()

        return asyncio.run_coroutine_threadsafe(asked(), self._loop)

    def forget(self, address: str) -> None:
        """Drop what is known of a node that is gone."""
        self._loop.call_soon_threadsafe(self._entries.pop, address, None)

    def end(self, addresses: Iterable[str], run: str) -> None:
        """Have nodes end a run, within END_SECONDS."""
        from autograder.grading.cluster.node import end

        async def tell() -> None:
            await self._client.run(end, run, workers=list(addresses), on_error="ignore")

        with suppress(OSError, TimeoutError, ValueError):  # a node that is gone has ended
            self._wait(tell(), END_SECONDS)

    def close(self) -> None:
        """End the connection, and the nodes that were started for it."""

        async def close() -> None:
            await self._client.close()

        try:
            with suppress(OSError, TimeoutError):
                self._wait(close(), END_SECONDS)
        finally:
            self._stop()
            self._close_nodes()

    def _stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(END_SECONDS)


def open_link(setting: ClusterSetting) -> DaskLink:
    """Connect to the scheduler of a setting, or start one that asks a batch system for nodes.

    Raises ClusterError if that can't be done, or Dask is not installed.
    """
    try:
        import distributed  # noqa: F401
    except ImportError as error:
        problem = f"grading on many machines needs {error.name}, which is not installed"
        raise ClusterError(problem, f"`{INSTALL}` installs it, here and on each node") from error

    security = None
    if setting.ca and setting.cert and setting.key:
        security = security_of(setting.ca, setting.cert, setting.key)
    if setting.scheduler is not None:
        return DaskLink(setting.scheduler, security)
    batch = Batch(setting, security)
    return DaskLink(batch.address, batch.security, batch.close)


def _quiet() -> None:
    """Leave it to the pool to say what happens.

    Dask tells of each lost connection many times, and of packages that differ less than a refusal.
    """
    from distributed.versions import VersionMismatchWarning

    warnings.filterwarnings("ignore", category=VersionMismatchWarning)
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
