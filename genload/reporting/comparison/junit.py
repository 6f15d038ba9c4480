"""``compare-junit.xml``: one testsuite a scenario, one testcase a judged metric.

A regression is a failure; what could not be told is an error, because the build must not be green.
"""

from __future__ import annotations

from xml.etree import ElementTree as ET

from genload.analysis.comparison import ComparedSuite, Comparison, MetricShift
from genload.plain import plain
from genload.reporting.comparison.wording import VERDICTS, rehearsal_note, signed
from genload.reporting.junit_xml import count, document, legal, outcome

_TAGS = {"regression": "failure", "inconclusive": "error", "descriptive": "error"}


def junit(suite: ComparedSuite) -> str:
    """The file."""
    root = ET.Element("testsuites", name="comparison")
    for comparison in suite.scenarios:
        root.append(_testsuite(comparison))
    if suite.uncompared:
        root.append(_uncompared(suite))
    count(root, list(root.iter("testcase")))
    return document(root)


def _testsuite(comparison: Comparison) -> ET.Element:
    name = legal(f"{comparison.suite}.{comparison.scenario}")
    element = ET.Element("testsuite", name=name)
    properties = {"verdict": VERDICTS[comparison.verdict]}
    if note := rehearsal_note(comparison):
        properties = {"rehearsal": note, **properties}
    properties |= {f"differs.{each.what}": each.text for each in comparison.differences}
    holder = ET.SubElement(element, "properties")
    for key, value in properties.items():
        ET.SubElement(holder, "property", name=legal(plain(key)), value=legal(plain(value)))
    for metric in comparison.judged:
        element.append(_testcase(metric, name))
    if not comparison.judged:
        case = ET.SubElement(element, "testcase", name="metrics", classname=name, time="0")
        outcome(case, "error", "nothing judged", comparison.summary, "")
    count(element, element.findall("testcase"))
    if comparison.notices:
        ET.SubElement(element, "system-out").text = legal("\n".join(map(plain, comparison.notices)))
    return element


def _testcase(metric: MetricShift, classname: str) -> ET.Element:
    case = ET.Element("testcase", name=legal(plain(metric.metric)), classname=classname, time="0")
    if metric.result in _TAGS:
        moved = "" if metric.shift is None else f"{signed(metric.shift.value, metric)}: "
        outcome(case, _TAGS[metric.result], str(metric.result), f"{moved}{metric.reason}", "")
    return case


def _uncompared(suite: ComparedSuite) -> ET.Element:
    element = ET.Element("testsuite", name="uncompared")
    for each in suite.uncompared:
        case = ET.SubElement(element, "testcase", name=legal(plain(each.scenario)), classname="uncompared")
        outcome(case, "error", "not compared", f"only {each.side} has it", "")
    count(element, element.findall("testcase"))
    return element
