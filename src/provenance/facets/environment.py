"""Which environment variables the command had: all names, and the values of harmless ones only."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import codec
from provenance.core.context import DURING, Context
from provenance.core.difference import NONE, UNKNOWN, Comparison, Difference
from provenance.core.record import Payload, Record, captured
from provenance.core.redact import MASK
from provenance.facets import _facet
from provenance.facets._variables import can_change_results, has_public_value

NAME = "environment"
VERSION = 1
PHASES = (DURING,)
SITE = _facet.HOST

LONGEST = 1000
"""Longer values are cut: they are lists of folders, not settings."""

_OURS = "PROV_"

upgrade = _facet.nothing_to_upgrade


class Environment(NamedTuple):
    """The command's environment.

    names: of all variables, sorted, our own left out; empty where they were not kept, as in an
    anonymous lock. values: of those on the allow-list.
    """

    names: Tuple[str, ...]
    values: Dict[str, str]


def capture(context: Context) -> Payload:
    """Return names of all variables and values of the allowed ones, redacted."""
    environ = {n: v for n, v in context.environ.items() if not n.startswith(_OURS)}
    names = tuple(sorted(context.redact.text(name) for name in environ))
    values = {
        name: context.redact.value(name, value[:LONGEST])
        for name, value in sorted(environ.items())
        if has_public_value(name)
    }
    return captured(VERSION, Environment(names, values))


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare what can change results value by value; the rest is one difference without effect."""
    was, now = _of(old), _of(new)
    subject = old.subjects[0].id
    relevant = sorted(n for n in set(was.values) | set(now.values) if can_change_results(n))
    found: List[Difference] = []
    for name in relevant:
        before, after = was.values.get(name), now.values.get(name)
        if before != after and MASK not in (before, after):
            kind = "added" if before is None else ("removed" if after is None else "changed")
            found.append(Difference(NAME, subject, kind, name, UNKNOWN, before, after))
    equal = len(relevant) - len(found)
    others = _other_names(subject, was, now) if was.names else ()
    if not was.names:
        return Comparison(tuple(found), equal, len(relevant), "variables")
    # Names are one fact together: a login shell has a dozen that change from day to day.
    total = len(relevant) + 1
    return Comparison(tuple(found) + others, equal + (0 if others else 1), total, "variables")


def _other_names(subject: str, old: Environment, new: Environment) -> Tuple[Difference, ...]:
    told = {n for n in (*old.values, *new.values) if can_change_results(n)}
    gone = sorted(set(old.names) - set(new.names) - told)
    here = sorted(set(new.names) - set(old.names) - told)
    if not gone and not here:
        return ()
    text = "%d set then and not now, %d set now and not then" % (len(gone), len(here))
    sides: Tuple[Any, Any] = (gone, here)
    return (Difference(NAME, subject, "changed", "other names", NONE, *sides, (), text),)


def _of(payload: Payload) -> Environment:
    return codec.decode(Environment, payload.subjects[0].payload)


def of(record: Record) -> Optional[Environment]:
    """Return the environment; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Environment, found[0].payload) if found else None
