"""Notices for students about files that are missing or were not taken, and why."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from autograder.course import Week
from autograder.intake.lookalike_names import name_keys, skeleton, unusual_characters
from autograder.intake.students import is_archive
from autograder.intake.week_files import WeekFiles, some
from autograder.text.display import one_line

WEIGHTS = (".safetensors", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".npz", ".npy", ".pkl", ".bin")
"""Endings of files that hold, or may hold, trained weights."""

_TOOL_SETTINGS = frozenset(
    (
        *("conftest.py", "pytest.ini", ".pytest.ini", "tox.ini", "setup.cfg", "setup.py"),
        *("pyproject.toml", "noxfile.py", ".coveragerc", "ruff.toml", ".ruff.toml"),
        *("sitecustomize.py", "usercustomize.py", "pyvenv.cfg"),
    )
)
ARCHIVE, OTHER = "archive", "other"
_COMPILED = (".pyc", ".pyo")
_NATIVE = re.compile(r"\.(so|dylib)(\.[0-9]+)*$|\.(pyd|dll|exe|a|o|lib|wasm)$")


def missing_file_notices(week: Week, files: WeekFiles, ignored: Sequence[str]) -> list[str]:
    """Name the week's missing files, and ignored files that may be one under another name."""
    taken = {*files.modules, *files.documents}
    missing = [names for names in week.asked if taken.isdisjoint(names)]
    listed = ", ".join(" or ".join(names) + _elsewhere(week, names, taken) for names in missing)
    notices = []
    if len(missing) == len(week.asked):
        notices.append(f"None of the files of {week.name} was found: {listed}.")
    elif missing:
        notices.append(f"Missing for {week.name}: {listed}.")
    by_key = {key: path for path in reversed(ignored) for key in name_keys(path.rpartition("/")[2])}
    for names in missing:
        for name in names:
            base = PurePosixPath(name).name
            path = next((by_key[key] for key in name_keys(base) if key in by_key), None)
            if path is not None:
                notices.append(f"{one_line(path)} was ignored: {_must_be(path, base, name)}.")
    return notices


def _elsewhere(week: Week, names: Sequence[str], taken: Collection[str]) -> str:
    """Say in which of the files that are there a missing module's names may stand."""
    homes = [home for name in names for home in week.homes.get(name, ()) if home in taken]
    return f" (what it asks for may stand in {' or '.join(homes)})" if homes else ""


def _must_be(path: str, base: str, name: str) -> str:
    """Say how a file must be called; characters that can't be seen in its name are named."""
    given = PurePosixPath(path).name
    if given == base:
        return f"it must be {name}, in a folder of that name"
    unusual = unusual_characters(given)
    hint = f" (it has {unusual} in it)" if unusual and skeleton(given) == base else ""
    return f"its name must be exactly {name}{hint}"


def leftover_notices(ignored: Sequence[str], unfollowed: Sequence[str]) -> list[str]:
    """Name the files that were not taken, by kind, and the links that were not followed."""
    kinds: dict[str, list[str]] = {}
    for path in ignored:
        kinds.setdefault(kind_of_file(path), []).append(path)
    notices = [
        template.format(some(kinds[kind])) for kind, template in _TEMPLATES.items() if kind in kinds
    ]
    others = kinds.get(OTHER, ())
    if others:
        count = len(others)
        what = "1 file that belongs" if count == 1 else f"{count} files that belong"
        notices.append(f"Ignored {what} to no assignment: {some(others)}.")
    if unfollowed:
        notices.append(f"Links and special files are not followed: {some(unfollowed)}.")
    return notices


def odd_notices(odd: Mapping[str, Sequence[str]]) -> list[str]:
    """Name the odd files, each kind once."""
    return [one_line(said.format(some(paths)), 500) for said, paths in odd.items()]


_TEMPLATES = {
    "weights": ("Trained weights are not taken: {}. A network is trained where it is graded."),
    "path": (
        "Files that end in .pth are not taken: {}. As weights: a network is trained where it is "
        "graded. As a path file of Python: modules are looked for where the grader says."
    ),
    "steering": (
        "Not used: {}. Such files steer tests, tools or the start of Python, and the grader has "
        "its own. They do no harm; you need not remove them."
    ),
    "compiled": (
        "Not used: {}. Compiled Python is never run here; the .py file it came from counts."
    ),
    "native": "Not used: {}. Native libraries and programs are never loaded, only Python source.",
    ARCHIVE: (
        "Not opened: {}. An archive in a submission is not looked into. If work of yours is in it, "
        "unpack it and hand in again."
    ),
}


def kind_of_file(path: str) -> str:
    """Return the kind of a file that no week asks for, by its name."""
    name = PurePosixPath(path).name.lower()
    if name.endswith(".pth"):
        return "path"
    if name.endswith(WEIGHTS):
        return "weights"
    if name in _TOOL_SETTINGS:
        return "steering"
    if name.endswith(_COMPILED):
        return "compiled"
    if _NATIVE.search(name):
        return "native"
    return ARCHIVE if is_archive(name) else OTHER
