"""What environment files state, as the lock made from them hands it to the drop-in test.

Known changes are judged for the source that the repository has when the lock is written.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from provenance.agent import check
from provenance.core import digest
from provenance.core.difference import BROKEN, NONE, POSSIBLE, UNKNOWN
from provenance.knowledge import catalog, match
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import _baked_changes, _imports, _stated_source
from provenance.operations._baked_changes import Package
from provenance.operations._baked_checks import FORM, relative_top
from provenance.operations.stated import Stated
from provenance.specs import against, importable, names, ranges
from provenance.specs.model import CONDA, EXACT, NAMED, PACKAGE, PLACED, PYPI, PYTHON, Fact

_ELSEWHERE = "%s: by this test only packages of Python can be seen (prov verify sees more)"


def section(stated: Sequence[Stated], path: str, top: str) -> dict[str, Any]:
    """Return the section of the lock at ``path`` that holds ``stated``; top: of the repository."""
    files = _stated_source.load(top)
    needed = {name for name in _imports.needed(files.texts) if not files.own(name)}
    rows = [row for one in stated for fact in one.facts for row in _rows(fact, needed)]
    exact = {
        row["key"]: Package(row["key"], row["name"], _release(row["asked"]), tuple(row["modules"]))
        for row in rows
        if _release(row.get("asked", ""))
    }
    tops = {name for one in exact.values() for name in one.modules}
    uses = match.uses_of(_stated_source.uses_of(files, tops)[0]) if exact else ()
    return {
        "form": FORM,
        "title": ", ".join(one.path for one in stated),
        "top": relative_top(path, top),
        "packages": rows,
        "known": [
            _of_series(row, rows) for row in _baked_changes.known(catalog.load(), exact, uses, None)
        ],
        "data": [row for one in stated for row in _data(one)],
    }


def _release(asked: str) -> str:
    """Return the release that ``asked`` names, the first of a series ("==1.1.*"), "" for none."""
    release = asked[2:].removesuffix(".*")
    return release if asked.startswith("==") and not set(release) & set(",*") else ""


def _of_series(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return what is known of a package with the remedy for a series where the file names one."""
    asked = next(one["asked"] for one in rows if one["key"] == row["package"] and "asked" in one)
    if not asked.endswith(".*"):
        return row
    name = next(one["name"] for one in rows if one["key"] == row["package"] and "asked" in one)
    pinned = re.escape("%s==%s" % (name, _release(asked))) + r"(?![\w.])"
    return dict(row, text=re.sub(pinned, lambda _: "'%s%s'" % (name, asked), row["text"]))


def _rows(fact: Fact, needed: set[str]) -> Iterator[dict[str, Any]]:
    """Yield the row of one fact; one that says why where the drop-in cannot compare it."""
    if fact.group or fact.kind not in (PACKAGE, PYTHON) or fact.ecosystem not in (PYPI, CONDA):
        return
    python = fact.kind == PYTHON
    key = PYTHON_ITSELF if python else next(iter(names.installed_names(fact)), "")
    asked = _asked(fact)
    unread = {"key": fact.where, "unread": "%s %s" % (fact.name, asked or fact.url)}
    if not key or (fact.ecosystem == CONDA and not python and not names.is_distribution(fact)):
        yield dict(unread, unread=_ELSEWHERE % fact.name)
        return
    if asked is None or not _is_readable(asked, fact.marker):
        yield dict(unread, unread="%s: stated in a way that this test does not read" % fact.name)
        return
    modules = () if python else importable.modules(key)
    name = "Python" if python else fact.name if fact.ecosystem == PYPI else key
    row: dict[str, Any] = {
        "key": key,
        "name": name,
        "asked": asked,
        "wanted": "%s asks for %s" % (fact.where, ranges.shown(fact) or "it"),
        "differs": POSSIBLE if ranges.is_bound(asked) else UNKNOWN,
        "missing": _missing(key, needed.intersection(modules)),
        "modules": list(modules),
        "fix": "use Python " + asked.lstrip("=")
        if python
        else "pip install '%s%s'" % (name, asked),
    }
    yield dict(row, marker=fact.marker) if fact.marker and fact.ecosystem == PYPI else row


def _is_readable(asked: str, marker: str) -> bool:
    """Return whether the drop-in can hold versions against ``asked``, and judge the marker."""
    try:
        check.meets("0", asked)
        check.applies(marker)
    except check.NOT_UNDERSTOOD:
        return False
    return True


def _asked(fact: Fact) -> str | None:
    """Return the versions that a fact allows in pip's words, "" for all, None for a place."""
    if fact.exactness == EXACT and fact.version:
        return "==" + fact.version
    if fact.exactness == NAMED:
        return ""
    if fact.exactness == PLACED:
        return None
    clauses = ranges.shown(fact).split(",")
    return ",".join(one if one[:1] in "<>=!~" else "==" + one for one in clauses)


def _missing(key: str, imported: Iterable[str]) -> str:
    """Return what it means that a package is not installed whose modules are ``imported``."""
    if set(imported):
        return BROKEN
    return NONE if key in against.OWN_TOOLS else UNKNOWN


def _data(one: Stated) -> Iterator[dict[str, Any]]:
    for fact in one.data:
        kind, _, value = fact.digest.partition(":")
        below = os.path.normpath(os.path.join(os.path.dirname(one.path), fact.name))
        path = below.replace(os.sep, "/")
        if path.startswith("../") or not digest.available((kind,)) or value.endswith(".dir"):
            yield {"path": fact.name, "skip": "its digest is none that this test takes"}
        else:
            yield {"path": path, "digest": "%s:%s" % (kind, value.lower())}
