"""Reading what uv says when it cannot have a distribution: which one, and why, in few words.

Pure. uv names one at a time, so the builder asks again without it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import NamedTuple

from provenance.core.distributions import key_of

_NETWORK = re.compile(
    r"error sending request|tcp connect error|dns error|connection (refused|reset)|timed out|"
    r"certificate|HTTP status (server|client) error \((5\d\d|401|403|407)|failed to fetch",
    re.IGNORECASE,
)
_UNAUTHORIZED, _FORBIDDEN = "401 Unauthorized", "403 Forbidden"
"""uv says these in a hint and goes on as if such an index did not have the distribution."""
_FULL = "No space left on device"
_OTHER_FILE = "the index has other files now than were locked (hash mismatch)"
_UNKNOWN, _NO_SUCH_VERSION = "no index here knows it", "no index here has this version"
NOWHERE = (_UNKNOWN, _NO_SUCH_VERSION)
"""Reasons that mean that no index has it."""
_IN_BUILD = re.compile(r"^ *cause: (Request failed|Failed to fetch)", re.MULTILINE)
_OFFLINE = re.compile(r"network connectivity is disabled|network was disabled", re.IGNORECASE)
_NAMED = (
    re.compile(r"Hash mismatch for `([^`]+)`"),
    re.compile(r"[Ff]ailed to (?:build|download|download and build|prepare)[^`]*`([^`]+)`"),
    re.compile(r"no version of ([A-Za-z0-9._-]+(?:==[^\s,]+)?)"),
    re.compile(r"Because ([A-Za-z0-9._-]+) was not found"),
    re.compile(r"Because (?:all versions of )?([A-Za-z0-9._-]+(?:==[^\s,]+)?) ha(?:s|ve) no"),
    re.compile(r"and ([A-Za-z0-9._-]+==[^\s,]+) depends on Python"),
)


class Refusal(NamedTuple):
    """What was refused, and why.

    key: name of the distribution, "" where none is named. offline: only for want of the network.
    network: nothing is known of what an index has: it could not be reached (uv tries four times) or
    asks who we are, or the disk is full. built: a build failed, so that another try with other
    build tools is worth it. other: its files are not those that were locked.
    """

    key: str
    reason: str
    offline: bool = False
    network: bool = False
    built: bool = False
    other: bool = False

    @property
    def simple(self) -> bool:
        """Whether the distribution itself cannot be had, whatever it is to go together with."""
        return self.reason in NOWHERE


def read(text: str, known: Collection[str], cached_only: bool = False) -> Refusal:
    """Return what ``text`` refuses; of names only those ``known`` count.

    cached_only: uv was to keep off the network. With local folders of wheels it does not say so.
    """
    start = text.find("error:")
    whole = text[start:] if start >= 0 else text
    flat = re.sub(r"\s+", " ", whole)
    key = _named(flat, known)
    offline = bool(_OFFLINE.search(flat))
    if "Hash mismatch for" in flat:
        return Refusal(key, _OTHER_FILE, other=True)
    built = "ailed to build" in flat and not _IN_BUILD.search(whole)
    if cached_only and not offline and _reason(whole, flat, False) in NOWHERE:
        offline = True
    network = "" if offline or built else _trouble(whole, flat)
    if _FULL in flat:
        network = "the disk is full (%s)" % _FULL
    return Refusal(key, network or _reason(whole, flat, offline), offline, bool(network), built)


def _trouble(whole: str, flat: str) -> str:
    """Return what is wrong between us and the index, "" where nothing is."""
    if _UNAUTHORIZED in flat:
        return "the index asks for a name and password (%s)" % _UNAUTHORIZED
    if not _NETWORK.search(flat):
        return ""
    causes = [line.strip() for line in whole.splitlines() if line.strip().startswith("cause: ")]
    told = " ".join([causes[-1][len("cause: ") :]] if causes else [])[:200]
    return "the index cannot be reached: %s" % (told or "uv did not say why")


def _named(flat: str, known: Collection[str]) -> str:
    for pattern in _NAMED:
        for name in pattern.findall(flat):
            key = key_of(re.split(r"[=<>!~@ ]", name)[0])
            if key in known:
                return key
    for name in re.findall(r"([A-Za-z0-9._-]+)==", flat):
        if key_of(name) in known:
            return key_of(name)
    return ""


def _reason(whole: str, flat: str, offline: bool) -> str:
    if offline:
        return "not in uv's cache, and the network is not to be used"
    if "was not found in the" in flat and _FORBIDDEN in flat:
        return "the index refuses it (%s)" % _FORBIDDEN
    if "was not found in the" in flat:
        return _UNKNOWN
    if "depends on Python" in flat or "does not satisfy Python" in flat:
        return "this release does not take that Python"
    if "no version of" in flat:
        return _NO_SUCH_VERSION
    if "no wheels" in flat or "no usable wheels" in flat:
        return "no wheel for this Python and platform"
    if "ailed to build" in flat:
        return "has no wheel here and does not build: %s" % _last_word(whole.splitlines())
    lines = [line.strip() for line in whole.splitlines() if line.strip()]
    return (lines[-1] if lines else "uv did not say why")[:200]


def _last_word(lines: Iterable[str]) -> str:
    """Return the line of a build's complaints that most likely says what is wrong."""
    kept = [line.strip() for line in lines if line.strip() and not line.startswith("hint:")]
    for line in reversed(kept):
        if re.match(r"(\w+\.)*\w*(Error|Exception)\b|error[: ]", line):
            return line[:160]
    return kept[-1][:160] if kept else "no reason given"
