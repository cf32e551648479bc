"""The run of the student's own tests in the sandbox, against modules sent by the examiner.

The modules may be the reference, so the answer is one bit for each test that the examiner named,
without any text, names or numbers.

Plain test functions and classes are called directly. A file that imports pytest (for parametrize,
approx, raises, fixtures) is run by pytest itself.
"""

from __future__ import annotations

import marshal
import os
import sys
from typing import Any, NoReturn

from .. import dispatch, modules

OPTIONS = ["-p", "no:cacheprovider", "-p", "no:terminal", "-p", "no:faulthandler"]


def serve(channel: Any, settings: Any, seed: int) -> NoReturn:
    """Answer one request, [number, "run", [modules, names]], and end.

    modules: file names and marshalled code, each a uint8 array; names: "test_x" or
    "TestX::test_y". The answer holds a bool for each name: whether that test passed. (Unmarshalling
    is safe in this direction alone: the examiner wrote it.) `channel` and `settings` are
    worker.Wire and worker.Settings; `seed` is for the global generators.
    """
    dispatch.Dispatcher(settings.folder).seed(seed)
    pid = os.getpid()
    number, _, (compiled, names) = channel.receive()
    space = modules.ModuleSpace(dict.fromkeys(compiled, b""), settings.folder)
    space.code = {name.removesuffix(".py"): marshal.loads(code) for name, code in compiled.items()}
    space.install()
    run = _run_by_pytest if settings.with_pytest else _run_plainly
    try:
        passed = run(settings.folder, settings.tests, names)
        bits = [name in passed for name in names]
    except BaseException:  # noqa: BLE001 - what student code raises at import: nothing passed
        bits = [False] * len(names)
    if os.getpid() == pid:
        channel.send([number, True, bits])
    os._exit(0)


def _run_plainly(folder: str, test_file: str, names: list[str]) -> set[str]:
    module = __import__(test_file.removesuffix(".py"))
    return {name for name in names if _passes(module, name)}


def _passes(module: Any, name: str) -> bool:
    class_name, _, function = name.rpartition("::")
    try:
        if not class_name:
            getattr(module, function)()
            return True
        instance = getattr(module, class_name)()
        for step in ("setup_method", function, "teardown_method"):
            if step == function or hasattr(instance, step):
                getattr(instance, step)()
        return True
    except BaseException:  # noqa: BLE001 - a failed assertion or anything else: not passed
        return False


def _run_by_pytest(folder: str, test_file: str, names: list[str]) -> set[str]:
    import pytest

    outcomes: dict[str, bool] = {}

    class Collector:
        """Notes for each test function whether all of its phases and parameters passed."""

        def pytest_runtest_logreport(self, report: Any) -> None:
            name = report.nodeid.partition("::")[2].partition("[")[0]
            done = report.outcome == "passed" or (report.when != "call" and not report.failed)
            if report.when == "setup" and report.skipped:
                done = False
            outcomes[name] = outcomes.get(name, True) and done

    sys.dont_write_bytecode = True
    arguments = [*OPTIONS, "-c", os.devnull, "--rootdir", folder, f"{folder}/{test_file}"]
    pytest.main(arguments, plugins=[Collector()])
    return {name for name, passed in outcomes.items() if passed}
