"""Hostile: Poisons caches, start-up files and libraries, and looks whether an earlier run's are there."""

HOME = os.environ.get("HOME", ".")
PLACES = [
    HOME,
    f"{HOME}/.cache",
    f"{HOME}/.local/lib/python3.11/site-packages",
    f"{HOME}/__pycache__",
    "/tmp",
    "/var/tmp",
    "/dev/shm",
    "/submission/__pycache__",
    "/grader/autograder/worker/__pycache__",
    "/runtime/site/numpy/__pycache__",
    *(path for path in sys.path if path),
    os.path.dirname(np.__file__),
]
NAMES = ("sitecustomize.py", "usercustomize.py", "evil.pth", "numpy.py", "losses.cpython-311.pyc")
before = [f"{place}/{MARK}-{name}" for place in PLACES for name in NAMES]
for path in before:
    if os.path.exists(path):
        found(f"planted by an earlier run: {path}")


def act(x):
    for path in before:
        with contextlib.suppress(OSError):
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as file:
                file.write("import os; os._exit(0)")
    for module in (np, os, sys.modules["json"]):
        with contextlib.suppress(OSError, TypeError), open(module.__file__, "r+"):
            found(f"{module.__file__} can be written")
