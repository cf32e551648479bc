"""JUnit XML, read back by a library that CI tools use: verdicts, times, names, and hostile text."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from junitparser import Error, Failure, JUnitXml, Skipped

from autograder.course import load
from autograder.course.scoring import score_student
from autograder.records import FULL_CREDIT, CheckResult, PlannedCheck, Verdict
from autograder.results.junit import junit_xml
from autograder.results.student import StudentReport
from autograder.text.display import CI_COMMANDS
from tests.text.test_report_injection import PAYLOADS

COURSE = load(Path(__file__).resolve().parents[2])
KINDS = {
    Verdict.PASS: None,
    Verdict.WRONG: Failure,
    Verdict.RAISED: Error,
    Verdict.TIMEOUT: Error,
    Verdict.MEMORY: Error,
    Verdict.CRASH: Error,
    Verdict.OUTPUT: Error,
    Verdict.VIOLATION: Error,
    Verdict.NOT_ATTEMPTED: Skipped,
    Verdict.BLOCKED: Skipped,
    Verdict.INFRA: Skipped,
}
PLAN = [
    PlannedCheck(f"week1/t::test_a[{verdict}]", "week1.linear", f"Case {number}")
    for number, verdict in enumerate(KINDS)
]
RESULTS = [
    CheckResult(check.id, verdict, FULL_CREDIT * (verdict is Verdict.PASS), f"said {verdict}", 0.25)
    for check, verdict in zip(PLAN, KINDS, strict=True)
]


def report(plan: list[PlannedCheck], results: list[CheckResult]) -> StudentReport:
    return StudentReport(score_student(COURSE, "ada", plan, results), "bubblewrap")


def read(plan: list[PlannedCheck], results: list[CheckResult]) -> JUnitXml:
    return JUnitXml.fromstring(junit_xml(report(plan, results)))


def test_each_verdict_is_what_ci_systems_take_it_for() -> None:
    xml = read(PLAN, RESULTS)
    (suite,) = xml
    assert suite.name == "week1"
    for case, (verdict, kind) in zip(suite, KINDS.items(), strict=True):
        assert case.classname == "week1.linear"
        assert case.time is None, "a time of a hidden test tells inputs"
        assert [type(one) for one in case.result] == ([kind] if kind else [])
        if kind in (Failure, Error):
            assert case.result[0].type == str(verdict)
            assert f"said {verdict}" in case.result[0].text
    counts = (xml.tests, xml.failures, xml.errors, xml.skipped)
    assert counts == (len(KINDS), 1, 6, 3)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == counts
    assert "time" not in xml._elem.attrib | suite._elem.attrib


def test_our_own_fault_is_nobody_elses_and_is_not_told_in_detail() -> None:
    text = junit_xml(report(PLAN[-1:], [replace(RESULTS[-1], check=PLAN[-1].id)])).decode()
    assert "this is our fault" in text
    assert "said infra" not in text


def test_a_check_without_a_record_is_skipped() -> None:
    ((case,),) = read(PLAN[:1], [])
    assert isinstance(case.result[0], Skipped)
    assert "not graded yet" in case.result[0].message


def test_what_is_known_of_a_failure_is_told() -> None:
    result = replace(RESULTS[1], credit=2_500, misconception="x", advice="You average.")
    ((case,),) = read([PLAN[1]], [result])
    assert "This gives 25 % of the check's points." in case.result[0].text
    assert "What probably happened: You average." in case.result[0].text


def test_cases_of_one_title_have_names_of_their_own() -> None:
    plan = [replace(check, title="The same") for check in PLAN]
    (suite,) = read(plan, RESULTS)
    names = Counter((case.classname, case.name) for case in suite)
    assert set(names.values()) == {1}
    assert ("week1.linear", "The same (test_a[wrong])") in names


def test_weeks_are_suites_and_say_what_was_not_run() -> None:
    plan = [PLAN[0], PlannedCheck("week2/t::test_b", "week2.matmul", "Case")]
    raw = junit_xml(report(plan, [RESULTS[0]]), {"week1": 144, "week2": 60}).decode()
    xml = JUnitXml.fromstring(raw.encode())
    assert [suite.name for suite in xml] == ["week1", "week2"]
    for suite, count in zip(xml, (144, 60), strict=True):
        assert [(p.name, p.value) for p in suite.properties()] == [
            ("hidden_tests_not_run", str(count))
        ]
        assert f"<system-out>{count} hidden tests were not run.</system-out>" in raw


CONTROLS = ("]]>", "\x00\x1b[31m\ufffe\ud800", "a\r\n")


@pytest.mark.parametrize("payload", [*PAYLOADS.values(), *CONTROLS])
def test_nothing_that_is_quoted_changes_the_file(payload: str) -> None:
    hostile = [replace(one, message=payload, advice=payload) for one in RESULTS]
    titles = [replace(check, title=payload[:200]) for check in PLAN]
    raw = junit_xml(report(titles, hostile)).decode("utf-8")
    (suite,), (harmless,) = JUnitXml.fromstring(raw.encode()), read(PLAN, RESULTS)
    shape = [[type(one) for one in case.result] for case in suite]
    assert shape == [[type(one) for one in case.result] for case in harmless]
    assert all(char.isprintable() or char == "\n" for char in raw)
    assert not re.search(CI_COMMANDS, raw)
