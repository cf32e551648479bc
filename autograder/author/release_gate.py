"""Proves that a tree for students holds no solution, hidden test or catalogued wrong answer.

It also proves that nothing in it mentions how graded code is monitored or confined.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from autograder.author.asked_formulas import formulas_in, watched_in_texts
from autograder.course import COURSE_FILE, RUBRIC_FILE, Course, Week
from autograder.reference.gaps import MARKER, find_gaps, find_leaks
from autograder.reference.misconceptions import catalogue_of

SHORTEST = 25
"""Minimum length, in characters, of texts that are searched for in every file."""

FOR_GRADERS = {
    "flags": r"(?<![.\w])flag(s|ged)?\b(?!\s*=)",  # not an argument or attribute of that name
    "watched names": r"\bwatched\b",
    "system call filters": r"seccomp",
    "control groups": r"cgroup",
    "Landlock": r"landlock",
    "bubblewrap": r"bubblewrap|\bbwrap\b",
    "disclosure": r"disclos",
    "what only a sandbox has": r"\bsandboxed\b",
}
"""Subjects that concern graders only -> regular expression of the words for them."""

SPOKEN_OF_IN = ("autograder/", "scripts/", COURSE_FILE, RUBRIC_FILE)
"""Prefixes of files that are searched for these words; handouts may use them otherwise."""

A_SENTENCE = 45
"""Minimum length of a sentence of an explanation; a handout may say shorter ones too."""

SENTENCE = re.compile(r"(?<=[.:?])\s+")

MARKER_BYTES = re.compile(MARKER.pattern.encode(), re.IGNORECASE)


def find_all_leaks(course: Course, root: Path, tree: Path) -> list[str]:
    """Say what the tree gives away; an empty list if nothing.

    Looks for files by name and by content, for markers, for long lines of gaps, for catalogued
    edits and explanations, for formulas that tasks ask for, for the salt, for what is watched and
    for words of those who grade, and compares the syntax trees of stubs, of tests and of functions
    with gaps.

    What a later phase gives its students may do what an earlier one asked for: a network of
    convolutions needs a linear layer. Such a phase is handed out when the earlier one is over.
    """
    files = {
        path.relative_to(tree).as_posix(): path.read_bytes()
        for path in sorted(tree.rglob("*"))
        if path.is_file()
    }
    leaks = [*_forbidden_names(files), *_copies(course, root, files)]
    secrets: dict[str, tuple[str, tuple[str, ...]]] = {}
    if course.salt:
        secrets[course.salt] = ("the salt", ())
    for week in course.weeks:
        later = _folders_of_later_phases(course, week)
        secrets |= {text: (said, later) for text, said in _secrets(course, root, week).items()}
        leaks += _leaking_stubs(root, week, files)
    leaks += _hidden_tests(root, files)
    leaks += _solved_functions(course, root, files)
    leaks += _words_of_graders(files)
    leaks += [*formulas_in(course, root, files), *watched_in_texts(course, files)]
    for name, data in _readable(files).items():
        if MARKER_BYTES.search(data):
            leaks.append(f"{name}: a solution marker")
        text = _flat(data)
        for secret, (origin, later) in secrets.items():
            if _flat(secret.encode("utf-8")) in text and not name.startswith(later):
                leaks.append(f"{name}: {secret!r} from {origin}")
    return leaks


def _folders_of_later_phases(course: Course, week: Week) -> tuple[str, ...]:
    """Return the folders, in the tree, of the weeks of phases after a week's own."""
    numbers = [{item.week for item in phase.items} for phase in course.phases]
    own = max((n for n, weeks in enumerate(numbers) if week.number in weeks), default=len(numbers))
    later = set[int]().union(*numbers[own + 1 :])
    return tuple(f"assignments/{one.folder}/" for one in course.weeks if one.number in later)


def _words_of_graders(files: Mapping[str, bytes]) -> list[str]:
    """Return where files mention how graded code is monitored or confined."""
    found = []
    for name, data in files.items():
        if name.startswith(SPOKEN_OF_IN):
            for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), start=1):
                for subject, words in FOR_GRADERS.items():
                    if word := re.search(words, line, re.IGNORECASE):
                        found.append(f"{name}, line {number}: {word[0]!r} is about {subject}")
    return found


def _readable(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return the files; the decoded texts of a notebook are appended to its JSON."""
    return {
        name: data + b"\n".join(_texts(json.loads(data))) if name.endswith(".ipynb") else data
        for name, data in files.items()
    }


def _texts(part: Any) -> Iterator[bytes]:
    """Yield every text in a JSON value, keys too; lists of lines as one text."""
    if isinstance(part, str):
        yield part.encode("utf-8", "replace")
    elif isinstance(part, list) and part and all(isinstance(line, str) for line in part):
        yield "".join(part).encode("utf-8", "replace")
    elif isinstance(part, list | dict):
        for inner in [*part, *part.values()] if isinstance(part, dict) else part:
            yield from _texts(inner)


def _code(name: str, data: bytes) -> bytes:
    """Return the Python in a module or a notebook."""
    if not name.endswith(".ipynb"):
        return data
    cells = json.loads(data)["cells"]
    code = ("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return "\n\n\n".join(code).encode()


def _flat(text: bytes) -> bytes:
    """Put a text on one line, so that its breaks and indentation do not matter."""
    return b" ".join(text.split())


def _forbidden_names(names: Iterable[str]) -> list[str]:
    """Return the files whose names are forbidden in a students' tree, whatever they hold."""
    found = []
    for name in names:
        parts = name.split("/")
        if {"hidden", "solutions", "student_tests"} & set(parts[:-1]):
            found.append(f"{name}: a file of an instructor's folder")
        if parts[-1].startswith("misconceptions") or parts[-1] == "grading.toml":
            found.append(f"{name}: a file for instructors alone")
    return found


def _copies(course: Course, root: Path, files: dict[str, bytes]) -> list[str]:
    """Files of the tree that are copies of an instructor's, under whatever name.

    Files that students are given also lie beside the solutions and are allowed.
    """
    given = {
        root / "solutions" / week.folder / name for week in course.weeks for name in week.given
    }
    private = [*root.glob("solutions/**/*"), *root.glob("assignments/**/hidden/**/*")]
    digests = {
        hashlib.sha256(path.read_bytes()).digest(): path.relative_to(root).as_posix()
        for path in private
        if path.is_file() and path.stat().st_size and path not in given
    }
    found = []
    for name, data in files.items():
        origin = digests.get(hashlib.sha256(data).digest())
        if origin:
            found.append(f"{name}: a copy of {origin}")
    return found


def _secrets(course: Course, root: Path, week: Week) -> dict[str, str]:
    """Return the lines of a week's gaps and the catalogued edits: text -> where it comes from.

    Short ones are left out. What also stands outside the gaps, in a docstring say, is no secret:
    students get it.
    """
    folder = root / "solutions" / week.folder
    secrets: dict[str, str] = {}
    given = ""
    for name in week.modules:
        source = (folder / name).read_text("utf-8")
        lines = source.split("\n")
        hidden: set[int] = set()
        for gap in find_gaps(source, name):
            hidden |= set(range(gap.first - 1, gap.last))
            for line in lines[gap.first : gap.until - 1]:
                # What is written in a notebook's cell stands behind "# " in its source.
                text = line.strip() if gap.statements else line.removeprefix("#").strip()
                secrets[text] = f"{name}, the gap at line {gap.first}"
        given += "\n".join(line for n, line in enumerate(lines) if n not in hidden)
    for entry in catalogue_of(root, course, week):
        sentences = [text for text in SENTENCE.split(entry.says.strip()) if len(text) >= A_SENTENCE]
        for text in (entry.by.strip(), *sentences):
            secrets.setdefault(text, f"misconception {entry.id}")
    return {
        text: origin
        for text, origin in secrets.items()
        if len(text) >= SHORTEST and text not in given
    }


def _leaking_stubs(root: Path, week: Week, files: dict[str, bytes]) -> list[str]:
    """Compare the syntax tree of every stub in the tree with its solution's."""
    found = []
    for name in week.modules:
        notebook = week.notebook(name)
        path = f"assignments/{week.folder}/{notebook.file if notebook else name}"
        source = (root / "solutions" / week.folder / name).read_text("utf-8")
        if path in files:
            above = source.partition("# %%")[0] if notebook else ""
            stub = above + _code(path, files[path]).decode("utf-8")
            found += find_leaks(stub, source, path)
        else:
            found.append(f"{path} is missing from the tree")
    return found


def _hidden_tests(root: Path, files: dict[str, bytes]) -> list[str]:
    """Look for functions of hidden suites, whatever their name, in every module of the tree."""
    hidden: dict[str, str] = {}
    for path in sorted(root.glob("assignments/**/hidden/**/*.py")):
        hidden |= _bodies_of_tests(path.read_bytes(), path.name)
    for path in sorted(root.glob("assignments/**/tests/**/*.py")):
        for body in _bodies_of_tests(path.read_bytes(), path.name):
            hidden.pop(body, None)
    return _functions_in(files, hidden, "the hidden")


def _solved_functions(course: Course, root: Path, files: dict[str, bytes]) -> list[str]:
    """Look for functions with gaps, solved, whatever their name, in every module of the tree.

    Those of a single statement are left to the search for lines: they say little by themselves.
    """
    found = []
    for week in course.weeks:
        solved: dict[str, str] = {}
        for name in week.modules:
            source = (root / "solutions" / week.folder / name).read_text("utf-8")
            with_gaps = {gap.where for gap in find_gaps(source, name)}
            for where, node in _functions(source.encode(), name):
                if where in with_gaps and len(_body(node)) > 1:
                    solved[ast.dump(ast.Module(_body(node), []))] = f"{where} of {name}"
        later = _folders_of_later_phases(course, week)
        others = {name: data for name, data in files.items() if not name.startswith(later)}
        found += _functions_in(others, solved, "a solved")
    return found


def _functions_in(files: dict[str, bytes], wanted: dict[str, str], what: str) -> list[str]:
    """Say which modules of the tree hold functions that do what one of `wanted` does."""
    found = []
    for name, data in files.items():
        if name.endswith((".py", ".ipynb")):
            for _, node in _functions(_code(name, data), name):
                origin = wanted.get(ast.dump(ast.Module(_body(node), [])))
                if origin:
                    found.append(f"{name}: {what} {origin}")
    return found


def _bodies_of_tests(source: bytes, name: str) -> dict[str, str]:
    """Return what each test function does, without its docstring -> its name."""
    return {
        ast.dump(ast.Module(_body(node), [])): node.name
        for _, node in _functions(source, name)
        if node.name.startswith("test")
    }


def _functions(source: bytes, name: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield every function of a module with its dotted name."""

    def walk(parent: ast.AST, where: str) -> Iterator[tuple[str, ast.FunctionDef]]:
        for node in ast.iter_child_nodes(parent):
            inner = where
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                inner = f"{where}.{node.name}".lstrip(".")
            if isinstance(node, ast.FunctionDef):
                yield inner, node
            yield from walk(node, inner)

    yield from walk(ast.parse(source, name), "")


def _body(node: ast.FunctionDef) -> list[ast.stmt]:
    """Return a function's statements without its docstring."""
    return node.body[ast.get_docstring(node) is not None :]
