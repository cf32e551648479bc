"""One student's checks as JUnit XML, the format from which CI systems show test results.

A test suite is a week, a test case a check; its class is the item. A wrong answer is a failure;
code that raised, hung or exceeded a limit is an error; a check that was not attempted, is blocked,
or failed by a fault of the grader is skipped. Text from student code is escaped.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from autograder.course.scoring import CheckScore
from autograder.records import FULL_CREDIT, CheckResult, Verdict
from autograder.results.student import VERDICT_WORDS, StudentReport
from autograder.text.display import many_lines, one_line

SKIPPED = (Verdict.NOT_ATTEMPTED, Verdict.BLOCKED, Verdict.INFRA)
NAME = "Neural Network Foundations"


def junit_xml(report: StudentReport, not_run: Mapping[str, int] | None = None) -> bytes:
    """Return the checks of a student's report as a JUnit file, in UTF-8.

    `not_run` says, by the ids of weeks, how many hidden tests were not run: each becomes a property
    of its week's suite, and a line of its output. No times: those of hidden tests tell inputs.
    """
    weeks: dict[str, list[tuple[str, CheckScore]]] = defaultdict(list)
    for week in not_run or ():
        weeks[week] = []
    for item in report.score.items:
        for check in item.checks:
            weeks[check.planned.id.partition("/")[0]].append((item.id, check))
    root = ET.Element("testsuites", name=NAME)
    for week, checks in sorted(weeks.items()):
        root.append(_suite(week, checks, (not_run or {}).get(week)))
    _count(root, [check for checks in weeks.values() for _, check in checks])
    ET.indent(root)
    return ET.tostring(root, "utf-8", xml_declaration=True) + b"\n"


def _suite(week: str, checks: Sequence[tuple[str, CheckScore]], not_run: int | None) -> ET.Element:
    suite = ET.Element("testsuite", name=week)
    _count(suite, [check for _, check in checks])
    if not_run is not None:
        properties = ET.SubElement(suite, "properties")
        ET.SubElement(properties, "property", name="hidden_tests_not_run", value=str(not_run))
    titles = Counter((item, check.planned.title) for item, check in checks)
    for item, check in checks:
        # Programs identify cases by class and name, but parametrized tests share a title.
        name = one_line(check.planned.title)
        if titles[item, check.planned.title] > 1:
            name += f" ({one_line(check.planned.id.rpartition('::')[2])})"
        suite.append(_case(item, name, check.result))
    if not_run is not None:
        ET.SubElement(suite, "system-out").text = f"{not_run} hidden tests were not run."
    return suite


def _case(item: str, name: str, result: CheckResult | None) -> ET.Element:
    case = ET.Element("testcase", classname=item, name=name)
    kind = _kind(result)
    if kind:
        verdict = result.verdict if result else None
        words = VERDICT_WORDS[verdict]
        outcome = ET.SubElement(case, kind)
        if kind != "skipped":
            outcome.set("type", str(verdict))
        outcome.set("message", one_line(f"{words}: {_said(result)}".rstrip(": ")))
        outcome.text = _text(result)
    return case


def _kind(result: CheckResult | None) -> str:
    """Return the XML element for a check's verdict; none for a pass."""
    if result is None or result.verdict in SKIPPED:
        return "skipped"
    if result.verdict is Verdict.PASS:
        return ""
    return "failure" if result.verdict is Verdict.WRONG else "error"


def _said(result: CheckResult | None) -> str:
    """Return the first line of the student's message; the grader's own faults are left out."""
    if result is None or result.verdict is Verdict.INFRA:
        return ""
    return result.message.partition("\n")[0]


def _text(result: CheckResult | None) -> str | None:
    if result is None or result.verdict is Verdict.INFRA:
        return None
    parts = [many_lines(result.message)]
    if result.credit:
        parts.append(f"This gives {100 * result.credit / FULL_CREDIT:.3g} % of the check's points.")
    if result.advice:
        parts.append(f"What probably happened: {many_lines(result.advice)}")
    return "\n".join(filter(None, parts)) or None


def _count(element: ET.Element, checks: Sequence[CheckScore]) -> None:
    kinds = Counter(_kind(check.result) for check in checks)
    element.set("tests", str(len(checks)))
    for name, kind in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(name, str(kinds[kind]))
