"""``prov env create``: the recorded environment, built into a folder of the user's."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.environments import build, cache
from provenance.environments.wanted import Layer, LeftOut
from provenance.operations import recipes, references, wheels
from provenance.operations.recorded import STAGE
from provenance.operations.references import Reference
from provenance.store import project

SOURCES = "src"
"""Folder in the environment for the code of editable installs, as pip calls it."""


class Wish(NamedTuple):
    """What to build. reference: as `prov verify` takes it. run: which run of a lock of several.

    python: an interpreter to build with. progress: told in a few words what is going on.
    """

    cwd: str
    environ: Mapping[str, str]
    reference: str | None
    at: str
    offline: bool = False
    progress: Callable[[str], None] | None = None


class Created(NamedTuple):
    """An environment that was built.

    folder: where. python: path of its interpreter; version: of it. packages: how many it holds,
    hashed: how many of them were checked against the hashes of a lock. seconds: what building
    took. missing: what of the record it lacks, and why; nothing that the run imported. notes: in
    what else it is not as it was.
    """

    run: str
    folder: str
    python: str
    version: str
    packages: int
    hashed: int
    seconds: float
    missing: tuple[LeftOut, ...]
    notes: tuple[str, ...]


def create(wish: Wish) -> Created:
    """Build the recorded environment into the folder that ``wish`` names. Raises `ProvError`.

    The folder must be new or empty; where the build fails it is as it was before.
    """
    place = project.find(wish.cwd)
    chosen = references.choose(wish.reference, place, wish.cwd)
    one = chosen[0]
    at = os.path.normpath(os.path.join(wish.cwd, wish.at))
    kept = os.path.join(cache.folder(wish.environ), recipes.WHEELS)
    recipe = recipes.of(one, place, kept)
    sources = recipes.Sources(())

    def tell(phase: str, done: int, total: int, megabytes: float) -> None:
        if wish.progress is not None:
            wish.progress(STAGE % (phase, done, total, megabytes))

    def editable() -> tuple[Layer, ...]:
        nonlocal sources
        sources = recipes.editables(one, place, os.path.join(at, SOURCES))
        return sources.layers

    def check(missing: tuple[LeftOut, ...]) -> None:
        hint = "prov env export --format requirements shows what is locked and what is not"
        recipes.require(one, (*missing, *_rest(one, recipe.left_out, sources)), hint)

    asked = build.Wish(wish.environ, place.root, wish.offline)
    made = build.build_at(recipe, asked, at, tell, editable, check)
    notes = [*made.notes, *sources.notes, *_several(chosen)]
    return Created(
        one.record.id,
        at,
        made.python,
        made.version,
        len(build.installed_in(made)),
        sum(1 for pin in recipe.requirements if pin in recipe.hashes),
        made.seconds,
        (*made.missing, *_rest(one, recipe.left_out, sources)),
        tuple(notes),
    )


def _rest(
    one: Reference, left_out: tuple[LeftOut, ...], sources: recipes.Sources
) -> tuple[LeftOut, ...]:
    """Return what was never tried, each with the best reason that is known."""
    had = {layer.name for layer in sources.layers}
    better = {lost.name: lost for lost in (*wheels.left_out(one), *sources.left_out)}
    return tuple(better.get(lost.name, lost) for lost in left_out if lost.name not in had)


def _several(chosen: tuple[Reference, ...]) -> list[str]:
    if len(chosen) == 1:
        return []
    text = "the lock holds %d runs: this is the environment of %s"
    return [text % (len(chosen), chosen[0].record.id)]


def as_json(made: Created) -> dict[str, Any]:
    """Return the ``data`` member of ``prov env create --json``."""
    members = made._asdict()
    members["missing"] = [one._asdict() for one in made.missing]
    members["notes"] = list(made.notes)
    return members
