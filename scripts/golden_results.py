"""Digests of a class's results, to show that moving code about changed no result.

    python scripts/golden_results.py GRADES             compare with the digests in tests/golden/
    python scripts/golden_results.py GRADES --write     write those anew

GRADES is what `make grade` wrote for the simulated class (12 students, seed 0, embedded digits).
Times, fingerprints, versions and the confinement in force are taken out first, since they differ
from run to run and from machine to machine; floating-point details are rounded for the same reason.
What is left is hashed item by item, so that a difference names the student and the item.
Exit status 1 where anything differs.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
import sys
from pathlib import Path
from typing import Any

KEPT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "simulated_class.json"
DROPPED = {"seconds", "confinement"}
"""Keys that say where or how fast something ran."""

NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")


def main() -> int:
    """Compare or write the digests; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("grades", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    found = digests(options.grades)
    if options.write:
        KEPT.parent.mkdir(parents=True, exist_ok=True)
        KEPT.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n", "utf-8")
        print(f"written: {KEPT} ({len(found)} digests)")
        return 0
    kept = json.loads(KEPT.read_text("utf-8"))
    different = differences(kept, found)
    print("\n".join(different) or f"identical: {len(kept)} digests")
    return 1 if different else 0


def differences(kept: dict[str, str], found: dict[str, str]) -> list[str]:
    """Return a line for each digest that is missing, new or another one."""
    lines = []
    for name in sorted({*kept, *found}):
        if kept.get(name) != found.get(name):
            how = "missing" if name not in found else "new" if name not in kept else "different"
            lines.append(f"{how}: {name}")
    return lines


def digests(grades: Path) -> dict[str, str]:
    """Return digests by name: gradebook.csv's rows, flags.csv, each item of each results.json.

    Raises OSError where GRADES doesn't hold them.
    """
    found = {}
    with (grades / "gradebook.csv").open(newline="", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            found[f"gradebook.csv: {row['student']}"] = digest(row)
    flags = (grades / "flags.csv").read_text("utf-8")
    found["flags.csv"] = digest(flags)
    for path in sorted((grades / "students").glob("*/results.json")):
        student = path.parent.name
        for name, part in parts(json.loads(path.read_text("utf-8"))):
            found[f"{student}: {name}"] = digest(part)
    return found


def parts(results: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return what is hashed of one student's results: each item by itself, and the rest."""
    items = [(item["id"], item) for item in results["items"]]
    rest = {key: value for key, value in results.items() if key != "items"}
    return [("everything but the items", rest), *items]


def digest(value: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of a value's stable part."""
    text = json.dumps(stable(value), sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def stable(value: Any) -> Any:
    """Return a JSON value without what differs between runs, its decimals to three digits."""
    if isinstance(value, dict):
        return {key: stable(part) for key, part in value.items() if key not in DROPPED}
    if isinstance(value, list):
        return [stable(part) for part in value]
    if isinstance(value, float):
        return f"{value:.3g}"
    if isinstance(value, str):
        return NUMBER.sub(lambda match: f"{float(match[0]):.3g}", value)
    return value


if __name__ == "__main__":
    sys.exit(main())
