"""How two sets of installed packages differ, and what of it the recorded run could notice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Tuple

from provenance.core.difference import (
    BROKEN,
    NONE,
    UNKNOWN,
    Comparison,
    Difference,
    NotCompared,
)
from provenance.facets._origins import CONDA, EDITABLE, UNSTATED, VCS
from provenance.facets._owners import INFERRED

if TYPE_CHECKING:
    from provenance.facets._conda import CondaPackage
    from provenance.facets._installed import Installed, Packages

UNIT = "packages"

_LIBRARIES = re.compile(
    r"^(nvidia-|mkl$|intel-openmp$|tbb$|scipy-openblas|openblas|libopenblas|libblas$|liblapack$|"
    r"libcblas$|blas$|cuda|cudnn|nccl|libcu|triton$|pytorch-triton|jaxlib$|jax-cuda|llvm-openmp$|"
    r"libgomp$|_openmp_mutex$|libgfortran|libtorch|fftw|gsl$|hdf5$|libnetcdf$|r-base$|onednn$)"
)
"""Packages of shared libraries that others load without any import that Python could see, and on
which numerical results depend."""


def distributions(facet: str, subject: str, old: Packages, new: Packages) -> Comparison:
    """Compare the Python distributions of one interpreter."""
    found: List[Difference] = []
    names = sorted(set(old.distributions) | set(new.distributions))
    provided = _provided(new)
    for key in names:
        before, after = old.distributions.get(key), new.distributions.get(key)
        if before is None:
            assert after is not None
            found.append(Difference(facet, subject, "added", after.name, NONE, None, after.version))
        elif after is None:
            effect, text = _removed(key, before, old, provided)
            found.append(
                Difference(
                    facet, subject, "removed", before.name, effect, before.version, None, (), text
                )
            )
        else:
            one = _changed(before, after)
            if one is not None:
                kind, was, now, text = one
                effect, why = _effect(key, before, old)
                if _is_own_project(before):
                    effect, why = NONE, "the project itself: its code is compared file by file"
                words = "; ".join(word for word in (text, why) if word)
                found.append(
                    Difference(facet, subject, kind, before.name, effect, was, now, (), words)
                )
    return Comparison(tuple(found), len(names) - len(found), len(names), UNIT)


def _effect(key: str, one: Installed, recorded: Packages) -> Tuple[str, str]:
    """Return what a change of ``one`` can mean for the recorded run, and why where not plain."""
    if one.imported:
        return UNKNOWN, ""
    if _LIBRARIES.match(key):
        return UNKNOWN, "a library that others load"
    if not recorded.complete:
        return UNKNOWN, "not known whether the run imported it"
    return NONE, "not imported by the run"


def _removed(
    key: str, one: Installed, recorded: Packages, provided: Dict[str, str]
) -> Tuple[str, str]:
    effect, why = _effect(key, one, recorded)
    if not one.imported or one.how == INFERRED:
        return effect, why
    if _is_own_project(one):
        return UNKNOWN, "the project itself; its code may still be found from its folder"
    others = {provided[name] for name in one.modules if name in provided}
    if others and all(name in provided for name in one.modules):
        return UNKNOWN, "its modules come from %s here" % ", ".join(sorted(others))
    return BROKEN, "the run imported it"


def _provided(present: Packages) -> Dict[str, str]:
    """Return which distribution provides each importable name."""
    return {
        name: "%s %s" % (one.name, one.version)
        for one in present.distributions.values()
        for name in one.modules
    }


def _is_own_project(one: Installed) -> bool:
    return one.editable is not None and one.editable.path.root in ("repo", "cwd")


def _changed(old: Installed, new: Installed) -> Optional[Tuple[str, Any, Any, str]]:
    """Return the gravest way in which two installs of one name differ: kind, old, new, text."""
    if old.version != new.version:
        same_release = _public(old.version) == _public(new.version)
        return ("build" if same_release else "version"), old.version, new.version, ""
    if _place(old) != _place(new):
        return "origin", old.version, new.version, "%s -> %s" % (_origin(old), _origin(new))
    if _dirty(new) and not _dirty(old):
        return "origin", old.version, new.version, "its project folder has uncommitted changes here"
    if old.record_sha256 and new.record_sha256 and old.record_sha256 != new.record_sha256:
        return "build", old.version, new.version, "same version, other files"
    return None


def _public(version: str) -> str:
    """Return a version without its local part: 2.1.0+cu121 is release 2.1.0."""
    return version.partition("+")[0]


def _place(one: Installed) -> Tuple[str, ...]:
    """Return what must agree for two installs to have come from the same place.

    Files and folders are compared by what was installed from them, not by where they lay.
    """
    if one.origin == VCS:
        return (VCS, str((one.direct_url.get("vcs_info") or {}).get("commit_id", "")))
    if one.origin == EDITABLE:
        return (EDITABLE, str(one.editable.commit or "") if one.editable else "")
    return ("conda",) if one.origin == CONDA else ("",)


def _dirty(one: Installed) -> bool:
    return one.editable is not None and bool(one.editable.dirty)


def _origin(one: Installed) -> str:
    """Return where an install came from, in a few words."""
    if one.origin == VCS:
        info = one.direct_url.get("vcs_info") or {}
        return "%s %s" % (info.get("vcs", "vcs"), str(info.get("commit_id", "?"))[:12])
    if one.origin == EDITABLE and one.editable is not None:
        return "editable %s" % str(one.editable.commit or "without git")[:12]
    return "an origin not stated" if one.origin == UNSTATED else one.origin


def conda(facet: str, subject: str, old: Packages, new: Packages) -> Comparison:
    """Compare the conda packages that are no Python distributions, and conda's builds of those."""
    if not old.conda:
        return Comparison(unit=UNIT)
    if not new.conda:
        gone = NotCompared(facet, "conda packages", "there is no conda environment here")
        return Comparison(unit=UNIT, not_compared=(gone,))
    python = {one.conda for p in (old, new) for one in p.distributions.values() if one.conda}
    names = sorted((set(old.conda) | set(new.conda)) - python - {"python"})
    found = [
        _conda_difference(facet, subject, name, old.conda.get(name), new.conda.get(name))
        for name in names
        if old.conda.get(name) != new.conda.get(name)
    ]
    found += _conda_builds(facet, subject, old, new)
    total = len(names)
    differing = sum(1 for name in names if old.conda.get(name) != new.conda.get(name))
    return Comparison(tuple(found), total - differing, total, UNIT)


def _conda_difference(
    facet: str, subject: str, name: str, old: Optional[CondaPackage], new: Optional[CondaPackage]
) -> Difference:
    matters = _LIBRARIES.match(name) is not None and old is not None
    effect, text = (UNKNOWN, "a library that others load") if matters else (NONE, "conda package")
    if old is None or new is None:
        kind = "added" if old is None else "removed"
        was, now = old and old.version, new and new.version
    elif old.version != new.version:
        kind, was, now = "version", old.version, new.version
    else:
        kind, was, now = "build", _build(old), _build(new)
    return Difference(facet, subject, kind, name, effect, was, now, (), text)


def _build(one: CondaPackage) -> str:
    return "%s %s" % (one.version, one.build)


def _conda_builds(facet: str, subject: str, old: Packages, new: Packages) -> List[Difference]:
    """Return Python distributions that both sides have from conda, in another build."""
    found = []
    for key, before in sorted(old.distributions.items()):
        after = new.distributions.get(key)
        if after is None or before.version != after.version:
            continue
        was, now = old.conda.get(before.conda), new.conda.get(after.conda)
        if was is None or now is None or was.build == now.build:
            continue
        if before.record_sha256 and before.record_sha256 != after.record_sha256:
            continue  # told already, by the files
        effect, why = _effect(key, before, old)
        found.append(
            Difference(
                facet, subject, "build", before.name, effect, _build(was), _build(now), (), why
            )
        )
    return found
