"""Versions as environment files ask for them: whether one is allowed, how it is shown, its edge."""

from __future__ import annotations

import re

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from provenance.specs import conda_version
from provenance.specs.model import CONDA, EXACT, Fact

_CLAUSE = re.compile(r"(~=|===|==|=|!=|<=|>=|<|>)?\s*v?([\w.!+*-]+)")
_COMMIT = re.compile(r"@([0-9a-f]{7,64})(?:[#?]|$)")
JUST_BELOW = ".999"
"""How the edge of an exclusive bound ends: below 1.20 is 1.19.999."""


def allows(fact: Fact, version: str) -> bool | None:
    """Return whether ``version`` is what the fact asks for, None where that cannot be told."""
    if fact.ecosystem == CONDA:
        return conda_version.allows(fact.specifier or fact.version, version)
    asked = fact.specifier or ("==%s" % fact.version if fact.version else "")
    try:
        return SpecifierSet(asked).contains(Version(version), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        pass
    if fact.exactness == EXACT:
        return fact.version == version
    return conda_version.allows(asked, version)


def is_bound(specifier: str) -> bool:
    """Return whether a specifier draws a border (">=1,<2") and does not just name a release."""
    return bool(re.search(r"[<>~!]", specifier))


def named(specifier: str) -> str:
    """Return the release that a specifier names ("==3.6.*" and "=3.6" name 3.6), "" for none."""
    match = re.fullmatch(r"={0,2}\s*v?(\d[\w.!+]*?)(?:\.\*)?", specifier.strip())
    return match.group(1) if match else ""


def shown(fact: Fact) -> str:
    """Return what is stated of the version, nearly as pip writes it: "1.1.3", ">=1,<2", "1.4.*"."""
    if fact.exactness == EXACT and fact.version:
        return fact.version
    text = fact.specifier.replace(" ", "")
    text = text[2:] if text.startswith("==") and "," not in text and "|" not in text else text
    if fact.ecosystem != CONDA and not re.match(r"=\d", text):
        return text
    return ",".join(_as_pip(clause) for clause in text.split(",")) if "|" not in text else text


def _as_pip(clause: str) -> str:
    """Return one clause of conda in these words: "=1.4" is "1.4.*"."""
    match = _CLAUSE.fullmatch(clause)
    if match is None or match.group(1) not in ("=", None):
        return clause
    version = match.group(2)
    return version if version.endswith("*") or not match.group(1) else version + ".*"


def edge(stated: str, version: str) -> str:
    """Return the allowed release that is nearest to ``version``, "" where none can be named.

    stated: as `shown` gives it. For an exclusive upper bound that is not a release that exists but
    one just below it: only the side on which it lies matters.
    """
    try:
        have = Version(version)
        for clause in stated.split(","):
            match = _CLAUSE.fullmatch(clause.strip())
            if match is None:
                return ""
            found = _edge(match.group(1) or "==", match.group(2), have)
            if found:
                return found
    except InvalidVersion:
        return ""
    return ""


def _edge(operator: str, asked: str, have: Version) -> str:
    """Return the edge of one clause where ``have`` lies beyond it."""
    if operator in ("==", "===", "="):
        named = asked.removesuffix(".*")
        return named if Version(named) else ""
    bound = Version(asked)
    if operator in (">=", ">", "~=") and have < bound:
        return asked
    if operator in ("<=", "<") and have >= bound:
        return asked if operator == "<=" else _below(bound.release)
    if operator == "~=":
        upper = (*bound.release[:-2], bound.release[-2] + 1) if len(bound.release) > 1 else ()
        return _below(upper) if upper and have.release >= upper else ""
    return ""


def _below(release: tuple[int, ...]) -> str:
    """Return a release just below ``release``: (1, 20) gives "1.19.999"."""
    parts = list(release)
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    if parts[-1] == 0:
        return ""
    parts[-1] -= 1
    return ".".join(map(str, parts)) + JUST_BELOW


def normal(version: str) -> str:
    """Return a version in its normal form without trailing zeros, as it is where it is none."""
    try:
        found = Version(version)
    except InvalidVersion:
        return version
    text = str(found)
    while found.release and text.endswith(".0") and len(text.split(".")) > 1 and found.pre is None:
        text = text[:-2]
    return text


def commit_of(url: str) -> str:
    """Return the commit that a VCS address names, "" where it names a branch, a tag or nothing."""
    match = _COMMIT.search(url)
    return match.group(1) if match else ""


def is_remote(url: str) -> bool:
    """Return whether an address can be reached from elsewhere: no folder, no file of a machine."""
    return "://" in url and not re.search(r"(?:^|\+)file:", url)
