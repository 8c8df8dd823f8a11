"""Which packages were installed for each interpreter, where they came from, which were imported.

Read from the metadata on the interpreter's own ``sys.path`` while the run goes on; which of them
were imported is added when it has ended.
"""

from __future__ import annotations

import os
from typing import Dict, List, Optional

from provenance.core import codec
from provenance.core.context import AFTER, DURING, Context, Interpreter
from provenance.core.difference import Comparison, joined
from provenance.core.distributions import Distribution, scan
from provenance.core.record import CAPTURED, Payload, Record, Subject, skipped
from provenance.facets import _conda, _facet, _origins, _subjects
from provenance.facets._conda import CondaPackage
from provenance.facets._installed import Installed, Packages
from provenance.facets._owners import Owner, imported

NAME = "packages"
VERSION = 1
PHASES = (DURING, AFTER)
SITE = _facet.TARGET

NO_PYTHON = "no Python interpreter took part"

upgrade = _facet.nothing_to_upgrade


def capture(context: Context) -> Payload:
    """Return the packages of every interpreter of the run."""
    if not context.interpreters:
        return skipped(VERSION, NO_PYTHON)
    earlier = _earlier(context)
    subjects = []
    notes: List[str] = []
    for one in context.interpreters:
        known = earlier.get(one.id)
        if known is None or not _still_true(known, one, context):
            known = _look(one, context, notes)
        payload = _with_imports(known, one, context)
        subjects.append(Subject(one.id, codec.encode(payload), one.executable))
        if not payload.complete and context.phase == AFTER:
            notes.append("%s: what it imported is not known in full" % one.id)
    return Payload(CAPTURED, VERSION, tuple(subjects), "", tuple(notes))


def _earlier(context: Context) -> Dict[str, Packages]:
    if context.earlier is None or context.earlier.status != CAPTURED:
        return {}
    return {s.id: codec.decode(Packages, s.payload) for s in context.earlier.subjects}


def _still_true(known: Packages, one: Interpreter, context: Context) -> bool:
    """Return whether an answer of an earlier phase holds: same path, folders not touched since."""
    if known.sys_path != tuple(context.roots.refer(p) for p in one.sys_path):
        return False
    for folder in one.sys_path:
        try:
            if os.stat(folder).st_mtime >= context.started:
                return False
        except OSError:
            continue
    return True


def _look(one: Interpreter, context: Context, notes: List[str]) -> Packages:
    """Return what is installed for ``one``, with nothing marked as imported yet."""
    prefix = _conda.read(one.prefix) if one.prefix else None
    owned = prefix.owned if prefix else {}
    notes.extend(prefix.notes if prefix else ())
    folders = [os.path.abspath(p or os.curdir) for p in one.sys_path]
    found: Dict[str, Installed] = {}
    for dist in scan(one.sys_path):
        if _is_source_tree(dist, context):
            notes.append("%s: only a source tree on the path, not an install" % dist.name)
        elif dist.note == "half removed":
            notes.append("%s: left over from a removal that failed" % dist.folder)
        else:
            site = folders.index(dist.location) if dist.location in folders else 0
            found[dist.key] = _installed(dist, owned, site, context)
    path = tuple(context.roots.refer(p) for p in one.sys_path)
    return Packages(found, _conda_packages(prefix, context), path)


def _conda_packages(prefix: Optional[_conda.Prefix], context: Context) -> Dict[str, CondaPackage]:
    text = context.redact.text
    return {
        name: one._replace(channel=text(one.channel), url=text(one.url))
        for name, one in (prefix.packages if prefix else {}).items()
    }


def _is_source_tree(dist: Distribution, context: Context) -> bool:
    """Return whether ``dist`` is the egg-info in the user's own source tree, installed nowhere."""
    if dist.editable_root or dist.installer or not dist.folder.endswith(".egg-info"):
        return False
    inside = context.roots.refer(dist.location).root in ("repo", "cwd")
    return inside and os.path.basename(dist.location) not in ("site-packages", "dist-packages")


def _installed(dist: Distribution, owned: Dict[str, str], site: int, context: Context) -> Installed:
    conda = owned.get(os.path.basename(dist.folder), "")
    origin = _origins.kind(dist, conda)
    editable = None
    if dist.editable_root:
        editable = _origins.editable(dist.editable_root, context.roots, context.environ)
    return Installed(
        dist.name,
        dist.version,
        origin=origin,
        installer=context.redact.text(dist.installer),
        requested=dist.requested,
        direct_url=_origins.direct_url(dist.direct_url, context.roots, context.redact),
        editable=editable,
        record_sha256=dist.record_sha256,
        site=site,
        modules=dist.modules,
        conda=conda if origin == _origins.CONDA else "",
        note=dist.note,
    )


def _with_imports(known: Packages, one: Interpreter, context: Context) -> Packages:
    """Return ``known`` with the distributions marked that ``one`` imported."""
    owners = []
    for key, dist in known.distributions.items():
        location = one.sys_path[dist.site] if dist.site < len(one.sys_path) else ""
        root = context.roots.locate(dist.editable.path) if dist.editable else None
        owners.append(Owner(key, os.path.abspath(location), dist.modules, root or ""))
    how = imported(owners, one.modules)
    marked = {
        key: dist._replace(imported=key in how, how=how.get(key, ""))
        for key, dist in known.distributions.items()
    }
    return known._replace(distributions=marked, complete=one.complete and bool(one.modules))


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare package by package; what the recorded run did not import cannot matter."""
    from provenance.facets import _package_differences  # a run never compares

    pairs, missing = _subjects.pairs(NAME, old, new)
    parts = []
    for before, after in pairs:
        recorded = codec.decode(Packages, before.payload)
        present = codec.decode(Packages, after.payload)
        parts.append(_package_differences.distributions(NAME, before.id, recorded, present))
        parts.append(_package_differences.conda(NAME, before.id, recorded, present))
    parts.append(Comparison(unit="packages", not_compared=missing))
    return joined(tuple(parts), "packages")


def of(record: Record) -> Optional[Dict[str, Packages]]:
    """Return the packages by interpreter id; None where the record has none."""
    found = record.payloads(NAME)
    return {s.id: codec.decode(Packages, s.payload) for s in found} if found else None


def versions(record: Record) -> Dict[str, str]:
    """Return the versions of the first interpreter's distributions by PEP 503 name."""
    for subject in record.payloads(NAME):
        found = codec.decode(Packages, subject.payload).distributions
        return {key: one.version for key, one in found.items()}
    return {}
