"""Pictures in a notebook reach the person who marks, and nothing but pictures does."""

from __future__ import annotations

import base64
import json
from functools import cache
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter

from autograder.course import load
from autograder.integrations.formgrader import pictures
from autograder.integrations.formgrader.marking import for_marking
from autograder.integrations.formgrader.nbgrader_course import answers_of
from autograder.integrations.formgrader.pictures import read_pictured_cells
from autograder.notebooks import cells
from tests.notebook_class import CASES, ROOT, code, solved, source_of, where

COURSE = load(ROOT)
WEEK = COURSE.week(1)
(NOTEBOOK,) = WEEK.notebooks
ANSWERS = answers_of(COURSE, WEEK, NOTEBOOK)
PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + b"a photograph").decode()
JPEG = base64.b64encode(b"\xff\xd8\xff\xe0" + b"another one").decode()


@cache
def solved_once() -> str:
    """Return the solution's notebook as text; making it takes longer than all else here."""
    return json.dumps(solved())


def handed_in(change: Any) -> bytes:
    """Return the solution's notebook after a change of its written cell on ReLU."""
    notebook = json.loads(solved_once())
    (cell,) = (
        one
        for one in notebook["cells"]
        if one["cell_type"] == "markdown" and "`week1.written_relu`" in source_of(one)
    )
    change(cell, notebook)
    return json.dumps(notebook).encode()


def marked(raw: bytes, item: str = "week1-written_relu") -> nbformat.NotebookNode:
    """Return the cell that is marked for an item."""
    made = for_marking(raw, NOTEBOOK, ANSWERS, {})
    (cell,) = (c for c in made.cells if c.metadata.get("nbgrader", {}).get("grade_id") == item)
    return cell


def pasted(*labelled: tuple[str, Any]) -> bytes:
    """Return a notebook with pictures pasted into the written cell, each under a name."""

    def change(cell: dict[str, Any], notebook: dict[str, Any]) -> None:
        cell["source"] = source_of(cell) + "\n\n![mine](attachment:0) ![gone](attachment:none)"
        cell["attachments"] = {str(n): {kind: data} for n, (kind, data) in enumerate(labelled)}

    return handed_in(change)


def test_a_photograph_pasted_into_an_answer_is_shown_with_it():
    raw = pasted(("image/png", PNG), ("image/jpeg", [JPEG[:8] + "\n", JPEG[8:]]))
    found = [dict(bundle) for bundle in marked(raw).attachments.values()]
    assert found == [{"image/png": PNG}, {"image/jpeg": JPEG}]
    page, _ = HTMLExporter().from_notebook_node(for_marking(raw, NOTEBOOK, ANSWERS, {}))
    assert page.count(f'src="data:image/png;base64,{PNG}"') == 1
    assert page.count(f'src="data:image/jpeg;base64,{JPEG}"') == 1


def test_an_answer_with_another_picture_is_another_answer():
    one, other = (marked(pasted(("image/png", data))).source for data in (PNG, PNG[:-4]))
    assert one != other


def test_pictures_that_code_showed_stand_below_it_and_nothing_else_does():
    shown = [
        {"output_type": "display_data", "data": {"image/png": PNG, "text/html": "<b>evil</b>"}},
        {"output_type": "display_data", "data": {"image/svg+xml": "<svg onload=evil()>"}},
        {"output_type": "stream", "text": "evil"},
        {"output_type": "pyout", "jpeg": JPEG},
        None,
    ]

    def change(cell: dict[str, Any], notebook: dict[str, Any]) -> None:
        notebook["cells"][where(notebook, "relu_dx")]["outputs"] = shown

    made = for_marking(handed_in(change), NOTEBOOK, ANSWERS, {})
    nbformat.validate(made)
    assert "evil" not in nbformat.writes(made)
    place = next(n for n, c in enumerate(made.cells) if "def relu_dx" in c.source)
    assert made.cells[place].outputs == []
    found = [dict(bundle) for bundle in made.cells[place + 1].attachments.values()]
    assert found == [{"image/png": PNG}, {"image/jpeg": JPEG}]


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("image/png", base64.b64encode(b"<svg onload=evil()>").decode()),
        ("image/jpeg", PNG),
        ("image/png", "no base64!"),
        ("image/png", "\u00e9"),
        ("image/png", {"a": 1}),
        ("image/png", PNG + '" onerror="evil()'),
    ],
)
def test_what_is_no_picture_is_left_out_and_counted(kind, data):
    cell = marked(pasted((kind, data)))
    assert "attachments" not in cell
    assert "damaged or too large: 1." in cell.source


@pytest.mark.parametrize(("kind", "data"), [("image/svg+xml", "<svg/>"), ("text/html", "<b>")])
def test_other_kinds_are_no_pictures(kind, data):
    cell = marked(pasted((kind, data)))
    assert "attachments" not in cell
    assert "damaged" not in cell.source


@pytest.mark.parametrize(
    ("limit", "value", "kept"),
    [("MAX_PICTURES", 2, 2), ("MAX_PICTURES_BYTES", 50, 2), ("MAX_PICTURE_BYTES", 20, 1)],
)
def test_beyond_the_limits_pictures_are_left_out_and_counted(monkeypatch, limit, value, kept):
    monkeypatch.setattr(pictures, limit, value)
    tall = base64.b64encode(base64.b64decode(PNG) + b"!").decode()
    other = base64.b64encode(base64.b64decode(PNG) + b"?").decode()
    cell = marked(pasted(("image/png", PNG), ("image/png", tall), ("image/png", other)))
    assert len(cell.attachments) == kept
    assert f"too large: {3 - kept}." in cell.source


def test_a_large_notebook_keeps_its_pictures_in_the_process_that_reads_it_apart(monkeypatch):
    raw = pasted(("image/png", PNG), ("image/png", "none"))
    here = read_pictured_cells(raw)
    monkeypatch.setattr(cells, "MAX_BYTES_IN_PROCESS", 100)
    assert read_pictured_cells(raw) == here
    assert any(cell.pictures and cell.left_out == 1 for cell in here)


def test_nonsense_where_pictures_might_be_stops_nothing():
    def change(cell: dict[str, Any], notebook: dict[str, Any]) -> None:
        cell["attachments"] = [1, None]
        notebook["cells"].append(code("x = 1\n") | {"outputs": {"a": 1}})
        notebook["cells"].append(code("x = 1\n") | {"outputs": [7, {"data": "x"}]})

    nbformat.validate(for_marking(handed_in(change), NOTEBOOK, ANSWERS, {}))
    assert marked(CASES["version-3"].make()).source
