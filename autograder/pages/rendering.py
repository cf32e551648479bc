"""Pages made from templates: every value is escaped, and nothing but their own script can run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from autograder.pages.words import advice, sentence
from autograder.text.display import many_lines, one_line

TEMPLATES = Path(__file__).with_name("templates")


def rendered(
    name: str,
    styles: tuple[str, ...],
    scripts: tuple[str, ...] = (),
    filters: Mapping[str, Callable[..., Any]] | None = None,
    **values: Any,
) -> str:
    """Return the page that a template makes of `values`, complete in itself.

    `styles` and `scripts` are names of files beside the templates: they are put into the page, and
    its policy names them by their digests, so no other style or script has any effect there, not
    even one that got into the page by a fault of ours.
    """
    from markupsafe import Markup

    style, script = _together(styles), _together(scripts)
    here = {
        "style": Markup(style),
        "script": Markup(script),
        "policy": policy(style, script),
    }
    return _environment(tuple((filters or {}).items())).get_template(name).render(**here, **values)


def policy(style: str, script: str) -> str:
    """Return the policy of a page: its own style and script, pictures in it, and nothing else."""
    rules = ["default-src 'none'", "img-src data:", f"style-src '{_digest(style)}'"]
    if script:
        rules.append(f"script-src '{_digest(script)}'")
    return "; ".join([*rules, "base-uri 'none'", "form-action 'none'"])


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _together(names: tuple[str, ...]) -> str:
    return "\n".join((TEMPLATES / name).read_text("utf-8") for name in names)


@cache
def _environment(filters: tuple[tuple[str, Callable[..., Any]], ...]) -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    known = {"line": one_line, "lines": many_lines, "advice": advice, "sentence": sentence}
    environment.filters.update(known, **dict(filters))
    return environment
