"""Hostile: Rewrites the reports of whatever pytest it can find or make up."""

import importlib
import types


def passed(*args, **kwargs):
    """Look like a report of a passed test."""
    return types.SimpleNamespace(outcome="passed", passed=True, failed=False, longrepr=None)


for name in ("_pytest", "_pytest.reports", "_pytest.runner", "_pytest.main", "pytest", "unittest"):
    try:
        module = importlib.import_module(name)
    except ImportError:
        module = sys.modules[name] = types.ModuleType(name)
    for attribute in ("TestReport", "CollectReport", "Session", "runtestprotocol", "TestCase"):
        setattr(module, attribute, passed)
for thing in gc.get_objects():
    if isinstance(thing, type) and thing.__name__ in ("TestReport", "CheckResult", "Outcome"):
        thing.from_item_and_call = thing.verdict = passed
