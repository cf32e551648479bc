"""Markdown as a page: what it shows, and that nothing of it acts or fetches."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from autograder.pages.formulas import FormulaError
from autograder.pages.markdown import body_of, slug
from autograder.pages.page import page

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<!--><script>alert(1)</script>-->",
    "<style>@import 'http://elsewhere.example/x.css'</style>",
    "[here](javascript:alert(1))",
    "[here](data:text/html,<script>alert(1)</script>)",
    "![x](http://elsewhere.example/x.png)",
    "![x](http://elsewhere.example/x.svg)",
    '![" onerror="alert(1)](x.svg)',
    "<https://elsewhere.example>",
    "[ref]: javascript:alert(1)\n\n[ref]",
    r"$\href{javascript:alert(1)}{x}$",
    "$<script>alert(1)</script>$",
    '```python\n"</code></pre><script>alert(1)</script>"\n```',
    "```math\n</math><script>alert(1)</script>\n```",
    "| a |\n|---|\n| <script>alert(1)</script> |",
    "# <script>alert(1)</script>",
]


class Seen(HTMLParser):
    """The tags of a page, with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def html(text: str, **given: object) -> str:
    return body_of(text, lambda name: None, lambda target: target, **given).html  # type: ignore[arg-type]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_in_a_text_acts_or_fetches(text: str) -> None:
    # As feedback is made: no links, and no pictures but those that are given.
    body = body_of(text, lambda name: None, lambda target: None)
    seen = Seen(page("title", body.html, body.headings))
    styles = 0
    for tag, attributes in seen.tags:
        assert tag not in ("script", "svg", "iframe", "object", "embed", "form", "base", "img")
        assert not [name for name in attributes if name.startswith("on")]
        assert re.match("#", attributes.get("href") or "#")
        styles += tag == "style"
    assert styles == 1  # the page's own


def test_the_policy_forbids_scripts_and_whatever_is_elsewhere() -> None:
    seen = Seen(page("title", ""))
    (policy,) = [
        attributes["content"]
        for tag, attributes in seen.tags
        if tag == "meta" and "http-equiv" in attributes
    ]
    assert policy == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def test_the_style_fetches_nothing() -> None:
    text = page("title", "")
    assert "url(" not in text
    assert "@import" not in text
    assert "prefers-color-scheme: dark" in text


def test_a_title_is_escaped() -> None:
    assert "<title>&lt;b&gt;</title>" in page("<b>", "")


def test_formulas_in_lines_and_in_blocks() -> None:
    text = html("with $x^2$:\n\n```math\n\\frac{1}{2}\n```\n")
    assert text.count("<math") == 2
    assert "<msup>" in text
    assert "<mfrac>" in text


@pytest.mark.parametrize("text", ["it costs $5 and $6", r"\$x\$", "`$x$`", "```text\n$x$\n```"])
def test_not_every_dollar_is_a_formula(text: str) -> None:
    assert "<math" not in html(text)


def test_a_strict_text_refuses_a_formula_that_cant_be_set() -> None:
    assert "<code>" in html(r"$\nosuch$")
    with pytest.raises(FormulaError):
        html(r"$\nosuch$", strict=True)


def test_pictures_are_part_of_the_page() -> None:
    body = body_of("![a graph](p/x.svg)", {"p/x.svg": b"<svg/>"}.get, lambda target: None)
    assert '<img src="data:image/svg+xml;base64,PHN2Zy8+" alt="a graph">' in body.html


def test_a_picture_that_isnt_there_is_its_words() -> None:
    assert "<p>a graph</p>" in html("![a graph](x.svg)")


def test_a_link_that_leads_nowhere_is_its_words() -> None:
    text = body_of("[one](a.md) [two](b.md)", lambda name: None, {"a.md": "a.html"}.get).html
    assert '<a href="a.html">one</a> two' in text


def test_headings_have_the_names_that_links_use() -> None:
    body = body_of(
        "# The title\n\n## `week1.relu`: a *first* task\n", lambda name: None, lambda target: target
    )
    assert body.title == "The title"
    assert [(each.level, each.anchor) for each in body.headings] == [
        (1, "the-title"),
        (2, "week1relu-a-first-task"),
    ]
    assert 'id="week1relu-a-first-task"' in body.html


def test_contents_lead_to_the_sections() -> None:
    body = body_of("# T\n\n## One `x`\n", lambda name: None, lambda target: target)
    text = page(body.title, body.html, body.headings[1:])
    assert '<li><a href="#one-x">One <code>x</code></a></li>' in text


def test_a_slug_is_githubs() -> None:
    assert slug("Beyond the texts: `project.robustness`") == "beyond-the-texts-projectrobustness"


def test_comments_are_left_out_but_not_those_in_code() -> None:
    text = html("a <!-- for authors --> b\n\n```html\n<!-- shown -->\n```\n")
    assert "authors" not in text
    assert "&lt;!-- shown --&gt;" in text


def test_python_is_coloured_and_loses_nothing() -> None:
    source = 'def f(x):  # a "comment" <b>\n    return "</code>"\n'
    text = html(f"```python\n{source}```\n")
    assert '<span class="k">def</span>' in text
    inner = re.sub(r"</?span[^>]*>", "", text)
    assert "def f(x):  # a &quot;comment&quot; &lt;b&gt;" in inner
    assert "<b>" not in text


def test_wide_tables_can_be_moved_by_themselves() -> None:
    assert '<div class="wide"><table>' in html("| a | b |\n|---|---|\n| 1 | 2 |\n")


def test_a_title_is_plain_text() -> None:
    body = body_of("# A `<b>` & more\n", lambda name: None, lambda target: target)
    assert body.title == "A <b> & more"
