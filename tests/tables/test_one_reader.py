"""All CSV files are read in one place, so what a spreadsheet saves is understood everywhere."""

from __future__ import annotations

import re
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "autograder"
READER = re.compile(r"\bcsv\.(reader|DictReader|Sniffer)\b")


def test_no_other_module_reads_csv() -> None:
    assert READER.search("rows = csv.reader(stream)")
    sources = {path: path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    assert len(sources) > 200
    found = [path for path, text in sources.items() if READER.search(text)]
    assert found == [], "use autograder.tables.table.Table"
