"""Reports say what is there, and no submission can bend them."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from rich.console import Console

from autograder.course import Course, HandingIn, load
from autograder.course.lateness import HandedIn
from autograder.course.points import format_points
from autograder.course.scoring import score_student
from autograder.gradebook.flags import Flag
from autograder.gradebook.journal import Gradebook, GradingJob
from autograder.gradebook.submission import Submission
from autograder.records import FULL_CREDIT, CheckResult, ManualMark, PlannedCheck, Verdict
from autograder.report.class_csv import gradebook_csv
from autograder.report.feedback import block, feedback, inline
from autograder.report.gather import NOTHING_RUN, VERDICT_WORDS, GradedReport, gather
from autograder.report.points_words import points_in_words
from autograder.report.statistics import class_statistics
from autograder.report.terminal import print_class
from autograder.results.results_json import results_json
from autograder.text.display import many_lines, one_line
from tests.rubrics import with_items

ROOT = Path(__file__).resolve().parents[2]


def week_1_alone() -> Course:
    """The course as it was when only its first week was open."""
    return with_items(load(ROOT), lambda item: item if item.week == 1 else None)


COURSE = week_1_alone()
PLAN = [
    PlannedCheck("hidden/test_linear.py::test_a", "week1.linear", "dL/db adds up over the batch."),
    PlannedCheck("hidden/test_linear.py::test_b", "week1.linear", "`forward` keeps float32."),
    PlannedCheck("hidden/test_linear.py::test_c", "week1.linear", "W*x and b*y are two_words."),
    PlannedCheck("hidden/test_relu.py::test_a", "week1.relu", "ReLU is 0 at 0."),
    PlannedCheck("hidden/test_tanh.py::test_a", "week1.tanh", "Tanh is stable."),
]
RESULTS = [
    CheckResult(PLAN[0].id, Verdict.PASS, FULL_CREDIT),
    CheckResult(
        PLAN[1].id,
        Verdict.WRONG,
        message="dL_db: expected shape (3,), got (1, 3)",
        misconception="bias-averaged",
        advice="The bias gradient is averaged; use `sum(axis=0)`.",
    ),
    CheckResult(PLAN[2].id, Verdict.NOT_ATTEMPTED),
    CheckResult(PLAN[3].id, Verdict.INFRA, message="the worker of slot 3 was lost"),
    CheckResult(PLAN[4].id, Verdict.WRONG, 8_500, message="85 % right"),
]
HOSTILE = (
    "\x1b[2J\x1b]0;owned\x07 <script>alert(1)</script> [x](javascript:alert(1)) "
    "[red]bold[/red] ![i](http://e.vil/x.png)\n```\n# You passed\n<b>x</b>\n````\n~~~\n"
    "| a | b |\n\u202egnp.exe \x00\x08\x9b31m \ud800 & *stars* _under_\r\ntail"
)


def report(
    results: list[CheckResult] = RESULTS, student: str = "ada", **fields: object
) -> GradedReport:
    score = score_student(COURSE, student, PLAN, results)
    return GradedReport(score, "bubblewrap", **fields)  # type: ignore[arg-type]


def test_feedback_says_what_each_item_has() -> None:
    text = feedback(report())
    assert text.startswith("# Feedback for ada\n")
    assert "### Linear (`week1.linear`): 1.33 of 4\n" in text
    assert "- **`forward` keeps float32.** (wrong answer)\n" in text
    assert "```text\ndL_db: expected shape (3,), got (1, 3)\n```" in text
    assert "> What probably happened: The bias gradient is averaged; use `sum(axis=0)`." in text
    assert "\n1 check passed. 1 check not attempted yet.\n" in text
    assert "| Core Implementations | 2.18 of 25" in text
    assert "- **Mend first** (points to gain, in this order: the first may cause others): " in text
    assert "others): Linear (2.67), Tanh (0.15).\n" in text
    assert "adds up over the batch" not in text, "passed checks are only counted"
    assert "- ReLU (`week1.relu`): 0 of 1. *Pending: must be graded again.*" in text
    assert "1 check could not be graded; this is our fault and costs no points.\n" in text
    assert "slot 3" not in text, "our own faults are not the student's to read"
    assert "(wrong answer; 85 % of its points)" in text
    assert "(`week1.written_mse`): 0 of 1. *Pending: to be marked by hand.*" in text
    assert "## Not graded yet" in text
    assert "so far.** Up to" in text


def test_feedback_never_shows_a_tests_id() -> None:
    text = feedback(report())
    for check in PLAN:
        assert check.id not in text
    assert "hidden" not in text
    assert "::" not in text


def test_feedback_says_when_all_passed_and_shows_comments() -> None:
    passed = [CheckResult(check.id, Verdict.PASS, FULL_CREDIT) for check in PLAN]
    marks = [ManualMark("ada", "week1.written_mse", 75, "Good; the <sum> is missing.")]
    score = score_student(COURSE, "ada", PLAN, passed, marks)
    text = feedback(GradedReport(score, "bubblewrap"))
    assert "\n- Linear (`week1.linear`): 4 of 4. All 3 checks passed.\n" in text
    assert "(`week1.written_mse`): 0.75 of 1\n\nComment:\n\n```text\nGood; the <sum> is" in text


def test_an_explanation_stands_once_in_an_item_below_the_checks_that_it_explains() -> None:
    says = "The bias gradient is averaged."
    first, second, third = (check.id for check in PLAN[:3])
    results = [
        CheckResult(first, Verdict.WRONG, message="one", advice=says),
        CheckResult(second, Verdict.WRONG, message="another"),
        CheckResult(third, Verdict.WRONG, message="two", advice=says),
    ]
    text = feedback(report(results))
    order = ["text\none\n", "text\ntwo\n", "in these 2 checks: The bias", "text\nanother\n"]
    places = [text.index(part) for part in order]
    assert places == sorted(places)
    assert text.count(says) == 1


def test_checks_of_one_title_and_message_are_one_line() -> None:
    plan = [PlannedCheck(f"t::{n}", "week1.linear", "Every way") for n in range(3)]
    results = [CheckResult(check.id, Verdict.WRONG, message="no") for check in plan]
    score = score_student(COURSE, "ada", plan, results)
    text = feedback(GradedReport(score, "bubblewrap"))
    assert text.count("Every way") == 1
    assert "- **Every way** (wrong answer), 3 times\n" in text


def test_the_first_lines_say_what_to_mend_what_waits_and_what_is_not_begun() -> None:
    ends = {
        "week1.linear": Verdict.RAISED,
        "week1.relu": Verdict.NOT_ATTEMPTED,
        "week1.mlp": Verdict.BLOCKED,
        "week1.mse": Verdict.PASS,
        "week1.network": Verdict.WRONG,
    }
    plan = [PlannedCheck(f"t::{item}", item, item) for item in ends]
    results = [
        CheckResult(f"t::{item}", end, FULL_CREDIT * (end is Verdict.PASS))
        for item, end in ends.items()
    ]
    score = score_student(COURSE, "ada", plan, results)
    lines = feedback(GradedReport(score, "bubblewrap")).splitlines()
    starts = ("- **Mend", "- **Waits", "- **Not att")
    mend, wait, begin = (next(line for line in lines if line.startswith(start)) for start in starts)
    assert mend.endswith(": Linear (4), Network (2).")
    assert wait.endswith(": TwoLayerMLP (2.5).")
    assert begin.endswith(": ReLU (1).")


def test_points_say_what_is_extra_credit() -> None:
    plan = [PlannedCheck("t::n", "week3.layer_norm", "Layer norm")]
    passed = [CheckResult("t::n", Verdict.PASS, FULL_CREDIT)]
    course = load(Path(__file__).resolve().parents[2])
    score = score_student(course, "ada", plan, passed, open_weeks=[3])
    assert points_in_words(score).endswith(" points, and 4 of 20 extra")
    assert score.total == 400
    assert points_in_words(score).startswith("0 of ")
    assert "extra" not in points_in_words(report().score)


def test_feedback_tells_a_long_message_once() -> None:
    trace = 'File "neural_net.py", line 3\n    def (\nSyntaxError: invalid syntax'
    text = feedback(report([CheckResult(c.id, Verdict.RAISED, message=trace) for c in PLAN]))
    assert text.count("SyntaxError") == 1
    assert text.count("The message is the one under *Linear* above.") == 2
    assert text.count("(your code raised an error)") == len(PLAN)


def test_feedback_shows_refusals_and_notices() -> None:
    text = feedback(report([], refusals=("ada.zip is damaged",), notices=("Missing: a.py.",)))
    assert "## Your submission was not taken\n\n```text\nada.zip is damaged\n```" in text
    assert "## About your files\n\n```text\nMissing: a.py.\n```" in text


def test_every_verdict_has_words() -> None:
    assert set(VERDICT_WORDS) == {*Verdict, None}
    for verdict in Verdict:
        results = [CheckResult(check.id, verdict) for check in PLAN]
        assert feedback(report(results))


def structure(markdown: str) -> list[tuple[str, str]]:
    """What a reader's Markdown program makes of a text: its blocks, without their texts."""
    tokens = MarkdownIt("js-default").parse(markdown)
    inner = [child for token in tokens for child in token.children or ()]
    return [(token.type, token.tag) for token in (*tokens, *inner) if token.type != "text"]


def test_hostile_text_changes_nothing_in_the_feedbacks_structure() -> None:
    def with_text(text: str) -> str:
        results = [replace(result, message=text) for result in RESULTS]
        return feedback(report(results, notices=(text,), refusals=(text,)))

    assert structure(with_text(HOSTILE)) == structure(with_text("harm\nless"))
    assert_printable(with_text(HOSTILE))


def assert_printable(text: str) -> None:
    assert all(char.isprintable() or char == "\n" for char in text)
    text.encode("utf-8")


@given(st.text(max_size=200) | st.from_regex(r"[`~\n <>#\[\]()*_|a\\-]{0,40}", fullmatch=True))
def test_a_block_is_one_block_whatever_it_holds(text: str) -> None:
    tokens = MarkdownIt("js-default").parse(f"before\n\n{block(text)}\n\nafter\n")
    kinds = ["paragraph_open", "inline", "paragraph_close"]
    assert [token.type for token in tokens] == [*kinds, "fence", *kinds]
    assert tokens[3].content.rstrip("\n") == many_lines(text).rstrip("\n")
    assert_printable(block(text))


@given(st.text(st.characters(codec="utf-8", exclude_characters="`"), max_size=100))
def test_inline_text_shows_as_itself(text: str) -> None:
    (_, content, _) = (
        MarkdownIt("js-default").disable(["linkify", "autolink"]).parse("x" + inline(text) + "x")
    )
    assert content.children is not None
    assert all(child.type == "text" for child in content.children)
    assert "".join(child.content for child in content.children) == f"x{one_line(text, 2000)}x"


def test_names_in_titles_stay_readable() -> None:
    assert inline("W*x in two_words, `a_*b`") == r"W\*x in two_words, `a_*b`"


@given(st.text(max_size=400))
def test_shown_text_is_printable(text: str) -> None:
    assert one_line(text).isprintable()
    assert len(one_line(text)) <= 200
    assert_printable(many_lines(text))


def test_long_text_is_cut() -> None:
    assert one_line("a" * 300, 10) == "aaaaaaa..."
    assert many_lines("a" * 300, 10) == "a" * 10 + "\n[cut here: too long]"


# Gathering from a gradebook.

DERIVED = ("linear", "relu", "sigmoid", "tanh", "mse", "cross_entropy")


def test_a_report_is_gathered_from_the_gradebook(tmp_path: Path) -> None:
    papers = {"derivations.ipynb": "the digest of its content"}
    ada = Submission("ada", {"a.py": b"1"}, ("A notice.",), documents=papers)
    eve = Submission("eve", refusal="Bad.")
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions([ada, eve], 1)
        book.plan(GradingJob("k", "ada", 1, ada.fingerprint, "unconfined"), PLAN)
        book.record("k", RESULTS, 1.0)
        first, second = gather(COURSE, book)
        assert gather(COURSE, book, ["eve"]) == [second]
    documents = {f"week1.written_{name}": ("derivations.ipynb",) for name in DERIVED}
    plan = [replace(check, id=f"week1/{check.id}") for check in PLAN]
    results = [replace(result, check=f"week1/{result.check}") for result in RESULTS]
    assert first == GradedReport(
        score_student(COURSE, "ada", plan, results),
        "unconfined",
        ("A notice.",),
        documents=documents,
        handed_in=(HandedIn("week1"),),
        answers=first.answers,
        jobs=first.jobs,
    )
    assert first.answers.keys() == documents.keys()
    assert first.jobs["week1.linear"] == "k"
    assert second.confinement == NOTHING_RUN
    assert (second.refusals, second.refused_weeks) == (("Bad.",), (1,))
    assert second.score.total == 0
    week_1 = [item for item in second.score.items if item.id.startswith("week1.")]
    assert not any(item.pending for item in week_1)


def test_late_work_keeps_what_the_course_says_and_every_report_says_so(tmp_path: Path) -> None:
    due = datetime(2026, 10, 12, 22, tzinfo=UTC)
    weeks = tuple(
        week.model_copy(update={"due": due}) if week.number == 1 else week for week in COURSE.weeks
    )
    rule = HandingIn(late=((0, 1.0), (5, 0.5)))
    course = COURSE.model_copy(update={"weeks": weeks, "handing_in": rule})
    late = due + timedelta(days=1, hours=2)
    ada = Submission("ada", {"a.py": b"1"}, received=late, commit="abc1234")
    bob = Submission("bob", {"a.py": b"1"})
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions([ada, bob], 1)
        for one in (ada, bob):
            book.plan(GradingJob(one.student, one.student, 1, one.fingerprint, "unconfined"), PLAN)
            book.record(one.student, RESULTS, 1.0)
        reports = gather(course, book)
    score = reports[0].score
    assert score.total == reports[1].score.total == reports[1].score.final
    assert score.final == sum((item.points * 8917 + 5000) // 10_000 for item in score.items)
    assert 0 < score.final < score.total
    (row, other) = csv.DictReader(io.StringIO(gradebook_csv(course, reports)))
    assert row["final"] == f"{score.final / 100:.2f}"
    assert row["late"] == "week1:1 day 2 hours:0.8917"
    assert (other["total"], other["late"]) == (row["total"], "")
    (entry,) = json.loads(results_json(reports[0]))["handed_in"]
    assert entry == {
        "week": "week1",
        "due": "2026-10-12T22:00:00+00:00",
        "received": "2026-10-14T00:00:00+00:00",
        "commit": "abc1234",
        "late_seconds": 93_600,
        "late_days": 0,
        "kept": 0.8917,
    }
    text = feedback(reports[0])
    assert "1 day 2 hours late: 89.2 % of its points count." in text
    assert f"**With that, {format_points(score.final)} points count so far.**" in text
    assert "late" not in feedback(reports[1])
    console = Console(file=io.StringIO(), width=200)
    print_class(console, reports, class_statistics([one.score for one in reports]), {})
    shown = console.file.getvalue()
    assert "ada: week1, 1 day 2 hours: keeps 89.2 % of its points" in shown
    assert "nothing says when bob handed in: counted as in time" in shown


def test_flags_and_doubts_are_gathered_with_their_week(tmp_path: Path) -> None:
    ada = Submission("ada", {"a.py": b"1"})
    flag = Flag("loops-over-batch", "263 lines", "week1.linear", "a.py:5")
    check = PlannedCheck("training::network", "project.accuracy", "The network learns")
    result = CheckResult(check.id, Verdict.PASS, FULL_CREDIT, detail={"doubts": ["Odd."]})
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        for week in (1, 10):
            book.add_submissions([ada], week)
        book.plan(GradingJob("k", "ada", 1, ada.fingerprint, "unconfined"), PLAN)
        book.record("k", RESULTS, 1.0, [flag])
        book.plan(GradingJob("t", "ada", 10, ada.fingerprint, "unconfined", "training"), [check])
        book.record("t", [result], 1.0)
        (found,) = gather(load(ROOT), book)
    doubt = Flag("training-job", "Odd.", "project.accuracy")
    assert found.flags == (("week1", flag), ("project", doubt))


def test_the_class_page_counts_flags_by_rule() -> None:
    flag = Flag("loops-over-batch\x1b[31m", "263 lines")
    flagged = report(student="ada", flags=(("week1", flag), ("week1", flag)))
    text = shown([flagged, report(student="ben")])
    said = "To be looked at by a person; it costs nothing by itself (see flags.csv):"
    assert said in text
    assert "loops-over-batch" in text.partition(said)[2]
    assert "\x1b" not in text
    assert "To be looked at by a person" not in shown([report()])
    assert "loops" not in feedback(flagged)


def test_what_concerns_all_weeks_of_an_archive_is_said_once(tmp_path: Path) -> None:
    both = ("Ignored 1 file.", "None of week 2's files was found: x.py.")
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions([Submission("ada", notices=both[:1]), Submission("eve")], 1)
        book.add_submissions([Submission("ada", notices=both)], 2)
        book.add_submissions([Submission("eve", refusal="Damaged.")], 1)
        book.add_submissions([Submission("eve", refusal="Damaged.")], 2)
        ada, eve = gather(load(ROOT), book)
    assert ada.notices == both
    assert eve.refusals == ("Damaged.",)


def test_the_class_decides_which_weeks_are_open(tmp_path: Path) -> None:
    course = load(ROOT)
    with Gradebook.open(tmp_path / "gradebook.sqlite") as book:
        book.start_run("bubblewrap", "digits", "", {})
        book.add_submissions([Submission("ada"), Submission("eve")], 1)
        book.add_submissions([Submission("eve")], 2)
        for report in (*gather(course, book), *gather(course, book, ["ada"])):
            open_parts = {part.id for part in report.score.components if part.is_open}
            assert open_parts == {"derivations", "core", "gradient_checking", "autograd"}
            assert report.score.max_total == 7500


def test_documents_are_named_at_the_items_that_they_are_for() -> None:
    text = feedback(report(documents={"week1.written_mse": ("derivations.ipynb", "more.pdf")}))
    handed_in = "Handed in for this: `derivations.ipynb`, `more.pdf`."
    assert text.count("Handed in for this") == 1
    assert f"(`week1.written_mse`): 0 of 1. *Pending: to be marked by hand.* {handed_in}" in text


# The table in the terminal.


def class_of(*students: str) -> list[GradedReport]:
    return [report(student=student) for student in students]


def shown(
    reports: list[GradedReport],
    width: int = 100,
    encoding: str = "utf-8",
    terminal: bool = False,
) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, write_through=True)
    console = Console(file=stream, width=width, force_terminal=terminal, color_system=None)
    statistics = class_statistics([report.score for report in reports])
    files = {"Gradebook": Path("/somewhere/out/" + "long/" * 20 + "gradebook.csv")}
    print_class(console, reports, statistics, files)
    return raw.getvalue().decode(encoding)


def test_the_table_shows_points_means_misconceptions_and_files() -> None:
    text = shown(class_of("ada", "ben"))
    row = next(line for line in text.splitlines() if line.strip().startswith("ada"))
    assert row.rstrip().endswith("*2.18")
    mean = next(line for line in text.splitlines() if "class mean" in line)
    assert "2.18" in mean
    assert "2 of 2 students: The bias gradient is averaged" in text
    assert "(bias-averaged)" in text
    assert "long/" * 20 + "gradebook.csv\n" in text, "a path stays in one piece"
    assert "* part of these points is still pending" in text
    assert "Must be graded again; run the same command once more:\n  ada: week1.relu\n" in text


def test_only_what_was_planned_and_not_recorded_is_to_be_run_once_more() -> None:
    lost = score_student(COURSE, "ada", PLAN, RESULTS[1:])
    text = shown([GradedReport(lost, "bubblewrap")])
    trouble = "Not graded yet; an earlier run was stopped, so run it once more:"
    assert f"{trouble}\n  ada: week1.linear\n" in text
    assert "Not graded yet" not in shown(class_of("ada"))


def test_eight_components_and_usual_ids_fit_into_80_columns() -> None:
    course = load(ROOT)
    first = course.model_copy(update={"phases": course.phases[:1]})
    score = score_student(first, "s0001-kaya-kim", [], [])
    text = shown([GradedReport(score, "bubblewrap")], 80)
    assert "H: Extra Credit\n" in text
    (row,) = (line for line in text.splitlines() if "s0001-kaya-kim" in line)
    assert row.split()[1:] == ["-"] * 9
    assert "- not graded yet\n" in text


def test_refused_submissions_are_named_with_their_reason() -> None:
    text = shown([*class_of("ada"), report([], "eve", refusals=("eve.zip is damaged.",))])
    assert "Not taken: 1\n  eve: eve.zip is damaged.\n" in text


LONG = "a-rather-long-identifier-of-a-student@university.example"


@pytest.mark.parametrize("width", [32, 48, 64, 80, 120, 200])
def test_every_width_shows_ids_and_totals_whole(width: int) -> None:
    text = shown(class_of("ada", LONG), width)
    lines = text[: text.index("* part of these")].splitlines()
    assert max(map(len, lines)) <= width
    assert len([line for line in lines if line.rstrip().endswith("*2.18")]) == 2
    assert LONG in "".join(line.strip().split("  ")[0] for line in lines)
    assert "\N{HORIZONTAL ELLIPSIS}" not in text


def test_components_have_letters_and_then_no_columns_where_room_is_short() -> None:
    first = next(part for part in COURSE.components if part.is_open)
    assert all(word in shown(class_of("ada"), 200) for word in first.title.split())
    assert f"A: {first.title}\n" in shown(class_of("ada"), 60)
    assert first.title not in shown(class_of("ada"), 36)


def test_a_pipe_gets_plain_text() -> None:
    assert "\x1b" not in shown(class_of("ada", "ben"))
    assert shown(class_of("ada"), encoding="ascii").isascii()


@pytest.mark.parametrize("terminal", [False, True])
def test_nothing_from_a_submission_reaches_the_terminal_raw(terminal: bool) -> None:
    results = [replace(result, message=HOSTILE, advice=HOSTILE) for result in RESULTS]
    hostile = report(results, HOSTILE, refusals=(HOSTILE,), notices=(HOSTILE,))
    text = shown([hostile], terminal=terminal)
    styles = re.compile(r"\x1b\[[\d;]*m")
    assert_printable(styles.sub("", text))
    assert "\x1b[2J" not in text


def test_markup_is_shown_and_not_obeyed() -> None:
    markup = "[red]bold[/red]"
    results = [replace(result, advice=result.advice and markup) for result in RESULTS]
    text = shown([report(results, markup, refusals=(markup,))], width=300)
    places = {"the table": 1, "what was not taken": 2, "what is pending": 1, "misconceptions": 1}
    assert text.count(markup) == sum(places.values())
