"""What code quality is: ruff's findings, and the share of documented definitions."""

from __future__ import annotations

import ast
import json
import re
import sys
import sysconfig
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path

from autograder.text.display import clean

RULES = "E,F,W,B,C4"
"""pycodestyle, pyflakes, likely bugs, roundabout comprehensions; lines of up to 100 characters."""

IGNORED = "B023,B905,F405"
"""Functions made in a loop, as those are that a gradient is measured of there, and `zip` without
`strict`: no bugs here. F405 says of every name behind a star import that ruff can't tell."""

STAR = re.compile(r"^line \d+: F403 `from (\.|\w+)")
"""A star import, which is a finding (once, F403) where it isn't one of the submission's own files:
these are judged too, and a small helper is read as a part of the file that imports it."""

FREE_FINDINGS = 2
FINDINGS_TO_ZERO = 12
"""Up to FREE_FINDINGS cost nothing; beyond, the lint half falls to 0 at FINDINGS_TO_ZERO."""

DOCUMENTED_FOR_FULL = 0.9


def share_of(findings: int, documented: float) -> float:
    """Return the share of the points for so many findings, and this share of documented names."""
    excess = max(0, findings - FREE_FINDINGS) / (FINDINGS_TO_ZERO - FREE_FINDINGS)
    return 0.5 * max(0.0, 1 - excess) + 0.5 * min(1.0, documented / DOCUMENTED_FOR_FULL)


def message(findings: Sequence[str], missing: Sequence[str]) -> str:
    """Say what was found, and what has no docstring."""
    parts = []
    if findings:
        shown = "; ".join(findings[:5]) + (" ..." if len(findings) > 5 else "")
        parts.append(f"ruff: {len(findings)} finding(s): {shown}.")
    if missing:
        names = ", ".join(clean(name, 60) for name in missing[:8])
        parts.append(f"Without a docstring: {names}.")
    return " ".join(parts)


def documentation(tree: ast.Module) -> tuple[float, list[str]]:
    """Return the documented share (0..1) of a module's public definitions, and the undocumented.

    Names that begin with an underscore need no docstring, nor do a property's setter and a method
    that a base class in the module documents.
    """
    nodes: list[tuple[str, ast.Module | ast.FunctionDef | ast.ClassDef]] = [("the module", tree)]
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            nodes.append((node.name, node))
            if isinstance(node, ast.ClassDef):
                nodes += [
                    (f"{node.name}.{part.name}", part)
                    for part in _methods(node)
                    if not _is_documented_elsewhere(part, node, classes)
                ]
    missing = [name for name, node in nodes if ast.get_docstring(node) is None]
    return 1 - len(missing) / len(nodes), missing


def _methods(node: ast.ClassDef) -> list[ast.FunctionDef]:
    """Return a class's public methods."""
    parts = (part for part in node.body if isinstance(part, ast.FunctionDef))
    return [part for part in parts if not part.name.startswith("_")]


def _is_documented_elsewhere(
    method: ast.FunctionDef, owner: ast.ClassDef, classes: Mapping[str, ast.ClassDef]
) -> bool:
    """Whether a method without a docstring is a setter, or overrides a documented one."""
    if ast.get_docstring(method) is not None:
        return False
    names = [ast.unparse(decorator) for decorator in method.decorator_list]
    if any(name.endswith((".setter", ".deleter")) for name in names):
        return True
    bases = [classes[name] for base in owner.bases if (name := ast.unparse(base)) in classes]
    inherited = [part for base in bases for part in _methods(base) if part.name == method.name]
    return any(ast.get_docstring(part) is not None for part in inherited)


@cache
def _ruff() -> list[str]:
    """Return how ruff is called: its program beside Python's, which starts faster than a module."""
    program = Path(sysconfig.get_path("scripts")) / "ruff"
    return [str(program)] if program.is_file() else [sys.executable, "-m", "ruff"]


def ruff_command(folder: str) -> list[str]:
    """Return the command that looks at a folder's files and prints what it finds as JSON.

    `noqa` comments and the files' own configuration are ignored.
    """
    command = [*_ruff(), "check", "--isolated", "--no-cache", "--exit-zero"]
    command += ["--ignore-noqa", "--line-length", "100", "--select", RULES]
    return [*command, "--ignore", IGNORED, "--output-format", "json", folder]


def findings_in(output: bytes, folder: str, files: Iterable[str]) -> dict[str, list[str]]:
    """Return ruff's findings for each file, as "line 12: F841 ...".

    Raises ValueError where ruff printed something else.
    """
    rows, files = json.loads(output), list(files)
    findings: dict[str, list[str]] = {name: [] for name in files}
    own = {".", *(name.partition("/")[0].removesuffix(".py") for name in files)}
    for row in rows:
        line = (row.get("location") or {}).get("row", 0)
        text = f"line {line}: {row.get('code') or 'syntax'} {clean(row.get('message'), 80)}"
        name = Path(row["filename"]).relative_to(Path(folder).resolve()).as_posix()
        star = STAR.match(text)
        if star is None or star[1] not in own:
            findings.setdefault(name, []).append(text)
    return findings
