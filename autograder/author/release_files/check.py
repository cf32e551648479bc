#!/usr/bin/env python3
"""The course's commands, on Linux, macOS and Windows: `python check.py 1` checks week 1.

It needs the standard library alone. What it runs needs a few packages: it takes the Python that it
is run with where that has them, and else makes the folder .venv beside this file, once.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
READY = VENV / ".ready"
LOCK = ROOT / ".venv.lock"
IS_WINDOWS = os.name == "nt"
PYTHON = VENV / ("Scripts/python.exe" if IS_WINDOWS else "bin/python")
OLDEST, NEWEST = (3, 11), (3, 13)

HELP = """\
The commands of the course, in its root and in each week's folder:

  python check.py 1                       check week 1 with the public tests
  python check.py                         the same for the week in whose folder you are
  python check.py --task week1.linear     one task only
  python check.py --test bias             tests that have this in their names or titles
  python check.py 1 --watch               again after each change of your files
  python check.py --task ID --debug       in one process: breakpoint() in your code stops there
  python check.py --hint week1.linear     a hint for the task; --more: the next one
  python check.py --task ID --inputs      what fails shows what your code was called with

  python check.py test 1                  run the tests that you wrote yourself
  python check.py run FILE                run a script of the course or of yours
  python check.py notebook 1              open the week's notebook in the browser
  python check.py data mnist              download a data set (cifar10, snippets, ...)
  python check.py handin 1                write week1.zip, and what the public tests say of it
  python check.py ci                      check all weeks that were begun, as on GitHub
  python check.py setup [torch|jupyter]   install the packages beforehand; --here: not in .venv

WEEK is 1, 2, ..., project, cifar or sentiment. `pytest` works too, here and in each week's folder.
"""

NEEDED: dict[str, dict[str, tuple[int, ...]]] = {
    "core": {
        "matplotlib": (3, 8),
        "msgpack": (1, 0, 8),
        "numpy": (1, 26),
        "pytest": (8, 2),
        "ruff": (0, 5),
        "tqdm": (4, 60),
    },
    "torch": {"safetensors": (0, 5), "tensorboardX": (2, 6), "torch": (2, 4)},
    "jupyter": {"ipykernel": (6, 29), "notebook": (7, 0)},
}
"""The packages that commands need, and the oldest versions that do."""

SIZES = {
    "core": "numpy, matplotlib, pytest and little more (about a minute, 200 MB)",
    "torch": "PyTorch (one to several minutes, 0.3 to 3 GB)",
    "jupyter": "Jupyter (about a minute, 200 MB)",
}


def main(arguments: list[str]) -> int:
    """Carry out one command; return its exit status."""
    command, rest = (arguments or ["check"])[0], arguments[1:]
    if command in ("help", "-h", "--help"):
        print(HELP, end="")
        return 0
    if command == "setup":
        return set_up(rest)
    if command == "data":
        return run("core", ["-m", "data", "download", *rest])
    if command == "run":
        return run_script(rest)
    if command == "test":
        return run_own_tests(rest)
    if command == "notebook":
        return open_notebook(rest)
    if command in ("handin", "hand-in"):
        return run(needs_of(rest), ["-m", "autograder", "hand-in", *rest])
    if command in ("ci", "export"):
        return run_ci(command, rest)
    if command == "check":
        arguments = rest
    return run(needs_of(arguments), ["-m", "autograder", "check", *arguments])


def needs_of(arguments: list[str], folder: Path | None = None) -> str:
    """Return what the week needs that is named, or in whose folder one is: "core" or "torch"."""
    if "--hint" in arguments:
        return "core"
    for week in weeks():
        names = {str(week["number"]), week["id"]}
        named = any(text in names or text.startswith(f"{week['id']}.") for text in arguments)
        if named:
            return "torch" if week.get("packages") else "core"
    inside = folder or Path.cwd().resolve()
    found = [week for week in weeks() if folder_of(week) in (inside, *inside.parents)]
    deepest = max(found, key=lambda week: len(week["folder"]), default={})
    return "torch" if deepest.get("packages") else "core"


def weeks() -> list[dict[str, Any]]:
    """Return the course's weeks, as their tables say."""
    import tomllib  # which old Pythons don't have, that are only to look for a newer one

    return tomllib.loads((ROOT / "assignments/course.toml").read_text("utf-8"))["week"]


def folder_of(week: dict[str, Any]) -> Path:
    """Return the folder of a week."""
    return ROOT / "assignments" / week["folder"]


def run(needs: str, arguments: list[str], folder: Path | None = None) -> int:
    """Run Python with these arguments, in the student's folder; return its exit status."""
    python = python_with(needs)
    environment = {**os.environ, "PYTHONUTF8": "1"}
    paths = [str(ROOT), environment.get("PYTHONPATH", "")]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    # Without -P a module called like one of the standard library's, beside a student, hides that.
    try:
        return subprocess.call([python, "-P", *arguments], env=environment, cwd=folder)
    except KeyboardInterrupt:
        return 130


def run_ci(command: str, rest: list[str]) -> int:
    """Check all weeks that were begun; PyTorch is installed where one of them needs it."""
    if command == "ci" and "--needs" not in rest:
        python = python_with("core")
        environment = {**os.environ, "PYTHONUTF8": "1", "PYTHONPATH": str(ROOT)}
        asked = [python, "-P", "-m", "autograder", "ci", "--needs"]
        answer = subprocess.run(asked, env=environment, stdout=subprocess.PIPE, text=True)
        return run(answer.stdout.strip() or "core", ["-m", "autograder", "ci", *rest])
    return run("core", ["-m", "autograder", command, *rest])


# --- folders and files ----------------------------------------------------------------------


def week_folder(name: str) -> Path | None:
    """Return the folder of a week called "1", "week1" or "project"; "": the one where one is."""
    if name:
        found = [week for week in weeks() if name in (str(week["number"]), week["id"])]
        return folder_of(found[0]) if found else None
    here = Path.cwd().resolve()
    found = [week for week in weeks() if folder_of(week) in (here, *here.parents)]
    return folder_of(max(found or weeks()[:1], key=lambda week: len(week["folder"])))


def run_script(rest: list[str]) -> int:
    """Run a script with the course's packages: a path, or a file of a week's folder."""
    if not rest:
        return fail("Say which script: python check.py run assignments/week1_backprop/mnist_mlp.py")
    script = Path(rest[0])
    if not script.is_file():
        found = sorted(ROOT.glob(f"assignments/**/{script.name}"))
        if len(found) != 1:
            places = ", ".join(path.relative_to(ROOT).as_posix() for path in found)
            return fail(f"There is no {script}." + (f" Which one: {places}?" if found else ""))
        script = found[0]
    script = script.resolve()
    return run(needs_of([], script.parent), [*start_of(script), *rest[1:]])


def start_of(script: Path) -> list[str]:
    """Return the arguments that run a script with its own folder first on the search path."""
    code = "import runpy, sys; sys.argv = sys.argv[1:]; sys.path.insert(0, sys.argv.pop(0)); "
    code += "runpy.run_path(sys.argv[0], run_name='__main__')"
    return ["-c", code, str(script.parent), str(script)]


def run_own_tests(rest: list[str]) -> int:
    """Run the tests that students wrote in a week's folder, with pytest."""
    own = bool(rest) and not rest[0].startswith("-")  # a week is named
    folder = week_folder(rest[0] if own else "")
    if folder is None:
        return fail(f"There is no week {rest[0]}.")
    tests = sorted(folder.glob("test_*.py"))
    if not tests:
        print(f"There are no tests of yours (test_*.py) in {folder}.")
        return 0
    options = rest[1:] if own else rest
    names = [path.name for path in tests]
    return run(
        needs_of([folder.name]), ["-m", "pytest", "-q", "--tb=short", *options, *names], folder
    )


def open_notebook(rest: list[str]) -> int:
    """Open a week's notebook in the browser."""
    folder = week_folder(rest[0] if rest else "")
    notebook = [] if folder is None else [str(path) for path in folder.glob("derivations.ipynb")]
    return run("jupyter", ["-m", "jupyter", "notebook", *notebook], ROOT)


# --- packages -------------------------------------------------------------------------------


def set_up(rest: list[str]) -> int:
    """Install what commands need before they ask for it."""
    needs = [word for word in rest if word != "--here"] or ["core"]
    unknown = [word for word in needs if word not in NEEDED]
    if unknown:
        return fail(f"There is no set-up {unknown[0]!r}: choose from {', '.join(NEEDED)}.")
    if "--here" in rest:
        for need in dict.fromkeys(["core", *needs]):
            missing = missing_here(need)
            if missing and install(sys.executable, *missing):
                return fail(f"{', '.join(missing)} could not be installed into this Python.")
        print(f"Everything is there, in {sys.executable}.")
        return 0
    for need in needs:
        python = python_with(need)
    print(f"Everything is there, in {python}.")
    return 0


def python_with(need: str) -> str:
    """Return a Python that has what a command needs; .venv is made where none has it yet."""
    if not missing_here("core") and (need == "core" or not missing_here(need)):
        return sys.executable
    with Locked():
        pins = {part: digest(part) for part in dict.fromkeys(["core", need])}
        done = recorded()
        if done.get("place") != place() or not PYTHON.exists():
            make_environment()
            done = {"place": place()}
        for part, pin in pins.items():
            if done.get(part) != pin:
                say(f"installing {SIZES[part]}")
                if install(str(PYTHON), "-r", str(ROOT / requirements(part))):
                    say("The packages, which come from the network, could not be installed.")
                    raise SystemExit(fail("See above; run this again when there is a network."))
                done[part] = pin
                record(done)
    return str(PYTHON)


def missing_here(need: str) -> list[str]:
    """Return the packages of a command that this Python lacks, or has only too old."""
    from importlib import metadata

    missing = []
    for name, least in NEEDED[need].items():
        try:
            version = tuple(int(part) for part in re.findall(r"\d+", metadata.version(name))[:3])
        except metadata.PackageNotFoundError:
            version = (-1,)
        if version < least:
            missing.append(f"{name}>={'.'.join(map(str, least))}")
    return missing


def requirements(part: str) -> str:
    """Return the file with the pins of a part."""
    return "requirements.txt" if part == "core" else f"requirements-{part}.txt"


def digest(part: str) -> str:
    """Return what the pins of a part are known by."""
    return hashlib.sha256((ROOT / requirements(part)).read_bytes()).hexdigest()


def place() -> str:
    """Return where .venv was made: a folder that was moved or copied needs another."""
    return hashlib.sha256(str(ROOT).encode("utf-8", "surrogateescape")).hexdigest()


def recorded() -> dict[str, str]:
    """Return what is installed in .venv: name -> digest."""
    try:
        lines = READY.read_text("utf-8").splitlines()
    except OSError:
        return {}
    return dict(line.split(" ", 1) for line in lines if " " in line)


def record(done: dict[str, str]) -> None:
    """Say in .venv what is installed there, in one step."""
    partial = READY.with_name(".ready.partial")
    partial.write_text("".join(f"{name} {value}\n" for name, value in done.items()), "utf-8")
    os.replace(partial, READY)


def make_environment() -> None:
    """Make an empty .venv with a Python that the course supports."""
    python = suitable_python()
    if VENV.exists():
        say(".venv is unfinished, or was made elsewhere: making it anew")
    say(f"making .venv with {python} (a few seconds)")
    if READY.exists():
        READY.unlink()
    if subprocess.call([python, "-m", "venv", "--clear", str(VENV)]):
        say("Python could not make a virtual environment (see above). On Debian and Ubuntu this")
        say(f"mends it:  sudo apt-get install -y python3.{sys.version_info[1]}-venv")
        raise SystemExit(fail("Or install into this Python:  python check.py setup --here"))


def suitable_python() -> str:
    """Return a Python that the course supports: this one, or another that is installed."""
    if OLDEST <= sys.version_info[:2] <= NEWEST:
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found:
            return found
        if IS_WINDOWS and shutil.which("py"):
            asked = ["py", f"-3.{minor}", "-c", "import sys; print(sys.executable)"]
            answer = subprocess.run(
                asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            )
            if answer.returncode == 0:
                return answer.stdout.strip()
    here = ".".join(map(str, sys.version_info[:2]))
    raise SystemExit(fail(f"This is Python {here}. The course needs Python 3.11, 3.12 or 3.13."))


def install(python: str, *packages: str) -> int:
    """Install packages with pip; return its exit status. Python compiles what is used, then."""
    quiet = ["-q", "--no-compile", "--disable-pip-version-check"]
    return subprocess.call([python, "-m", "pip", "install", *quiet, *packages])


class Locked:
    """While it is held, no other set-up changes .venv."""

    def __enter__(self) -> Locked:
        told = False
        while True:
            try:
                with open(LOCK, "x") as file:
                    file.write(str(os.getpid()))
                return self
            except FileExistsError:
                if self._is_stale():
                    LOCK.unlink()
                    continue
            if not told:
                say("another set-up is running here: waiting (if none is, delete .venv.lock)")
                told = True
            time.sleep(0.5)

    def _is_stale(self) -> bool:
        try:
            pid = int(LOCK.read_text() or 0)
            if IS_WINDOWS or not pid:
                return time.time() - LOCK.stat().st_mtime > 1800
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        except (OSError, ValueError):
            return False
        return False

    def __exit__(self, *error: object) -> None:
        if LOCK.exists():
            LOCK.unlink()


def say(text: str) -> None:
    """Tell what takes a while."""
    print(f"check.py: {text}", file=sys.stderr, flush=True)


def fail(text: str) -> int:
    """Tell what is wrong; return the exit status for it."""
    say(text)
    return 2


if __name__ == "__main__":
    if sys.version_info < OLDEST:
        sys.exit(subprocess.call([suitable_python(), *sys.argv]))
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
