"""JUnit's XML, as the viewers of CI systems read it."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from genload.plain import plain

# What XML 1.0 cannot hold in any form (section 2.2, Char).
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")


def document(root: ET.Element) -> str:
    """The whole file."""
    ET.indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{ET.tostring(root, encoding="unicode")}\n'


def outcome(case: ET.Element, tag: str, kind: str, message: str, details: str) -> None:
    """What became of a testcase that did not pass: a failure, an error, or skipped."""
    attributes = {"message": legal(plain(message))}
    if tag != "skipped":  # whose schema knows no type
        attributes["type"] = kind
    ET.SubElement(case, tag, attributes).text = legal(details) or None


def count(element: ET.Element, cases: list[ET.Element]) -> None:
    """How many testcases a suite has, and how they ended."""
    element.set("tests", str(len(cases)))
    for plural, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        element.set(plural, str(sum(case.find(tag) is not None for case in cases)))


def legal(text: str) -> str:
    """Without what no XML can hold."""
    return _ILLEGAL.sub("", text)
