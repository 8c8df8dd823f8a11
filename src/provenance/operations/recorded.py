"""The interpreter of a record as it was: the recorded one if it still is, else one like it.

What the run imported must have the recorded version; what else was installed may have changed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.agent import inventory
from provenance.core.distributions import key_of, scan
from provenance.core.paths import Roots
from provenance.core.record import Record
from provenance.environments import build as environments
from provenance.environments import wanted as recipes
from provenance.environments.build import Environment
from provenance.environments.wanted import Wanted
from provenance.errors import ProvError
from provenance.facets import packages, runtime
from provenance.facets._installed import Installed, Packages
from provenance.facets.runtime import Runtime
from provenance.operations import settle
from provenance.operations.references import Reference
from provenance.store.project import Project

RECORDED, CACHED, BUILT, NONE = "recorded", "cached", "built", "none"
"""Where an interpreter comes from."""
STAGE = "building the recorded environment: %s %d of %d, %.0f MB"
"""What is shown meanwhile: phase, distributions that are there and that are wanted, megabytes."""

_SHOWN = 3
_BASE = ("bin/python3", "bin/python")


class Found(NamedTuple):
    """The recorded interpreter, or one like it.

    python: its path, None where there is none. how: "recorded", "cached", "built" or "none". why:
    one sentence. hint: what to type where there is none. missing: "name version: reason" of what
    the run imported and it lacks. notes: in what else it is not as it was.
    """

    python: str | None
    how: str
    why: str
    hint: str = ""
    missing: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def recorded_python(
    reference: Reference,
    environ: Mapping[str, str],
    place: Project,
    build: bool = False,
    progress: Callable[[str, int, int, float], None] | None = None,
    offline: bool = False,
    limit_mb: float | None = None,
) -> Found:
    """Return an interpreter that has what the run of ``reference`` imported, as it was.

    The recorded one if it is here unchanged; else one that was built before; else, with ``build``,
    one built now; else none, with the reason. progress, limit_mb: as in `environments.build`. Never
    raises `ProvError`: what goes wrong is the reason.
    """
    record = reference.record
    try:
        installed = _first(packages.of(record))
        ran = _first(runtime.of(record))
    except (ValueError, KeyError, TypeError) as error:
        return Found(None, NONE, "the packages of the record cannot be read: %s." % error)
    if installed is None or ran is None or not ran.version:
        return Found(None, NONE, "the record holds no Python packages.")
    roots = settle.recorded_roots(place, record)
    here, problem = _still_there(record, ran, installed, environ, roots)
    if here is not None:
        return Found(here, RECORDED, "the recorded interpreter is here as it was.")
    recipe = recipes.of(record, only_used=True)
    if recipe is None:
        return Found(None, NONE, problem)
    recipe = recipe._replace(prefer=bases(record, roots))
    wish = environments.Wish(environ, place.root, offline, limit_mb=limit_mb)
    return _like_it(recipe, installed, problem, wish, build, progress)


def rebuilt(
    reference: Reference,
    environ: Mapping[str, str],
    place: Project,
    progress: Callable[[str], None] | None = None,
) -> tuple[str, ...]:
    """Build an environment like the recorded one if it is gone; return sentences that say so.

    Nothing is said of one that was there, or that cannot be built: who needs it will tell why.
    """

    def tell(phase: str, done: int, total: int, megabytes: float) -> None:
        if progress is not None:
            progress(STAGE % (phase, done, total, megabytes))

    found = recorded_python(reference, environ, place, True, tell)
    return (found.why, *found.notes) if found.how == BUILT else ()


def _like_it(
    recipe: Wanted,
    installed: Packages,
    problem: str,
    wish: environments.Wish,
    build: bool,
    progress: Callable[[str, int, int, float], None] | None,
) -> Found:
    """Return the environment built before, or, if asked to, one built now."""
    try:
        made = environments.cached(recipe, wish)
        if made is None and build:
            made = environments.build(recipe, wish, progress)
    except ProvError as error:
        return Found(None, NONE, "%s %s" % (problem, error.message), error.hint)
    if made is None:
        why = "%s No environment like it has been built." % problem
        return Found(None, NONE, why, "the recorded environment is not here as it was: add --build")
    lost = _lacking(recipe, installed, made)
    without = " without %s" % ", ".join(lost[:_SHOWN]) if lost else ""
    when = "" if made.built else " before"
    why = "%s An environment like it was built%s%s." % (problem, when, without)
    return Found(made.python, BUILT if made.built else CACHED, why, "", lost, made.notes)


def _first(found: dict[str, Any] | None) -> Any:
    return next(iter(found.values()), None) if found else None


def _still_there(
    record: Record, ran: Runtime, installed: Packages, environ: Mapping[str, str], roots: Roots
) -> tuple[str | None, str]:
    """Return the recorded interpreter if what the run imported is in it, else None and why not."""
    subjects = record.payloads("runtime")
    path = subjects[0].interpreter if subjects else None
    path = path or (roots.locate(ran.executable) if ran.executable else None)
    if not path:
        return None, "The record does not say where its interpreter was."
    try:
        now = inventory.probe(path, environ, roots.cwd if os.path.isdir(roots.cwd) else os.curdir)
    except (ProvError, OSError):
        return None, "The recorded interpreter %s is not here any more." % path
    if now.version != ran.version:
        text = "The recorded interpreter %s is Python %s now, it was %s."
        return None, text % (path, now.version, ran.version)
    have = {one.key: one for one in scan(now.sys_path)}
    changed = []
    for key, one in installed.distributions.items():
        if not _counts(one, installed):
            continue
        other = have.get(key)
        if other is None:
            changed.append("%s is gone" % one.name)
        elif (other.version, other.record_sha256 or one.record_sha256) != (
            one.version,
            one.record_sha256 or other.record_sha256,
        ):
            changed.append("%s was %s and is %s" % (one.name, one.version, other.version))
    if not changed:
        return path, ""
    more = " and %d more" % (len(changed) - _SHOWN) if len(changed) > _SHOWN else ""
    shown = ", ".join(changed[:_SHOWN]) + more
    return None, "The recorded interpreter has changed: %s." % shown


def _counts(one: Installed, installed: Packages) -> bool:
    """Return whether ``one`` must be as it was: the run imported it, or may have."""
    return one.editable is None and (one.imported or not installed.complete)


def bases(record: Record, roots: Roots) -> tuple[str, ...]:
    """Return interpreters under which the recorded environment was made: the same build."""
    ran = _first(runtime.of(record))
    prefix = roots.locate(ran.base_prefix) if ran is not None and ran.base_prefix else None
    return tuple("%s/%s" % (prefix, name) for name in _BASE) if prefix else ()


def _lacking(recipe: Wanted, installed: Packages, made: Environment) -> tuple[str, ...]:
    """Return what the run imported and ``made`` does not have."""
    imported = {key for key, one in installed.distributions.items() if one.imported}
    own = {key for key, one in installed.distributions.items() if one.editable is not None}
    both = (*made.missing, *recipe.left_out)
    return tuple(str(one) for one in both if key_of(one.name) in imported - own)
