"""Code quality counts for modules that work: what ruff finds, and what is documented."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from autograder.channel.faults import InfraError
from autograder.grading import quality as module
from autograder.grading.quality import Quality, lint
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.text.quality import FINDINGS_TO_ZERO, FREE_FINDINGS, documentation
from autograder.text.syntax import syntax_tree

ROOT = Path(__file__).resolve().parents[2]
QUALITY = Quality("q", {"a.py": ["one", "two"], "b.py": ["three"]})
PLAN = [
    *(PlannedCheck(f"one::{n}", "one", "t") for n in range(5)),
    *(PlannedCheck(f"two::{n}", "two", "t") for n in range(3)),
    *(PlannedCheck(f"three::{n}", "three", "t") for n in range(4)),
]
GOOD = b'"""A module."""\n\n\ndef f(x):\n    """Return it."""\n    return x\n'


def results(*passing: str, verdict: Verdict = Verdict.WRONG) -> list[CheckResult]:
    """Return a record for each planned check: those named passed, the others ended so."""
    return [
        CheckResult(check.id, Verdict.PASS, FULL_CREDIT)
        if check.id in passing
        else CheckResult(check.id, verdict)
        for check in PLAN
    ]


ALL = results(*(check.id for check in PLAN))


def measure(files: dict[str, bytes], measured: list[CheckResult] = ALL) -> dict[str, CheckResult]:
    given = QUALITY.measure({"b.py": GOOD, **files}, PLAN, measured)
    assert [result.check for result in given] == ["quality::a.py", "quality::b.py"]
    return {result.check.removeprefix("quality::"): result for result in given}


def of(source: str | bytes) -> CheckResult:
    """Measure a.py, all of whose checks pass."""
    return measure({"a.py": source if isinstance(source, bytes) else source.encode()})["a.py"]


# What counts


def test_the_plan_has_one_check_for_each_module():
    assert [(check.id, check.item, check.title) for check in QUALITY.plan] == [
        ("quality::a.py", "q", "a.py is clean and documented"),
        ("quality::b.py", "q", "b.py is clean and documented"),
    ]


def test_clean_documented_code_gets_everything_and_no_words():
    assert of(GOOD) == CheckResult("quality::a.py", Verdict.PASS, FULL_CREDIT)


@pytest.mark.parametrize("findings", [0, FREE_FINDINGS, FREE_FINDINGS + 1, 7, FINDINGS_TO_ZERO, 30])
def test_findings_cost_up_to_half(findings):
    source = GOOD.decode() + "".join(f"\n\n_x{n} = 1;\n" for n in range(findings))
    result = of(source)
    over = max(0, min(findings, FINDINGS_TO_ZERO) - FREE_FINDINGS)
    lost = 0.5 * over / (FINDINGS_TO_ZERO - FREE_FINDINGS)
    assert result.credit == round(FULL_CREDIT * (1 - lost))
    assert result.verdict is (Verdict.PASS if over == 0 else Verdict.WRONG)
    assert result.message.startswith(
        f"ruff: {findings} finding(s): line 9: E703" if findings else ""
    )


@pytest.mark.parametrize(
    ("names", "documented", "credit"), [(1, 0, 7500), (3, 1, 8333), (9, 9, 10_000), (9, 8, 10_000)]
)
def test_missing_docstrings_cost_up_to_half(names, documented, credit):
    """The module has one; DOCUMENTED_FOR_FULL of all is enough."""
    text = '"""It."""'
    defined = (f"def f{n}():\n    {text if n < documented else 'pass'}\n" for n in range(names))
    result = of('"""A module."""\n\n\n' + "\n\n".join(defined))
    share = (1 + documented) / (1 + names)
    assert result.credit == round(FULL_CREDIT * (0.5 + 0.5 * min(1.0, share / 0.9)))
    assert abs(result.credit - credit) < 700
    assert ("Without a docstring" in result.message) == (documented < names)


def test_nothing_documented_and_many_findings_is_nothing():
    result = of("import os, sys, re\n" + "x=1;\n" * 20)
    assert (result.verdict, result.credit) == ("wrong", 0)
    assert "Without a docstring: the module." in result.message
    assert len(result.message) < 900


@pytest.mark.parametrize(
    ("source", "share", "missing"),
    [
        ('"""M."""', 1.0, []),
        ("", 0.0, ["the module"]),
        ('"""M."""\ndef f(): pass', 0.5, ["f"]),
        ('"""M."""\ndef _f(): pass\nclass _C:\n    def m(self): pass', 1.0, []),
        ('"""M."""\nclass C:\n    """C."""\n    def m(self): pass', 2 / 3, ["C.m"]),
        ('"""M."""\nclass C:\n    """C."""\n    def __init__(self): pass', 1.0, []),
        ('"""M."""\ndef f():\n    def inner(): pass\n    """not the first"""', 0.5, ["f"]),
        ('"""M."""\nx = lambda: 1', 1.0, []),
    ],
)
def test_what_needs_a_docstring(source, share, missing):
    tree = syntax_tree(source.encode())
    assert tree is not None
    assert documentation(tree) == (pytest.approx(share), missing)


# What must work first


@pytest.mark.parametrize(
    ("passing", "blocked"),
    [
        ([], True),
        (["one::0"], True),
        (["one::0", "two::0"], False),
        (["three::0", "three::1", "three::2"], True),
    ],
)
def test_it_counts_once_a_fifth_of_the_modules_checks_pass(passing, blocked):
    result = measure({"a.py": GOOD}, results(*passing))["a.py"]
    assert result.verdict is (Verdict.BLOCKED if blocked else Verdict.PASS)
    assert result.credit == (0 if blocked else FULL_CREDIT)


@pytest.mark.parametrize("verdict", [v for v in Verdict if v is not Verdict.PASS])
def test_only_passes_count_as_working(verdict):
    assert measure({"a.py": GOOD}, results(verdict=verdict))["a.py"].verdict is Verdict.BLOCKED


def test_partial_credit_is_not_working():
    half = [CheckResult(check.id, Verdict.WRONG, 5000) for check in PLAN]
    assert measure({"a.py": GOOD}, half)["a.py"].verdict is Verdict.BLOCKED


def test_a_missing_module_is_not_attempted():
    result = measure({})["a.py"]
    assert (result.verdict, result.message) == ("not-attempted", "There is no a.py.")


# What can't be read, and what tries to get around it

UNREADABLE = {
    "a syntax error": b"def f(:\n",
    "a null byte": b"x = 1\x00",
    "no UTF-8": b"x = '\xff'\n",
    "an unknown encoding": b"# coding: nonsense\nx = 1\n",
    "nesting that overflows a parser": b"x = " + b"-" * 100_000 + b"1\n",
    "a sum that overflows a visitor": b"x = " + b"+".join([b"a"] * 100_000) + b"\n",
    "brackets": b"(" * 5000 + b")" * 5000,
}


@pytest.mark.parametrize("source", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_python_cannot_read_is_wrong_and_harms_no_other_file(source):
    given = measure({"a.py": source})
    assert (given["a.py"].verdict, given["a.py"].credit) == ("wrong", 0)
    assert given["a.py"].message == "a.py is not valid Python."
    assert given["b.py"].verdict is Verdict.PASS


SILENCED = {
    "noqa": "import os  # noqa\nimport sys  # noqa: F401\n",
    "a file's noqa": "# ruff: noqa\n# flake8: noqa\nimport os\nimport sys\n",
    "ruff: disable": "# ruff: disable[F401]\nimport os\nimport sys\n# ruff: enable[F401]\n",
}


@pytest.mark.parametrize("source", SILENCED.values(), ids=SILENCED.keys())
def test_comments_silence_nothing(source):
    [found] = lint({"a.py": b'"""M."""\n' + source.encode()}).values()
    assert [re.sub(r"line \d+: (\w+) .*", r"\1", text) for text in found] == ["F401", "F401"]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ruff.toml", "lint.select = []\nexclude = ['*.py']\n"),
        (".ruff.toml", "lint.ignore = ['ALL']\n"),
        ("pyproject.toml", "[tool.ruff.lint]\nselect = []\n"),
    ],
)
def test_configuration_has_no_effect(name, text, tmp_path, monkeypatch):
    (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    assert len(lint({"a.py": b"import os\n", name: text.encode()})["a.py"]) == 1


def test_lines_may_have_100_characters():
    line = b'"""M."""\nx = "' + b"y" * 94
    assert lint({"a.py": line + b'"\n'})["a.py"] == []
    [found] = lint({"a.py": line + b'y"\n'})["a.py"]
    assert found.startswith("line 2: E501")


def test_findings_are_one_clean_line_each():
    found = lint({"a.py": "import \u202ex\x1b\n".encode()})["a.py"]
    assert found
    assert not any("\x1b" in text or "\u202e" in text or "\n" in text for text in found)


def test_a_latex_docstring_is_nobodys_business(recwarn):
    source = b'"""The slope is \\sigma(x) (1 - \\sigma(x))."""\n'
    assert syntax_tree(source) is not None
    assert of(source).verdict is Verdict.PASS
    assert not recwarn.list


def test_nothing_to_look_at_starts_nothing(monkeypatch):
    monkeypatch.setattr(subprocess, "run", lambda *args, **kwargs: pytest.fail("ruff was started"))
    assert lint({}) == {}
    assert measure({"a.py": GOOD}, results())["b.py"].verdict is Verdict.BLOCKED


# Our own faults


def test_a_ruff_that_fails_is_our_fault(monkeypatch):
    monkeypatch.setattr("autograder.text.quality._ruff", lambda: ["/bin/false"])
    with pytest.raises(InfraError, match="ruff failed"):
        lint({"a.py": GOOD})


def test_a_ruff_that_is_not_there_is_our_fault(monkeypatch):
    monkeypatch.setattr("autograder.text.quality._ruff", lambda: ["/no/such/program"])
    with pytest.raises(InfraError, match="could not be run"):
        lint({"a.py": GOOD})


def test_a_ruff_that_does_not_end_costs_the_lint_half(monkeypatch):
    monkeypatch.setattr(module, "RUFF_TIMEOUT_SECONDS", 0.0)
    assert lint({"a.py": GOOD})["a.py"] == ["ruff did not come to an end"] * FINDINGS_TO_ZERO


# The course's own files


def test_the_reference_of_week_1_gets_everything_and_its_stubs_nothing():
    names = ("neural_net.py", "losses.py", "gradient_check.py", "mnist_mlp.py")
    quality = Quality("q", {name: [name] for name in names})
    plan = [PlannedCheck(f"{name}::{n}", name, "t") for name in names for n in range(4)]
    for folder, verdict, credit in (("solutions", "pass", 4), ("assignments", "not-attempted", 0)):
        files = {name: (ROOT / folder / "week1_backprop" / name).read_bytes() for name in names}
        done = [CheckResult(check.id, Verdict(verdict)) for check in plan]
        given = quality.measure(files, plan, done)
        assert sum(result.credit for result in given) == credit * FULL_CREDIT, folder


# Homes


def test_a_missing_module_is_judged_where_its_names_stand():
    quality = Quality("q", {"a.py": ["one", "two"], "b.py": ["three"]}, {"b.py": ["c.py", "a.py"]})
    bare = b"def f(x):\n    return x\n"
    given = {result.check: result for result in quality.measure({"a.py": bare}, PLAN, ALL)}
    assert given["quality::b.py"].credit == given["quality::a.py"].credit < FULL_CREDIT
    both = quality.measure({"a.py": bare, "b.py": GOOD}, PLAN, ALL)
    assert [result.credit == FULL_CREDIT for result in both] == [False, True]
    none = quality.measure({}, PLAN, ALL)
    assert [result.message for result in none] == ["There is no a.py.", "There is no b.py."]


def test_a_home_counts_for_a_module_only_if_what_that_asks_for_works():
    quality = Quality("q", {"a.py": ["one", "two"], "b.py": ["three"]}, {"b.py": ["a.py"]})
    some = results(*(check.id for check in PLAN if check.item != "three"))
    given = quality.measure({"a.py": GOOD}, PLAN, some)
    assert [result.verdict for result in given] == [Verdict.PASS, Verdict.BLOCKED]


def test_setters_and_overrides_need_no_docstring_of_their_own():
    source = '''"""A module."""


class Base:
    """A base."""

    def step(self):
        """Go on."""


class Part(Base):
    """A part."""

    @property
    def W(self):
        """The weights."""

    @W.setter
    def W(self, value):
        self.held = value

    def step(self):
        return 1

    def other(self):
        return 2
'''
    tree = syntax_tree(source.encode())
    assert tree is not None
    assert documentation(tree)[1] == ["Part.other"]


def test_a_function_made_in_a_loop_is_no_finding():
    source = GOOD + (
        b'\n\ndef g(xs):\n    """Return them."""\n    for x in xs:\n'
        b"        f(lambda: x)\n    return list(zip(xs, xs))\n"
    )
    assert lint({"a.py": source})["a.py"] == []


def test_a_star_import_is_a_finding_only_where_it_is_of_no_file_of_the_submissions_own():
    source = b"from helpers import *\nfrom .more import *\n%s\nprint(one, two, three, four)\n"
    others = {"helpers.py": b"one = 1\n", "more.py": b"two = 2\n"}
    assert lint({"a.py": source % b"", **others})["a.py"] == []
    [finding] = lint({"a.py": source % b"from math import *", **others})["a.py"]
    assert finding.startswith("line 3: F403 `from math import *` used")


def test_helper_modules_count_with_the_module_that_imports_them():
    source = b'"""A."""\n\nimport helper\n\nx = helper.y\n'
    helper = b"import os\ny = 2\ndef public():\n    l = 1; l = 2; return 4\n"
    files = {"a.py": source, "b.py": b'"""B."""\n', "helper.py": helper, "idle.py": helper}
    found = measure(files)
    assert found["b.py"].credit == FULL_CREDIT
    assert found["a.py"].credit < FULL_CREDIT
    assert "helper.py, line 1" in found["a.py"].message
    assert "idle.py" not in found["a.py"].message
    broken = measure(files | {"helper.py": b"x = (\n"})
    assert "helper.py is not valid Python" in broken["a.py"].message


def test_a_module_that_is_asked_for_itself_is_no_helper_of_another():
    """One beyond the texts has no check of its own, and costs nothing anywhere else."""
    source = b'"""A."""\n\nimport beyond\n\nx = beyond.y\n'
    files = {"a.py": source, "beyond.py": b"x = (\n"}
    for modules, verdict in ((("a.py", "beyond.py"), Verdict.PASS), ((), Verdict.WRONG)):
        quality = Quality("q", {"a.py": ["one"]}, modules=modules)
        [result] = quality.measure(files, PLAN, ALL)
        assert result.verdict is verdict
