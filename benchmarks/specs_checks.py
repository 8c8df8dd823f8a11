"""What hand-made expectations and the index of a corpus say of files, against what was read.

`specs_truth.json` was counted by people from the files themselves: of each kind of fact how many
are stated how exactly, single facts with their lines, and the lines that state nothing readable.
An entry stands where it begins: at ``[[package]]``, or at ``- name:``. What ``[build-system]`` asks
for is not counted, as it is not installed with the project.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from provenance.specs.model import (
    CONDA,
    CUDA,
    DATA,
    EXACT,
    PLACED,
    PLATFORM,
    PYPI,
    PYTHON,
    Fact,
    Spec,
)


def said(fact: Fact) -> str:
    """Return a fact as the expectations write it: "line name ==1.0", "line name @ address"."""
    what = "==" + fact.version if fact.version else _sorted(fact.specifier)
    if fact.exactness == PLACED:
        what = "@ " + fact.url
    if fact.kind == DATA:
        size = str(fact.size) if fact.size >= 0 else ""
        what = " ".join(one for one in (fact.digest, size) if one)
    return " ".join(one for one in (fact.where.rpartition(":")[2], fact.name, what) if one)


def _sorted(specifier: str) -> str:
    return ",".join(sorted(specifier.split(",")))


def disagreements(expected: dict[str, Any], spec: Spec) -> Iterator[str]:
    """Yield a sentence for everything in which a file was read otherwise than a person did."""
    kinds = ("package", "python", "cuda", "platform", "data")
    for kind in kinds:
        counted = Counter(fact.exactness for fact in spec.facts if fact.kind == kind)
        wanted = expected.get(kind, {})
        for level in sorted({*counted, *wanted}):
            if counted[level] != wanted.get(level, 0):
                yield "%s facts (%s): %d read, %d counted by hand" % (
                    kind, level, counted[level], wanted.get(level, 0),
                )  # fmt: skip
    found = {said(fact) for fact in spec.facts}
    for text in expected["facts"]:
        line, name, *what = text.split(" ", 2)
        wanted_text = " ".join([line, name, *map(_sorted, what)])
        if wanted_text not in found:
            near = [one for one in sorted(found) if one.split(" ")[1:2] == [name]][:3]
            yield "not read: %s%s" % (text, "; but: " + "; ".join(near) if near else "")
    lines = sorted({int(one.where.rpartition(":")[2]) for one in spec.unread})
    if lines != sorted(expected["unread"]):
        yield "unread lines %s, expected %s" % (lines, expected["unread"])
    if "complete" in expected and spec.complete != expected["complete"]:
        yield "complete is %s, expected %s" % (spec.complete, expected["complete"])


def _any(test: Callable[[Fact], bool]) -> Callable[[Spec, str], bool]:
    return lambda spec, _: any(map(test, spec.facts))


def _noted(pattern: str) -> Callable[[Spec, str], bool]:
    return lambda spec, value: bool(
        re.search(pattern.replace("%", re.escape(value)), "\n".join(spec.notes))
    )


def _all_read(spec: Spec, _: str) -> bool:
    return bool(spec.facts) and not spec.unread


def _twice(spec: Spec, _: str) -> bool:
    return max(Counter(fact.name for fact in spec.facts).values(), default=0) > 1


def _none(spec: Spec, _: str) -> bool:
    return not spec.facts and bool(spec.notes)


def _mixed(spec: Spec, _: str) -> bool:
    return {CONDA, PYPI} <= {fact.ecosystem for fact in spec.facts}


FEATURES: dict[str, Callable[[Spec, str], bool]] = {
    "local-version(+cuXXX)": _any(lambda fact: "+" in fact.version),
    "extras": _any(lambda fact: bool(fact.extras)),
    "duplicate-name": _twice,
    "bare-vcs-url": _any(lambda fact: fact.url.startswith("git+")),
    "vcs-no-commit": _any(lambda fact: fact.exactness == PLACED and "@" not in fact.url),
    "editable-vcs": _any(lambda fact: fact.exactness == PLACED),
    "pep508-direct-url": _any(lambda fact: fact.exactness == PLACED),
    "at-git-url": _any(lambda fact: fact.url.startswith("git+")),
    "editable-local": _noted("installed from its own folder"),
    "exclusion(!=)": _any(lambda fact: "!=" in fact.specifier),
    "wildcard-pin": _any(lambda fact: ".*" in fact.specifier),
    "multi-clause": _any(lambda fact: "," in fact.specifier),
    "option:--find-links": _noted("looked for at"),
    "option:--extra-index-url": _noted("looked for at"),
    "deprecated-alias": _noted("% is a name for"),
    "pkg-resources==0.0.0": _noted("pkg-resources is no package"),
    "utf16": _all_read,
    "crlf": _all_read,
    "no-final-newline": _all_read,
    "spaces-around-op": _all_read,
    "comment-line": _all_read,
    "inline-comment": _all_read,
    "build-strings": _any(lambda fact: bool(fact.build)),
    "channel": _noted("Channels.*%"),
    "channel-url": _noted("Channels.*://"),
    "channel-prefix(::)": _any(lambda fact: bool(fact.channel)),
    "conda+pip mixed": _mixed,
    "section": _any(lambda fact: fact.ecosystem == PYPI),
    "cuda-listed": _any(lambda fact: fact.kind == CUDA),
    "python-listed": _any(lambda fact: fact.kind == PYTHON),
    "pip-listed": _any(lambda fact: fact.name == "pip"),
    "double-equals": _any(lambda fact: fact.exactness == EXACT and fact.ecosystem == CONDA),
    "prefix": _noted("prefix: is a folder"),
    "extra-key": _any(lambda fact: fact.kind == PLATFORM),
    "no-name": lambda spec, _: not any("is named" in note for note in spec.notes),
    "platform": lambda spec, value: any(fact.name == value for fact in spec.facts),
    "manager": lambda spec, value: any(
        fact.ecosystem == (PYPI if value == "pip" else CONDA) for fact in spec.facts
    ),
    "@EXPLICIT": lambda spec, _: spec.complete,
    "url-md5-fragment": _any(lambda fact: fact.digest.startswith("md5:")),
    "conda-lock pip comment lines": _any(lambda fact: fact.ecosystem == PYPI),
    ".conda and .tar.bz2 mixed": lambda spec, _: (
        {".conda", "ar.bz2"} <= {fact.url[-6:] for fact in spec.facts}
    ),
    "requires-python": lambda spec, value: any(
        fact.kind == PYTHON and fact.specifier.replace(" ", "") == value.replace(" ", "")
        for fact in spec.facts
    ),
    "poetry-deps": _any(lambda fact: fact.kind == PYTHON),
    "julia": lambda spec, value: any(fact.version == value for fact in spec.facts),
    "value": lambda spec, value: any(fact.version == value for fact in spec.facts),
    ".dir": _any(lambda fact: fact.digest.endswith(".dir")),
    "md5": _any(lambda fact: fact.digest.startswith("md5:")),
    "size": _any(lambda fact: fact.size > 0),
}
"""Odd things as the corpus' index names them (before a colon), and how a Spec must show them."""
UNSEEN = frozenset(
    "category meta version table tool content_hash strategy lock-version poetry manifest_format "
    "schema deps outs metrics plots params nfiles conda-lock-rendered option cache dynamic".split()
)
"""What the index names and no fact comes of: a format's own marks, options that are seen by what
they bring, and that a project's own version is computed (dynamic)."""


def missed_features(odd: list[str], spec: Spec) -> Iterator[str]:
    """Yield the odd things of a file that its Spec does not show."""
    for whole in odd:
        name = whole.removeprefix("pip/").removeprefix("dep/")
        for feature in (name, name.partition(":")[0]):
            test = FEATURES.get(feature)
            if test is not None:
                value = name.partition(":")[2] if feature != name else ""
                if not test(spec, value):
                    yield "the index lists %r, of which nothing is said" % whole
                break
        else:
            if name.partition(":")[0] not in UNSEEN:
                yield "the index lists %r, which this command does not know" % whole
