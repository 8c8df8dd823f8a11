"""Conda's way to write which package is wanted, in its parts.

As conda itself takes a written spec: ``channel/subdir::name version build [key=value,...]``, the
version behind ``=`` being a prefix unless a build follows, behind ``==`` or a space exact.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from provenance.specs.model import EXACT, NAMED, RANGE

_LONGEST = 1000
"""Characters; those that are known have less than 200."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_SPLIT = re.compile(r"[ =<>!~]")
_EXACT = re.compile(r"(?:[0-9]+!)?[A-Za-z0-9_][A-Za-z0-9_.+-]*\Z")
_KEY = re.compile(
    r"\s*([A-Za-z_0-9]+)\s*="
    r"(?:\s*'([^']*)'\s*|\s*\"([^\"]*)\"\s*|\s*(\[[^\[\]]*\])\s*|([^,'\"\[\]]*))(?:,|\Z)"
)
_BUILD = re.compile(r"(?<=[^<>=!~,|])=(?![=,|])")
_CLAUSE = re.compile(r"[<>=!~]{0,3}(?:[0-9]{1,9}!)?[^<>=!~]+\Z")
_BAD = re.compile(r"[\[\](){}'\"@;:$`\\\x00-\x1f]")


class MatchSpec(NamedTuple):
    """The parts of one spec; "" for what is not said.

    specifier: the version part as written. version: the exact one. build: may be a pattern. subdir:
    of a platform ("linux-64"). others: keys in brackets that are none of these.
    """

    name: str
    specifier: str = ""
    version: str = ""
    build: str = ""
    channel: str = ""
    subdir: str = ""
    url: str = ""
    digest: str = ""
    others: tuple[tuple[str, str], ...] = ()

    @property
    def exactness(self) -> str:
        """Whether the version is exact, within limits, or not stated."""
        if self.version:
            return EXACT
        return RANGE if self.specifier not in ("", "*", "=*", "==*") else NAMED


def parse(text: str) -> MatchSpec:
    """Return the parts of ``text``; raises ValueError with a sentence."""
    if len(text) > _LONGEST:
        raise ValueError("The spec has %d characters." % len(text))
    text = _before(_before(text, "#"), " if ").strip()
    text, keys = _brackets(text)
    channel, subdir, text = _place(text)
    cut = _SPLIT.search(text)
    name, rest = (text[: cut.start()], text[cut.start() :].strip()) if cut else (text, "")
    name = keys.pop("name", name)
    if not _NAME.match(name):
        raise ValueError("No package name that conda takes.")
    specifier, build = _halves(rest)
    whole = bool(build) and "version" not in keys
    specifier = keys.pop("version", specifier)
    build = keys.pop("build", "") or build
    if specifier and not all(_CLAUSE.match(one) for one in re.split(r"[,|]", specifier)):
        raise ValueError("No version as conda writes it: a comma or | stands between limits.")
    if _BAD.search(specifier) or _BAD.search(build):
        raise ValueError("Neither a version nor a build that conda takes.")
    digests = [(kind, keys.pop(kind, "")) for kind in ("sha256", "md5")]
    given, within = keys.pop("channel", ""), keys.pop("subdir", "")
    if "/" in given and not within and "://" not in given:
        given, within = _subdir(given)
    return MatchSpec(
        name=name.lower(),
        specifier=specifier,
        version=exact(specifier, whole),
        build="" if build == "*" else build,
        channel=channel or given,
        subdir=subdir or within,
        url=keys.pop("url", ""),
        digest=next(("%s:%s" % one for one in digests if one[1]), ""),
        others=tuple(keys.items()),
    )


def exact(specifier: str, with_build: bool = False) -> str:
    """Return the one version that ``specifier`` allows, "" where it is not exact."""
    if specifier.startswith("=="):
        version = specifier[2:].strip()
    elif specifier.startswith("="):
        version = specifier[1:].strip() if with_build else ""
    else:
        version = specifier
    # 10. is a prefix for conda, as 10.* is.
    return version if _EXACT.match(version) and not version.endswith(".") else ""


def _before(text: str, sign: str) -> str:
    return text.partition(sign)[0]


def _brackets(text: str) -> tuple[str, dict[str, str]]:
    """Return the text without ``[key=value, ...]`` and ``(optional)``, and the keys."""
    keys: dict[str, str] = {}
    if text.endswith("]") and "[" in text:
        start = text.index("[")
        inner, at = text[start + 1 : -1], 0
        while at < len(inner):
            found = _KEY.match(inner, at)
            if found is None:
                raise ValueError("What stands in brackets is no list of key=value.")
            keys[found[1].lower()] = next(
                one for one in found.groups()[1:] if one is not None
            ).strip()
            at = found.end()
        text = text[:start].strip()
    if text.endswith(")") and "(" in text:
        text = text[: text.rindex("(")].strip()
    return text, keys


def _place(text: str) -> tuple[str, str, str]:
    """Return the channel, its subdir, and the rest of ``channel/subdir::rest``."""
    if "::" not in text:
        return "", "", text
    before, _, rest = text.rpartition("::")
    # channel:namespace:name was once planned, never used.
    channel, subdir = _subdir(before.strip().rstrip(":"))
    return channel, subdir, rest.strip()


def _subdir(channel: str) -> tuple[str, str]:
    top, _, last = channel.rpartition("/")
    return (top, last) if top and is_subdir(last) else (channel, "")


_SUBDIR = re.compile(r"(noarch|(linux|osx|win|freebsd|emscripten|wasi|zos|android|ios)-\w{1,20})\Z")


def is_subdir(text: str) -> bool:
    """Return whether ``text`` is the name of a platform of conda's, or noarch."""
    return _SUBDIR.match(text) is not None


def _halves(rest: str) -> tuple[str, str]:
    """Return version part and build of what follows the name."""
    if not rest:
        return "", ""
    if rest[0] == "=" and rest[1:2] != "=":
        version, _, build = rest[1:].strip().partition("=")
        if not build and " " in version.strip():
            version, _, build = version.strip().partition(" ")
        return "=" + version.strip(), build.strip()
    if rest[0] in "=<>!~" or "," in rest or "|" in rest:
        return _constraint(rest)
    words = rest.split()
    version, equals, build = words[0].partition("=")
    if equals:
        return version, build
    if len(words) > 2:
        raise ValueError("More than a version and a build behind the name.")
    return version, words[1] if len(words) > 1 else ""


def _constraint(rest: str) -> tuple[str, str]:
    """Return the parts of ``>=1, <2 build`` or ``==1.2=build``: a build is never an operator."""
    joined = re.sub(r" ?([<>=!~,|]) ?", r"\1", " ".join(rest.split()))
    words = joined.split()
    if len(words) > 2:
        raise ValueError("More than a version and a build behind the name.")
    version, build = words[0], words[1] if len(words) > 1 else ""
    found = None if build else _BUILD.search(version)
    return (version[: found.start()], version[found.end() :]) if found else (version, build)
