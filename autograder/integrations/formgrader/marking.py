"""A handed-in notebook for a person to mark: every answer once, nothing active, nothing run.

A student's text is shown in the browser of the person who marks. The text is kept, but everything
that HTML, Markdown or MathJax could make active is disarmed: tags, links, remote pictures. Pictures
in the notebook itself, a photograph of handwriting say, are shown. All other outputs are dropped;
the results of the functions' tests are shown beside them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import nbformat
from nbformat import NotebookNode

from autograder.course import Notebook
from autograder.integrations.formgrader.harmless import MAY_BE_FORMULA
from autograder.integrations.formgrader.pictures import PicturedCell, read_pictured_cells
from autograder.notebooks.cells import NotebookError
from autograder.reference.percent_source import KERNEL, answer_cell, grade_id
from autograder.report.feedback import block, inline

ACTIVE_MATH = re.compile(
    r"\\(href|require|cssId|class|style|html|includegraphics|url|data|mmlToken|bbox|unicode|enclose"
    r"|texttip|mathtip|toggle|eqref|ref|label|def|gdef|let|newcommand|renewcommand|newenvironment)"
    r"(?![A-Za-z])"
)
"""MathJax commands that make links, load extensions, set attributes or define others."""

ENTITY = re.compile(r"&(?=#?\w)")


@dataclass(frozen=True)
class Answer:
    """One graded answer: its item, points in hundredths, title, and whether tests grade it."""

    item: str
    points: int
    title: str
    by_tests: bool


def for_marking(
    content: bytes | None,
    notebook: Notebook,
    answers: Sequence[Answer],
    test_texts: Mapping[str, str],
    attached: Sequence[str] = (),
    why_not: str = "",
) -> NotebookNode:
    """Return the notebook that a person sees when marking.

    `content` is the handed-in file, None where there is none; `why_not` says why. Each of `answers`
    is in the page once, with nbgrader's metadata; one that was not handed in has a cell that says
    so. `test_texts` are the tests' results by item. `attached` are names of files that lie beside
    the notebook.
    """
    page = nbformat.v4.new_notebook(metadata={"kernelspec": KERNEL})
    cells: Sequence[PicturedCell] = ()
    if content is not None:
        try:
            cells = read_pictured_cells(content)
        except NotebookError as error:
            why_not = f"{notebook.file} can't be read: {error}."
    if why_not:
        page.cells.append(_text_cell(f"**{inline(why_not)}**"))
    if attached:
        links = ", ".join(f"[{name}]({name})" for name in attached)
        page.cells.append(_text_cell(f"**Handed in beside the notebook:** {links}"))
    answer_of_cell = _match_answers(cells, notebook, answers)
    for cell in cells:
        answer = answer_of_cell.get(cell.number)
        page.cells += _shown(cell, answer)
        if answer and answer.by_tests:
            page.cells.append(_text_cell(test_texts.get(answer.item, "*Not graded yet.*")))
    missing = [answer for answer in answers if answer not in answer_of_cell.values()]
    for answer in missing:
        page.cells.append(_text_cell(f"### {inline(answer.title)}"))
        page.cells.append(_missing_cell(answer))
        if answer.by_tests:
            page.cells.append(_text_cell(test_texts.get(answer.item, "*Not graded yet.*")))
    for number, cell in enumerate(page.cells, start=1):
        cell.id = f"cell-{number}"
    nbformat.validate(page)
    return page


def _match_answers(
    cells: Sequence[PicturedCell], notebook: Notebook, answers: Sequence[Answer]
) -> dict[int, Answer]:
    """Return the answers by cell number, each once: matched by metadata, else by the cell's text.

    The last cell that defines a function is its answer, as for the tests; for a written answer it
    is the first cell with the item's id. Copies of a cell are shown, and not marked.
    """
    answer_of_cell: dict[int, Answer] = {}
    for answer in answers:
        if answer.by_tests:
            names = {name for name, item in notebook.functions.items() if item == answer.item}
            code = [cell for cell in cells if cell.kind == "code"]
            candidates = [cell for cell in code if _defines(cell, names)][-1:]
        else:
            with_id = [cell for cell in cells if cell.grade_id == grade_id(answer.item)]
            naming = [cell for cell in cells if f"`{answer.item}`" in cell.source]
            candidates = [cell for cell in (*with_id, *naming) if cell.kind == "markdown"]
        for cell in candidates[:1]:
            answer_of_cell.setdefault(cell.number, answer)
    return answer_of_cell


def _defines(cell: PicturedCell, names: set[str]) -> bool:
    try:
        body = ast.parse(cell.source).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return any(re.search(rf"\bdef {name}\b", cell.source) for name in names)
    return any(getattr(node, "name", None) in names for node in body)


def _shown(cell: PicturedCell, answer: Answer | None) -> list[NotebookNode]:
    """Return a cell, and a second one with the pictures that code showed.

    A written answer's pictures are part of it: with another picture it is another answer.
    """
    metadata = {}
    if answer is not None:
        metadata["nbgrader"] = answer_cell(answer.item, answer.points)
    if cell.kind == "code":
        code = nbformat.v4.new_code_cell(source=cell.source, metadata=metadata)
        pictures = _with_pictures("", cell)
        return [code, pictures] if pictures.source else [code]
    written = _with_pictures(inactive(cell.source), cell)
    written.metadata = nbformat.from_dict(metadata)
    return [written]


def _with_pictures(text: str, cell: PicturedCell) -> NotebookNode:
    """Return a markdown cell with a safe text and a cell's pictures."""
    attachments = {picture.name: {picture.kind: picture.data} for picture in cell.pictures}
    parts = [text, *(f"![picture](attachment:{name})" for name in attachments)]
    if cell.left_out:
        parts.append(
            f"*Pictures that can't be shown, since they are damaged or too large: {cell.left_out}. "
            "Ask for them, or look into the notebook that was handed in.*"
        )
    shown = nbformat.v4.new_markdown_cell(source="\n\n".join(filter(None, parts)))
    if attachments:
        shown.attachments = nbformat.from_dict(attachments)
    return shown


def _missing_cell(answer: Answer) -> NotebookNode:
    text = "Nothing was handed in for this in the notebook."
    metadata = {"nbgrader": answer_cell(answer.item, answer.points)}
    if answer.by_tests:
        return nbformat.v4.new_code_cell(source=f"# {text}", metadata=metadata)
    return nbformat.v4.new_markdown_cell(source=f"*{text}*", metadata=metadata)


def _text_cell(text: str) -> NotebookNode:
    return nbformat.v4.new_markdown_cell(source=text)


def inactive(text: str) -> str:
    """Return a student's Markdown without anything that a browser acts upon.

    Tags, entities, links and pictures are shown as their characters. In formulas `<` becomes
    MathJax's command for it, and commands that make links or attributes are only text. The page
    itself is looked at once more, when it is shown: see `harmless`.
    """
    segments = re.split(r"(\$\$.*?\$\$|\$[^$\n]*\$)", text, flags=re.DOTALL)
    # "&#92;" would become a backslash, whoever takes it for text; in formulas "& " is the same.
    shown = [
        ENTITY.sub("& ", segment).replace("<", r"\lt ")
        if number % 2
        else ENTITY.sub("&amp;", segment).replace("<", "&lt;")
        for number, segment in enumerate(segments)
    ]
    # The rest applies to the whole text, wherever a renderer sees formulas begin and end.
    joined = "".join(shown)
    if MAY_BE_FORMULA.search(joined):
        joined = ACTIVE_MATH.sub(r"\\mathtt{\1}", joined)
    joined = re.sub(r"\]\s*([(\[:])", r"] \1", joined).replace("![", "! [")
    # Plain addresses would become links: a zero-width space keeps them text.
    return re.sub(r"(?i)(://|\bwww\.)", "\\1\u200b", joined)


def verdict_text(title: str, lines: Sequence[str], points: str) -> str:
    """Return the tests' results for one answer, as Markdown.

    `lines` may quote output of student code, so they are put into a block of plain text.
    """
    head = (
        f"**Tests:** {inline(title)}: {points} points. (They decide; a mark above counts nowhere.)"
    )
    return "\n\n".join([head, block("\n".join(lines))] if lines else [head])
