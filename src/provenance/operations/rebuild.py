"""The recorded environment built anew, whole: for a rerun, or to be looked at.

`recorded` settles for what the run imported, to compare its calls; here everything is wanted as it
was, and what cannot be had is said before anything runs in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from provenance.core.distributions import key_of
from provenance.environments import build, wanted
from provenance.environments.wanted import LeftOut, Wanted
from provenance.errors import BadRecord, SystemRefused
from provenance.facets import packages
from provenance.operations import settle
from provenance.operations.recorded import STAGE, bases
from provenance.operations.references import Reference
from provenance.store.project import Project

_SHOWN = 4


class Rebuilt(NamedTuple):
    """A rebuilt environment.

    python: path of its interpreter. built: whether now, or before. seconds: what building took.
    packages: how many it holds. missing: what of the record it lacks, and why; nothing that
    the run imported. notes: in what else it is not as it was.
    """

    python: str
    built: bool
    seconds: float
    packages: int
    missing: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def rebuild(
    reference: Reference,
    environ: Mapping[str, str],
    place: Project,
    progress: Callable[[str], None] | None = None,
    offline: bool = False,
) -> Rebuilt:
    """Return the environment of a run, built with uv or taken from the cache. Raises `ProvError`.

    That something which the run imported cannot be had is an error: with another version in its
    place a rerun would say nothing. The project itself, installed editable, is restored as code.
    """
    recipe = _recipe(reference, place)

    def tell(phase: str, done: int, total: int, megabytes: float) -> None:
        if progress is not None:
            progress(STAGE % (phase, done, total, megabytes))

    asked = build.Wish(environ, place.root, offline)
    made = build.build(recipe, asked, tell)
    if not made.built and _lost(reference, made.missing):  # what was refused then may be had now
        made = build.build(recipe, asked._replace(fresh=True), tell)
    missing = (*made.missing, *recipe.left_out)
    _require(reference, missing)
    return Rebuilt(
        made.python,
        made.built,
        made.seconds,
        len(build.installed_in(made)),
        missing,
        made.notes,
    )


def _recipe(reference: Reference, place: Project) -> Wanted:
    run = reference.record
    recipe = wanted.of(run)
    if recipe is None:
        raise BadRecord(
            "the record of run %s holds no Python packages to rebuild." % run.id,
            "rerun in an environment that is there: prov replay --env current",
        )
    return recipe._replace(prefer=bases(run, settle.recorded_roots(place, run)))


def _require(reference: Reference, missing: tuple[LeftOut, ...]) -> None:
    """Raise where something is missing without which a rerun would say nothing."""
    lost = _lost(reference, missing)
    if not lost:
        return
    more = " and %d more" % (len(lost) - _SHOWN) if len(lost) > _SHOWN else ""
    shown = "; ".join(str(one) for one in lost[:_SHOWN]) + more
    raise SystemRefused(
        "the recorded environment cannot be rebuilt: %s." % shown,
        "install it yourself and name the interpreter: prov replay --python PATH",
    )


def _lost(reference: Reference, missing: tuple[LeftOut, ...]) -> list[LeftOut]:
    """Return what of ``missing`` the run imported and its code does not bring."""
    installed = next(iter((packages.of(reference.record) or {}).values()))
    lost = []
    for one in missing:
        known = installed.distributions.get(key_of(one.name))
        own = known is not None and known.editable is not None
        if known is not None and known.imported and not (own and _is_project(known.editable)):
            lost.append(one)
    return lost


def _is_project(editable: object) -> bool:
    root = getattr(getattr(editable, "path", None), "root", "")
    return root in ("repo", "cwd")
