"""What ``verify`` found as JUnit XML, which CI systems show as test results.

One test case per finding and per facet compared; what counts by ``--fail-on`` has failed, what
could not be compared is skipped with its reason. The form is the one that Jenkins and GitLab read
(https://github.com/testmoapp/junitxml describes it).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from provenance.cli.groups import sentence
from provenance.core.verdict import Finding, rank

if TYPE_CHECKING:
    from provenance.operations.verify import Checked

_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 cannot hold, not even escaped."""


def document(checked: Sequence[tuple[str, Checked]], fail_on: str) -> str:
    """Return the XML of all references, each with its headline."""
    root = ElementTree.Element("testsuites", {"name": "prov verify"})
    for headline, one in checked:
        root.append(_suite(headline, one, fail_on))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return '<?xml version="1.0" encoding="UTF-8"?>\n%s\n' % text


def _suite(headline: str, one: Checked, fail_on: str) -> ElementTree.Element:
    cases = [*_found(one.findings, fail_on), *_same(one), *_left(one)]
    failures = sum(case.find("failure") is not None for case in cases)
    skipped = sum(case.find("skipped") is not None for case in cases)
    suite = ElementTree.Element(
        "testsuite",
        {
            "name": clean(headline),
            "tests": str(len(cases)),
            "failures": str(failures),
            "errors": "0",
            "skipped": str(skipped),
        },
    )
    suite.extend(cases)
    return suite


def _case(facet: str, name: str) -> ElementTree.Element:
    return ElementTree.Element(
        "testcase", {"classname": "provenance." + clean(facet), "name": clean(name)}
    )


def _found(findings: Iterable[Finding], fail_on: str) -> list[ElementTree.Element]:
    cases = []
    for one in findings:
        case = _case(one.facet, one.name)
        told = sentence(one)
        if rank(one.effect) >= rank(fail_on):
            failure = ElementTree.SubElement(
                case, "failure", {"type": one.effect, "message": clean(told)}
            )
            failure.text = clean(_whole(one))
        else:
            out = ElementTree.SubElement(case, "system-out")
            out.text = clean("%s: %s" % (one.effect, _whole(one)))
        cases.append(case)
    return cases


def _whole(one: Finding) -> str:
    """Return a finding with its reasons, a line each."""
    lines = [sentence(one)]
    lines += ["at " + ", ".join(one.where)] if one.where else []
    for reason in one.reasons:
        lines.append(reason.text)
        lines += ["  evidence: " + reason.evidence] if reason.evidence else []
        lines += ["  fix: " + reason.remedy] if reason.remedy else []
        lines += ["  source: " + reason.source] if reason.source else []
    return "\n".join(lines)


def _same(one: Checked) -> list[ElementTree.Element]:
    """Return a passed case per facet for all of its facts that are equal."""
    cases = []
    for facet, facts in one.facts.items():
        if facts.equal:
            text = "%d of %d %s are equal" % (facts.equal, facts.total, facts.unit)
            cases.append(_case(facet, text))
    return cases


def _left(one: Checked) -> list[ElementTree.Element]:
    cases = []
    for left in one.not_compared:
        case = _case(left.facet, left.what)
        ElementTree.SubElement(case, "skipped", {"message": clean(left.reason)})
        cases.append(case)
    return cases


def clean(text: str) -> str:
    """Return ``text`` without what XML cannot hold."""
    return _NO_XML.sub("?", text)
