"""Which random generators were seeded, with what, and what else decides about repeatability."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _facet

NAME = "seeds"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.TARGET

GENERATORS = ("random", "numpy", "torch", "tensorflow", "cupy", "mxnet", "paddle")
"""Libraries with a global random generator that a program may seed (jax has none)."""

upgrade = _facet.nothing_to_upgrade


class Seeded(NamedTuple):
    """One call that seeded a generator. where: "file:line". argument: None for no seed given."""

    library: str
    function: str
    argument: Any
    where: str


class Unseeded(NamedTuple):
    """A generator that was made or seeded without a seed, and where ("file:line")."""

    library: str
    where: Tuple[str, ...] = ()


class Draw(NamedTuple):
    """A line that let a library draw from another one's global generator.

    library: whose generator. by: the function that drew ("KMeans.fit"). where: "file:line".
    """

    library: str
    by: str
    where: str


class Seeds(NamedTuple):
    """What decides about repeatability.

    calls: in order of first appearance. hash_seed: PYTHONHASHSEED, "random" where it was not set,
    None where no Python took part. settings: per interpreter and framework, what was read at the
    end (determinism, benchmark mode, precision). unseeded: see `Unseeded`. never_seeded: libraries
    of `GENERATORS` that were imported and not seeded; no more than a fact, since the run may not
    have drawn from them (Python's own ``random`` is imported by much of the standard library).
    draws: lines for which a library drew from numpy's global generator, since they passed no
    ``random_state``.
    """

    calls: Tuple[Seeded, ...] = ()
    hash_seed: Optional[str] = None
    settings: Dict[str, Dict[str, Any]] = {}
    unseeded: Tuple[Unseeded, ...] = ()
    never_seeded: Tuple[str, ...] = ()
    draws: Tuple[Draw, ...] = ()


def capture(context: Context) -> Payload:
    """Return seed calls and determinism settings that the hook reported."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    redact = context.redact
    calls = [
        Seeded(
            one.library,
            one.function,
            redact.value("seed", one.argument),
            _place(one.where, context),
        )
        for one in context.observed.seeds
    ]
    settings = {
        one.id: redact.value("settings", dict(one.settings))
        for one in context.interpreters
        if one.settings
    }
    hash_seed = None
    if context.interpreters:
        hash_seed = redact.text(context.environ.get("PYTHONHASHSEED") or "random")
    found = Seeds(
        tuple(calls),
        hash_seed,
        settings,
        _unseeded(calls),
        _never_seeded(calls, context),
        _draws(context),
    )
    return captured(VERSION, found)


def _place(where: str, context: Context) -> str:
    """Return ``file:line`` with the file as a reference below its root."""
    file, colon, line = where.rpartition(":")
    shown = "%s:%s" % (context.roots.refer(file), line) if colon and line.isdigit() else where
    return context.redact.text(shown)


def _draws(context: Context) -> Tuple[Draw, ...]:
    found = [
        Draw(
            str(one.value.get("library")),
            context.redact.text(str(one.value.get("by"))),
            _place(str(one.value.get("where")), context),
        )
        for one in context.observed.noted
        if one.topic == "draw"
    ]
    return tuple(dict.fromkeys(found))


def _unseeded(calls: List[Seeded]) -> Tuple[Unseeded, ...]:
    where: Dict[str, List[str]] = {}
    for one in calls:
        if one.argument is None:
            places = where.setdefault(one.library, [])
            if one.where and one.where not in places:
                places.append(one.where)
    return tuple(Unseeded(library, tuple(places)) for library, places in where.items())


def _never_seeded(calls: List[Seeded], context: Context) -> Tuple[str, ...]:
    named = {one.library for one in calls}
    modules = {name for one in context.interpreters for name in one.modules}
    return tuple(g for g in GENERATORS if g in modules and g not in named)


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare seeds, hash seed and settings of two runs."""
    before, after = _facts(_of(old)), _facts(_of(new))
    names = sorted(set(before) | set(after))
    found = []
    for name in names:
        was, now = before.get(name), after.get(name)
        if was != now:
            kind = "added" if name not in before else "value" if name in after else "removed"
            found.append(Difference(NAME, old.subjects[0].id, kind, name, UNKNOWN, was, now))
    return Comparison(tuple(found), len(names) - len(found), len(names), "settings")


def _facts(seeds: Seeds) -> Dict[str, Any]:
    """Return everything that can be compared by name; repeated calls of one function as a list.

    Such a list is sorted: ranks and workers seed in any order. Left out is what nobody chose: where
    a generator stands that was not seeded, and the first of several ranks' seeds.
    """
    facts: Dict[str, Any] = {"PYTHONHASHSEED": seeds.hash_seed}
    for one in seeds.calls:
        name = one.function if "." in one.function else one.library + "." + one.function
        facts[name] = sorted([*facts.get(name, []), one.argument], key=repr)
    for interpreter, frameworks in seeds.settings.items():
        for framework, settings in frameworks.items():
            items = settings.items() if isinstance(settings, dict) else [("", settings)]
            for name, value in items:
                if not _chosen(seeds, framework, str(name)):
                    continue
                place = ".".join(p for p in (framework, str(name)) if p)
                facts[place if interpreter == "python" else interpreter + " " + place] = value
    return facts


def _chosen(seeds: Seeds, framework: str, name: str) -> bool:
    """Return whether a setting follows from what the run did, and not from chance."""
    if name not in ("initial_seed", "position"):
        return True
    calls = (c for c in seeds.calls if c.library == framework and c.function.endswith("seed"))
    given = {repr(c.argument) for c in calls}
    return len(given) == 1 and "None" not in given


def _of(payload: Payload) -> Seeds:
    return codec.decode(Seeds, payload.subjects[0].payload)


def of(record: Record) -> Optional[Seeds]:
    """Return the seeds; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Seeds, found[0].payload) if found else None
