"""A page: title, contents, a style for light and dark, narrow and wide; nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from autograder.pages.markdown import Heading

# Nothing may be fetched or run, whatever a page says: pictures are part of it, and so is its style.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { color-scheme: light dark; --text: #1c1e21; --back: #fff; --soft: #5b626b; --line: #d9dde2;
  --code: #f4f5f7; --link: #0b5cad; --mark: #eef4fb; --word: #8a3d00; --name: #0b5cad;
  --quote: #1a6b34; }
@media (prefers-color-scheme: dark) { :root { --text: #e3e5e8; --back: #16181b; --soft: #a0a7b0;
  --line: #383d44; --code: #22252a; --link: #7ab8ff; --mark: #1d2a3a; --word: #ffb27a;
  --name: #7ab8ff; --quote: #8fd6a3; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1rem 1rem 4rem; max-width: 46rem; color: var(--text);
  background: var(--back); font: 1.05rem/1.6 system-ui, sans-serif; overflow-wrap: break-word; }
h1, h2, h3, h4 { line-height: 1.25; margin: 2.2em 0 .6em; }
h1 { font-size: 1.8rem; margin-top: .8em; }
h2 { font-size: 1.4rem; padding-bottom: .25em; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.15rem; } h4 { font-size: 1rem; }
a { color: var(--link); }
code, pre { font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .88em; }
code { background: var(--code); padding: .12em .3em; border-radius: .25em; }
pre { background: var(--code); padding: .8em 1em; border-radius: .4em; overflow-x: auto;
  line-height: 1.45; }
pre code { background: none; padding: 0; font-size: 1em; }
blockquote { margin: 1em 0; padding: .2em 1em; border-left: .25em solid var(--link);
  background: var(--mark); }
img { display: block; max-width: 100%; height: auto; margin: 1.4em auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; margin: 1em 0; font-size: .95em; }
th, td { padding: .35em .7em; border-bottom: 1px solid var(--line); vertical-align: top; }
th { text-align: left; }
td > code:only-child { white-space: nowrap; }
math { font-family: "Latin Modern Math", "STIX Two Math", "Cambria Math", math; font-size: 1.08em; }
math[display=block] { margin: .9em 0; }
mtd { padding: .25em .4em; }
mtd[columnalign=left] { text-align: left; } mtd[columnalign=right] { text-align: right; }
details { margin: 1.2em 0; padding: .6em 1em; background: var(--code); border-radius: .4em; }
summary { cursor: pointer; font-weight: 600; }
details ul { margin: .5em 0; padding-left: 1.2em; } details li { margin: .25em 0; }
.k { color: var(--word); } .n { color: var(--name); } .s { color: var(--quote); }
.c { color: var(--soft); font-style: italic; }
@media print { details { display: none; } body { max-width: none; } }
@media (max-width: 30rem) { body { font-size: 1rem; padding: .5rem .75rem 3rem; }
  h1 { font-size: 1.5rem; } h2 { font-size: 1.25rem; } th, td { padding: .3em .45em; }
  td > code:only-child { white-space: normal; overflow-wrap: anywhere; }
  img { max-width: calc(100% + 1.5rem); margin-inline: -.75rem; } }
"""


def page(title: str, body: str, contents: Sequence[Heading] = ()) -> str:
    """Return a whole page. `body` is HTML; `title` is plain text; `contents` is listed on top."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{escape(title)}</title>
<style>{STYLE}</style>
</head>
<body>
{_contents(contents)}{body}</body>
</html>
"""


def _contents(headings: Sequence[Heading]) -> str:
    """Return the list of sections, folded up."""
    if not headings:
        return ""
    items = "".join(
        f'<li><a href="#{escape(heading.anchor)}">{heading.html}</a></li>\n' for heading in headings
    )
    return f"<details>\n<summary>Contents</summary>\n<ul>\n{items}</ul>\n</details>\n"
