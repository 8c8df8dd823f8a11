"""Which installed distributions the modules of a run came from."""

from __future__ import annotations

import os
import re
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.core.paths import is_inside

OBSERVED, INFERRED = "observed", "inferred"

_SITE = re.compile(r"[/\\](?:site|dist)-packages[/\\]")


class Owner(NamedTuple):
    """What is needed to tell a distribution's modules.

    key: of the distribution. location: its folder on sys.path. modules: importable names, dotted
    below namespace packages. editable_root: the project folder of an editable install, or "".
    """

    key: str
    location: str
    modules: Tuple[str, ...]
    editable_root: str = ""


def imported(owners: Sequence[Owner], modules: Mapping[str, str]) -> Dict[str, str]:
    """Return which distributions were imported, and how that is known, by key.

    ``modules`` maps module names to their files, "" where a module has none (built in, or a
    namespace package, which belongs to nobody: what lies below it tells). "observed": a module's
    file lies where the distribution put it. "inferred": only the name speaks for it, and others
    have a claim to the name as well.
    """
    by_top: Dict[str, List[Owner]] = {}
    for owner in owners:
        for name in owner.modules:
            by_top.setdefault(name.partition(".")[0], []).append(owner)
    sites = {owner.location for owner in owners}
    projects = [owner for owner in owners if owner.editable_root]
    found: Dict[str, str] = {}
    for name, file in modules.items():
        claims = by_top.get(name.partition(".")[0], ())
        for key, how in _owners(name, file, claims, sites, projects):
            if found.get(key) != OBSERVED:
                found[key] = how
    return found


def _owners(
    name: str, file: str, claims: Iterable[Owner], sites: Iterable[str], projects: Sequence[Owner]
) -> List[Tuple[str, str]]:
    """Return the owners of one module as ``(key, how)``."""
    claims = list({owner.key: owner for owner in claims}.values())
    if not file:
        fitting = [owner for owner in claims if _covers(owner, name, exactly=True)]
        how = OBSERVED if len(fitting) == 1 else INFERRED
        return [(owner.key, how) for owner in fitting]
    site = _innermost(file, sites)
    project = _innermost(file, [owner.editable_root for owner in projects])
    if project and len(project) >= len(site or ""):
        inside = [owner for owner in projects if owner.editable_root == project]
        named = [owner for owner in inside if _covers(owner, name)] or [
            owner for owner in inside if not owner.modules
        ]
        return [(owner.key, OBSERVED) for owner in named]
    if site:
        dotted = _dotted(file, site)
        found = [o for o in claims if o.location == site and _covers(o, dotted, exactly=True)]
        if found:
            return [(owner.key, OBSERVED) for owner in found]
        claims = [owner for owner in claims if owner.location == site]
        whole = [owner for owner in claims if name.partition(".")[0] in owner.modules]
        # Others have their own part of a namespace, in which this file does not lie.
        claims = whole or (claims if len(claims) == 1 else [])
        return [(owner.key, INFERRED) for owner in claims]
    # A path through a symbolic link (lib64), or the user's own module of the same name.
    below = _SITE.split(file)[-1]
    if below == file:
        return []
    dotted = _dotted(below, "")
    return [(owner.key, INFERRED) for owner in claims if _covers(owner, dotted, exactly=True)]


def _covers(owner: Owner, dotted: str, exactly: bool = False) -> bool:
    """Return whether ``dotted`` is, or lies in, a module of ``owner``; else may contain one."""
    for name in owner.modules:
        if dotted == name or dotted.startswith(name + "."):
            return True
        if not exactly and name.startswith(dotted + "."):
            return True
    return False


def _innermost(file: str, folders: Iterable[str]) -> Optional[str]:
    found = [folder for folder in folders if folder and is_inside(file, folder)]
    return max(found, key=len) if found else None


def _dotted(file: str, site: str) -> str:
    """Return the module name of a file below ``site``: google.auth.x for ``google/auth/x.py``."""
    below = os.path.relpath(file, site) if site else file
    parts = below.replace(os.sep, "/").split("/")
    stem = parts[-1].partition(".")[0]
    return ".".join(parts[:-1] if stem == "__init__" else [*parts[:-1], stem])
