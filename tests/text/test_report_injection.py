"""Nothing that a submission can name or say becomes markup, a link, a formula or an order.

Whatever an attacker chooses (ids, file names, notices, messages, comments) goes through every form
of report; the Markdown is rendered by a CommonMark library with HTML switched on.
"""

from __future__ import annotations

import csv
import io
import json
import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console
from rich.progress import Progress, TextColumn

from autograder.course import load
from autograder.course.scoring import score_student
from autograder.gpu.assess import read_metrics
from autograder.grading.quality import Quality
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.class_csv import by_hand_csv, gradebook_csv, leaderboard_csv
from autograder.report.curves import curves_svg
from autograder.report.feedback import block, code, feedback, inline
from autograder.report.graded import GradedReport, Row
from autograder.report.leaderboard import print_board
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class
from autograder.results.results_json import results_json
from autograder.tables.formulas import FORMULA_STARTS
from autograder.text.display import CI_COMMANDS, many_lines, one_line

COURSE = load(Path(__file__).resolve().parents[2])
PLAN = [
    PlannedCheck("t::a", "week1.linear", "The bias gradient adds up."),
    PlannedCheck("t::b", "week1.linear", "`forward` keeps float32."),
    PlannedCheck("t::c", "week1.relu", "ReLU is 0 at 0."),
]
PAYLOADS = {
    "a script": "<script>alert(1)</script>",
    "an image with an order": "<img src=x onerror=alert(1)>",
    "a closed fence": "\n```\n<b onclick=x>bold</b>\n```\n",
    "a long closed fence": "\n" + "`" * 50 + "\n<b>x</b>\n" + "`" * 50,
    "a tilde fence": "~~~\n<b>x</b>\n~~~",
    "an end of a code span": "`<b>x</b>`",
    "two backticks": "``x` <b>x</b> `y``",
    "backticks that don't match": "`a``b` <img src=x> ```c`` `d",
    "a link": "[here](javascript:alert(1))",
    "an image": "![i](http://e.example/x.png)",
    "a reference": "[a]: http://e.example\n\n[a]",
    "an autolink": "<http://e.example/>",
    "a bare address": "https://e.example/ www.e.example me@e.example",
    "a mention": "@everyone #1",
    "an entity": "&lt;b&gt; &#60;img src=x&#62;",
    "a heading": "x\n# You passed\n=====",
    "a table": "| a | b |\n|---|---|\n| x | y |",
    "a comment": "<!-- --> --><svg onload=x>",
    "CDATA": "]]><script/><![CDATA[",
    "a picture's text": "</text><script>x</script>",
    "a terminal's orders": "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://e.example\x07x\x1b]8;;\x07\x9b31m",
    "a rewritten line": "safe\rPASS\b\b\b",
    "turned text": "\u202egnp.exe\u2066 \u200b\u2028\ufeff",
    "rich markup": "[red]x[/red] [link=http://e.example]y[/link]",
    "a CI command": "::error file=x,line=1::owned",
    "a CI command after a line's end": "x\n::set-output name=grade::100\n##[error]x\n##vso[task.x]",
    "a CI command far in": "a" * 30 + " ::warning::x " + "b" * 30 + " ::stop-commands::x",
    "a formula": '=HYPERLINK("http://e.example";"x")',
    "a formula after a tab": "\t=cmd|' /C calc'!A0",
    "surrogates": "\ud800 \udfff \x00",
    "a null and a quote": '\'"\0,;\n"',
    "a great deal": "<b>" * 100_000,
}


def report(text: str) -> GradedReport:
    """Return a report in which everything that isn't ours is the same text."""
    results = [
        CheckResult("t::a", Verdict.RAISED, message=text),
        CheckResult("t::b", Verdict.WRONG, message=f"y: {text}\n{text}"),
        CheckResult("t::c", Verdict.BLOCKED, message=text),
    ]
    marks = [ManualMark("x", "week1.written_mse", 150, text)]
    score = score_student(COURSE, "x", PLAN, results, marks)
    documents = {"week1.written_linear": (text, "plain.pdf")}
    return GradedReport(
        replace(score, student=text), text, (text,), refusals=(text,), documents=documents
    )


class Tags(HTMLParser):
    """Notes the tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()

    def handle_starttag(self, tag: str, attrs) -> None:
        self.seen |= {tag, *(f"{tag}.{name}" for name, _ in attrs)}

    handle_startendtag = handle_starttag

    def handle_comment(self, data: str) -> None:
        self.seen.add("comment")

    def handle_decl(self, decl: str) -> None:
        self.seen.add("declaration")

    def unknown_decl(self, data: str) -> None:
        self.seen.add("declaration")


def tags(markdown: str) -> set[str]:
    """Return the tags of a text rendered by CommonMark's rules, raw HTML and tables allowed."""
    reader = Tags()
    reader.feed(MarkdownIt("commonmark", {"html": True}).enable("table").render(markdown))
    return reader.seen


OURS = {"h1", "h2", "h3", "p", "strong", "em", "ul", "li", "code", "pre", "code.class"}
OURS |= {"blockquote", "table", "thead", "tbody", "tr", "th", "td"}


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_feedback_has_our_tags_and_no_others(text):
    markdown = feedback(report(text))
    assert tags(markdown) <= OURS
    assert tags(markdown) == tags(feedback(report("harmless")))
    assert all(char.isprintable() or char == "\n" for char in markdown)
    markdown.encode("utf-8")


ANYTHING = st.text(max_size=80) | st.from_regex(
    r"[`~\n <>/=#\[\]()!&;:@.*_|a\\\"-]{0,60}", fullmatch=True
)


@given(ANYTHING)
def test_whatever_is_in_a_line_is_text(text):
    assert tags(f"# x {inline(text)} x") <= {"h1", "code", "em", "strong"}


@given(ANYTHING)
def test_whatever_is_in_a_code_span_is_one_code_span(text):
    (_, content, _) = MarkdownIt("commonmark").parse(f"x {code(text)} x")
    inner = [child.type for child in content.children or ()]
    if one_line(text).strip():
        assert inner == ["text", "code_inline", "text"]
        assert content.children is not None
        assert content.children[1].content.strip() == one_line(text).strip()


@given(ANYTHING)
def test_whatever_is_in_a_block_is_text(text):
    assert tags(f"x\n\n{block(text)}\n\nx\n") == {"p", "pre", "code", "code.class"}


def test_addresses_and_mentions_become_no_links_where_programs_look_for_them():
    """As in GitHub's Markdown, which links bare addresses: there must be none left to find."""
    shown = inline("https://e.example www.e.example WWW.e.example me@e.example @all http://x")
    assert not re.search(r"https?://|www\.|\w@\w|(?<!\\)@", shown, re.IGNORECASE)


# The terminal, and CI runners that read what is printed

STYLES = re.compile(r"\x1b\[[\d;]*m")


def printed(text: str, width: int) -> str:
    """Return what the class's table and the leaderboard print, as a terminal of that width."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=True, color_system=None)
    shown = [report(text)]
    print_class(console, shown, class_statistics([one.score for one in shown]), {"x": Path("x")})
    result = CheckResult("t::a", Verdict.WRONG, message=text, detail={"doubts": [text]})
    print_board(console, [Row(text, None, 1.0, result)], "Training")
    return stream.getvalue()


@pytest.mark.parametrize("width", [32, 80, 200])
@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_terminal_gets_no_orders(text, width):
    shown = STYLES.sub("", printed(text, width))
    assert all(char.isprintable() or char == "\n" for char in shown)
    for line in shown.splitlines():
        assert not re.match(r"\s*::[a-z-]+.*::", line), "a workflow command of GitHub's"
        assert "##[" not in line
        assert "##vso[" not in line


@pytest.mark.parametrize(
    "text",
    [
        "::error::x",
        "  ::ERROR file=a::x",
        ":: error::x",
        "a\n::set-output name=x::1",
        "##[error]x",
        "##vso[task.complete]x",
        "::::error::",
        "###[group]x",
    ],
)
def test_commands_are_broken_and_stay_readable(text):
    for shown in (one_line(text), many_lines(text)):
        assert not CI_COMMANDS.search(shown)
        assert not re.search(r"::\s*(error|set-output)|##(\[|vso\[)", shown, re.IGNORECASE)
        assert shown.replace(" ", "") == text.replace(" ", "").replace("\n", "\n" * ("\n" in shown))


@pytest.mark.parametrize(
    "text", ["TestX::test_errors", "a[::2]", "x::y", "## heading", "a::error_of"]
)
def test_other_colons_stay_as_they_are(text):
    assert one_line(text) == many_lines(text) == text


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_progress_bar_gets_no_orders(text):
    stream = io.StringIO()
    console = Console(file=stream, width=80, force_terminal=True, color_system=None)
    columns = (TextColumn("{task.fields[last]}", markup=False),)
    with Progress(*columns, console=console, auto_refresh=False) as bar:
        bar.add_task("grading", total=1, last=f"{one_line(text)}, Week 1")
    shown = re.sub(r"\x1b\[(\?25[lh]|[\d;]*[mAK])|[\r]", "", stream.getvalue())
    assert all(char.isprintable() or char == "\n" for char in shown)


# Files for programs


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_tables_hold_no_formulas_and_no_extra_rows(text):
    row = Row(text, 0.5, 1.0, CheckResult("t::a", Verdict.PASS, detail={"doubts": [text]}))
    tables = [gradebook_csv(COURSE, [report(text)]), by_hand_csv(COURSE, [report(text)])]
    by_hand = sum(item.kind == "manual" for item in COURSE.items())
    for table, count in zip([*tables, leaderboard_csv([row])], (1, by_hand, 1), strict=True):
        rows = list(csv.reader(io.StringIO(table)))
        assert len(rows) == 1 + count
        for cell in (cell for cells in rows[1:] for cell in cells):
            assert cell.isprintable()
            assert not cell.lstrip().startswith(FORMULA_STARTS)


@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_json_stays_json_and_may_stand_in_a_page(text):
    written = results_json(report(text))
    assert written.isascii()
    assert not set("<>&") & set(written)
    found = json.loads(written)
    messages = [check["message"] for item in found["items"] for check in item["checks"]]
    assert messages.count(text) == 2, "programs read the very text"


@pytest.mark.prove
@pytest.mark.parametrize("text", PAYLOADS.values(), ids=PAYLOADS.keys())
def test_a_picture_shows_numbers_only(text):
    """What metrics.jsonl says in words, or as keys, gets nowhere."""
    row = {"epoch": 1, "train_loss": 0.5, text: 1.0, "val_loss": text, "lr": {"x": text}}
    lines = [json.dumps(row), text, json.dumps({"epoch": text}), json.dumps({**row, "epoch": 2})]
    curves = read_metrics("\n".join(lines))
    assert curves.keys() == {"epoch", "train_loss"}
    picture = ET.fromstring(curves_svg(curves, 0.5))
    kinds = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert not kinds & {"script", "a", "image", "foreignObject", "animate", "set", "iframe"}
    assert not any(name.startswith("on") for element in picture.iter() for name in element.attrib)
    plain = curves_svg(
        read_metrics('{"epoch": 1, "train_loss": 0.5}\n{"epoch": 2, "train_loss": 0.5}'), 0.5
    )
    assert curves_svg(curves, 0.5) == plain


def test_the_names_that_quality_shows_are_cut():
    source = "".join(f"def {letter * 5000}(): pass\n\n\n" for letter in "abcdefghij").encode()
    plan = [PlannedCheck("t::a", "week1.linear", "It works.")]
    done = [CheckResult("t::a", Verdict.PASS, FULL_CREDIT)]
    [result] = Quality("week1.quality", {"a.py": ["week1.linear"]}).measure(
        {"a.py": source}, plan, done
    )
    assert "Without a docstring: the module, aaaaaaaa" in result.message
    assert len(result.message) < 1500
