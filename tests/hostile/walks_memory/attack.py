"""Hostile: Looks through modules, objects and sources in memory for tests and solutions."""

import inspect
import linecache

WORDS = ("test_", "_pytest", "pytest", "autograder", "expect", "hypothesis", "solutions")


def act(x):
    for name, module in list(sys.modules.items()):
        if name.startswith(WORDS):
            found(f"module {name}")
        file = getattr(module, "__file__", None) or ""
        if file.startswith(tuple(HOST_PATHS)):
            found(f"module {name} of {file}")
    for thing in gc.get_objects():
        name = getattr(thing, "__name__", "") if type(thing).__name__ == "function" else ""
        if type(name) is str and name.startswith("test_"):
            found(f"function {name}")
        if type(thing) is dict and "misconceptions" in list(thing)[:100]:
            found("a catalogue")
    found_lines = [name for name in linecache.cache if "hidden" in name]
    for name in found_lines:
        found(f"source of {name}")
    for record in inspect.stack():
        if record.filename.startswith(tuple(HOST_PATHS)):
            found(f"stack {record.filename}")
