"""``junit.xml``: one testsuite a scenario, one testcase a criterion, for the viewers of CI systems.

A `must` that failed is a failure; one that is inconclusive (or unproven where only proof counts) an error,
because the build must not be green; what is reported only is skipped when it does not hold. A comparison
with a baseline is the testcase "no regression since …": a failure, or an error where it cannot be told. An
invalid or interrupted run adds the testcase "measurement", an error, in front of its criteria, and one of
which nothing must hold the testcase "criteria". What is to be known besides (the run's notices) is the
testsuite's output.
"""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from genload.analysis.judged import Change, CriterionVerdict, JudgedRun, JudgedSuite
from genload.errors import ExitCode
from genload.human import human
from genload.plain import plain
from genload.reporting import write_text
from genload.reporting.change_wording import change_word, change_words
from genload.reporting.junit_xml import count, document, legal, outcome
from genload.reporting.wording import explained, no_criteria_words, rehearsal_note, utc, verdict_word


def render(suite: JudgedSuite, folder: Path) -> list[Path]:
    """Write junit.xml."""
    root = ET.Element("testsuites", name=legal(suite.suite))
    for run in suite.runs:
        root.append(_testsuite(run))
    if suite.missing:
        root.append(_missing(suite))
    count(root, list(root.iter("testcase")))
    root.set("time", f"{sum(run.duration_s for run in suite.runs):.3f}")
    return [write_text(folder / "junit.xml", document(root))]


def _testsuite(run: JudgedRun) -> ET.Element:
    element = ET.Element(
        "testsuite",
        name=legal(f"{run.suite}.{run.name}"),
        timestamp=legal(utc(run.start_time).removesuffix("Z")),
        time=f"{run.duration_s:.3f}",
    )
    properties = {"verdict": verdict_word(run), "seed": str(run.seed), "time_scale": f"{run.time_scale:g}"}
    properties |= {f"tested.{name}": text for name, text in run.identity.items()}
    if note := rehearsal_note(run):
        properties = {"rehearsal": note, **properties}
    holder = ET.SubElement(element, "properties")
    for name, value in properties.items():
        ET.SubElement(holder, "property", name=legal(name), value=legal(value))
    if not run.verdict.valid or run.verdict.exit_code in (ExitCode.UNAVAILABLE, ExitCode.INTERRUPTED):
        element.append(_measurement(run))
    if words := no_criteria_words(run):
        case = _case(run, "criteria")
        outcome(case, "error", "no criteria", words, "")
        element.append(case)
    for criterion in run.verdict.criteria:
        element.append(_testcase(run, criterion))
    if run.change is not None:
        element.append(_changed(run, run.change))
    count(element, element.findall("testcase"))
    if run.notices:
        ET.SubElement(element, "system-out").text = legal("\n".join(plain(notice) for notice in run.notices))
    return element


def _measurement(run: JudgedRun) -> ET.Element:
    case = _case(run, "measurement")
    texts = [f"{reason.text} → {reason.remedy}" for reason in run.verdict.reasons]
    message = texts[0] if texts else verdict_word(run).lower()
    outcome(case, "error", verdict_word(run).lower(), message, "\n".join(plain(text) for text in texts))
    return case


def _testcase(run: JudgedRun, criterion: CriterionVerdict) -> ET.Element:
    case = _case(run, criterion.name)
    observed = f"{criterion.expression}: observed {human(criterion.value, criterion.unit)}"
    details = plain(explained(criterion))
    unproven = run.strict and criterion.result == "pass" and criterion.evidence not in ("exact", "proven")
    if criterion.result == "pass" and not (unproven and criterion.must):
        return case
    kind = "unproven" if unproven else criterion.result
    if not criterion.must:
        outcome(case, "skipped", kind, f"reported only, {kind}: {observed}", details)
    else:
        outcome(case, "failure" if kind == "fail" else "error", kind, observed, details)
    return case


def _changed(run: JudgedRun, change: Change) -> ET.Element:
    """Worse than the baseline is a failure, what cannot be told an error: the build must not be green."""
    case = _case(run, f"no regression since {plain(change.baseline)}")
    if change.exit_code != ExitCode.PASSED:
        told = [f"{metric.metric}: {metric.reason}" for metric in change.metrics]
        kind = "failure" if change.exit_code == ExitCode.FAILED else "error"
        details = "\n".join(plain(text) for text in filter(None, [*told, change.needs]))
        outcome(case, kind, change_word(change).lower(), change_words(change), details)
    return case


def _missing(suite: JudgedSuite) -> ET.Element:
    """Scenarios of the suite without a run: skipped, unless they are why the suite did not pass."""
    blamed = suite.exit_code not in {int(run.verdict.exit_code) for run in suite.runs}
    element = ET.Element("testsuite", name=legal(f"{suite.suite}.not_run"))
    for scenario in suite.missing:
        case = ET.SubElement(element, "testcase", name=legal(scenario), classname=legal(suite.suite))
        outcome(case, "error" if blamed else "skipped", "not run", "left no run to judge", "")
    count(element, element.findall("testcase"))
    return element


def _case(run: JudgedRun, name: str) -> ET.Element:
    return ET.Element("testcase", name=legal(name), classname=legal(f"{run.suite}.{run.name}"), time="0")
