"""Helper modules of a submission: its own files that the assignment's files import."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from autograder.course import Week
from autograder.intake.imports import (
    MOST_BYTES,
    MOST_HELPERS,
    RESERVED,
    files_of,
    imported,
    with_helpers,
)
from autograder.text.display import one_line

NOT_WORK = frozenset(
    (
        *("autograder", "tests", "suite_tools", "worker", "hidden", "notebooks", "solutions"),
        *("site-packages", "dist-packages", "build", "dist"),
    )
)
"""Folders of the course's own files, and of installed packages: no helper is looked for in them."""
MOST_TOLD = 4


@dataclass
class Helpers:
    """The helpers that were taken, by the names that they are imported by, and where they lay.

    `notices` say what was imported and not taken; they speak of the paths `spoken_of`.
    """

    modules: dict[str, bytes] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    notices: list[str] = field(default_factory=list)
    spoken_of: set[str] = field(default_factory=set)


def may_help(path: str) -> bool:
    """Whether the file at `path` may be a helper module."""
    *folders, last = path.split("/")
    stem = last.removesuffix(".py")
    named = last.isascii() and last.endswith(".py") and stem.isidentifier()
    return named and stem not in RESERVED and NOT_WORK.isdisjoint(folders)


def add_helpers(
    week: Week,
    modules: Mapping[str, bytes],
    paths: Mapping[str, str],
    contents: Mapping[str, bytes],
    ignored: Collection[str],
) -> Helpers:
    """Find the helpers of a week's modules beside them.

    `modules` and `paths` are what was taken for the week, by name; `contents` what may be taken,
    by path; `ignored` are paths of files that may not. A helper lies beside the file that imports
    it, or else beside another of the week, as it is imported: utils.py, or mylib/ with its files;
    or else beside a folder that these lie in, as src/ does beside utils/.
    """
    found = Helpers(paths=dict(paths))
    roots = {name: _root(name, paths[name]) for name in modules if name in paths}
    own_names = {_root(name, path) + _last(path): name for name, path in paths.items()}

    def read(importer: str, file: str) -> bytes | None:
        if file in week.modules:
            return None
        near = dict.fromkeys([roots.get(importer, ""), *roots.values()])
        for root in dict.fromkeys([*near, *(above for one in near for above in _above(one))]):
            path = f"{root}{file}"
            known = own_names.get(path)
            if known is not None and known in modules:  # another name of a file of the week
                roots[file] = root
                return _alias(known).encode()
            if path in contents and may_help(path):
                roots[file], found.paths[file] = root, path
                return contents[path]
        return None

    together = with_helpers(modules, read)
    found.modules = {name: data for name, data in together.items() if name not in modules}
    found.spoken_of = {found.paths[name] for name in found.modules if name in found.paths}
    found.paths = {name: path for name, path in found.paths.items() if name in together}
    if found.modules:
        listed = ", ".join(sorted(found.modules))
        found.notices.append(one_line(f"Taken with {week.name}'s files: {listed}.", 500))
    _tell_what_is_missing(week, together, found, [*contents, *ignored])
    return found


def _root(name: str, path: str) -> str:
    """Return the folder, with "/" behind it, from which a file is imported as `name`."""
    parts = path.split("/")
    return "".join(f"{part}/" for part in parts[: len(parts) - 1 - name.count("/")])


def _above(root: str) -> list[str]:
    """Return the folders that a folder lies in, the innermost first; the outermost has no name."""
    parts = root.split("/")[:-1]
    return ["".join(f"{part}/" for part in parts[:end]) for end in range(len(parts) - 1, -1, -1)]


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _alias(known: str) -> str:
    """Return a module that is another one: two copies would have two classes of each name."""
    module = known.removesuffix(".py").replace("/", ".")
    return (
        f'"""Another name of {known}."""\n\nimport importlib\nimport sys\n\n'
        f'sys.modules[__name__] = importlib.import_module("{module}")\n'
    )


def _tell_what_is_missing(
    week: Week, modules: Mapping[str, bytes], found: Helpers, paths: Collection[str]
) -> None:
    """Say which imported files lie in the submission and were not taken, and where to put them."""
    for importer, source in modules.items():
        for name in imported(source, importer):
            files = [file for file in files_of(name) if file not in week.given]
            if any(file in modules or file in week.modules for file in files):
                continue
            ends = tuple(f"/{file}" for file in files)
            there = [path for path in paths if f"/{path}".endswith(ends)]
            if there and len(found.notices) < MOST_TOLD and found.spoken_of.isdisjoint(there):
                found.spoken_of.add(there[0])
                problem = f"{importer} imports {name}, and {there[0]} was not taken"
                notice = f"{problem}: {_why(there[0], importer, name)}."
                found.notices.append(one_line(notice, 500))


def _why(path: str, importer: str, name: str) -> str:
    if not NOT_WORK.isdisjoint(path.split("/")[:-1]):
        return f"files in a folder of that name are not work of yours; put it beside {importer}"
    limits = f"at most {MOST_HELPERS} helper modules, of {MOST_BYTES >> 20} MB together, are taken"
    package = path.endswith("/__init__.py")
    place = f"{name.replace('.', '/')}{'/__init__.py' if package else '.py'}"
    return f"it has to lie beside {importer}, as {place}, and {limits}"
