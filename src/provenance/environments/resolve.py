"""Which releases go together when one of them is changed, and the others as little as possible."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping

from provenance.core.distributions import key_of
from provenance.environments import cache, indexes, refusals, uv
from provenance.environments.newest import MOST_ROUNDS, Newest, last_line, pins_in
from provenance.environments.wanted import LeftOut
from provenance.errors import SystemRefused

_FIRST_YEAR = 2012
KIND, DATES = "resolutions", "releases"
FRESH_S = 3600.0
"""Seconds for which an answer of the resolver is taken again; offline, it is whatever its age."""
_FOR_EVER_S = 1e12
_GRACE = 2
"""Months after a release in which what it needs may still have been released for it."""


class NotTogether(SystemRefused):
    """No releases go together with those asked for."""


def resolved(
    names: Iterable[str],
    fixed: Mapping[str, str],
    preferred: Mapping[str, str],
    python: str,
    environ: Mapping[str, str],
    cwd: str,
    offline: bool = False,
    before: str = "",
) -> Newest:
    """Return releases of ``names`` and what they require that go together with ``fixed``.

    fixed: versions by name that must be so. preferred: versions that stay wherever they can. Local
    builds (``torch==2.1.0+cpu``), which most indexes lack, stay as they are. before: a date; no
    later release is taken. Raises `NotTogether`, and another `ProvError` where uv cannot ask.
    """
    names = sorted({key_of(one) for one in names})
    asked = [names, dict(fixed), dict(preferred), python, cwd, indexes.settings(environ), before]
    name = cache.digest(*asked)
    known = cache.recall(environ, KIND, name, _FOR_EVER_S if offline else FRESH_S)
    if known is not None:
        return Newest(known, ())
    found = _resolved(names, fixed, preferred, python, environ, cwd, offline, before)
    if not found.left_out:
        cache.remember(environ, KIND, name, found.versions)
    return found


def _resolved(
    names: list[str],
    fixed: Mapping[str, str],
    preferred: Mapping[str, str],
    python: str,
    environ: Mapping[str, str],
    cwd: str,
    offline: bool,
    before: str,
) -> Newest:
    local = {key: one for key, one in preferred.items() if "+" in one and key not in fixed}
    todo = {one: "" for one in names if one not in local}
    todo.update((key, "==%s" % one) for key, one in fixed.items())
    left_out: list[LeftOut] = []
    alone = indexes.several(environ)
    with tempfile.TemporaryDirectory(prefix="prov-") as folder:
        path = os.path.join(folder, "kept.txt")
        words = ["pip", "compile", "-", "-q", "--no-header", "--no-annotate", "-o", path]
        words += ["--python-version", python, *(["--offline"] if offline else [])]
        words += ["--exclude-newer", before] if before else []
        for _ in range(MOST_ROUNDS):
            with open(path, "w", encoding="utf-8") as stream:  # uv keeps what its output says
                stream.write("".join("%s==%s\n" % one for one in sorted(preferred.items())))
            text = "".join(key + version + "\n" for key, version in todo.items())
            done = uv.run(words, environ, cwd, text, one_index=alone)
            if done.code == 0:
                with open(path, encoding="utf-8") as stream:
                    return Newest({**pins_in(stream.read()), **local}, tuple(left_out))
            if alone:
                alone = False
                continue
            refusal = refusals.read(done.complaints, todo)
            if refusal.network:
                raise SystemRefused(refusal.reason + ".")
            if not refusal.key or refusal.key in fixed:
                break
            del todo[refusal.key]
            left_out.append(LeftOut(refusal.key, "", refusal.reason))
    asked = ", ".join("%s %s" % one for one in fixed.items())
    why = refusal.reason if refusal.key else last_line(done.complaints)
    raise NotTogether("uv finds no releases that go together with %s: %s." % (asked, why))


def released(
    name: str, version: str, environ: Mapping[str, str], cwd: str, offline: bool = False
) -> str:
    """Return a date soon after ``version`` of ``name`` was released, "" where nobody says when.

    Found by halving: uv is asked whether the release was there in some month.
    """
    kept = cache.digest(name, version, indexes.settings(environ))
    known = cache.recall(environ, DATES, kept, _FOR_EVER_S)
    if isinstance(known, str):
        return known
    date = "" if offline else _released(name, version, environ, cwd)
    if date:
        cache.remember(environ, DATES, kept, date)
    return date


def _released(name: str, version: str, environ: Mapping[str, str], cwd: str) -> str:
    months = ["%d-%02d-01" % (y, m) for y in range(_FIRST_YEAR, _year() + 2) for m in range(1, 13)]
    if _there_before(months[0], name, version, environ, cwd):
        return ""
    low, high = 0, len(months) - 1
    if not _there_before(months[high], name, version, environ, cwd):
        return ""
    while high - low > 1:
        middle = (low + high) // 2
        if _there_before(months[middle], name, version, environ, cwd):
            high = middle
        else:
            low = middle
    return months[min(high + _GRACE, len(months) - 1)]


def _there_before(date: str, name: str, version: str, environ: Mapping[str, str], cwd: str) -> bool:
    words = ["pip", "compile", "-", "-q", "--no-deps", "--exclude-newer", date]
    return uv.run(words, environ, cwd, "%s==%s\n" % (name, version)).code == 0


def _year() -> int:
    return time.gmtime().tm_year
