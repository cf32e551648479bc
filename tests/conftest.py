"""What tests share: the confinement that works on this machine."""

from __future__ import annotations

import os
from functools import lru_cache

import pytest

from autograder.sandbox import Confinement
from autograder.sandbox.choose import NotConfinedError, choose


@lru_cache(maxsize=1)
def _chosen() -> Confinement | NotConfinedError:
    try:
        return choose()
    except NotConfinedError as error:
        return error


def pytest_collection_finish(session: pytest.Session) -> None:
    """Choose before any test starts a thread: as root this changes what later threads see."""
    if any("confinement" in getattr(item, "fixturenames", ()) for item in session.items):
        _chosen()


@pytest.fixture(scope="session")
def confinement() -> Confinement:
    """The confinement that hidden suites run in. CI must have one; elsewhere tests are skipped."""
    chosen = _chosen()
    if isinstance(chosen, NotConfinedError):
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must be able to confine student code: {chosen}")
        pytest.skip(str(chosen))
    return chosen
