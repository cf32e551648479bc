"""What a source file says: a digest of its meaning, and what it imports.

Comments and docstrings don't count: a Python file is taken as its syntax tree without line numbers
and without statements that are nothing but text, a TOML file as what it says. A file that names
`__doc__` or a function that reads sources is taken as it is written.

Reading the trees of the whole grader takes half a second, so what was found is stored, by the
digest of a file's bytes.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import os
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

READS_ITSELF = (b"__doc__", b"getsource", b"getdoc", b"getcomments", b"linecache")
DIGEST_LENGTH = 32


@dataclass(frozen=True)
class Content:
    """Digest of a file's meaning; the modules that it imports, absolute or with leading dots."""

    digest: str
    imports: tuple[str, ...] = ()


def read(path: Path) -> Content:
    """Return what a file says; what was read stays in memory while the file is the same."""
    status = path.stat()
    return _read_state(path, status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=4096)
def _read_state(path: Path, changed_ns: int, size: int) -> Content:
    """Read a file; modification time and size are only keys of the cache."""
    source = path.read_bytes()
    if path.suffix != ".py":
        return _meaning(source, path.suffix)
    key = sha256(source)
    known = _known()
    if key not in known:
        content = _meaning(source, path.suffix)
        known[key] = [content.digest, list(content.imports)]
        _new.add(key)
    digest, imports = known[key]
    return Content(digest, tuple(imports))


def _meaning(source: bytes, suffix: str) -> Content:
    try:
        if suffix == ".py":
            tree = ast.parse(source)
            imports = tuple(_imports(tree))
            if any(name in source for name in READS_ITSELF):
                return Content(sha256(source), imports)
            return Content(sha256(ast.dump(_without_texts(tree)).encode()), imports)
        if suffix == ".toml":
            return Content(sha256(repr(tomllib.loads(source.decode())).encode()))
    except (SyntaxError, ValueError, RecursionError):
        pass  # the user of the file reports its errors
    return Content(sha256(source))


STORE = (
    Path(__file__).parent / "__pycache__" / f"source_digests.{sys.version.partition(' ')[0]}.json"
)
"""What was computed earlier, by the digest of a file's bytes: beside what Python compiled."""

MOST_KNOWN = 4_000

_new: set[str] = set()


@lru_cache(maxsize=1)
def _known() -> dict[str, list[Any]]:
    """Return what is stored; nothing where there is no store or an unreadable one."""
    try:
        stored = json.loads(STORE.read_bytes())
        if stored["by"] != _SELF:  # another version of this file may see other meanings
            return {}
        return {key: [str(digest), list(names)] for key, (digest, names) in stored["known"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


_SELF = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()


def remember() -> None:
    """Store what was computed anew, for later processes; where nothing can be written, don't.

    A store that has grown too large begins anew with what this process has needed.
    """
    if not _new:
        return
    known = _known()
    if len(known) > MOST_KNOWN:
        known = {key: known[key] for key in _new}
    _new.clear()
    written = STORE.with_name(f"{STORE.name}.{os.getpid()}")
    try:
        STORE.parent.mkdir(exist_ok=True)
        written.write_text(json.dumps({"by": _SELF, "known": known}))
        written.replace(STORE)
    except OSError:  # an installation that can't be written to, or a full disk: no store then
        with contextlib.suppress(OSError):
            written.unlink(missing_ok=True)


def _without_texts(tree: ast.Module) -> ast.Module:
    """Take all statements out of a syntax tree that are nothing but text: docstrings, mostly."""
    for block in _blocks(tree):
        block[:] = [statement for statement in block if not _is_text(statement)]
    return tree


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield all lists of statements below a node. No expression holds any: this is 10 times as
    fast as a walk over all nodes."""
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block
            for statement in block:
                yield from _blocks(statement)
    for branch in (*getattr(node, "handlers", ()), *getattr(node, "cases", ())):
        yield from _blocks(branch)


def _is_text(statement: ast.stmt) -> bool:
    return (
        isinstance(statement, ast.Expr)
        and isinstance(statement.value, ast.Constant)
        and isinstance(statement.value.value, str)
    )


def _imports(tree: ast.Module) -> Iterator[str]:
    """Yield the names of all that may be a module which a file imports, anywhere in it."""
    for statement in (statement for block in _blocks(tree) for statement in block):
        if isinstance(statement, ast.Import):
            yield from (alias.name for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom):
            base = "." * statement.level + (statement.module or "")
            yield base
            separator = "." if statement.module else ""
            yield from (f"{base}{separator}{alias.name}" for alias in statement.names)


def sha256(content: bytes) -> str:
    """Return the digest of bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()[:DIGEST_LENGTH]
