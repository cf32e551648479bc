"""HTML that a student's text came to, with nothing in it that a browser or MathJax acts upon.

What a browser is given is looked at, not what was written: there are many ways to write `\\href`,
and entities are one. Only elements, attributes and TeX commands that are known stay; of everything
else the characters are shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from html.parser import HTMLParser

from autograder.integrations.formgrader.tex_commands import ENVIRONMENTS, KNOWN

_BLOCKS = "p h1 h2 h3 h4 h5 h6 pre blockquote hr br div span ul ol li dl dt dd"
_WORDS_AND_TABLES = "em strong del code table thead tbody tr th td"
ELEMENTS = frozenset(f"{_BLOCKS} {_WORDS_AND_TABLES}".split())
EMPTY = frozenset(("br", "hr", "img"))
VERBATIM = frozenset(("pre", "code"))
"""Elements in which MathJax looks for no formulas."""

FILE_BESIDE = re.compile(r"[\w-]+\.(?:pdf|png|jpe?g|md|txt)", re.ASCII)
PICTURE = re.compile(r"data:image/(?:png|jpeg);base64,[A-Za-z0-9+/]*={0,2}")
MAY_BE_FORMULA = re.compile(r"\$|\\[(\[]|\\begin|\\(?:eq)?ref")
COMMAND = re.compile(r"\\((?:begin|end)\s*\{\s*([A-Za-z]*\*?)\s*\}|[A-Za-z]+)")


def harmless(html: str) -> str:
    """Return HTML with the known elements alone, each of them closed.

    Pictures that are part of the page and links to a file beside it stay; every other picture is
    its description, every other link its text.
    """
    cleaner = _Cleaner()
    cleaner.feed(html)
    cleaner.close()
    return cleaner.result()


def inactive_math(text: str) -> str:
    """Return text in which MathJax finds no commands but known ones; others become their names."""
    return COMMAND.sub(_known_or_name, text)


def _known_or_name(match: re.Match[str]) -> str:
    command, environment = match[1], match[2]
    if environment is not None:
        word = command[: command.index("{")].strip()
        return match[0] if environment in ENVIRONMENTS else f"\\mathtt{{{word} {environment}}}"
    if command in KNOWN:
        return match[0]
    return f"\\mathtt{{{command}}}"


@dataclass(frozen=True)
class _Text:
    """A piece of text between two elements; `verbatim`: MathJax leaves it alone."""

    text: str
    verbatim: bool

    def shown(self, has_formulas: bool) -> str:
        active = has_formulas and not self.verbatim
        return escape(inactive_math(self.text) if active else self.text, quote=False)


class _Cleaner(HTMLParser):
    """Writes HTML anew, element by element."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._written: list[str | _Text] = []
        self._open: list[str] = []
        self._texts: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self._link(given)
        elif tag == "img":
            self._picture(given)
        elif tag in ELEMENTS:
            self._begin(tag, "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._hidden:
            self._hidden -= 1
            return
        if tag in EMPTY or tag not in self._open:
            return  # it would close what stands around the text
        self._flush()
        while self._open:
            last = self._open.pop()
            self._written.append(f"</{last}>")
            if last == tag:
                return

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self._texts.append(data)

    def result(self) -> str:
        """Return what was written, with everything closed."""
        self._flush()
        self._written += [f"</{tag}>" for tag in reversed(self._open)]
        self._open.clear()
        texts = [piece for piece in self._written if isinstance(piece, _Text)]
        has_formulas = any(MAY_BE_FORMULA.search(text.text) for text in texts)
        return "".join(
            piece.shown(has_formulas) if isinstance(piece, _Text) else piece
            for piece in self._written
        )

    def _begin(self, tag: str, attributes: str) -> None:
        self._flush()
        self._written.append(f"<{tag}{attributes}>")
        if tag not in EMPTY:
            self._open.append(tag)

    def _link(self, given: dict[str, str]) -> None:
        if given.get("class") == "anchor-link":
            self._hidden += 1  # nbconvert's sign behind each heading
        elif FILE_BESIDE.fullmatch(given.get("href", "")):
            href = escape(given["href"])
            self._begin("a", f' href="{href}" target="_blank" rel="noopener noreferrer"')

    def _picture(self, given: dict[str, str]) -> None:
        if PICTURE.fullmatch(given.get("src", "")):
            alternative = escape(given.get("alt", ""))
            self._begin("img", f' src="{given["src"]}" alt="{alternative}"')
        else:
            self._texts.append(given.get("alt", ""))

    def _flush(self) -> None:
        """Write the text since the last element in one piece, as a browser sees it."""
        text = "".join(self._texts)
        self._texts.clear()
        self._written.append(_Text(text, bool(VERBATIM.intersection(self._open))))
