"""The recorded environment built anew, whole: for a rerun, or to be looked at.

`recorded` settles for what the run imported, to compare its calls; here everything is wanted as it
was, and what cannot be had is said before anything runs in its place.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from provenance.environments import build
from provenance.environments.wanted import LeftOut
from provenance.operations import recipes
from provenance.operations.recorded import STAGE
from provenance.operations.references import Reference
from provenance.store.project import Project

_HINT = "install it yourself and name the interpreter: prov replay --python PATH"


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
    recipe, notes = recipes.whole(reference, place, environ)

    def tell(phase: str, done: int, total: int, megabytes: float) -> None:
        if progress is not None:
            progress(STAGE % (phase, done, total, megabytes))

    asked = build.Wish(environ, place.root, offline)
    made = build.build(recipe, asked, tell)
    if not made.built and recipes.lost_of(reference, made.missing):
        # What was refused then may be had now.
        made = build.build(recipe, asked._replace(fresh=True), tell)
    missing = (*made.missing, *recipe.left_out)
    recipes.require(reference, missing, _HINT)
    return Rebuilt(
        made.python,
        made.built,
        made.seconds,
        len(build.installed_in(made)),
        missing,
        (*made.notes, *notes),
    )
