"""feedback.html: the feedback as a page, in which nothing that a student wrote can act."""

from __future__ import annotations

import re

from autograder.report.feedback_page import feedback_page
from autograder.text.markdown import block, code, inline

HOSTILE = (
    "</code></pre><script>alert(1)</script> ``` <img src=x onerror=alert(1)> "
    "![x](http://elsewhere.example/x.png) [x](javascript:alert(1)) $\\href{javascript:x}{y}$"
)


def test_what_a_student_wrote_is_shown_and_inert() -> None:
    text = "\n\n".join(
        [f"# Feedback for {inline(HOSTILE)}", block(HOSTILE), f"- {code(HOSTILE)}", HOSTILE]
    )
    page = feedback_page(text, {})
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") >= 4
    assert not re.findall(r"<(?:script|img|a|iframe|svg)\b", page)
    assert "javascript:" not in re.sub(r"\[x\]\(javascript:|href\{javascript:", "", page)


def test_advice_has_formulas_and_the_curves_are_in_the_page() -> None:
    advice = inline("Your gradient is $G B$, not $G B^\\top$.", formulas=True)
    page = feedback_page(
        f"# F\n\n> What probably happened: {advice}\n\n![Loss](training.svg)",
        {"training.svg": "<svg/>"},
    )
    assert page.count("<math") == 2
    assert 'src="data:image/svg+xml;base64,' in page


def test_only_advice_has_formulas() -> None:
    assert "<math" not in feedback_page(inline("costs $x$"), {})
