"""The tests that ``pytest --prov`` adds, made of what ``prov verify`` answers."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import pytest

from provenance.core.difference import EFFECTS, KNOWN, NONE
from provenance.core.distributions import key_of
from provenance.core.verdict import rank, worst
from provenance.errors import ProvError
from provenance.operations import verify

_QUESTIONS = {"runtime": "python", "environment": "settings", "hardware": "machine"}
"""How tests are called where that is not the facet's own name."""
_ABSENT = "GPUs"
"""The difference that there is no card here: no laptop and no CI is to fail for it."""


class Answer(NamedTuple):
    """One test: its name, the gravest effect, the sentences, or why nothing was compared.

    accept: the name by which the difference can be accepted, "" for none.
    """

    name: str
    effect: str = NONE
    text: str = ""
    skipped: str = ""
    accept: str = ""


class ProvItem(pytest.Item):
    """One answer as a test."""

    answer: Answer

    def runtest(self) -> None:
        """Pass, warn, skip or fail, as the answer says."""
        one = self.answer
        least = os.environ.get("PROV_FAIL_ON", KNOWN)
        if least not in EFFECTS[1:]:
            text = "PROV_FAIL_ON=%s is none of %s" % (least, ", ".join(EFFECTS[1:]))
            pytest.fail(text, pytrace=False)
        accepted = {key_of(name) for name in os.environ.get("PROV_ACCEPT", "").split(",")}
        if one.skipped:
            pytest.skip(one.skipped)
        if rank(one.effect) >= rank(least) and not (one.accept and one.accept in accepted):
            text = "%s: %s" % (one.effect.upper(), one.text)
            text += "\nOr accept it: PROV_ACCEPT=%s" % one.accept if one.accept else ""
            pytest.fail(text, pytrace=False)
        if one.effect != NONE:
            warnings.warn_explicit("\n" + one.text, UserWarning, self.nodeid, 0)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Return where the test is from: nowhere in the source."""
        return self.config.rootpath / "prov.lock", None, self.nodeid


def collect(session: pytest.Session, reference: str | None) -> Iterator[pytest.Item]:
    """Yield the tests of a reference, None for the one that ``prov verify`` takes."""
    cwd = str(session.config.invocation_params.dir)
    wish = verify.Wish(cwd, dict(os.environ), reference, sys.executable, calls="off", offline=True)
    try:
        told = verify.as_json(verify.verify(wish))
        answers = [one for block in told["references"] for one in _answers(block)]
    except ProvError as error:
        hint = "\n  " + error.hint if error.hint else ""
        answers = [Answer("reference", EFFECTS[-1], error.message + hint)]
    for one in answers:
        item = ProvItem.from_parent(session, name=one.name, nodeid="provenance::" + one.name)
        item.answer = one
        yield item


def _answers(block: Mapping[str, Any]) -> Iterator[Answer]:
    """Yield a test for each thing that differs, and one for each question."""
    for finding in block["findings"]:
        if finding["effect"] != NONE:
            yield _of_finding(finding)
    left: dict[str, list[str]] = {}
    for one in block["not_compared"]:
        left.setdefault(one["facet"], []).append("%s: %s" % (one["what"], one["reason"]))
    for facet in dict.fromkeys([*block["compared"], *left]):
        total = block["compared"].get(facet, {}).get("total", 0)
        why = "; ".join(left.get(facet, ["nothing to compare"]))
        yield Answer(_QUESTIONS.get(facet, facet), skipped="" if total else why)
    if not any(one["total"] for one in block["compared"].values()):
        yield Answer("anything", EFFECTS[-1], "nothing could be compared")


def _of_finding(finding: Mapping[str, Any]) -> Answer:
    question = _QUESTIONS.get(finding["facet"], finding["facet"])
    package = finding["facet"] == "packages"
    name = key_of(finding["name"]) if package else finding["name"]
    lines = [_sentence(finding)]
    for one in finding["reasons"]:
        lines.append(one["text"] + ".")
        told = (("why", one["evidence"]), ("fix", one["remedy"]), ("source", one["source"]))
        lines += ["  %s: %s" % (word, text) for word, text in told if text]
    text = "\n".join(lines)
    gone = finding["facet"] == "hardware" and finding["name"] == _ABSENT
    skipped = text if gone and finding["new"] in (None, "none", "") else ""
    return Answer(
        "%s[%s]" % (question, name),
        worst([finding["effect"]]),
        text,
        skipped,
        name if package else question,
    )


def _sentence(finding: Mapping[str, Any]) -> str:
    shown = ("not there" if one is None else str(one) for one in (finding["old"], finding["new"]))
    sentence = "%s: recorded %s, here %s" % (finding["name"], *shown)
    places: Iterable[str] = finding["where"]
    at = ", ".join(places)
    rest = "; ".join(part for part in (finding["text"], at and "at " + at) if part)
    return sentence + (" (%s)" % rest if rest else "")
