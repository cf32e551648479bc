"""The program that runs a student's own tests on the student's own code, with faults around it.

Started by `own_tests`. It writes one line of JSON for each program to a file: the tests that
passed, or null where a fault could not be put around the code. The first program has no fault.
"""

from __future__ import annotations

import importlib
import json
import random
import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograder.students.faults import put_around

SEED = 0
OPTIONS = ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"]


def main() -> None:
    """Run what the settings ask for, a JSON object in the last argument.

    folder: where the student's files lie; modules: the names of the modules there; tests: that of
    the test file's; names: the tests; with_pytest: whether they need pytest; faults: one for each
    program, null for none; results: the file for the answers.
    """
    settings = json.loads(sys.argv.pop())
    sys.path.insert(0, settings["folder"])
    sys.dont_write_bytecode = True
    with open(settings["results"], "a", encoding="utf-8") as results:
        for fault in settings["faults"]:
            print(json.dumps(_passed(settings, fault)), file=results, flush=True)


def _passed(settings: Mapping[str, Any], fault: Mapping[str, Any] | None) -> list[str] | None:
    """Import everything anew, put a fault around it, and return the tests that pass."""
    for name in (*settings["modules"], settings["tests"]):
        sys.modules.pop(name, None)
    np.random.seed(SEED)  # noqa: NPY002 - student code may use it
    random.seed(SEED)
    if fault is not None:
        try:
            module = importlib.import_module(fault["on"].rpartition(".")[0])
        except Exception:  # noqa: BLE001 - what student code raises: there is nothing to try
            return None
        if not put_around(fault, module):
            return None
    run = _run_by_pytest if settings["with_pytest"] else _run_plainly
    return run(settings["folder"], settings["tests"], settings["names"])


def _run_plainly(folder: str, tests: str, names: list[str]) -> list[str]:
    try:
        module = importlib.import_module(tests)
    except Exception:  # noqa: BLE001 - what student code raises: nothing passed
        return []
    return [name for name in names if _passes(module, name)]


def _passes(module: Any, name: str) -> bool:
    class_name, _, function = name.rpartition("::")
    try:
        owner = getattr(module, class_name)() if class_name else module
        for step in ("setup_method", function, "teardown_method"):
            if step == function or (class_name and hasattr(owner, step)):
                getattr(owner, step)()
    except BaseException:  # noqa: BLE001 - a failed assertion or anything else: not passed
        return False
    return True


def _run_by_pytest(folder: str, tests: str, names: list[str]) -> list[str]:
    import pytest

    outcomes: dict[str, bool] = {}

    class Collector:
        """Notes for each test function whether all of its phases and parameters passed."""

        def pytest_runtest_logreport(self, report: Any) -> None:
            name = report.nodeid.partition("::")[2].partition("[")[0]
            skipped = report.when == "setup" and report.skipped
            outcomes[name] = outcomes.get(name, True) and not (report.failed or skipped)

    arguments = [*OPTIONS, "--rootdir", folder, f"{folder}/{tests}.py"]
    pytest.main(arguments, plugins=[Collector()])
    return [name for name in names if outcomes.get(name)]
