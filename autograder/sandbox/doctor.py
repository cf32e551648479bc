"""`autograder doctor`: the rung of confinement on this machine, and how to get a better one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from autograder.sandbox import cgroup
from autograder.sandbox.choose import INSTALL, Tried, try_rungs
from autograder.sandbox.closed import why_closed

HOLDS = {
    "AB": (
        ("files", "its own, the interpreter's and numpy's; nothing else exists in there"),
        ("writing", "a scratch folder in memory, of limited size"),
        ("processes", "its own; it sees, signals and traces no other"),
        ("network", "none: an empty network namespace; no socket but between its own processes"),
    ),
    "C": (
        ("files", "its own, the interpreter's and numpy's; it can tell that others exist"),
        ("writing", "a scratch folder, whose size is watched"),
        ("processes", "it signals and traces no other, and can't read what they are"),
        ("network", "none: no socket at all"),
    ),
}
ALWAYS = (
    ("system calls", "a seccomp filter refuses the dangerous ones"),
    ("privileges", "none, and none to be had"),
    ("time", "the grader's clock, and a limit of processor time"),
)
MEMORY = {
    True: "the kernel counts all its processes together (cgroup)",
    False: "a limit for each process; all together are watched from outside, 20 times a second",
}
ROOT = "own user"


@dataclass(frozen=True)
class Remedy:
    """A way to a better rung on this machine: a sentence and the exact command."""

    why: str
    command: str


def run() -> bool:
    """Print what confines student code here, and return whether hidden suites will run."""
    console = Console(highlight=False, soft_wrap=True)
    tried = list(try_rungs())
    best = next((one for one in tried if one.confinement is not None), None)
    if best is None:
        console.print("No rung works here: student code can't be confined.", style="bold red")
        console.print("Hidden suites refuse to run, unless --unconfined is said.")
    else:
        assert best.confinement is not None
        console.print(f"Student code is confined by rung {best.confinement.name}.", style="bold")
        _print_layers(console, best)
    console.print("\nThe ladder:")
    for one in tried:
        state = "works" if one.confinement else one.problem
        console.print(f"  {one.rung}  {state}", markup=False)
    console.print("  D  a plain process, for practice: confines nothing")
    closed = "" if best is not None else why_closed()
    if closed:
        console.print(f"\n{closed}", markup=False)
    for remedy in remedies(tried):
        console.print(f"\n{remedy.why}:", markup=False)
        console.print(f"    {remedy.command}", markup=False)
    return best is not None


def _print_layers(console: Console, best: Tried) -> None:
    assert best.confinement is not None
    layers = best.confinement.layers
    rows = next(rows for rungs, rows in HOLDS.items() if best.rung in rungs)
    user = "one of its own for each sandbox" if ROOT in layers else "yours, without any rights"
    memory = MEMORY["cgroup" in layers]
    for label, text in (*rows, *ALWAYS, ("user", user), ("memory, processes", memory)):
        console.print(f"  {label:18} {text}", markup=False)


def remedies(tried: Sequence[Tried], settings: Path = Path("/proc/sys")) -> list[Remedy]:
    """Return the remedies for the rungs that don't work here, the next better rung first.

    `settings` is the folder with the kernel's settings.
    """
    failed = {one.rung: one.problem for one in tried if one.confinement is None}
    found = []
    if "B" in failed:
        if "not installed" in failed["B"]:
            found.append(Remedy("Rung B needs bubblewrap", f"sudo {INSTALL}"))
        else:
            found += _namespaces(settings)
    if "A" in failed and "B" not in failed:
        found += _root(failed["A"])
    return found


def _namespaces(settings: Path) -> list[Remedy]:
    """Return the remedy for what denies user namespaces to an ordinary user here."""
    switches = (
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "0", "AppArmor (Ubuntu) forbids"),
        ("kernel/unprivileged_userns_clone", "0", "1", "this kernel's settings forbid"),
        ("user/max_user_namespaces", "0", "15000", "this kernel's settings forbid"),
    )
    found = []
    for name, bad, good, who in switches:
        file = settings / name
        if file.exists() and file.read_text().strip() == bad:
            key = name.replace("/", ".")
            why = f"Rung B needs user namespaces, which {who}. Until the next start"
            found.append(Remedy(why, f"sudo sysctl -w {key}={good}"))
            why = "And for good"
            line = f"echo '{key} = {good}' | sudo tee /etc/sysctl.d/60-autograder.conf"
            found.append(Remedy(why, line))
    if not found and Path("/.dockerenv").exists():
        options = " ".join(
            f"--security-opt {name}=unconfined" for name in ("seccomp", "apparmor", "systempaths")
        )
        why = "Rung B needs user namespaces, which Docker's profile forbids. Start the container by"
        found.append(Remedy(why, f"docker run {options} ..."))
    if not found:
        why = "Rung B needs user namespaces; this tells what forbids them"
        found.append(Remedy(why, "unshare --user --map-root-user true; dmesg | tail"))
    return found


def _root(problem: str) -> list[Remedy]:
    if os.geteuid() != 0:
        why = "Rung A needs root, for a user and a cgroup of its own for each sandbox"
        return [Remedy(why, "sudo make grade SUBMISSIONS=...")]
    if cgroup.available() is not None:
        why = f"Rung A needs cgroups ({problem}). In a container, start it with"
        return [Remedy(why, "docker run --cgroupns=host -v /sys/fs/cgroup:/sys/fs/cgroup:rw ...")]
    return []
