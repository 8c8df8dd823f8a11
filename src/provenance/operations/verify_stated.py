"""Verifying a repository that never ran prov: what its environment files state against the present.

The reasons come from the written knowledge and from the interfaces of the two releases, for what
the source here calls; nothing is run but the interpreter, to say what it is.
"""

from __future__ import annotations

import functools
import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from packaging.markers import default_environment

from provenance.agent import inventory
from provenance.core import context, verdict, versions
from provenance.core.context import Context, Interpreter
from provenance.core.difference import Comparison, Difference, NotCompared
from provenance.core.distributions import key_of
from provenance.core.record import Record
from provenance.core.redact import Redactor
from provenance.core.verdict import Finding
from provenance.errors import NothingToCompare
from provenance.facets import packages
from provenance.facets._installed import Packages
from provenance.knowledge import match
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import (
    _explain_interfaces,
    _stated_source,
    measuring,
    present,
)
from provenance.operations._releases import Releases
from provenance.operations._stated_source import Imports, SourceFiles
from provenance.operations.called import calls_of
from provenance.operations.facts import Facts
from provenance.operations.recorder import CACHE
from provenance.operations.stated import RECORD, Stated
from provenance.operations.stated_cuda import compare_cuda
from provenance.operations.stated_data import SECONDS, compare_data
from provenance.operations.stated_julia import compare_julia
from provenance.operations.stated_r import compare_r
from provenance.specs import against, importable, ranges
from provenance.specs.against import Here, Row
from provenance.specs.model import CONDA, PACKAGE, PYPI, PYTHON
from provenance.store.digestcache import DigestCache
from provenance.store.project import Project

SECONDS_OF_WHEELS = 20.0
"""After these no wheel is fetched any more to read its interface; what is left is said."""
LIMIT_MB = 100.0
"""Megabytes of a wheel that are fetched to read its interface, unless asked otherwise."""
_WORDS = ("text", "evidence", "remedy", "source")
_FEW = 2
"""Missing packages from which one may doubt the interpreter; names that a sentence lists."""
_OWN = (".venv", "venv", "env")
"""Folders in which a repository keeps its virtual environment."""


class Wish(NamedTuple):
    """How to verify. Members as in `verify.Wish`."""

    cwd: str
    environ: Mapping[str, str]
    python: str | None = None
    offline: bool = False
    full: bool = False
    limit_mb: float | None = None
    progress: Callable[[str], None] | None = None


class Outcome(NamedTuple):
    """What was found. rows: of packages. interpreter: the one looked at, None where none is."""

    interpreter: Interpreter | None
    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    facts: dict[str, Facts]
    not_compared: tuple[NotCompared, ...]
    notes: tuple[str, ...]


def verify(stated: Stated, place: Project, wish: Wish) -> Outcome:
    """Compare what environment files state with the present. Raises `ProvError`."""
    notes: list[str] = []
    files = functools.cache(lambda: _stated_source.load(stated.root))
    parts: list[tuple[str, Comparison]] = []
    rows: tuple[Row, ...] = ()
    interpreter, today, held = None, None, None
    if _speaks_of_python(stated):
        interpreter, today = _present(stated, place, wish)
        here = _here(interpreter, today, files)
        held = here.packages
        compared = against.packages(stated.packages, here, stated.complete)
        rows = compared.rows
        parts.append(("packages", compared.comparison))
        parts.append(("runtime", against.python(stated.facts, interpreter.version, here.markers)))
    parts += _elsewhere(stated, interpreter, place, wish)
    if not any(one.total or one.differences for _, one in parts):
        why = "; ".join(dict.fromkeys(n.reason for _, one in parts for n in one.not_compared))
        raise NothingToCompare(
            "nothing that %s states can be compared: %s." % (stated.path, why or "no version"),
            "name another reference: prov verify FILE",
        )
    differences = [one for _, part in parts for one in part.differences]
    findings, missing, told = _explained(differences, files, interpreter, today, held, wish)
    notes += [*files().notes, *told] if findings else []
    left = [one for _, part in parts for one in part.not_compared]
    return Outcome(
        interpreter,
        rows,
        tuple(verdict.ranked(findings)),
        _facts(parts),
        (*left, *missing),
        tuple(dict.fromkeys([*_unread(stated), *_doubts(rows, stated), *_parts(stated), *notes])),
    )


def _speaks_of_python(stated: Stated) -> bool:
    kinds = {(one.kind, one.ecosystem) for one in stated.facts}
    return bool(kinds & {(PACKAGE, PYPI), (PACKAGE, CONDA), (PYTHON, PYPI), (PYTHON, CONDA)})


def _facts(parts: Iterable[tuple[str, Comparison]]) -> dict[str, Facts]:
    """Return how much was compared, per facet; parts of one facet together."""
    found: dict[str, Facts] = {}
    for name, one in parts:
        if one.total:
            known = found.get(name, Facts(0, 0, one.unit))
            total = known.total + one.total
            found[name] = Facts(known.equal + one.equal, total, known.unit)
    return found


def _unread(stated: Stated) -> list[str]:
    """Return what of the best file could not be read, a sentence each."""
    told = ["%s: %s" % (one.where, one.why) for one in stated.unread]
    return [*told, *stated.notes] if stated.lock else told


def _doubts(rows: Sequence[Row], stated: Stated) -> list[str]:
    """Return the question that nearly nothing of what is stated being there raises."""
    rows = [row for row in rows if key_of(row.name) not in against.OWN_TOOLS]
    missing = sum(row.status == against.MISSING for row in rows)
    if missing < _FEW or 2 * missing <= len(rows):
        return []
    text = "%d of %d packages of %s are not installed: another interpreter? --python PATH"
    return [text % (missing, len(rows), stated.path)]


def _parts(stated: Stated) -> list[str]:
    """Return a sentence where the file is that of a part, and other parts have theirs."""
    folder = os.path.dirname(stated.path)
    others = [p for p in stated.also if os.path.dirname(p) not in ("", folder)]
    if not folder or stated.lock or not others:
        return []
    shown = ", ".join(others[:_FEW]) + (" ..." if len(others) > _FEW else "")
    return ["%s is of one part; others: %s (prov verify FILE)" % (stated.path, shown)]


def _present(stated: Stated, place: Project, wish: Wish) -> tuple[Interpreter, Record]:
    """Return the interpreter that is compared with, and what is installed for it."""
    python = wish.python or _own_python(stated.root, wish.environ)
    if wish.python and os.sep in wish.python:
        python = os.path.normpath(os.path.join(wish.cwd, wish.python))
    chosen = python or present.choose_python(RECORD, wish.environ, stated.root)
    interpreter = inventory.probe(chosen, wish.environ, stated.root)._replace(id="python")
    looked_at = Context(
        phase=context.PRESENT,
        roots=place.roots(stated.root),
        command=(),
        environ=wish.environ,
        redact=Redactor.from_environment(wish.environ),
        digest=DigestCache(os.path.join(place.folder, CACHE)).digest,
        started=time.time(),
        interpreters=(interpreter,),
    )
    installed = {packages.NAME: packages.capture(looked_at)}
    return interpreter, RECORD._replace(facets=installed)


def _own_python(root: str, environ: Mapping[str, str]) -> str | None:
    """Return the interpreter of the repository's own environment, unless another one is active."""
    if environ.get("VIRTUAL_ENV") or environ.get("CONDA_PREFIX"):
        return None
    for name in _OWN:
        path = os.path.join(root, name, "bin", "python")
        if os.path.exists(os.path.join(root, name, "pyvenv.cfg")) and os.access(path, os.X_OK):
            return path
    return None


def _here(interpreter: Interpreter, today: Record, files: Callable[[], SourceFiles]) -> Here:
    held = next(iter((packages.of(today) or {}).values()))
    return Here(interpreter.version, held, _markers(interpreter), Imports(files))


def _markers(one: Interpreter) -> dict[str, str]:
    """Return the PEP 508 environment of an interpreter on this machine."""
    names = {"cpython": "CPython", "pypy": "PyPy"}
    return {
        **{name: str(value) for name, value in default_environment().items()},
        "python_version": ".".join(one.version.split(".")[:2]),
        "python_full_version": one.version,
        "implementation_name": one.implementation,
        "implementation_version": one.version,
        "platform_python_implementation": names.get(one.implementation, platform.system()),
    }


def _elsewhere(
    stated: Stated, interpreter: Interpreter | None, place: Project, wish: Wish
) -> list[tuple[str, Comparison]]:
    """Return what is stated beside Python and its packages: CUDA, data, Julia, R."""
    folders = _sites(interpreter) if interpreter is not None else []
    parts = [
        ("CUDA", compare_cuda(stated.facts, folders, wish.environ)),
        ("R packages", compare_r(stated.facts, wish.environ, stated.root)),
        ("Julia packages", compare_julia(stated.facts, wish.environ, stated.root)),
    ]
    if stated.data:
        kept = os.path.join(place.folder, CACHE)
        seconds = None if wish.full else SECONDS
        told = compare_data(stated.data, stated.root, kept, seconds, wish.progress)
        parts.append(("data", told))
    return parts


def _sites(one: Interpreter) -> list[str]:
    """Return the folders that packages are installed in for an interpreter."""
    return [path for path in one.sys_path if path.endswith("-packages")]


def _explained(
    differences: Sequence[Difference],
    files: Callable[[], SourceFiles],
    interpreter: Interpreter | None,
    today: Record | None,
    held: Packages | None,
    wish: Wish,
) -> tuple[list[Finding], list[NotCompared], tuple[str, ...]]:
    """Return the differences with the reasons why they matter to the source here."""
    changed = [one for one in differences if one.kind == "version" and one.effect != "none"]
    if interpreter is None or today is None or held is None or not changed:
        return [verdict.finding(one) for one in differences], [], ()
    tops = _tops(changed, held)
    own, notes = _stated_source.uses_of(files(), tops)
    both = own._replace(facets={**own.facets, **today.facets})
    entries = measuring.entries(wish.environ)
    edges = {id(one): _edge(one) for one in changed}
    judged = [_placed(one, edges.get(id(one), "")) for one in differences]
    found = match.explain(judged, both, both, entries)
    uses = match.uses_of(both)
    sites = _sites(interpreter)
    releases = Releases(interpreter.version, _limited(wish), sites, SECONDS_OF_WHEELS)
    calls = []
    for one, difference in zip(found, differences, strict=False):
        edge = edges.get(id(difference), "")
        # Of a release that there is not nothing can be fetched.
        there_is = edge and not edge.endswith(ranges.JUST_BELOW) and difference.facet == "packages"
        calls.append(calls_of(one.name, uses, (held,)) if there_is else [])
    asked = [one for one, own in zip(found, calls, strict=False) if own]
    releases.prepare((one.name, str(version)) for one in asked for version in (one.old, one.new))
    findings, missing = [], []
    for one, own_calls, difference in zip(found, calls, differences, strict=False):
        told, dark = _explain_interfaces.changed(one, own_calls, releases)
        findings.append(_as_stated(told, difference))
        missing += dark
    findings += found[len(differences) :]
    return findings, missing, notes


def _limited(wish: Wish) -> Wish:
    return wish._replace(limit_mb=wish.limit_mb or LIMIT_MB)


def _edge(one: Difference) -> str:
    return ranges.edge(str(one.old), str(one.new))


def _placed(one: Difference, edge: str) -> Difference:
    """Return a difference with a release in the place of a range, to be judged."""
    return one._replace(old=edge) if edge else one


def _as_stated(one: Finding, difference: Difference) -> Finding:
    """Return a finding in the words of the file: what was judged by a release may be a range."""
    edge, stated = str(one.old), str(difference.old)
    if difference.kind != "version" or edge == stated:
        return one
    pinned, asked = "%s==%s" % (one.name, edge), versions.requirement(one.name, stated)
    reasons = []
    for reason in one.reasons:
        told = reason._replace(remedy=reason.remedy.replace(pinned, asked))
        if edge.endswith(ranges.JUST_BELOW):  # a release that there is not
            words = {n: getattr(told, n).replace(edge, stated) for n in _WORDS}
            told = told._replace(**words)
        reasons.append(told)
    return one._replace(old=difference.old, reasons=tuple(reasons))


def _tops(changed: Iterable[Difference], held: Packages) -> set[str] | None:
    """Return the importable names of what changed; None for all, where Python itself did."""
    found: set[str] = set()
    for one in changed:
        if one.facet == "runtime" and one.name == PYTHON_ITSELF:
            return None
        key = key_of(one.name)
        known = held.distributions.get(key)
        own = {module.partition(".")[0] for module in known.modules} if known else set()
        found |= own or set(importable.modules(key))
    return found
