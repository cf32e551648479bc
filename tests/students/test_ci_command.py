"""`autograder ci` on a small course: what is run, what is written, where annotations stand."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml
from markdown_it import MarkdownIt

from autograder import course as courses
from autograder.course import Course, CourseError
from autograder.course.scoring import CheckScore
from autograder.grading.sealing import public_catalogue
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.reference.gaps import make_stub, render
from autograder.reference.stub_facts import stub_facts
from autograder.students.ci.command import CiError, needs, run
from autograder.students.ci.outcome import CiOutcome
from autograder.students.public_run import ItemState
from autograder.suite.session import SuiteError
from autograder.text.display import CI_COMMANDS

DOUBLE = "assignments/week2_small/double.py"
TRIPLE = "assignments/week3_small/triple.py"
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "course/ada", "GITHUB_SHA": "ab" * 20}
ORDER = re.compile(r"::(\w+) (?:file=([^,]+),line=(\d+),)?title=([^:]*)::(.*)")


@pytest.fixture(scope="module")
def pristine(small: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The students' tree of the small course: stubs, public suites, and what is known of them."""
    work = tmp_path_factory.mktemp("whole") / "course"
    shutil.copytree(small, work)
    tree = tmp_path_factory.mktemp("students") / "tree"
    for name in ("assignments/course.toml", "assignments/rubric.toml"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(work / name, tree / name)
    course = courses.load(work)
    for week in course.weeks[:2]:
        (module,) = week.modules
        here, target = (root / "assignments" / week.folder for root in (work, tree))
        shutil.copytree(here / "hidden", here / "tests")
        (here / "tests" / "test_suite.py").rename(here / "tests" / "test_public.py")
        shutil.copytree(here / "tests", target / "tests")
        source = (work / "solutions" / week.folder / module).read_text()
        (target / module).write_text(make_stub(source, module))
        (target / "README.md").write_text("The handout.\n")
        facts = public_catalogue(work, course, week) | stub_facts(work, course, week)
        (target / "tests" / "diagnosis.json").write_text(json.dumps(facts))
    week4 = tree / "assignments" / "week4_small" / "tests"
    week4.mkdir(parents=True)
    (week4 / "diagnosis.json").write_text('{"hidden_tests": 0, "wrong_answers": {}}')
    return tree


@pytest.fixture
def tree(pristine: Path, tmp_path: Path) -> Path:
    shutil.copytree(pristine, tmp_path / "tree")
    return tmp_path / "tree"


@pytest.fixture(scope="module")
def right(small: Path) -> str:
    """The solution of week 2, as a student writes it."""
    source = (small / "solutions/week2_small/double.py").read_text()
    return render(source, "double.py", lambda gap: False)


@dataclass
class Ran:
    """What a run gave: whether it passed, what it printed, and the folder with its files."""

    passed: bool
    printed: str
    out: Path

    @property
    def orders(self) -> list[tuple[str, str | None, int, str, str]]:
        """The workflow commands: level, file, line, title, message, as GitHub decodes them."""
        found = [line for line in self.printed.splitlines() if line.startswith("::")]
        matches = [ORDER.fullmatch(line) for line in found]
        assert all(matches), found
        return [(m[1], m[2], int(m[3] or 0), decoded(m[4]), decoded(m[5])) for m in matches if m]

    def order(self, title: str) -> tuple[str, str | None, int, str]:
        """The one command whose title begins so: level, file, line, message."""
        ((level, file, line, _, message),) = [
            one for one in self.orders if one[3].startswith(title)
        ]
        return level, file, line, message

    @property
    def results(self) -> dict[str, Any]:
        return json.loads((self.out / "results.json").read_text())

    @property
    def junit(self) -> JUnitXml:
        return JUnitXml.fromfile(str(self.out / "junit.xml"))

    @property
    def quality(self) -> list[dict[str, Any]]:
        return json.loads((self.out / "gl-code-quality-report.json").read_text())


def decoded(text: str) -> str:
    for code, char in (("%2C", ","), ("%3A", ":"), ("%0A", "\n"), ("%0D", "\r"), ("%25", "%")):
        text = text.replace(code, char)
    return text


Ci = Callable[..., Ran]


@pytest.fixture
def ci(tree: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ci:
    """Runs the command on the tree, with one module written anew."""

    def call(
        double: str | bytes | None = None,
        environment: Mapping[str, str] = GITHUB,
        weeks: tuple[str, ...] = (),
        threshold: float = 100,
    ) -> Ran:
        if double is not None:
            content = double.encode() if isinstance(double, str) else double
            (tree / DOUBLE).write_bytes(content)
        capsys.readouterr()
        out = tmp_path / "results"
        passed = run(tree, weeks=weeks, threshold=threshold, out=out, environment=environment)
        return Ran(passed, capsys.readouterr().out, out)

    return call


def line_of(text: str, part: str) -> int:
    (number,) = [n for n, line in enumerate(text.splitlines(), 1) if part in line]
    return number


def test_where_nothing_is_begun_there_is_nothing_to_fail(ci: Ci) -> None:
    done = ci()
    assert done.passed
    assert done.orders == []
    assert "Not begun: week 2, week 3, week 4." in done.printed
    assert "Nothing has been begun yet" in done.printed
    assert done.results["not_begun"] == ["week 2", "week 3", "week 4"]
    assert done.results["suite"] == "public"
    assert done.junit.tests == 0
    assert done.quality == []


def test_all_right_is_a_success_that_says_what_was_not_run(ci: Ci, right: str, tmp_path) -> None:
    summary = tmp_path / "summary.md"
    summary.write_text("What another step wrote.\n")
    done = ci(right, {**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)})
    assert done.passed
    text = summary.read_text()
    assert text.startswith("What another step wrote.\n# Public tests")
    assert "| `week2.double` | 12 / 12 | all public tests pass |" in text
    for said in (text, done.printed):
        assert "4 hidden tests were not run; not looked at here: week2.quality." in said
        assert "100 % of the points of the public tests; the threshold of 100 % is reached." in said
    notice = ("notice", "assignments/week2_small/README.md", 1)
    assert done.order("week 2")[:3] == notice
    assert done.order("week 2")[3].startswith("4 hidden tests were not run")
    assert "4 hidden tests were not run" in done.quality[0]["description"]
    results = done.results
    assert results["schema"] == "nnf/results/v1"
    assert results["hidden_tests_not_run"] == 4
    assert results["student"] == "course/ada"
    assert results["handed_in"][0]["commit"] == "ab" * 20
    assert results["public"] == {
        "points": 18.0,
        "max_points": 18.0,
        "percent": 100.0,
        "threshold": 100.0,
        "passed": True,
    }
    (suite,) = done.junit
    assert (suite.name, suite.tests, suite.failures, suite.skipped) == ("week2", 4, 0, 0)
    assert [(one.name, one.value) for one in suite.properties()] == [("hidden_tests_not_run", "4")]


def test_a_known_mistake_stands_at_its_function_with_its_advice(ci: Ci, right: str) -> None:
    source = "# a comment of mine\n" + right.replace("2.0 * x", "x * x")
    done = ci(source)
    level, file, line, message = done.order("week2.double")
    assert (level, file, line) == ("error", DOUBLE, line_of(source, "def double"))
    assert message.endswith("Probably: You square the numbers.")
    (entry,) = [one for one in done.quality if one["severity"] == "major"]
    assert entry["location"] == {"path": DOUBLE, "lines": {"begin": line}}
    assert done.junit.failures == 2


def test_an_unknown_mistake_stands_at_the_gap_that_its_test_is_about(ci: Ci, right: str) -> None:
    source = right.replace("calls += 1", "calls += 7")
    _, file, line, message = ci(source).order("week2.count")
    assert (file, line) == (DOUBLE, line_of(source, "def count"))
    assert "got 7" in message


def test_an_exception_stands_where_it_was_raised(ci: Ci, right: str) -> None:
    source = right.replace("return 2.0 * x", "return helper(x)") + (
        "\n\ndef helper(x):\n    y = x + 1\n    raise ValueError('50% of it, or: more')\n"
    )
    level, file, line, message = ci(source).order("week2.double")
    assert (level, file, line) == ("error", DOUBLE, line_of(source, "raise ValueError"))
    assert "ValueError: 50% of it, or: more" in message


def test_what_is_no_python_stands_at_its_line(ci: Ci, right: str) -> None:
    source = right.replace("return 2.0 * x", "return 2.0 * * x")
    done = ci(source)
    _, file, line, message = done.order("week2.double")
    assert (file, line) == (DOUBLE, line_of(source, "2.0 * * x"))
    assert "SyntaxError" in message
    assert not done.passed


@pytest.mark.parametrize("content", [b"\xff\xfe\x00x = 1\n", b"x = '\x00'\n", b"def f(:\n", b"("])
def test_a_module_that_cannot_be_read_fails_and_is_shown(ci: Ci, content: bytes) -> None:
    done = ci(content)
    assert not done.passed
    errors = [one for one in done.orders if one[0] == "error"]
    assert errors
    assert {file for _, file, _, _, _ in errors} == {DOUBLE}
    assert done.results["public"]["points"] == 0


def test_what_is_not_attempted_stands_at_its_gap(ci: Ci, tree: Path, small: Path) -> None:
    source = (small / "solutions/week2_small/double.py").read_text()
    half = render(source, "double.py", lambda gap: gap.task == "week2.count")
    done = ci(half, threshold=60)
    level, file, line, _ = done.order("week2.count: not attempted")
    assert (level, file, line) == ("notice", DOUBLE, line_of(half, "raise NotImplementedError"))
    assert done.passed, "12 of 18 points are 67 %"
    assert not ci(threshold=67).passed
    assert ci(threshold=0).passed
    assert done.junit.skipped == 2


def test_a_file_that_is_missing_is_said_without_a_place(ci: Ci, tree: Path) -> None:
    (tree / DOUBLE).unlink()
    assert ci().passed, "without any file the week is not begun"
    done = ci(weeks=("2",))
    level, file, _, message = done.order("week2.double")
    assert (level, file) == ("notice", None)
    assert "There is no double.py" in message
    assert not done.passed


def test_weeks_can_be_chosen(ci: Ci, right: str) -> None:
    assert [suite.name for suite in ci(right, weeks=("3",)).junit] == ["week3"]
    assert [suite.name for suite in ci(right, weeks=("3", "2")).junit] == ["week2", "week3"]
    with pytest.raises(CourseError, match="9"):
        ci(weeks=("9",))


def test_a_course_below_the_repositorys_top_has_paths_from_there(ci: Ci, right: str, tree) -> None:
    source = right.replace("2.0 * x", "x * x")
    for name in ("GITHUB_WORKSPACE", "CI_PROJECT_DIR"):
        done = ci(source, {"GITHUB_ACTIONS": "true", name: str(tree.parent)})
        assert done.order("week2.double")[1] == f"tree/{DOUBLE}"
        assert f"tree/{DOUBLE}" in {one["location"]["path"] for one in done.quality}


def test_outside_github_there_are_no_orders(ci: Ci, right: str) -> None:
    done = ci(right.replace("2.0 * x", "x * x"), {"GITLAB_CI": "true", "CI_PROJECT_PATH": "g/ada"})
    assert done.orders == []
    assert "::" not in done.printed
    assert "You square the numbers." in done.printed
    assert done.results["student"] == "g/ada"
    for entry in done.quality:
        assert entry.keys() == {
            *("description", "check_name", "fingerprint", "severity", "location"),
        }
        assert entry["severity"] in ("info", "minor", "major", "critical", "blocker")
    prints = [entry["fingerprint"] for entry in done.quality]
    assert len(set(prints)) == len(prints)
    moved = ci("\n\n\n" + right.replace("2.0 * x", "x * x"))
    assert [entry["fingerprint"] for entry in moved.quality] == prints


INJECTIONS = [
    "x\n::set-output name=grade::100",
    "::stop-commands::owned",
    "a\r::error file=x.py,line=1::owned\r\n##[error]owned",
    "100%0A::warning::owned %25 %3A",
    "title=x,file=/etc/passwd::owned",
    "| a | b |\n|---|---|\n```\n# You passed\n<b>x</b>\n````\n~~~",
    "]]><testcase name='owned'/><!-- &amp; ",
    "\x1b[2J\x1b]0;owned\x07 \u202egnp \x00 \ud800",
    "[here](javascript:alert(1)) <img src=x onerror=alert(1)>",
]


def structure(markdown: str) -> list[tuple[str, str]]:
    tokens = MarkdownIt("js-default").enable("table").parse(markdown)
    inner = [child for token in tokens for child in token.children or ()]
    return [(token.type, token.tag) for token in (*tokens, *inner) if token.type != "text"]


@pytest.mark.parametrize("text", INJECTIONS)
def test_nothing_that_student_code_says_is_an_order(
    ci: Ci, right: str, text: str, tmp_path: Path
) -> None:
    """In the exception's text and type, in what is printed, and in a name."""

    def source(said: str) -> str:
        lines = (
            f"print({said!a}.encode('utf-8', 'replace').decode())",
            f"raise type({said!a}.replace(chr(0), ''), (ValueError,), {{}})({said!a})",
        )
        return right.replace("return 2.0 * x", "\n    ".join(lines))

    summary = tmp_path / "summary.md"
    environment = {**GITHUB, "GITHUB_STEP_SUMMARY": str(summary)}
    harmless = ci(source("a\nb"), environment)
    plain = summary.read_text()
    summary.unlink()
    done = ci(source(text), environment)
    places = [(level, file, line, title) for level, file, line, title, _ in done.orders]
    assert places == [one[:4] for one in harmless.orders]
    for line in done.printed.splitlines():
        assert line.isprintable()
        assert line.startswith("::") or not CI_COMMANDS.search(line)
    assert all("\n" not in one[3] for one in done.orders)
    assert structure(summary.read_text()) == structure(plain)
    kinds = [[type(one) for one in case.result] for case in next(iter(done.junit))]
    assert kinds == [[type(one) for one in case.result] for case in next(iter(harmless.junit))]
    assert [item["points"] for item in done.results["items"]] == [
        item["points"] for item in harmless.results["items"]
    ]
    assert len(done.quality) == len(harmless.quality)


def test_what_cannot_be_written_is_an_error(ci: Ci, right: str, tmp_path: Path) -> None:
    (tmp_path / "results").write_text("a file")
    with pytest.raises(CiError, match="can't be written"):
        ci(right)
    (tmp_path / "results").unlink()
    with pytest.raises(CiError, match=r"nowhere.* can't be written"):
        ci(right, {**GITHUB, "GITHUB_STEP_SUMMARY": str(tmp_path / "nowhere" / "x")})


@pytest.mark.parametrize("content", ["", "[]", '{"hidden_tests": 4}', "\xff"])
def test_a_damaged_file_of_the_course_is_named(ci: Ci, tree: Path, content: str) -> None:
    path = tree / "assignments/week2_small/tests/diagnosis.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SuiteError, match=r"diagnosis\.json is damaged"):
        ci()


def test_a_suite_that_was_deleted_is_an_error(ci: Ci, tree: Path, right: str) -> None:
    (tree / "assignments/week2_small/tests/test_public.py").unlink()
    with pytest.raises(SuiteError):
        ci(right)


def test_what_has_to_be_installed(tree: Path, right: str) -> None:
    course = (tree / "assignments/course.toml").read_text()
    before = course.replace(
        'folder = "week2_small"', 'folder = "week2_small"\npackages = ["no-such"]'
    )
    (tree / "assignments/course.toml").write_text(before)
    assert needs(tree) == "core"
    (tree / DOUBLE).write_text(right)
    assert needs(tree) == "torch"
    with pytest.raises(CiError, match="week 2 needs no-such, which is not installed here"):
        run(tree, out=tree / "out", environment={})


# Points and the threshold, without running anything.


def state(course: Course, verdicts: list[Verdict], extra: bool = False) -> ItemState:
    """An item worth a point for each check; those that pass give theirs."""
    item = replace_item(course, 100 * len(verdicts))
    checks = tuple(
        CheckScore(
            PlannedCheck(f"c{n}", item.id, "t"),
            CheckResult(f"c{n}", verdict, FULL_CREDIT * (verdict is Verdict.PASS)),
        )
        for n, verdict in enumerate(verdicts)
    )
    return ItemState(item, 100 * verdicts.count(Verdict.PASS), checks, extra)


def replace_item(course: Course, points: int) -> Any:
    return course.items()[0].model_copy(update={"points": points})


@pytest.mark.parametrize(
    ("verdicts", "threshold", "passed"),
    [
        ("ppp", 100, True),
        ("ppw", 100, False),
        ("ppw", 66.6, True),
        ("ppw", 66.7, False),
        ("www", 0, True),
        ("", 100, True),
    ],
)
def test_the_threshold_is_reached_or_not(
    small: Path, verdicts: str, threshold: float, passed: bool
) -> None:
    found = found_of(
        small, threshold, [[{"p": Verdict.PASS, "w": Verdict.WRONG}[v] for v in verdicts]]
    )
    assert found.passed is passed


def found_of(small: Path, threshold: float, items: list[list[Verdict]], extra: bool = False) -> Any:
    course = courses.load(small)
    states = [
        state(course, verdicts, extra and n > 0) for n, verdicts in enumerate(items) if verdicts
    ]

    class Found(CiOutcome):
        @property
        def _items(self) -> list[ItemState]:
            return states

    return Found(course, (), (), threshold)


def test_extra_credit_is_not_asked_for(small: Path) -> None:
    found = found_of(small, 100, [[Verdict.PASS], [Verdict.WRONG]], extra=True)
    assert found.points == (100, 100)
    assert found.passed


def test_our_own_faults_count_nowhere(small: Path) -> None:
    found = found_of(small, 100, [[Verdict.PASS], [Verdict.PASS, Verdict.INFRA]])
    assert found.points == (100, 100)
    assert found.our_fault
    assert found.passed
    assert replace(found, threshold=50).passed
