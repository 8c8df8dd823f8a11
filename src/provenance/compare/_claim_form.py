"""The form of a claim in the settings, member by member: every mistake is told with its line."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from provenance.compare import _claim_numbers as numbers
from provenance.compare._claim_grammar import NotASentence, Sentence, parse
from provenance.compare.claims import LAST, MOMENTS, Claim, Stated
from provenance.errors import BadRecord

MEMBERS = (
    "says", "run", "metric", "at", "value", "tolerance", "runs", "holds", "parameters", "packages",
)  # fmt: skip
MOST = 1000
"""Claims of a project; a paper has dozens."""
_NAME = re.compile(r"[A-Za-z0-9][\w.@+-]{0,99}")


class Said(NamedTuple):
    """A value of the settings as it is written.

    value: a mapping of names to `Said`, a list of them, or plain. text: a plain value's own
    characters. line: 0 where not known.
    """

    value: Any
    text: str = ""
    line: int = 0


class _Form:
    """Complains about one claim with place and member."""

    def __init__(self, path: str, name: str, said: Said) -> None:
        self.path, self.name, self.said = path, name, said

    def place(self, at: Said | None = None) -> str:
        line = (at.line if at is not None else 0) or self.said.line
        return "%s:%d" % (self.path, line) if line else self.path

    def wrong(self, member: str, what: str, hint: str = "") -> BadRecord:
        name = "claims.%s%s" % (self.name, "." + member if member else "")
        at = self.said.value.get(member) if isinstance(self.said.value, dict) else None
        return BadRecord("%s: %s %s." % (self.place(at), name, what), hint)

    def text(self, member: str, expected: str) -> str:
        one = self.said.value.get(member)
        if one is None:
            return ""
        if isinstance(one.value, (dict, list)) or one.value is None or not one.text.strip():
            raise self.wrong(member, "must be %s" % expected)
        return str(one.text).strip()


def read(claims: Said, path: str) -> tuple[Claim, ...]:
    """Return the claims of a settings file. Raises `BadRecord` with file, line and member."""
    if claims.value is None:
        return ()
    if not isinstance(claims.value, dict):
        hint = "claims:\n    table1:\n      says: ...\n      run: baseline\n      metric: test.acc"
        place = "%s:%d" % (path, claims.line) if claims.line else path
        raise BadRecord("%s: claims must be claims by name." % place, hint + "\n      value: 91.7")
    if len(claims.value) > MOST:
        raise BadRecord("%s: there are more than %d claims." % (path, MOST))
    return tuple(_claim(_Form(path, name, said)) for name, said in claims.value.items())


def _claim(form: _Form) -> Claim:
    if not _NAME.fullmatch(form.name):
        text = (
            "must begin with a letter from A to Z or a digit; letters, digits, - _ . @ + may follow"
        )
        raise form.wrong("", text)
    if not isinstance(form.said.value, dict):
        raise form.wrong("", "must have members such as run, metric and value")
    for member in form.said.value:
        if member not in MEMBERS:
            close = difflib.get_close_matches(member, MEMBERS, 1, 0.5)
            hint = "did you mean %s?" % close[0] if close else "there are: %s" % ", ".join(MEMBERS)
            raise form.wrong(member, "is no member of a claim", hint)
    claim = Claim(
        form.name,
        form.text("says", "a sentence"),
        form.place(),
        form.text("run", "the name, id or tag of a run"),
        form.text("metric", "the name of a metric"),
        form.text("at", "one of %s" % ", ".join(MOMENTS)) or LAST,
        _value(form),
        _runs(form),
        form.text("tolerance", 'a number, or a share such as "1 %"'),
        _holds(form),
        _stated(form, "parameters"),
        _stated(form, "packages"),
    )
    _whole(form, claim)
    return claim


def _value(form: _Form) -> numbers.Printed | None:
    text = form.text("value", "the number as it is printed")
    try:
        return numbers.printed(text) if text else None
    except ValueError as error:
        hint = 'as it is printed: 91.7, "91.7 %", 1e-4, "92.1 \u00b1 0.3"'
        raise form.wrong("value", "must be a number: %s" % error, hint) from error


def _runs(form: _Form) -> int | None:
    text = form.text("runs", "a number of runs")
    if text and not (text.isascii() and text.isdigit() and len(text) < 7 and int(text)):
        raise form.wrong("runs", "must be a number of runs, not %.20s" % text)
    return int(text) if text else None


def _holds(form: _Form) -> Sentence | None:
    text = form.text("holds", "a comparison such as ours:test.acc >= baseline:test.acc + 0.5")
    try:
        return parse(text) if text else None
    except NotASentence as error:
        hint = "such as: ours:test.acc >= baseline:test.acc + 0.5"
        raise form.wrong("holds", "cannot be read: %s" % error, hint) from error


def _stated(form: _Form, member: str) -> tuple[Stated, ...]:
    one = form.said.value.get(member)
    if one is None:
        return ()
    if not isinstance(one.value, dict) or not one.value:
        example = "{optimizer: Adam, lr: 1e-4}" if member == "parameters" else '{torch: "1.13"}'
        raise form.wrong(member, "must be values by name, such as %s" % example)
    return tuple(_plain(form, member, name, said) for name, said in one.value.items())


def _plain(form: _Form, member: str, name: str, said: Said) -> Stated:
    if isinstance(said.value, Mapping):
        raise form.wrong(member, "has more than a value for %s" % name)
    if isinstance(said.value, list):
        values = [_plain(form, member, name, one) for one in said.value]
        return Stated(name, [one.value for one in values], str([one.text for one in values]))
    return Stated(name, said.value, said.text)


def _whole(form: _Form, claim: Claim) -> None:
    """Raise `BadRecord` where members of ``claim`` do not go together."""
    if (claim.value is None) != (not claim.metric):
        missing = "metric" if claim.value is not None else "value"
        raise form.wrong(missing, "is missing: a number has a metric and a value")
    if claim.value is None and claim.holds is None and not (claim.parameters or claim.packages):
        hint = "a number (metric and value), holds, parameters or packages"
        raise form.wrong("", "states nothing that can be checked", hint)
    if not claim.run and (claim.value is not None or claim.parameters or claim.packages):
        raise form.wrong("run", "is missing: of which run is it?", "prov ls shows the runs")
    if claim.at not in MOMENTS:
        raise form.wrong("at", "must be one of %s" % ", ".join(MOMENTS))
    if claim.tolerance:
        if claim.value is None and claim.holds is None:
            raise form.wrong("tolerance", "has nothing that it is of")
        try:
            numbers.allowed(claim.tolerance, claim.value or numbers.printed("0"))
        except ValueError as error:
            raise form.wrong("tolerance", "cannot be read: %s" % error) from error
        if claim.value is None and claim.tolerance.endswith("%"):
            raise form.wrong("tolerance", "of a comparison must be a number, no share")
