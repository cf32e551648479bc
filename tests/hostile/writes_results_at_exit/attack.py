"""Hostile: Writes the results that it wishes for when the process ends, everywhere it can."""

import atexit

NAMES = ("results.xml", "results.json", "report.json", "gradebook.sqlite", "grades.csv")


def write():
    """Write them into every folder that might be the grader's."""
    for folder in (
        ".",
        "..",
        "/",
        "/tmp",
        "/submission",
        "/grader",
        "/autograder/results",
        OPEN_FOLDER,
    ):
        for name in NAMES:
            with contextlib.suppress(OSError), open(f"{folder}/{MARK}-{name}", "w") as file:
                file.write('{"score": 100, "verdict": "pass"}')


atexit.register(write)
write()


def act(x):
    write()
    atexit._run_exitfuncs()
    os._exit(0)
