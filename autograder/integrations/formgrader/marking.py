"""A handed-in notebook as a person marks it: every answer once, nothing active, nothing run.

What a student wrote is shown in the browser of the person who marks. Text is kept, and whatever
HTML, Markdown or MathJax could make active of it is taken apart: tags, links, remote pictures.
Pictures that are in the notebook itself, a photograph of what was written on paper say, are shown.
All other outputs are dropped; what the functions are worth is measured elsewhere and shown beside
them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from autograder.course import Notebook
from autograder.integrations.formgrader.pictures import PicturedCell, read_pictured_cells
from autograder.notebooks.cells import NotebookError
from autograder.reference.percent_source import KERNEL, answer_cell, grade_id
from autograder.report.feedback import block, inline

ACTIVE_MATH = re.compile(
    r"\\(href|require|cssId|class|style|html|includegraphics|url|data|mmlToken|bbox|unicode)"
    r"(?![A-Za-z])"
)
"""Commands by which MathJax makes links, loads extensions or sets attributes."""


@dataclass(frozen=True)
class Answer:
    """One answer that is graded: its item, points in hundredths, title, and whether it is code."""

    item: str
    points: int
    title: str
    by_tests: bool


def for_marking(
    raw: bytes | None,
    notebook: Notebook,
    answers: Sequence[Answer],
    said: Mapping[str, str],
    attached: Sequence[str] = (),
    why_not: str = "",
) -> NotebookNode:
    """Return what a person sees of a handed-in notebook.

    `raw` is its file, None where there is none: `why_not` says why. Each of `answers` is in it
    once, with nbgrader's metadata; one that was not handed in has a cell that says so. `said` is
    what the tests say about items. `attached` are names of files that lie beside the notebook.
    """
    made = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    cells: Sequence[PicturedCell] = ()
    if raw is not None:
        try:
            cells = read_pictured_cells(raw)
        except NotebookError as error:
            why_not = f"{notebook.file} can't be read: {error}."
    if why_not:
        made.cells.append(_ours(f"**{inline(why_not)}**"))
    if attached:
        links = ", ".join(f"[{name}]({name})" for name in attached)
        made.cells.append(_ours(f"**Handed in beside the notebook:** {links}"))
    of_cell = _matched(cells, notebook, answers)
    for cell in cells:
        answer = of_cell.get(cell.number)
        made.cells += _shown(cell, answer)
        if answer and answer.by_tests:
            made.cells.append(_ours(said.get(answer.item, "*Not graded yet.*")))
    missing = [one for one in answers if one not in of_cell.values()]
    for answer in missing:
        made.cells.append(_ours(f"### {inline(answer.title)}"))
        made.cells.append(_missing(answer))
        if answer.by_tests:
            made.cells.append(_ours(said.get(answer.item, "*Not graded yet.*")))
    for number, cell in enumerate(made.cells, start=1):
        cell.id = f"cell-{number}"
    nbformat.validate(made)
    return made


def _matched(
    cells: Sequence[PicturedCell], notebook: Notebook, answers: Sequence[Answer]
) -> dict[int, Answer]:
    """Return which cell is which answer, each once: by metadata, else by what stands in it.

    Of functions the last cell that defines one counts, as it does for the tests; of written cells
    the first with the item's id. Copies of a cell are shown, and not marked.
    """
    found: dict[int, Answer] = {}
    for answer in answers:
        if answer.by_tests:
            names = {name for name, item in notebook.functions.items() if item == answer.item}
            mine = [one for one in cells if one.kind == "code" and _defines(one, names)][-1:]
        else:
            ours = [one for one in cells if one.grade_id == grade_id(answer.item)]
            named = [one for one in cells if f"`{answer.item}`" in one.source]
            mine = [one for one in (*ours, *named) if one.kind == "markdown"]
        for cell in mine[:1]:
            found.setdefault(cell.number, answer)
    return found


def _defines(cell: PicturedCell, names: set[str]) -> bool:
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return any(re.search(rf"\bdef {name}\b", cell.source) for name in names)
    return any(getattr(node, "name", None) in names for node in body)


def _shown(cell: PicturedCell, answer: Answer | None) -> list[NotebookNode]:
    """Return a cell, and a second one where it is code that showed pictures.

    In what is written, pictures are part of the answer: with another one it is another answer.
    """
    metadata = {}
    if answer is not None:
        metadata["nbgrader"] = answer_cell(answer.item, answer.points)
    if cell.kind == "code":
        code = nbformat.v4.new_code_cell(source=cell.source, metadata=metadata)
        shown = _pictured("", cell)
        return [code, shown] if shown.source else [code]
    written = _pictured(inactive(cell.source), cell)
    written.metadata = nbformat.from_dict(metadata)
    return [written]


def _pictured(text: str, cell: PicturedCell) -> NotebookNode:
    """Return a markdown cell with a text of ours or made inactive, and a cell's pictures."""
    attachments = {one.name: {one.kind: one.data} for one in cell.pictures}
    parts = [text, *(f"![picture](attachment:{name})" for name in attachments)]
    if cell.left_out:
        parts.append(
            f"*Pictures that can't be shown, since they are damaged or too large: {cell.left_out}. "
            "Ask for them, or look into the notebook that was handed in.*"
        )
    made = nbformat.v4.new_markdown_cell(source="\n\n".join(filter(None, parts)))
    if attachments:
        made.attachments = nbformat.from_dict(attachments)
    return made


def _missing(answer: Answer) -> NotebookNode:
    text = "Nothing was handed in for this in the notebook."
    metadata = {"nbgrader": answer_cell(answer.item, answer.points)}
    if answer.by_tests:
        return nbformat.v4.new_code_cell(source=f"# {text}", metadata=metadata)
    return nbformat.v4.new_markdown_cell(source=f"*{text}*", metadata=metadata)


def _ours(text: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source=text)


def inactive(text: str) -> str:
    """Return a student's Markdown with nothing in it that a browser acts upon.

    No tag, no link and no picture is left: their characters are shown. In formulas `<` becomes
    MathJax's command for it, and commands that make links or attributes are only text.
    """
    parts = re.split(r"(\$\$.*?\$\$|\$[^$\n]*\$)", text, flags=re.DOTALL)
    shown = [
        part.replace("<", r"\lt ") if number % 2 else part.replace("<", "&lt;")
        for number, part in enumerate(parts)
    ]
    # Wherever formulas begin and end for a renderer: these hold for all of the text.
    joined = ACTIVE_MATH.sub(r"\\mathtt{\1}", "".join(shown))
    joined = re.sub(r"\]\s*([(\[:])", r"] \1", joined).replace("![", "! [")
    # Plain addresses would become links: a zero-width space keeps them text.
    return re.sub(r"(?i)(://|\bwww\.)", "\\1\u200b", joined)


def verdict_text(title: str, lines: Sequence[str], points: str) -> str:
    """Return what the tests say about one answer, as Markdown of ours.

    `lines` may quote what student code gave: they stand in a block of plain text.
    """
    head = (
        f"**Tests:** {inline(title)}: {points} points. (They decide; a mark above counts nowhere.)"
    )
    return "\n\n".join([head, block("\n".join(lines))] if lines else [head])
