"""``conda list --explicit`` and what conda-lock renders: addresses of package files below
``@EXPLICIT``, and lines ``# pip name @ address`` for pip.
"""  # noqa: D205

from __future__ import annotations

import re

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from provenance.specs import _conda
from provenance.specs._gathered import NO_PACKAGE, Gathered
from provenance.specs._text import decoded
from provenance.specs.model import Source, Spec, Unreadable

FORMAT = "conda explicit list"
_PLATFORM = re.compile(r"#\s*platform:\s*(\S+)")
_PIP = re.compile(r"#\s*pip\s+(\S+)\s*@\s*(\S+)")
_HASH = re.compile(r"--hash=(sha256|md5)[:=]([0-9a-fA-F]+)")
_LONGEST = 8000


def is_explicit(text: str) -> bool:
    """Return whether a line of ``text`` is @EXPLICIT, conda's own sign."""
    return re.search(r"^@EXPLICIT[ \t]*$", text, re.MULTILINE) is not None


def read(source: Source) -> Spec:
    """Return what an explicit list states; it lists all that conda installed."""
    text = decoded(source.data)
    if not is_explicit(text):
        raise Unreadable("No explicit list of conda's: no line is @EXPLICIT.", 1)
    told = Gathered(source.path)
    subdirs: list[tuple[str, int]] = []
    for number, line in enumerate(text.split("\n"), 1):
        bare = line.strip()
        if not bare or bare == "@EXPLICIT":
            continue
        if len(bare) > _LONGEST:
            told.miss(number, bare, "The line is too long for an address.")
        elif bare.startswith("#"):
            _comment(bare, number, told, subdirs)
        else:
            _address(bare, number, told, subdirs)
    named = {name for name, _ in subdirs} - {"noarch", ""}
    if len(named) > 1:
        note = "Addresses of several platforms (%s); the list is for one."
        told.note(note % ", ".join(sorted(named)[:5]))
    _conda.platforms(subdirs[:1] if named else (), told)
    return told.spec(FORMAT, any(one.version for one in told.facts), nothing=NO_PACKAGE)


def _comment(line: str, number: int, told: Gathered, subdirs: list[tuple[str, int]]) -> None:
    platform = _PLATFORM.match(line)
    if platform:
        subdirs.insert(0, (platform[1], number))
        return
    pip = _PIP.match(line)
    if pip is None:
        return
    name, address = pip[1], pip[2]
    address, _, fragment = address.partition("#")
    given = _HASH.search(line)
    digest = "%s:%s" % (given[1], given[2].lower()) if given else _conda.digest_of(fragment)
    version = version_of(address)
    fact = _conda.pypi_fact(
        name,
        version,
        told.where(number),
        url="" if version else _conda.without_secret(address),
        digest=digest,
    )
    told.take(fact)


def _address(line: str, number: int, told: Gathered, subdirs: list[tuple[str, int]]) -> None:
    found = _conda.artifact(line)
    if found is None:
        why = "No address of a package file (.conda or .tar.bz2)."
        told.miss(number, _conda.without_secret(line), why)
        return
    if found.subdir not in ("", "noarch"):
        subdirs.append((found.subdir, number))
    told.take(_conda.of_artifact(found, told.where(number)))


def version_of(address: str) -> str:
    """Return the version that the name of a wheel or source archive says, "" if none does."""
    base = address.partition("#")[0].partition("?")[0].rpartition("/")[2].replace("%2B", "+")
    if len(base) > 400:
        return ""
    try:
        if base.endswith(".whl"):
            return str(parse_wheel_filename(base)[1])
        return str(parse_sdist_filename(base)[1])
    except (InvalidWheelFilename, InvalidSdistFilename, ValueError):
        return ""
