"""Chooses the confinement of this machine by trying it, from the best rung of the ladder down.

A: bubblewrap, a user of its own, cgroups, seccomp. B: bubblewrap and seccomp, with limits that the
grader checks at intervals. C: Landlock and seccomp, without namespaces. D, a plain process without
confinement, is never chosen automatically: an instructor has to ask for it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from autograder.channel.faults import Fault, InfraError
from autograder.sandbox import cgroup
from autograder.sandbox.bubblewrap import Bubblewrap
from autograder.sandbox.closed import why_closed
from autograder.sandbox.confinement_check import leaks
from autograder.sandbox.landlock import Landlocked
from autograder.sandbox.launch import ProgramMissingError
from autograder.sandbox.process import Confinement

INSTALL = "apt-get install bubblewrap"


class NotConfinedError(InfraError):
    """This machine can't confine student code; the message says what is missing."""


@dataclass(frozen=True)
class Tried:
    """The outcome of trying one rung: its confinement, or the problem."""

    rung: str
    confinement: Confinement | None
    problem: str = ""


def choose(slot: int = 0, packages: tuple[str, ...] = (), *, forked: bool = True) -> Confinement:
    """Return the best confinement that works here. Raises NotConfinedError where none does.

    `packages` are distributions that its sandboxes can hold besides numpy. `forked`: whether
    sandboxes may be forked from a template; those with folders, devices or scripts never are.
    """
    problems = []
    for tried in try_rungs(slot, packages, forked):
        if tried.confinement is not None:
            return tried.confinement
        problems.append(f"{tried.rung}: {tried.problem}")
    raise NotConfinedError(why_closed() or "; ".join(problems))


def rungs(slot: int = 0, packages: tuple[str, ...] = ()) -> list[Confinement]:
    """Return a confinement of each rung that works here, the best first; for tests of them all."""
    found = try_rungs(slot, packages)
    return [tried.confinement for tried in found if tried.confinement is not None]


def try_rungs(
    slot: int = 0, packages: tuple[str, ...] = (), forked: bool = True
) -> Iterator[Tried]:
    """Try the rungs A, B and C in this order, and yield the outcome of each.

    Where sandboxes can't be forked from a template, each is started by bubblewrap alone.
    """
    ways = (True, False) if forked else (False,)
    yield _try("A", [partial(_best, slot, packages, way) for way in ways])
    plain = partial(Bubblewrap, slot, packages, cgroups=False)
    yield _try("B", [partial(plain, forked=way) for way in ways])
    yield _try("C", [partial(Landlocked, slot, packages)])


def _best(slot: int, packages: tuple[str, ...], forked: bool) -> Confinement:
    if os.geteuid() != 0:
        raise PermissionError("needs root: for a user of its own for each sandbox, and cgroups")
    problem = cgroup.available()
    if problem is not None:
        raise OSError(f"no cgroups can be made here: {problem}")
    return Bubblewrap(slot, packages, forked=forked)


def _try(rung: str, ways: Sequence[Callable[[], Confinement]]) -> Tried:
    """Create a confinement and search it for leaks, in one way after the other until one is tight.

    The problem is that of the last way.
    """
    for make in ways:
        tried = _try_way(rung, make)
        if tried.confinement is not None:
            break
    return tried


def _try_way(rung: str, make: Callable[[], Confinement]) -> Tried:
    try:
        confinement = make()
        found = leaks(confinement)
    except ProgramMissingError:
        return Tried(rung, None, f"bubblewrap is not installed ({INSTALL})")
    except (OSError, InfraError, Fault) as error:
        return Tried(rung, None, f"it does not work here: {error}")
    if found:
        return Tried(rung, None, f"it leaves something open here: {'; '.join(found)}")
    return Tried(rung, confinement)
