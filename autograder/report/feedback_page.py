"""feedback.html: what feedback.md says, as a page with formulas. Nothing in it can act."""

from __future__ import annotations

from collections.abc import Mapping

from autograder.pages.markdown import body_of
from autograder.pages.page import page


def feedback_page(text: str, pictures: Mapping[str, str]) -> str:
    """Return a student's feedback as a page that is complete in itself.

    `text` is that of `feedback`, in which whatever students wrote is escaped or in blocks of plain
    text; tags become text here too, and there are no links. `pictures` are SVG by name.
    """

    def content(name: str) -> bytes | None:
        return pictures[name].encode() if name in pictures else None

    body = body_of(text, content, lambda target: None)
    return page(body.title, body.html)
