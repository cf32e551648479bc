"""The check of a confinement for leaks: a rung is used only if none is found.

`escape_attempts.py` runs in the sandbox as a submission and tries the escapes of a hostile one. Its
targets outside the sandbox are created here: a file with a secret, a listener on loopback and two
listeners on AF_UNIX sockets.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from autograder.channel.remote import Remote
from autograder.sandbox.limits import Limits
from autograder.sandbox.process import Confinement, Sandbox
from autograder.worker.sandboxed.main import pid_namespace

VISIBLE = {"dev", "grader", "lib", "lib64", "proc", "runtime", "scratch", "submission", "usr"}
LARGEST_MEMORY_FILES = 64 << 20
"""Maximum size of /dev/shm in bytes."""

LOOK = Path(__file__).with_name("escape_attempts.py").read_bytes()
"""The source that runs inside, as a submission's only module."""


def leaks(confinement: Confinement) -> list[str]:
    """Return what student code could reach in this confinement and should not.

    Raises InfraError, Fault or OSError if nothing can be run in it.
    """
    with _outside() as outside:
        seen = look(confinement, outside)
    return judge(seen, outside, namespaces=confinement.rung in "AB")


def look(confinement: Confinement, outside: Mapping[str, Any]) -> dict[str, Any]:
    """Run LOOK in a sandbox, over the channel like any submission, and return its answer."""
    limits = Limits()
    sandbox = Sandbox(confinement, {"probe.py": LOOK}, limits)
    try:
        seconds = limits.request_seconds
        ask = Remote(sandbox.fresh(0), seconds, seconds, seconds, lambda file, line: None)
        return ask("call", ask("get", ask("import", "probe"), "look"), [dict(outside)], {})
    finally:
        sandbox.close()


@contextmanager
def _outside() -> Iterator[dict[str, Any]]:
    """Create the targets of LOOK where every user of the machine can reach them."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="autograder-probe-"))
        os.chmod(folder, 0o777)
        secret, path = Path(folder, "secret"), f"{folder}/socket"
        secret.write_text(secrets.token_hex(8))
        secret.chmod(0o644)
        abstract = f"\0autograder-{secrets.token_hex(8)}"
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for address in (abstract, path):
            listener = stack.enter_context(socket.socket(socket.AF_UNIX))
            listener.bind(address)
            listener.listen()
        os.chmod(path, 0o777)
        yield {
            "folder": folder,
            "secret": str(secret),
            "socket": path,
            "abstract": abstract,
            "port": tcp.getsockname()[1],
            "pid": os.getpid(),
            "namespace": pid_namespace(),
        }


def judge(seen: Mapping[str, Any], outside: Mapping[str, Any], *, namespaces: bool) -> list[str]:
    """Return a description of each leak in the answer of LOOK."""
    found = []
    if seen["uid"] == 0:
        found.append("student code would run as root")
    if extra := set(seen["root"]) - (VISIBLE if namespaces else set()):
        found.append(f"visible: /{', /'.join(sorted(extra))}")
    if seen["secret"]:
        found.append(f"other users' files can be read, such as {outside['secret']}")
    if seen["writes"]:
        found.append(f"files can be written in {', '.join(seen['writes'])}")
    if seen["devices"]:
        found.append(f"devices can be opened: {', '.join(seen['devices'])}")
    if seen["network"] or seen["families"]:
        found.append(f"there is a network ({', '.join(seen['families']) or 'loopback'})")
    if seen["abstract"] or seen["path socket"]:
        found.append("sockets of other programs can be reached")
    if seen["signals"]:
        found.append("other processes can be signalled")
    if seen["processes"] > (4 if namespaces else 0):
        found.append("other processes can be seen")
    if seen["environment"].strip("\0"):
        found.append("the launcher's environment can be read")
    if seen["files"]:
        found.append("files of the launcher are open")
    if seen["calls"]:
        found.append(f"the kernel answers {', '.join(seen['calls'])}")
    status = seen["status"]
    if (status.get("no_new_privs"), status.get("seccomp")) != (1, 2):
        found.append("privileges can be gained, or no system call is refused")
    if status.get("capabilities"):
        found.append("student code would have privileges")
    if seen["shm"] > LARGEST_MEMORY_FILES:
        found.append("files in memory have no limit")
    return found
