"""What a recorded environment is rebuilt from: index releases with their hashes, then the rest.

The rest is what no index has: commits of repositories, wheels kept from local builds, and editable
installs, whose code is checked out at the recorded commit with the recorded changes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from provenance.core.distributions import key_of
from provenance.environments import cache, conda, wanted
from provenance.environments.wanted import Layer, LeftOut, Wanted
from provenance.errors import BadRecord, ProvError, SystemRefused
from provenance.facets import packages
from provenance.facets._installed import Installed
from provenance.facets.code import Code, Repository
from provenance.facets.code import of as code_of
from provenance.operations import hashes, restore, settle, wheels
from provenance.operations.recorded import bases
from provenance.operations.references import Reference
from provenance.store.project import Project

WHEELS, CHECKOUTS = "wheels", "checkouts"
"""Folders of the cache for what no index has."""
_TREE = "tree"
_FOR_CONDA = "conda's own builds need the extra [conda] of prov: pip install 'prov-run[conda]'"
_SHOWN = 4


class Sources(NamedTuple):
    """Editable installs made again. layers: to install. left_out: what could not be had, and why.

    notes: sentences on what is not as it was.
    """

    layers: tuple[Layer, ...]
    left_out: tuple[LeftOut, ...] = ()
    notes: tuple[str, ...] = ()


def of(reference: Reference, place: Project, folder: str) -> Wanted:
    """Return the recipe of a run, editable installs apart. Raises `BadRecord` without packages.

    folder: for wheels that the reference carries.
    """
    run = reference.record
    recipe = _of_conda(reference) or wanted.of(run)
    if recipe is None:
        raise BadRecord(
            "the record of run %s holds no Python packages to rebuild." % run.id,
            "rerun in an environment that is there: prov replay --env current",
        )
    if not recipe.conda and any("conda had" in note for note in recipe.notes):
        recipe = recipe._replace(notes=(*recipe.notes, _FOR_CONDA))
    kept = wheels.layers(reference, place, folder)
    has = {key_of(one.name) for one in kept}
    return recipe._replace(
        requirements=tuple(r for r in recipe.requirements if wanted.split(r)[0] not in has),
        left_out=tuple(one for one in recipe.left_out if key_of(one.name) not in has),
        layers=(*recipe.layers, *kept),
        prefer=bases(run, settle.recorded_roots(place, run)),
        hashes=hashes.stated(reference),
    )


def _of_conda(reference: Reference) -> Wanted | None:
    """Return the recipe of a conda prefix; None for other runs, and where none can be built."""
    installed = next(iter((packages.of(reference.record) or {}).values()), None)
    if installed is None or "python" not in installed.conda or not conda.is_here():
        return None
    recipe = hashes.of_index(reference.record)
    if recipe is None:
        return None
    files = [
        conda.Package(name, x.version, x.build, x.channel, x.url, x.md5, x.sha256)
        for name, x in sorted(installed.conda.items())
    ]
    rest = tuple(one for one in recipe.left_out if one.reason != hashes.CONDA)
    return recipe._replace(conda=tuple(files), left_out=rest)


def whole(
    reference: Reference, place: Project, environ: Mapping[str, str]
) -> tuple[Wanted, tuple[str, ...]]:
    """Return the recipe with the editable installs of other repositories, and notes.

    For an environment that is kept in the cache: the code is checked out there, too, once. The
    project itself is left to whoever restores it. Raises `ProvError`.
    """
    recipe = of(reference, place, os.path.join(cache.folder(environ), WHEELS))
    had = editables(reference, place, cache.prepare(environ, CHECKOUTS), kept=True)
    reasons = {one.name: one for one in (*wheels.left_out(reference), *had.left_out)}
    names = {layer.name for layer in had.layers}
    names |= {one.name for one in installed(reference).values() if is_own(one)}
    rest = [one for one in recipe.left_out if one.name not in names]
    left_out = tuple(reasons.get(one.name, one) for one in rest)
    layers = (*recipe.layers, *had.layers)
    return recipe._replace(layers=layers, left_out=left_out), had.notes


def editables(reference: Reference, place: Project, folder: str, kept: bool = False) -> Sources:
    """Check out the code of editable installs below ``folder``; of the project itself, as it is.

    kept: the folder is in the cache; what is there is taken, and the project itself is left out.
    Never raises `ProvError`: what cannot be had is left out with the reason.
    """
    layers, left_out, notes = [], [], []
    code = code_of(reference.record)
    for one in installed(reference).values():
        if one.editable is None:
            continue
        if is_own(one) and kept:
            continue
        if is_own(one):
            layers.append(Layer(one.name, one.version, _own_folder(one, place), editable=True))
            continue
        try:
            made, odd = _checked_out(one, code, reference, place, folder, kept)
            layers.append(Layer(one.name, one.version, made, editable=True))
            notes += odd
        except ProvError as error:
            left_out.append(LeftOut(one.name, one.version, error.message.rstrip(".")))
    return Sources(tuple(layers), tuple(left_out), tuple(notes))


def is_own(one: Installed) -> bool:
    """Return whether ``one`` is the project that the run belongs to, installed editable."""
    return one.editable is not None and one.editable.path.root in ("repo", "cwd")


def require(reference: Reference, missing: tuple[LeftOut, ...], hint: str) -> None:
    """Raise `SystemRefused` where something is missing that the run imported."""
    lost = lost_of(reference, missing)
    if not lost:
        return
    more = " and %d more" % (len(lost) - _SHOWN) if len(lost) > _SHOWN else ""
    shown = "; ".join(str(one) for one in lost[:_SHOWN]) + more
    raise SystemRefused("the recorded environment cannot be rebuilt: %s." % shown, hint)


def lost_of(reference: Reference, missing: tuple[LeftOut, ...]) -> list[LeftOut]:
    """Return what of ``missing`` the run imported and its code does not bring."""
    had = installed(reference)
    lost = []
    for one in missing:
        known = had.get(key_of(one.name))
        if known is not None and known.imported and not is_own(known):
            lost.append(one)
    return lost


def installed(reference: Reference) -> dict[str, Installed]:
    """Return what the first interpreter of a run had, by name."""
    found = packages.of(reference.record) or {}
    return next(iter(found.values())).distributions if found else {}


def _own_folder(one: Installed, place: Project) -> str:
    assert one.editable is not None
    path = one.editable.path
    top = place.repo or place.root
    return os.path.normpath(os.path.join(top, path.path)) if path.root == "repo" else place.root


def _checked_out(
    one: Installed, code: Code | None, reference: Reference, place: Project, folder: str, kept: bool
) -> tuple[str, list[str]]:
    """Return the folder that has the code of an editable install, and what is odd about it."""
    assert one.editable is not None
    roots = settle.recorded_roots(place, reference.record)
    local = roots.locate(one.editable.path)
    if one.editable.commit is None:
        raise SystemRefused("an editable install of a folder that is in no git repository")
    repository = _repository_of(one, code)
    found = repository or Repository(
        one.editable.path, one.editable.commit, None, bool(one.editable.dirty)
    )
    if kept:
        target, notes = _kept(one, found, reference, local, folder)
    else:
        target = os.path.join(folder, key_of(one.name))
        notes = restore.restore_repository(found, reference.blob, local, target)
    if one.editable.dirty and found.patch is None:
        notes.append("its uncommitted changes are not in the record")
    below = "."
    if repository is not None:
        below = os.path.relpath(one.editable.path.path, repository.path.path)
    odd = ["%s: %s" % (one.name, note) for note in notes]
    return os.path.normpath(os.path.join(target, below)), odd


def _kept(
    one: Installed, found: Repository, reference: Reference, local: str | None, folder: str
) -> tuple[str, list[str]]:
    """Return the folder in the cache that has a repository as it was, made if need be."""
    changes = [part.sha256 for part in (found.patch, found.untracked) if part is not None]
    name = "%s-%s" % (key_of(one.name), cache.digest(found.commit, found.url, changes))
    target = os.path.join(folder, name)
    with cache.locked(target, lambda: None), cache.making(target) as part:
        told = cache.marker(target)
        if told is None:
            tree = os.path.join(part, _TREE)
            told = {"notes": restore.restore_repository(found, reference.blob, local, tree)}
            cache.finish(part, told)
    return os.path.join(target, _TREE), [str(note) for note in told.get("notes", ())]


def _repository_of(one: Installed, code: Code | None) -> Repository | None:
    """Return the recorded repository that holds the editable install ``one``."""
    assert one.editable is not None
    inside = one.editable.path
    for found in code.repositories if code is not None else ():
        top = found.path
        if top.root == inside.root and (inside.path + "/").startswith(top.path.rstrip("/") + "/"):
            return found
    return None
