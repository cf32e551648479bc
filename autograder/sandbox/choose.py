"""Chooses the confinement of this machine by trying it: a probe is run inside and looks around."""

from __future__ import annotations

from typing import Any

from autograder.channel.backends import Remote
from autograder.channel.faults import Fault, InfraError

from .bubblewrap import Bubblewrap
from .limits import Limits
from .process import Confinement, Sandbox

INSTALL = "apt-get install bubblewrap"
PROBE = b'''"""Looks at what is open inside the sandbox, and says it as plain values."""
import os, socket

def look():
    def tries(action, *arguments):
        try:
            action(*arguments)
            return True
        except OSError:
            return False
    def connects():
        with socket.socket() as probe:
            probe.settimeout(1)
            probe.connect(("192.0.2.1", 9))
    with open("/proc/net/dev") as file:
        interfaces = sorted(line.split(":")[0].strip() for line in file.readlines()[2:])
    try:
        with open("/proc/1/environ", "rb") as file:
            environment = file.read().decode(errors="replace")
    except PermissionError:
        environment = ""
    return {
        "uid": os.getuid(),
        "root": sorted(os.listdir("/")),
        "interfaces": interfaces,
        "connects": tries(connects),
        "writes_root": tries(os.mkdir, "/planted"),
        "writes_submission": tries(os.mkdir, "/submission/planted"),
        "sees_others": len([n for n in os.listdir("/proc") if n.isdigit()]) > 4,
        "environment": environment,
    }
'''
VISIBLE = {"dev", "grader", "lib", "lib64", "proc", "runtime", "scratch", "submission", "usr"}


class NotConfinedError(InfraError):
    """This machine can't confine student code; the message says what is missing."""


def choose(slot: int = 0, packages: tuple[str, ...] = ()) -> Confinement:
    """Return the confinement that works here. Raises NotConfinedError where none does.

    `packages` are distributions that its sandboxes may be asked for on top of numpy.
    """
    try:
        confinement = Bubblewrap(slot, packages)
        leaks = _leaks(_look(confinement))
    except FileNotFoundError:
        raise NotConfinedError(f"bubblewrap is not installed ({INSTALL})") from None
    except (OSError, InfraError, Fault) as error:
        raise NotConfinedError(f"bubblewrap does not work here: {error}") from error
    if leaks:
        raise NotConfinedError(f"bubblewrap leaves something open here: {'; '.join(leaks)}")
    return confinement


def _look(confinement: Confinement) -> dict[str, Any]:
    """Run the probe in a sandbox, asked over the channel like any submission."""
    limits = Limits()
    sandbox = Sandbox(confinement, {"probe.py": PROBE}, limits)
    try:
        seconds = limits.request_seconds
        ask = Remote(sandbox.fresh(0), seconds, seconds, seconds, lambda file, line: None)
        return ask("call", ask("get", ask("import", "probe"), "look"), [], {})
    finally:
        sandbox.close()


def _leaks(seen: dict[str, Any]) -> list[str]:
    """Say what in the probe's answer should not be so."""
    found = []
    if extra := set(seen["root"]) - VISIBLE:
        found.append(f"visible: /{', /'.join(sorted(extra))}")
    if seen["uid"] == 0:
        found.append("student code would run as root")
    if set(seen["interfaces"]) - {"lo"} or seen["connects"]:
        found.append("there is a network")
    if seen["writes_root"] or seen["writes_submission"]:
        found.append("the file system can be written")
    if seen["sees_others"]:
        found.append("other processes can be seen")
    if seen["environment"].strip("\0"):
        found.append("the launcher's environment can be read")
    return found
