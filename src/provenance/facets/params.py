"""With which parameters the program ran, and how each of them is known.

Several sources may speak of one parameter. The one that is nearest to what the program used gives
the value that is shown; the others are kept beside it.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import canonical, codec
from provenance.core.context import AFTER, DURING, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _argv, _facet

NAME = "params"
VERSION = 1
PHASES = (DURING, AFTER)
SITE = _facet.TARGET

ARGV = "argv"

PRECEDENCE = {"sdk": 0, "hydra": 2, "omegaconf": 2, "config": 2, ARGV: 3, "file": 4, "object": 5}
"""Rank of the sources; the lowest gives the shown value. A parser not named here ranks 1."""

LONGEST = 2000
"""Longer texts are cut, with the SHA-256 of the whole."""

upgrade = _facet.nothing_to_upgrade


class Other(NamedTuple):
    """What another source says of a parameter, under the name that the source uses."""

    value: Any
    source: str
    name: str


class Parameter(NamedTuple):
    """One parameter.

    value: what the program used, as far as is known. source: who says so ("argparse", "argv",
    "sdk" ...). default: what it is when not given; None too where not known. given: whether the
    user gave it, None where not known. others: further sources.
    """

    value: Any
    source: str
    default: Any = None
    given: Optional[bool] = None
    others: Tuple[Other, ...] = ()


class Params(NamedTuple):
    """All parameters by name."""

    values: Dict[str, Parameter]


class Saying(NamedTuple):
    """What one source says of one parameter."""

    name: str
    value: Any
    source: str
    default: Any = None
    given: Optional[bool] = None


def capture(context: Context) -> Payload:
    """Return the parameters of the command line and of the parsers that the hook saw."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    sayings = [
        Saying(name, item.get("value"), parsed.source, item.get("default"), item.get("given"))
        for parsed in context.observed.parsed
        for name, item in parsed.values.items()
    ]
    if context.observed.sdk:
        from provenance.facets import _sdk  # only where the code told something

        sayings += [Saying(one.name, one.value, one.source) for one in _sdk.params(context)]
    argv = _argv.parameters(context.command)
    sayings += [Saying(name, value, ARGV, None, True) for name, value in argv.items()]
    clean = [_clean(one, context) for one in sayings]
    return captured(VERSION, Params(merged(clean)))


def _clean(one: Saying, context: Context) -> Saying:
    """Return ``one`` without secrets and without what is too long to keep."""
    name = context.redact.text(one.name)
    value = _short(context.redact.value(one.name, one.value))
    return one._replace(
        name=name, value=value, default=_short(context.redact.value(one.name, one.default))
    )


def _short(value: Any) -> Any:
    text = value if isinstance(value, str) else ""
    if not isinstance(value, (str, int, float, bool, type(None))):
        text = canonical.compact(value).decode("utf-8", "replace")
    if len(text) <= LONGEST:
        return value
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return "%s... (%d characters, sha256 %s)" % (text[:200], len(text), digest)


def merged(sayings: List[Saying]) -> Dict[str, Parameter]:
    """Return one parameter per name: the best source's value, the other sources beside it."""
    ranked = sorted(sayings, key=lambda one: PRECEDENCE.get(one.source, 1))
    values: Dict[str, Parameter] = {}
    for one in ranked:
        name = _name_among(one, values)
        if name is None:
            values[one.name] = Parameter(one.value, one.source, one.default, one.given)
        else:
            known = values[name]
            others = (*known.others, Other(one.value, one.source, one.name))
            default = known.default if known.given is not None else one.default
            given = one.given if known.source == "sdk" and known.given is None else known.given
            values[name] = known._replace(others=others, default=default, given=given)
    return values


def _name_among(one: Saying, values: Dict[str, Parameter]) -> Optional[str]:
    """Return the name under which ``values`` already holds what ``one`` speaks of.

    Parsers call ``--learning-rate`` learning_rate, allow its beginning (``--learn``), and do not
    tell that ``-b`` or a bare word became batch_size: there the same value, given, must do.
    """
    plain = _plain(one.name)
    for name in values:
        if _plain(name) == plain:
            return name
    if one.source != ARGV:
        return None
    parsed = {name: p for name, p in values.items() if p.source != ARGV and p.given}
    begun = [name for name in parsed if len(plain) > 1 and _plain(name).startswith(plain)]
    if len(begun) == 1 and parsed[begun[0]].value == one.value:
        return begun[0]
    if len(plain) == 1 or plain.startswith("["):
        same = [n for n, p in parsed.items() if p.value == one.value and not _told_by_argv(p)]
        return same[0] if len(same) == 1 else None
    return None


def _told_by_argv(one: Parameter) -> bool:
    return any(other.source == ARGV for other in one.others)


def _plain(name: str) -> str:
    return name.replace("-", "_").lower() if len(name) > 1 else name


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare value by value; what a changed parameter does is never known from here."""
    was, now = _of(old).values, _of(new).values
    subject = old.subjects[0].id
    found = []
    names = sorted(set(was) | set(now))
    for name in names:
        before, after = was.get(name), now.get(name)
        if before is None and after is not None:
            found.append(Difference(NAME, subject, "added", name, UNKNOWN, None, after.value))
        elif before is not None and after is None:
            found.append(Difference(NAME, subject, "removed", name, UNKNOWN, before.value, None))
        elif before is not None and after is not None and before.value != after.value:
            found.append(
                Difference(NAME, subject, "value", name, UNKNOWN, before.value, after.value)
            )
    return Comparison(tuple(found), len(names) - len(found), len(names), "parameters")


def _of(payload: Payload) -> Params:
    return codec.decode(Params, payload.subjects[0].payload)


def of(record: Record) -> Optional[Params]:
    """Return the parameters; None where the record has none."""
    found = record.payloads(NAME)
    return codec.decode(Params, found[0].payload) if found else None
