"""What a student wrote, as it comes to the browser: inert, whichever way it was written."""

from __future__ import annotations

import re

import pytest

from autograder.integrations.formgrader.harmless import harmless, inactive_math
from autograder.integrations.formgrader.marking import inactive

pytest.importorskip("nbconvert")

from nbconvert.filters import markdown2html_mistune

ATTACKS = {
    "a link": "[click](javascript:steal())",
    "a link over two lines": "[click\nme](\njavascript:steal())",
    "a link by reference": "[click][1]\n\n[1]: javascript:steal()",
    "a short link by reference": "[click]\n\n[click]: http://tracker.example/a",
    "an address": "see http://tracker.example/a and https://tracker.example/b",
    "an address in brackets": "<http://tracker.example/a> <steal@tracker.example>",
    "an address by entities": "http&#58;//tracker.example/a http:&#47;/tracker.example/b",
    "a tag": "<img src=x onerror=steal()><a href=javascript:steal()>x</a>",
    "a tag by entities": "&lt;img src=x onerror=steal()&gt; &#60;a href=x&#62;y&#60;/a&#62;",
    "a remote picture": "![spy](http://tracker.example/a.png)",
    "a picture that is no picture": "![spy](data:image/svg+xml;base64,PHN2Zy8+)",
    "what closes the cell": "</div></div></div><div style='position:fixed;inset:0'>over</div>",
    "a diagram": "```mermaid\n<img src=x onerror=steal()></pre><script>steal()</script>\n```",
    "a form": "<form action=http://tracker.example><button>Save</button></form>",
    "a heading with an id": "# submission_id",
    "a formula with a link": r"$\href{javascript:steal()}{x}$",
    "a link by an entity": r"$&#92;href{javascript:steal()}{x}$",
    "a link by a named entity": r"$&bsol;href{javascript:steal()}{x}$",
    "a link by an entity in hex": r"$&#x5c;href{javascript:steal()}{x}$",
    "a link by entities throughout": "&#36;&#92;&#104;ref{javascript:steal()}{x}&#36;",
    "a link by an entity outside of our formulas": r"a &#36; b \&#104;ref{javascript:steal()}{x} $",
    "a link in what only Markdown takes for text": "`$`&#92;href{javascript:steal()}{x}`$` $x$",
    "a link in brackets": r"\\(\href{javascript:steal()}{x}\\)",
    "a link in square brackets": r"\\[&#92;href{javascript:steal()}{x}\\]",
    "a link in an environment": r"\begin{align}&#92;href{javascript:steal()}{x}\end{align}",
    "a link behind a line break": r"$$ 1 \\\href{javascript:steal()}{x} $$",
    "an extension": r"$\require{action} \toggle{x}{y}\endtoggle$",
    "a style": r"$\style{position:fixed;inset:0;background:red}{x}$",
    "a style by an entity": r"$&#92;style{position:fixed;inset:0;background:red}{x}$",
    "a class": r"$\class{modal-backdrop}{x} \cssId{submission_id}{x}$",
    "a font": r"$\unicode[steal;position:fixed]{x41}$",
    "a box": r"$\bbox[position:fixed;background:url(//tracker.example/a)]{x}$",
    "a rule over the page": r"$\rlap{\raise 40em \rule{90em}{90em}}$",
    "a command of one's own": r"$\def\a{\href} \a{javascript:steal()}{x} \let\b=\href \b{x}{y}$",
    "a command of one's own, by entities": r"$&#92;let&#92;frac=&#92;href \frac{javascript:a}{x}$",
    "a reference": r"\ref{x} and \eqref{x} and $\label{x}$",
    "a reference outside of formulas": r"&#92;eqref{x}",
}
TAG = re.compile(r"<(/?)([a-z0-9]+)([^>]*)>")
COMMANDS = re.compile(
    r"\\(href|require|toggle|style|class|cssId|unicode|bbox|rule|raise|rlap|def|let|ref|eqref|label)"
    r"(?![A-Za-z])"
)


def shown(markdown: str) -> str:
    """Return what the browser is given of a cell."""
    return harmless(markdown2html_mistune(markdown))


@pytest.mark.parametrize("prepared", [True, False], ids=["as it is stored", "as it was written"])
@pytest.mark.parametrize("name", ATTACKS)
def test_nothing_is_active(name, prepared):
    """Each of the two layers holds without the other, as far as the browser is concerned."""
    html = shown(inactive(ATTACKS[name]) if prepared else ATTACKS[name])
    for _, element, attributes in TAG.findall(html):
        assert element not in ("a", "img", "script", "form", "button", "svg", "input"), html
        assert attributes == "", html
    outside = re.sub(r"<(pre|code)>.*?</\1>", "", html, flags=re.DOTALL)
    assert not COMMANDS.search(outside), html


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_open_is_closed_and_nothing_else(name):
    """A cell that closed more than it opens would stand beside its box, not in it."""
    open_elements: list[str] = []
    for end, element, _ in TAG.findall(shown(ATTACKS[name])):
        if element in ("br", "hr"):
            continue
        if end:
            assert open_elements.pop() == element
        else:
            open_elements.append(element)
    assert open_elements == []


@pytest.mark.parametrize("name", [name for name in ATTACKS if "entit" in name])
def test_entities_are_shown_as_they_were_written(name):
    """What is stored is Markdown without entities: other programs may show it."""
    assert not re.search(r"&(?!amp;|lt;)#?\w", inactive(ATTACKS[name]))


HONEST = {
    "a table": ("| a | b |\n|---|---|\n| 1 | 2 |", ["<table>", "<td>1</td>"]),
    "emphasis and code": (
        "*so* **much** `x < 1`",
        ["<em>so</em>", "<strong>much</strong>", "<code>"],
    ),
    "a list": ("1. one\n2. two", ["<ol>", "<li>two</li>"]),
    "a formula": (
        r"$\frac{\partial L}{\partial x} = \delta_{ij}$",
        [r"\frac{\partial L}{\partial"],
    ),
    "a matrix": (
        "$$\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}$$",
        [r"\begin{pmatrix} a &amp; b \\ c &amp; d \end{pmatrix}"],
    ),
    "lines of a derivation": (
        "\\begin{align*} x &= y \\\\ &= z \\tag{1} \\end{align*}",
        [r"\begin{align*} x &amp;= y \\ &amp;= z \tag{1} \end{align*}"],
    ),
    "a path, where there is no formula": (r"It is in C:\data\style.", [r"C:\data\style."]),
    "a company": ("AT&T & R&D; 1 &lt; 2", ["AT&amp;T &amp; R&amp;D;"]),
}


@pytest.mark.parametrize("name", HONEST)
def test_honest_work_is_shown(name):
    written, expected = HONEST[name]
    for text in (written, inactive(written)):
        html = shown(text)
        for piece in expected:
            assert piece in html, html


def test_pictures_and_files_of_the_page_itself_stay():
    picture = '<p><img src="data:image/png;base64,iVBORw0KGgo=" alt="picture"></p>'
    assert harmless(picture) == picture
    beside = '<p><a href="derivations.pdf">derivations.pdf</a></p>'
    assert 'href="derivations.pdf"' in harmless(beside)
    for elsewhere in ("next", "../../tree", "//tracker.example/a.pdf", "javascript:a.pdf"):
        assert "href" not in harmless(f'<a href="{elsewhere}">x</a>')


def test_an_unknown_command_becomes_its_name():
    assert inactive_math(r"\href{x}{y} \Href \begin{CD}") == (
        r"\mathtt{href}{x}{y} \mathtt{Href} \mathtt{begin CD}"
    )
    assert inactive_math(r"\sum_{i} \\[2em] \left( \right)") == r"\sum_{i} \\[2em] \left( \right)"


def test_a_command_in_pieces_is_seen_whole():
    """Elements that are left out, and comments, would join what stands around them."""
    for html in (
        r"$\hr<x-y></x-y>ef{a}{b}$",
        r"$\hr<!-- -->ef{a}{b}$",
        r"$&#92;hr<a>ef</a>{a}{b}$",
    ):
        assert r"\mathtt{href}" in harmless(html), html
