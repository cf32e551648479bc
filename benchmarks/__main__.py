"""Runs the benchmarks: those that are named, or all that `make bench` shows."""

from __future__ import annotations

import argparse
import ast
import importlib
import subprocess
import sys
import time
from inspect import signature
from pathlib import Path

HERE = Path(__file__).resolve().parent

SHOWN = {
    "goals": "goals",
    "class": "class_speed",
    "pool": "pool_speed",
    "training": "training_overhead",
    "autograd": "autograd_speed",
    "project": "project_speed",
    "hostile": "hostile_class",
    "kill": "kill_speed",
    "notebooks": "notebook_class",
}
"""What `make bench` shows, by name: the modules. `goals` runs several others by itself."""

BY_NAME = {
    "toy": "toy_speed",
    "grading": "grading_speed",
    "student": "student_speed",
    "ends": "grade_ends",
    "push": "push_speed",
    "calibrate": "calibrate_digits",
    "fuzz": "fuzz_channel",
    "cluster": "cluster_speed",
    "literal": "literal_submissions",
    "styles": "right_styles",
    "journal": "journal_size",
    "pages": "pages",
    "reruns": "what_reruns",
    "answers": "answer_costs",
    "one_fault": "one_fault",
    "explanations": "explanations",
    "mistakes": "written_mistakes",
    "mutants": "mutants_elsewhere",
    "term": "term",
    "training-weeks": "training_weeks",
    "bert-margins": "bert_margins",
}
"""What runs only where it is named: parts of `goals`, and what measures other things than speed."""

BENCHMARKS = SHOWN | BY_NAME

HELPERS = (
    *("lean_pytest", "plain_cifar10", "planted", "rows", "toy_course"),
    *("term_back", "term_book", "term_course", "term_killed"),
    *("gpu_images", "gpu_job", "gpu_processes", "gpu_run", "gpu_sandbox", "gpu_table"),
)
"""Modules that benchmarks use, and scripts with a command line of their own: no benchmarks here."""


def summary(module: str) -> str:
    """Return the first line of a module's docstring, without importing it."""
    text = (HERE / f"{module}.py").read_text("utf-8")
    return (ast.get_docstring(ast.parse(text)) or "").partition("\n")[0]


def table() -> str:
    """Return a line for each benchmark."""
    lines = []
    for title, names in (("shown by `make bench`:", SHOWN), ("only by name:", BY_NAME)):
        lines += ["", title]
        lines += [f"  {name:10} {summary(module)}" for name, module in names.items()]
    return "\n".join(lines).strip()


def run(name: str, tiny: bool) -> None:
    """Run one benchmark in this process, in its own setting or its tiny one."""
    module = importlib.import_module(f"benchmarks.{BENCHMARKS[name]}")
    module.main(**(module.TINY if tiny else {}))


def run_each(names: list[str], tiny: bool) -> list[str]:
    """Run benchmarks one after the other, each in a process of its own; return those that failed.

    Nothing of one is left when the next one begins: settings, threads, limits, what is loaded.
    """
    failed = []
    for name in names:
        print(f"== {name}: {summary(BENCHMARKS[name])}", flush=True)
        started = time.perf_counter()
        command = [sys.executable, "-u", "-m", "benchmarks", name, *(["--tiny"] if tiny else [])]
        code = subprocess.run(command, cwd=HERE.parent, check=False).returncode
        ended = "" if code == 0 else f"FAILED with exit status {code} "
        print(f"== {name}: {ended}after {time.perf_counter() - started:.0f} s\n", flush=True)
        if code:
            failed.append(name)
    return failed


def main() -> None:
    """Read the command line and run. Exit status 1 where a benchmark failed; the others run."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=__doc__,
        epilog=table(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help="one of those below (default: what is shown)"
    )
    parser.add_argument("--tiny", action="store_true", help="a trial: a small setting, in seconds")
    options, own = parser.parse_known_args()
    unknown = sorted(set(options.names) - set(BENCHMARKS))
    if unknown:
        parser.error(f"there is no {', '.join(unknown)}; choose from: {', '.join(BENCHMARKS)}")
    if own:
        command = None
        if len(options.names) == 1 and not options.tiny:
            module = importlib.import_module(f"benchmarks.{BENCHMARKS[options.names[0]]}")
            command = getattr(module, "command", None)
        if command is None or not signature(command).parameters:
            parser.error(f"unrecognized arguments: {' '.join(own)}")
        command(own)
    elif len(options.names) == 1:
        run(options.names[0], options.tiny)
    elif failed := run_each(options.names or list(SHOWN), options.tiny):
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
