"""Measures of the autograder's structure: rooms, lines, imports, layers, import cycles.

    python scripts/structure.py [REPOSITORY]

A room is a folder of autograder/, or a module at its root. An arrow goes from a room to another
whose modules it imports; imports inside functions count, those for type checkers alone too. A floor
is a step of the longest chain of imports; modules or rooms that import each other, by whatever way
round, are a circle and share a floor. Nothing is imported: the sources are read.
"""

from __future__ import annotations

import ast
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

PACKAGE = "autograder"
Graph = dict[str, set[str]]


def main() -> None:
    """Print the measures of a repository."""
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    modules = modules_of(root)
    imports = {name: imports_of(name, path, modules) for name, path in modules.items()}
    rooms: Graph = defaultdict(set)
    between = 0
    for name, targets in imports.items():
        rooms[room(name)] |= {room(target) for target in targets} - {room(name)}
        between += sum(room(target) != room(name) for target in targets)
    lines: Counter[str] = Counter()
    for name, path in modules.items():
        lines[room(name)] += len(path.read_text("utf-8").splitlines())
    flat = [name for name, path in modules.items() if path.parent == root / PACKAGE]
    print(f"modules {len(modules)}, at the root {len(flat)}, lines {lines.total()}")
    print(f"imports {sum(map(len, imports.values()))}, between rooms {between}")
    for label, graph in (("modules", imports), ("rooms", rooms)):
        circles = [sorted(circle) for circle in components(graph) if len(circle) > 1]
        arrows = sum(map(len, graph.values()))
        print(f"{label}: arrows {arrows}, floors {floors(graph)}, circles {len(circles)}")
        for circle in circles:
            print(f"  circle: {', '.join(circle)}")
    print("lines by room:")
    for name, count in lines.most_common():
        print(f"  {count:6} {name}")


def modules_of(root: Path) -> dict[str, Path]:
    """Return the package's modules by their dotted names, without the package's own name."""
    found = {}
    for path in sorted((root / PACKAGE).rglob("*.py")):
        parts = path.relative_to(root / PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name or "__init__"] = path
    return found


def room(name: str) -> str:
    """Return the room of a module."""
    return name.partition(".")[0]


def imports_of(name: str, path: Path, modules: Mapping[str, Path]) -> set[str]:
    """Return the modules of the package that a module imports."""
    package = [PACKAGE, *name.split(".")] if name != "__init__" else [PACKAGE]
    if path.name != "__init__.py":
        package = package[:-1]
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            full = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            full = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        found |= {target for one in full if (target := known(one, modules)) is not None}
    return found - {name}


def known(full: str, modules: Mapping[str, Path]) -> str | None:
    """Return the module that a dotted name lies in, None where it isn't the package's."""
    top, _, rest = full.partition(".")
    if top != PACKAGE or not rest:
        return None
    while rest and rest not in modules:
        rest = rest.rpartition(".")[0]
    return rest or None


def components(graph: Mapping[str, Iterable[str]]) -> list[set[str]]:
    """Return the strongly connected components (Tarjan, SIAM J. Comput. 1 (1972) 146)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    result: list[set[str]] = []

    def visit(node: str) -> None:
        order[node] = low[node] = len(order)
        stack.append(node)
        for target in graph.get(node, ()):
            if target not in order:
                visit(target)
                low[node] = min(low[node], low[target])
            elif target in stack:
                low[node] = min(low[node], order[target])
        if low[node] == order[node]:
            at = stack.index(node)
            result.append(set(stack[at:]))
            del stack[at:]

    for node in list(graph):
        if node not in order:
            visit(node)
    return result


def floors(graph: Mapping[str, Iterable[str]]) -> int:
    """Return the length of the longest chain of imports, each circle taken as one."""
    of = {name: number for number, circle in enumerate(components(graph)) for name in circle}
    below: dict[int, set[int]] = defaultdict(set)
    for name, targets in graph.items():
        below[of[name]] |= {of[target] for target in targets if target in of} - {of[name]}

    @cache
    def height(number: int) -> int:
        return 1 + max((height(target) for target in below[number]), default=0)

    return max(map(height, set(of.values())), default=0)


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    main()
