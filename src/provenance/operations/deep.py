"""``prov verify --deep``: whether installed files still are what was installed.

Versions and the RECORD of a package say what was put there, not what is there now: site-packages
that somebody edited to try something out look untouched. Every file of the packages that the run
imported is digested and compared with RECORD, or with what conda says of its package.
"""

from __future__ import annotations

import base64
import csv
import glob
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from provenance.core.context import Interpreter
from provenance.core.difference import KNOWN, POSSIBLE, UNKNOWN, NotCompared
from provenance.core.distributions import Distribution, scan
from provenance.core.record import Record
from provenance.core.verdict import Finding, Reason
from provenance.environments import sources
from provenance.errors import ProvError
from provenance.facets import packages
from provenance.facets._installed import Installed
from provenance.operations import _edits
from provenance.operations.facts import Facts

FACTS = "package files"
"""Under this name the files are counted."""
LEVEL = "L0"
"""Of the reasons given: the files themselves."""
MOST_TOLD = 20
"""Edited files of one package that are told one by one."""
MOST_DIFFED = 8
"""Edited files whose original is looked at, which may have to be fetched."""
_THREADS = 4
_CLOCK_S = 2.0
"""Seconds by which file systems round times."""
_CODE = re.compile(r"\.(py|so|pyd|dylib|dll)(\.\d+)*$")


class Looked(NamedTuple):
    """What looking gave."""

    findings: tuple[Finding, ...]
    facts: Facts
    not_compared: tuple[NotCompared, ...]


class Wish(NamedTuple):
    """How to look. offline: no wheel is fetched to show what was edited."""

    environ: Mapping[str, str]
    cwd: str
    offline: bool = False


class _Stated(NamedTuple):
    """A file as it was installed: its place, its name for people, and SHA-256 in hexadecimal."""

    path: str
    name: str
    sha256: str


class _Edited(NamedTuple):
    """A file that is not as it was installed. kind: "content" or "missing"."""

    stated: _Stated
    kind: str


def look(run: Record, interpreter: Interpreter, wish: Wish) -> Looked:
    """Digest the files of what ``run`` imported, as they are for ``interpreter``."""
    found = packages.of(run)
    if not found:
        return Looked((), Facts(0, 0, "files"), ())
    subject, installed = next(iter(found.items()))
    findings: list[Finding] = []
    missing: list[NotCompared] = []
    total = equal = 0
    room = MOST_DIFFED
    began = _same_place(run, interpreter)
    for dist in scan(interpreter.sys_path):
        was = installed.distributions.get(dist.key)
        if was is None or not (was.imported or not installed.complete) or dist.editable_root:
            continue
        stated = list(_stated(dist, was, interpreter.prefix))
        if not stated:
            missing.append(NotCompared("packages", dist.name, "nothing states its files' digests"))
            continue
        edited = _edited(stated)
        total += len(stated)
        equal += len(stated) - len(edited)
        for one in edited[:MOST_TOLD]:
            findings.append(_finding(subject, dist, was, one, began, wish if room > 0 else None))
            room -= 1
        if len(edited) > MOST_TOLD:
            reason = "%d more edited files" % (len(edited) - MOST_TOLD)
            missing.append(NotCompared("packages", dist.name, reason))
    return Looked(tuple(findings), Facts(equal, total, "files"), tuple(missing))


def edited_since(dist: Distribution, was: Installed) -> tuple[str, ...]:
    """Return the files of ``dist`` that were edited after its install, found by their times.

    Only files that are younger than RECORD, which is written last, are digested: this is cheap, and
    misses what was edited with its time put back.
    """
    try:
        installed = os.stat(os.path.join(dist.folder, "RECORD")).st_mtime + _CLOCK_S
    except OSError:
        return ()
    young = [one for one in _stated(dist, was, None) if _modified(one.path) > installed]
    return tuple(one.stated.name for one in _edited(young))


def _modified(path: str) -> float:
    try:
        return os.stat(path).st_mtime
    except OSError:
        return 0.0


def _stated(dist: Distribution, was: Installed, prefix: str | None) -> Iterator[_Stated]:
    """Yield the files of ``dist`` with their digests, conda's word before that of RECORD."""
    if was.conda and prefix:
        found = list(_by_conda(was.conda, prefix))
        if found:
            yield from found
            return
    metadata = os.path.basename(dist.folder)
    try:
        with open(os.path.join(dist.folder, "RECORD"), encoding="utf-8", newline="") as stream:
            rows = [row for row in csv.reader(stream) if len(row) > 1]
    except (OSError, UnicodeDecodeError, csv.Error):
        return
    for row in rows:
        # Not those that the installer wrote: they say where and when, not what.
        own = not row[0].startswith((metadata + "/", "../", "/")) and not row[0].endswith(".pyc")
        if own and row[1].startswith("sha256="):
            path = os.path.join(dist.location, row[0])
            yield _Stated(path, row[0], _hexadecimal(row[1][len("sha256=") :]))


def _hexadecimal(text: str) -> str:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).hex()
    except ValueError:
        return text


def _by_conda(name: str, prefix: str) -> Iterator[_Stated]:
    """Yield the files of conda's package ``name``; of rewritten ones the digest in the prefix."""
    for path in glob.glob(os.path.join(glob.escape(prefix), "conda-meta", name + "-*.json")):
        try:
            with open(path, encoding="utf-8") as stream:
                told = json.load(stream)
            if told["name"] != name:
                continue
            for one in told["paths_data"]["paths"]:
                digest = one.get("sha256_in_prefix") or one.get("sha256")
                link = one.get("path_type") == "softlink"
                if digest and not link and not one["_path"].endswith(".pyc"):
                    yield _Stated(os.path.join(prefix, one["_path"]), one["_path"], digest)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue


def _edited(stated: Iterable[_Stated]) -> list[_Edited]:
    """Return those of ``stated`` that are not as they were, sorted by name."""
    with ThreadPoolExecutor(_THREADS) as pool:
        both = list(pool.map(lambda one: (one, _digest(one.path)), stated))
    found = [
        _Edited(one, "missing" if now is None else "content")
        for one, now in both
        if now != one.sha256
    ]
    return sorted(found, key=lambda one: (_CODE.search(one.stated.name) is None, one.stated.name))


def _digest(path: str) -> str | None:
    try:
        with open(path, "rb") as stream:
            digest = hashlib.sha256()
            while chunk := stream.read(1 << 20):
                digest.update(chunk)
            return digest.hexdigest()
    except OSError:
        return None


def _same_place(run: Record, interpreter: Interpreter) -> float | None:
    """Return when the run began, where it ran in the very environment that is looked at."""
    for one in run.payloads("runtime"):
        prefix = one.payload.get("prefix")
        recorded = one.interpreter == interpreter.executable
        if prefix and (recorded or _absolute(run, prefix) == interpreter.prefix):
            try:
                return datetime.fromisoformat(run.started).timestamp()
            except ValueError:
                return None
    return None


def _absolute(run: Record, prefix: Mapping[str, str]) -> str | None:
    """Return where a recorded folder is, None for a record that does not say (one of a lock)."""
    if prefix.get("root") == "abs":
        return prefix.get("path")
    top = run.roots.get(prefix.get("root", ""))
    return os.path.normpath(os.path.join(top, prefix.get("path", ""))) if top else None


def _finding(
    subject: str,
    dist: Distribution,
    was: Installed,
    one: _Edited,
    began: float | None,
    wish: Wish | None,
) -> Finding:
    """Return the finding about one edited file; ``wish``: whether its original is looked at."""
    effect, why = _effect(dist, was, one, began)
    told = _diff(dist, one, wish) if wish is not None and one.kind == "content" else ""
    name = "%s: %s" % (dist.name, one.stated.name)
    if effect == UNKNOWN:
        text = "; ".join(filter(None, (why, told)))
        return Finding("packages", subject, one.kind, name, effect, None, None, (), text)
    remedy = "pip install --force-reinstall --no-deps %s==%s" % (dist.name, dist.version)
    fix = "" if was.conda or was.origin != "index" else remedy
    done = "edited" if one.kind == "content" else "removed"
    text = "%s since it was installed" % done
    reasons = (Reason(LEVEL, told or "the file was %s here" % done, why, "", fix),)
    return Finding("packages", subject, one.kind, name, effect, None, None, (), text, reasons)


def _effect(
    dist: Distribution, was: Installed, one: _Edited, began: float | None
) -> tuple[str, str]:
    """Return the effect of an edited file, and why.

    Which files of a package a run imported is not recorded, but its top ones always are.
    """
    if began is not None and one.kind == "content" and _changed_at(one.stated.path) < began:
        return UNKNOWN, "edited before the run, which used it so; a rebuild will not have it"
    if not was.imported:
        return UNKNOWN, "not known whether the run imported it"
    if not _CODE.search(one.stated.name):
        return UNKNOWN, "no code"
    if _is_top(dist, was, one.stated):
        return KNOWN, "the run imported it"
    return POSSIBLE, "the run imported %s; which of its files is not recorded" % dist.name


def _changed_at(path: str) -> float:
    """Return when a file changed last; its status too, which an old time put back changes."""
    try:
        status = os.stat(path)
    except OSError:
        return float("inf")
    return max(status.st_mtime, status.st_ctime)


def _is_top(dist: Distribution, was: Installed, stated: _Stated) -> bool:
    """Return whether a file runs whenever its package is imported at all."""
    below = os.path.relpath(stated.path, dist.location).replace(os.sep, "/")
    for module in dist.modules or was.modules:
        path = module.replace(".", "/")
        if below == path + "/__init__.py" or re.match(re.escape(path) + r"\.[^/]+$", below):
            return True
    return False


def _diff(dist: Distribution, one: _Edited, wish: Wish) -> str:
    """Return the first lines that were edited, "" where the wheel is not to be had."""
    if not one.stated.name.endswith((".py", ".pyi", ".json", ".txt", ".cfg", ".toml", ".yaml")):
        return ""
    try:
        minor = "%s.%s" % _python_of(dist)
        had = sources.fetch(
            dist.key, dist.version, minor, wish.environ, wish.cwd, wish.offline, limit_mb=50.0
        )
    except ProvError:
        return ""
    if had.folder is None:
        return ""
    below = os.path.relpath(one.stated.path, dist.location)
    original = os.path.join(had.folder, below)
    if _digest(original) != one.stated.sha256:
        return ""
    return _edits.told(original, one.stated.path)


def _python_of(dist: Distribution) -> tuple[str, str]:
    """Return the minor release whose site folder holds ``dist``."""
    found = re.search(r"python(\d+)\.(\d+)", dist.location)
    return (found.group(1), found.group(2)) if found else ("3", "11")
