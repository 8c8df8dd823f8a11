"""Which releases go together when one of them is changed, and the others as little as possible."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

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
    wheels: bool = False,
) -> Newest:
    """Return releases of ``names`` and what they require that go together with ``fixed``.

    fixed: versions by name that must be so. preferred: versions that stay wherever they can. Local
    builds (``torch==2.1.0+cpu``), which most indexes lack, stay as they are. before: a date; no
    later release is taken. Raises `NotTogether`, and another `ProvError` where uv cannot ask.
    wheels: nothing is taken that would have to be built.
    """
    names = sorted({key_of(one) for one in names})
    asked = [
        names,
        dict(fixed),
        dict(preferred),
        python,
        cwd,
        indexes.settings(environ),
        before,
        wheels,
    ]
    name = cache.digest(*asked)
    known = cache.recall(environ, KIND, name, _FOR_EVER_S if offline else FRESH_S)
    if known is not None:
        return Newest(known, ())
    options = [
        *(["--offline"] if offline else []),
        *(["--exclude-newer", before] if before else []),
    ]
    if wheels:
        options.append("--no-build")
    found = _Question(names, fixed, preferred, python, environ, cwd).answered(options)
    if not found.left_out:
        cache.remember(environ, KIND, name, found.versions)
    return found


class _Question(NamedTuple):
    """What `resolved` is asked."""

    names: list[str]
    fixed: Mapping[str, str]
    preferred: Mapping[str, str]
    python: str
    environ: Mapping[str, str]
    cwd: str

    def answered(self, options: list[str]) -> Newest:
        """Return what uv finds with ``options``; what no index has is left out and named."""
        kept = {key: one for key, one in self.preferred.items() if "+" in one}
        local = {key: one for key, one in kept.items() if key not in self.fixed}
        todo = {one: "" for one in self.names if one not in local}
        todo.update((key, "==%s" % one) for key, one in self.fixed.items())
        left_out: list[LeftOut] = []
        for _ in range(MOST_ROUNDS):
            done, found = self._asked(todo, options)
            if done.code == 0:
                return Newest({**found, **local}, tuple(left_out))
            refusal = refusals.read(done.complaints, todo)
            if refusal.network:
                raise SystemRefused(refusal.reason + ".")
            if refusal.key in self.fixed and refusal.simple:
                told = (refusal.key, self.fixed[refusal.key], refusal.reason)
                raise NotTogether("%s %s: %s." % told)
            if not refusal.key or refusal.key in self.fixed:
                break
            del todo[refusal.key]
            left_out.append(LeftOut(refusal.key, "", refusal.reason))
        asked = ", ".join("%s %s" % one for one in self.fixed.items())
        why = refusal.reason if refusal.key else last_line(done.complaints)
        raise NotTogether("nothing goes together with %s: %s." % (asked, why))

    def _asked(self, todo: Mapping[str, str], options: list[str]) -> tuple[uv.Done, dict[str, str]]:
        """Ask uv, where pip has extra indexes first without them."""
        with tempfile.TemporaryDirectory(prefix="prov-") as folder:
            path = os.path.join(folder, "kept.txt")
            words = ["pip", "compile", "-", "-q", "--no-header", "--no-annotate", "-o", path]
            words += ["--python-version", self.python, *options]
            text = "".join(key + version + "\n" for key, version in todo.items())
            for alone in (True, False) if indexes.several(self.environ) else (False,):
                with open(path, "w", encoding="utf-8") as stream:  # uv keeps what its output says
                    stream.writelines("%s==%s\n" % one for one in sorted(self.preferred.items()))
                done = uv.run(words, self.environ, self.cwd, text, one_index=alone)
                if done.code == 0:
                    with open(path, encoding="utf-8") as stream:
                        return done, pins_in(stream.read())
        return done, {}


def released(
    name: str,
    version: str,
    python: str,
    environ: Mapping[str, str],
    cwd: str,
    offline: bool = False,
) -> str:
    """Return a date soon after ``version`` of ``name`` was released, "" where nobody says when.

    Found by halving: uv is asked whether the release, with a wheel for ``python``, was there in
    some month.
    """
    kept = cache.digest(name, version, python, indexes.settings(environ))
    known = cache.recall(environ, DATES, kept, _FOR_EVER_S)
    if isinstance(known, str):
        return known
    date = "" if offline else _released(name, version, python, environ, cwd)
    if date:
        cache.remember(environ, DATES, kept, date)
    return date


def _released(name: str, version: str, python: str, environ: Mapping[str, str], cwd: str) -> str:
    months = ["%d-%02d-01" % (y, m) for y in range(_FIRST_YEAR, _year() + 2) for m in range(1, 13)]

    def there(month: int) -> bool:
        words = ["pip", "compile", "-", "-q", "--no-deps", "--no-build"]
        words += ["--python-version", python, "--exclude-newer", months[month]]
        return uv.run(words, environ, cwd, "%s==%s\n" % (name, version)).code == 0

    low, high = 0, len(months) - 1
    if not there(high) or there(low):
        return ""
    while high - low > 1:
        middle = (low + high) // 2
        if there(middle):
            high = middle
        else:
            low = middle
    return months[min(high + _GRACE, len(months) - 1)]


def _year() -> int:
    return time.gmtime().tm_year
