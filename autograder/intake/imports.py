"""Which other modules a submission's files import, found by name, without running anything."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Iterator, Mapping

from autograder.text.syntax import syntax_tree

MOST_HELPERS, MOST_BYTES = 40, 1 << 20
NOT_OURS = frozenset(("numpy", "torch", "pytest", "autograder", "conftest", "setup"))
RESERVED = NOT_OURS | sys.stdlib_module_names | {"sitecustomize", "usercustomize"}
"""The first names of modules that are never a submission's own files."""


def imported(source: bytes, file: str) -> list[str]:
    """Return what the file called `file` imports, each once: "a.b" for `from a import b` too."""
    names: dict[str, None] = {}
    package = file.split("/")[:-1]
    tree = syntax_tree(source)
    for node in ast.walk(tree) if tree else ():
        if isinstance(node, ast.Import):
            names |= dict.fromkeys(one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: max(0, len(package) + 1 - node.level)] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names |= dict.fromkeys([base, *(f"{base}.{one.name}".strip(".") for one in node.names)])
    return [name for name in names if name and name.partition(".")[0] not in RESERVED]


def files_of(name: str) -> Iterator[str]:
    """Yield the files that `import name` may load: those of the packages above it as well."""
    parts = name.split(".")
    for end in range(1, len(parts) + 1):
        yield "/".join([*parts[:end], "__init__.py"])
        yield "/".join(parts[:end]) + ".py"


def with_helpers(
    modules: Mapping[str, bytes], read: Callable[[str, str], bytes | None]
) -> dict[str, bytes]:
    """Return modules, and the helpers that they and those import, as far as the limits allow.

    `read(importer, file)` returns the content of a file that lies beside the importer's root, None
    where there is none.
    """
    found, room = dict(modules), MOST_BYTES
    todo = [name for name in modules if name.endswith(".py")]
    for importer in todo:
        for name in imported(found[importer], importer):
            for file in files_of(name):
                content = None if file in found else read(importer, file)
                if content is None or b"\0" in content or len(content) > room:
                    continue
                if len(found) - len(modules) < MOST_HELPERS:
                    found[file], room = content, room - len(content)
                    todo.append(file)
    return found
