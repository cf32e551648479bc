"""Formulas as MathML, which browsers set without any script."""

from __future__ import annotations

import re
import unicodedata
import xml.etree.ElementTree as ET
from functools import cache
from html import escape

from autograder.errors import AuthorError

MATHML = "http://www.w3.org/1998/Math/MathML"

OPERATOR = f"{{{MATHML}}}mo"
SIGNS = ("-", "\u2212", "+")

ALPHABETS = {
    "bold": "MATHEMATICAL BOLD",
    "double-struck": "MATHEMATICAL DOUBLE-STRUCK",
    "script": "MATHEMATICAL SCRIPT",
}
"""Styles of letters for which browsers want other characters -> the names of those."""

# What the library does not know -> what it knows.
REWRITTEN = (
    (re.compile(r"\\(begin|end)\{aligned\}"), r"\\\1{align*}"),
    (re.compile(r"\\\\\[[\d.]+(?:pt|em|ex)\]"), r"\\\\"),
    (re.compile(r"\\[!]"), ""),
)


class FormulaError(AuthorError):
    """A formula has something that can't be set. The message names it."""


@cache
def mathml(latex: str, *, display: bool) -> str:
    """Return a LaTeX formula as a `<math>` element; `display` sets it on a line of its own.

    Raises FormulaError for what the library doesn't know, which it would show as plain letters.
    """
    from latex2mathml import converter, exceptions

    theirs = (each for each in vars(exceptions).values() if isinstance(each, type))
    refusals: tuple[type[Exception], ...] = (
        *(each for each in theirs if issubclass(each, Exception)),
        *(ET.ParseError, ValueError, LookupError, TypeError),
    )
    plain = latex.strip()
    for pattern, instead in REWRITTEN:
        plain = pattern.sub(instead, plain)
    try:
        text = converter.convert(plain, display="block" if display else "inline")
        root = ET.fromstring(text)
    except refusals as error:
        raise FormulaError(f"{latex.strip()!r} can't be set: {error!r}") from error
    for element in root.iter():
        letters = element.text or ""
        if letters == "&" or letters.startswith("\\") or "href" in element.attrib:
            what = letters if letters else r"\href"
            raise FormulaError(f"{latex.strip()!r} has {what}, which can't be set")
    for element in list(root.iter()):
        _as_browsers_have_it(element)
    ET.register_namespace("", MATHML)
    return ET.tostring(root, encoding="unicode")


def _as_browsers_have_it(element: ET.Element) -> None:
    """Rewrite what browsers leave out of MathML: letters in other styles, words in upright ones."""
    variant = element.attrib.get("mathvariant")
    if variant in ALPHABETS and element.text:
        element.text = "".join(_styled(letter, ALPHABETS[variant]) for letter in element.text)
        del element.attrib["mathvariant"]
    previous: ET.Element | None = None
    for child in element:
        if child.tag == OPERATOR and child.text in SIGNS:
            opening = previous is None or previous.attrib.get("form") == "prefix"
            if opening or (previous is not None and previous.tag == OPERATOR and _infix(previous)):
                child.attrib["form"] = "prefix"  # a sign, which stands close to its number
        if child.tag == f"{{{MATHML}}}mi" and child.text == ":":
            child.tag = OPERATOR
        previous = child
    if len(element) > 1 and all(_upright_letter(child) for child in element):
        word = "".join(child.text or "" for child in element)
        for child in list(element):
            element.remove(child)
        ET.SubElement(element, f"{{{MATHML}}}mi").text = word


def _infix(operator: ET.Element) -> bool:
    """Tell whether an operator stands between two things, so that what follows is a new one."""
    return operator.text not in (")", "]", "}", "!", "\u2016", "|")


def _upright_letter(element: ET.Element) -> bool:
    return element.tag.endswith("}mi") and element.attrib.get("mathvariant") == "normal"


def _styled(letter: str, alphabet: str) -> str:
    """Return a letter of another alphabet; some of them have stood elsewhere for longer."""
    size = "CAPITAL" if letter.isupper() else "SMALL"
    older = {"MATHEMATICAL DOUBLE-STRUCK": "DOUBLE-STRUCK", "MATHEMATICAL SCRIPT": "SCRIPT"}
    for name in (alphabet, older.get(alphabet, alphabet)):
        try:
            return unicodedata.lookup(f"{name} {size} {letter.upper()}")
        except KeyError:
            continue
    return letter


def shown(latex: str, *, display: bool) -> str:
    """Return a formula as MathML, or where it can't be set, as its source."""
    try:
        return mathml(latex, display=display)
    except FormulaError:
        return f"<code>{escape(latex.strip())}</code>"
