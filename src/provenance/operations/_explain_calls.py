"""Rehearsing a run with other versions (L3): the environments are built, the calls compared.

The old environment is the run's own, the new one the same with one package changed: what else must
change with it is found by uv, and told as changes of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from provenance.core import codec
from provenance.core.difference import UNKNOWN, Difference, NotCompared
from provenance.core.verdict import Finding
from provenance.environments import build, resolve, wanted
from provenance.environments.build import Environment
from provenance.environments.wanted import Wanted
from provenance.errors import ProvError
from provenance.facets import packages, runtime
from provenance.knowledge.judge import PYTHON_ITSELF
from provenance.operations import calls, comparing_calls, rehearse
from provenance.operations._explain_source import FILES
from provenance.operations.comparing_calls import Outcome
from provenance.operations.references import Reference
from provenance.store.project import Project

WHAT = "your calls"


class Asked(NamedTuple):
    """How to compare calls. mode: see `calls`. limit_mb: of one download, None for no limit."""

    mode: str
    environ: Mapping[str, str]
    place: Project
    offline: bool = False
    limit_mb: float | None = None
    progress: Callable[[str], None] | None = None


class Sides(NamedTuple):
    """The two environments of a comparison, not built yet.

    reference: a run in the old one, or files. old: how that one is to be built, None where it is
    the run's own. new: the other one. also: what else changes between them. notes: sentences.
    """

    reference: Reference
    old: Wanted | None
    new: Wanted
    also: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()


def sides(reference: Reference, changes: list[Difference], asked: Asked) -> Sides:
    """Return the environments before and after ``changes``. Raises `ProvError`."""
    record = reference.record
    recipe = wanted.of(record, only_used=True)
    if recipe is None:
        raise _refused("the record holds no Python packages.")
    had = dict(map(wanted.split, (*recipe.requirements, *recipe.optional)))
    used = [wanted.split(one)[0] for one in recipe.requirements]
    told = {one.name: one for one in changes}
    before = {name: str(one.old) for name, one in told.items()}
    after = {name: str(one.new) for name, one in told.items()}
    old, was = None, had
    recorded = {**had, PYTHON_ITSELF: recipe.python}
    loose = reference.kind == FILES
    if loose:
        old = recipe
    elif any(not _is(version, recorded.get(name)) for name, version in before.items()):
        old, was = _with(recipe, used, before, had, asked, loose)
    new, now = _with(recipe, used, after, was, asked, loose)
    also = [
        Difference("packages", "python", "version", name, UNKNOWN, was[name], now[name])
        for name in used
        if name not in told and name in was and name in now and not _is(was[name], now[name])
    ]
    more = sorted(set(now) - set(was) - set(told))
    notes = ["with it comes %s" % ", ".join("%s %s" % (n, now[n]) for n in more)] if more else []
    return Sides(reference, old, new, tuple(also), (*recipe.notes, *notes))


def _is(one: str, other: str | None) -> bool:
    return other is not None and one.partition("+")[0] == other.partition("+")[0]


def _with(
    recipe: Wanted,
    used: list[str],
    changed: Mapping[str, str],
    preferred: Mapping[str, str],
    asked: Asked,
    loose: bool,
) -> tuple[Wanted, dict[str, str]]:
    """Return the recipe with ``changed`` versions, and the versions of all that it holds.

    loose: of files; where no run built anything, and for another Python, nothing is to be built.
    """
    fixed = {name: version for name, version in changed.items() if name != PYTHON_ITSELF}
    python = changed.get(PYTHON_ITSELF, recipe.python)
    if asked.progress is not None:
        shown = ", ".join("%s %s" % one for one in list(changed.items())[:3])
        asked.progress("finding what goes together with %s" % shown)
    given = (used, fixed, preferred, python, asked.environ, asked.place.root, asked.offline)
    try:
        found = resolve.resolved(*given, wheels=loose or python != recipe.python)
    except resolve.NotTogether:
        if loose:
            raise
        found = resolve.resolved(*given)
    lost = [one for one in found.left_out if one.name in used]
    if lost:
        raise _refused("an environment cannot be built: %s." % str(lost[0]))
    pins = tuple("%s==%s" % one for one in sorted(found.versions.items()))
    return recipe._replace(python=python, requirements=pins, optional=()), found.versions


def _refused(why: str) -> ProvError:
    return ProvError(why)


def compared(given: Sides, findings: tuple[Finding, ...], asked: Asked) -> Outcome:
    """Return ``findings`` with what rehearsing in both environments showed.

    Never raises `ProvError`: what goes wrong is why the calls were not compared.
    """
    wish = rehearse.Wish(
        asked.environ,
        asked.place,
        "",
        asked.mode,
        True,
        asked.progress,
        asked.offline,
        asked.limit_mb,
    )
    try:
        reference = given.reference
        if given.old is not None:
            reference = _as_of(reference, _built(given.old, asked))
        python = _built(given.new, asked).python
    except ProvError as error:
        return Outcome(findings, None, (not_compared(error),))
    key = [given.new.python, list(given.new.requirements)]
    done = rehearse.rehearse(reference, key, wish._replace(python=python))
    found = comparing_calls.outcome(done, findings, reference, asked.mode)
    return found._replace(notes=(*found.notes, *_stopped(done)))


def _stopped(done: rehearse.Rehearsed) -> list[str]:
    """Return the sentence that says where the rehearsal failed in the old environment already."""
    if done.old is None or not done.old.failed:
        return []
    line, why = done.old.failed[0]
    text = "line %d fails in the old environment already: %s"
    return [text % (line, why.partition("\n")[0])]


def not_compared(error: ProvError) -> NotCompared:
    """Return an error as the reason why calls were not compared."""
    why = error.message.rstrip(".") + ("; " + error.hint if error.hint else "")
    return NotCompared(calls.FACET, WHAT, why)


def _built(recipe: Wanted, asked: Asked) -> Environment:
    def tell(phase: str, done: int, total: int, megabytes: float) -> None:
        if asked.progress is not None:
            text = "environment (Python %s): %s %d of %d, %.0f MB"
            asked.progress(text % (recipe.python, phase, done, total, megabytes))

    wish = build.Wish(asked.environ, asked.place.root, asked.offline, limit_mb=asked.limit_mb)
    made = build.build(recipe, wish, tell)
    if made.missing:
        raise _refused("the environment for it lacks %s" % "; ".join(map(str, made.missing)))
    return made


def _as_of(reference: Reference, made: Environment) -> Reference:
    """Return ``reference`` as if its run had been in the environment ``made``."""
    record = reference.record
    have = build.installed_in(made)
    facets = dict(record.facets)
    for name, held in (("packages", packages.of(record)), ("runtime", runtime.of(record))):
        payload = facets[name]
        subjects = [one for one in payload.subjects if one.id in (held or {})][:1]
        one: Any = (held or {})[subjects[0].id]
        if name == "packages":
            known = {
                key: dist._replace(
                    version=have[key].version,
                    modules=have[key].modules,
                    record_sha256="",
                    origin="index",
                )
                for key, dist in one.distributions.items()
                if key in have
            }
            one = one._replace(distributions=known)
        else:
            one = one._replace(version=made.version)
        subject = subjects[0]._replace(payload=codec.encode(one), interpreter=made.python)
        facets[name] = payload._replace(subjects=(subject, *payload.subjects[1:]))
    return reference._replace(record=record._replace(facets=facets))
