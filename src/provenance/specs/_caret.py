"""Poetry's words for ranges ("^1.2", "~1.2", "1.2 || 1.4") as PEP 440's."""

from __future__ import annotations

import re

from packaging.version import InvalidVersion, Version

MOST = 512
"""Characters of a constraint; longer ones are none that a person or a tool wrote."""

_ONE = re.compile(r"(\^|~=|~|===|==|!=|>=|<=|>|<|=)?\s*v?((?:\d+!)?[^\s,<>=!~^|]+)")


def to_pep440(text: str) -> str:
    """Return a range as PEP 440 specifiers, "" for any version.

    Of alternatives ("a || b") the outer range: PEP 440 has no "or". Raises ``ValueError`` with a
    sentence for what is none of poetry's words.
    """
    if len(text) > MOST:
        raise ValueError("it is too long")
    alternatives = [one for one in re.split(r"\|\|?", text) if one.strip()]
    ranges = [_one_range(one) for one in alternatives]
    if not ranges:
        raise ValueError("it is empty")
    return ranges[0] if len(ranges) == 1 else _outer(ranges)


def _one_range(text: str) -> str:
    bare = text.strip()
    if bare in ("*", ""):
        return ""
    parts: list[str] = []
    at = 0
    for found in _ONE.finditer(bare):
        if bare[at : found.start()].strip(" ,"):
            break
        at = found.end()
        part = _part(found[1] or "", found[2])
        if part:
            parts.append(part)
    if bare[at:].strip(" ,"):
        raise ValueError("%r is no range of versions" % text.strip()[:80])
    return ",".join(parts)


def _part(operator: str, version: str) -> str:
    if version == "*":
        return ""
    if operator in ("^", "~"):
        return _series(operator, version)
    if version.endswith((".*", ".x")):
        return "%s%s.*" % ("!=" if operator == "!=" else "==", version[:-2])
    _parsed(version)
    return "%s%s" % ("==" if operator in ("", "=") else operator, version)


def _series(operator: str, version: str) -> str:
    """Return the range of "^" (to the next breaking version) and "~" (to the next minor one)."""
    bare = version.removesuffix(".*")
    parsed = _parsed(bare)
    release, epoch = list(parsed.release), "%d!" % parsed.epoch if parsed.epoch else ""
    if operator == "~":
        last = min(1, len(release) - 1)
    else:
        last = next((n for n, part in enumerate(release) if part), len(release) - 1)
    above = [*release[:last], release[last] + 1] + [0] * (len(release) - last - 1)
    return ">=%s,<%s%s" % (bare, epoch, ".".join(str(part) for part in above))


def _parsed(version: str) -> Version:
    try:
        return Version(version)
    except InvalidVersion:
        raise ValueError("%r is no version" % version[:80]) from None


def _outer(ranges: list[str]) -> str:
    """Return the range from the lowest to the highest version of all ``ranges``."""
    lows = [_edge(one, lower=True) for one in ranges]
    highs = [_edge(one, lower=False) for one in ranges]
    outer = []
    if None not in lows:
        outer.append(">=%s" % min(low[0] for low in lows if low))
    if None not in highs:
        outer.append("%s%s" % max((high[0], high[1]) for high in highs if high)[::-1])
    return ",".join(outer)


def _edge(one: str, lower: bool) -> tuple[Version, str] | None:
    """Return the lowest or highest version of a range, and "<" or "<=" for the latter."""
    for part in one.split(","):
        found = re.match(r"(==|>=|>|<=|<|~=)(.*)", part)
        if found is None:
            continue
        operator, version = found[1], found[2]
        series = version.endswith(".*") or operator == "~="
        if series and not lower:
            release = list(_parsed(version.removesuffix(".*")).release)
            release = release[:-1] if operator == "~=" else release
            above = [*release[:-1], release[-1] + 1] if release else [1]
            return Version(".".join(str(number) for number in above)), "<"
        if operator[0] in ("=", "~") or (operator[0] == ">") == lower:
            return _parsed(version.removesuffix(".*")), "<" if operator == "<" else "<="
    return None
