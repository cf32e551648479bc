"""Markdown as HTML. Tags in it are shown as text, whoever wrote them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape, unescape
from itertools import pairwise
from typing import Any

from autograder.pages.code import coloured
from autograder.pages.formulas import mathml, shown

MEDIA_TYPES = {".svg": "image/svg+xml", ".png": "image/png"}

Pictures = Callable[[str], bytes | None]
"""Returns the content of a picture that a text names; None where it is to be left out."""

Links = Callable[[str], str | None]
"""Returns where a link leads; None where it leads nowhere, so that only its words are left."""


@dataclass(frozen=True)
class Heading:
    """A section's title as HTML, and the name by which links find it."""

    level: int
    anchor: str
    html: str


@dataclass(frozen=True)
class Body:
    """A text as HTML, its first heading as plain text, and the headings of its sections."""

    html: str
    title: str
    headings: tuple[Heading, ...]


def body_of(text: str, pictures: Pictures, links: Links, *, strict: bool = False) -> Body:
    """Return a Markdown text as HTML.

    Formulas stand between `$` or in blocks called `math`. No HTML of the text's becomes any, and
    nothing is fetched: pictures are put into the page. `strict` raises FormulaError for a formula
    that can't be set, which is otherwise shown as it is written.
    """
    from markdown_it import MarkdownIt
    from markdown_it.renderer import RendererHTML
    from mdit_py_plugins.anchors import anchors_plugin
    from mdit_py_plugins.dollarmath import dollarmath_plugin

    parser = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    # Without `allow_digits` the plugin takes a text's last digit for one in front of its first `$`.
    parser.use(dollarmath_plugin, allow_space=False, allow_digits=True, allow_labels=False)
    parser.use(anchors_plugin, max_level=4, slug_func=slug)
    renderer = _Renderer(pictures, links, mathml if strict else shown)
    assert isinstance(parser.renderer, RendererHTML)
    # Functions serve as well as the methods that its type speaks of.
    parser.renderer.rules.update(renderer.rules())  # type: ignore[arg-type]
    tokens = parser.parse(_without_comments(text))
    html = parser.renderer.render(tokens, parser.options, {})
    headings = []
    for opening, inline in pairwise(tokens):
        if opening.type == "heading_open":
            inner = parser.renderer.renderInline(inline.children or [], parser.options, {})
            inner = re.sub(r"</?a\b[^>]*>", "", inner)
            headings.append(Heading(int(opening.tag[1]), str(opening.attrs.get("id", "")), inner))
    title = unescape(re.sub(r"<[^>]+>", "", headings[0].html)) if headings else ""
    return Body(html, title, tuple(headings))


def slug(title: str) -> str:
    """Return the name of a heading in links, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-")


def _without_comments(text: str) -> str:
    """Take comments out, which are for those who write the text; those in code blocks stay."""
    pieces = re.split(r"(^```.*?^```)", text, flags=re.MULTILINE | re.DOTALL)
    return "".join(
        piece if n % 2 else re.sub(r"<!--.*?-->\n?", "", piece, flags=re.DOTALL)
        for n, piece in enumerate(pieces)
    )


class _Renderer:
    """What is rendered otherwise than markdown-it does it."""

    def __init__(self, pictures: Pictures, links: Links, formula: Callable[..., str]) -> None:
        self._pictures, self._links, self._formula = pictures, links, formula
        self._open: list[bool] = []

    def rules(self) -> dict[str, Callable[..., str]]:
        """Return a function for each kind of token."""
        return {
            "math_inline": lambda tokens, n, *_: self._formula(tokens[n].content, display=False),
            "math_inline_double": lambda tokens, n, *_: self._block(tokens[n].content),
            "math_block": lambda tokens, n, *_: self._block(tokens[n].content),
            "fence": self._fence,
            "image": self._image,
            "link_open": self._link_open,
            "link_close": lambda *_: "</a>" if self._open.pop() else "",
            "table_open": lambda *_: '<div class="wide"><table>\n',
            "table_close": lambda *_: "</table></div>\n",
        }

    def _block(self, latex: str) -> str:
        return f'<div class="wide">{self._formula(latex, display=True)}</div>\n'

    def _fence(self, tokens: Sequence[Any], n: int, *_: Any) -> str:
        language = tokens[n].info.strip()
        if language == "math":
            return self._block(tokens[n].content)
        return f"<pre><code>{coloured(tokens[n].content, language)}</code></pre>\n"

    def _image(self, tokens: Sequence[Any], n: int, *_: Any) -> str:
        source, words = str(tokens[n].attrs["src"]), tokens[n].content
        suffix = source[source.rfind(".") :].lower()
        content = self._pictures(source) if suffix in MEDIA_TYPES else None
        if content is None:
            return escape(words)
        data = f"data:{MEDIA_TYPES[suffix]};base64,{base64.b64encode(content).decode()}"
        return f'<img src="{data}" alt="{escape(words)}">'

    def _link_open(self, tokens: Sequence[Any], n: int, *_: Any) -> str:
        target = self._links(str(tokens[n].attrs["href"]))
        self._open.append(target is not None)
        if target is None:
            return ""
        outside = ' rel="noopener noreferrer"' if re.match("https?:", target) else ""
        return f'<a href="{escape(target)}"{outside}>'
