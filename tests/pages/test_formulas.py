"""Formulas as MathML: what browsers can set, and nothing that they can't."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

from autograder.pages.formulas import FormulaError, mathml, shown

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE = "{http://www.w3.org/1998/Math/MathML}"


def elements(latex: str, name: str, *, display: bool = False) -> list[ET.Element]:
    return list(ET.fromstring(mathml(latex, display=display)).iter(NAMESPACE + name))


def test_a_fraction_is_a_fraction() -> None:
    (fraction,) = elements(r"\frac{\partial L}{\partial x}", "mfrac")
    assert ["".join(part.itertext()) for part in fraction] == ["∂L", "∂x"]


def test_display_and_inline_are_told_apart() -> None:
    assert 'display="block"' in mathml("x", display=True)
    assert 'display="inline"' in mathml("x", display=False)


def test_aligned_lines_are_rows() -> None:
    rows = elements(r"\begin{aligned} z &= x: & 1 \\[4pt] y &= 2 \end{aligned}", "mtr")
    assert len(rows) == 2
    assert "&" not in "".join(text for row in rows for text in row.itertext())


@pytest.mark.parametrize(
    ("latex", "letter"),
    [(r"\mathbb E", "\U0001d53c"), (r"\mathcal N", "\U0001d4a9"), (r"\mathbf x", "\U0001d431")],
)
def test_letters_of_other_alphabets_are_characters(latex: str, letter: str) -> None:
    assert letter in "".join(ET.fromstring(mathml(latex, display=False)).itertext())


def test_an_upright_word_is_one_word() -> None:
    assert "Var" in [element.text for element in elements(r"\mathrm{Var}(x)", "mi")]


@pytest.mark.parametrize("latex", ["-1", "y = -3", r"x \cdot -2", "(-1)"])
def test_a_sign_stands_close_to_its_number(latex: str) -> None:
    (sign,) = [each for each in elements(latex, "mo") if each.text in ("-", "\u2212")]
    assert sign.attrib["form"] == "prefix"


@pytest.mark.parametrize("latex", ["a - 1", "f(x) - 1", r"\lVert x \rVert - 1"])
def test_a_difference_keeps_its_room(latex: str) -> None:
    (minus,) = [each for each in elements(latex, "mo") if each.text in ("-", "\u2212")]
    assert "form" not in minus.attrib


def test_a_colon_is_an_operator() -> None:
    assert ":" in [element.text for element in elements("x: (2, 3)", "mo")]


@pytest.mark.parametrize(
    "latex", [r"\nosuchthing x", "{", r"x & y", r"\href{javascript:alert(1)}{x}"]
)
def test_what_cant_be_set_is_refused_and_shown_as_it_is_written(latex: str) -> None:
    with pytest.raises(FormulaError):
        mathml(latex, display=False)
    text = shown("<b>" + latex, display=False)
    assert text.startswith("<code>")
    assert "<b>" not in text


def test_every_formula_of_the_course_can_be_set() -> None:
    count = 0
    for path in sorted((ROOT / "assignments").rglob("*.md")):
        text = path.read_text("utf-8")
        blocks = re.findall(r"^```math\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
        rest = re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)
        for latex in [*blocks, *re.findall(r"(?<!\\)\$([^$]+)\$", rest)]:
            mathml(latex, display=latex in blocks)
            count += 1
    assert count > 100
