"""What values looked like at the points that the code marked by name."""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from provenance.core import canonical, codec
from provenance.core.context import AFTER, PRESENT, Context
from provenance.core.difference import UNKNOWN, Comparison, Difference, NotCompared
from provenance.core.record import RUN_ONLY, Payload, Record, captured, skipped
from provenance.facets import _facet

NAME = "fingerprints"
VERSION = 1
PHASES = (AFTER,)
SITE = _facet.TARGET

MOST_NAMES, MOST_CALLS, LARGEST = 1000, 100, 50000
"""Names kept; calls under one name of which each has its digest; bytes of one description."""

upgrade = _facet.nothing_to_upgrade


class Fingerprint(NamedTuple):
    """What was seen under one name.

    name: as in the code, with the rank where that is not 0. where: the line that called first.
    value: how the value looked at the first call (type, shape, dtype, bytes, summary, size, parts,
    digest; reason where there is none). calls: the digest at each of the first 100 calls, "" for
    none. times: how many calls there were. chain: a digest over the digests of all of them. places:
    of each of these first calls among all calls of the run, from 0. steps: the step of the metrics
    that the code logged last before each of them, None for none; empty where it never was given.
    """

    name: str
    where: str
    value: Dict[str, Any]
    calls: Tuple[str, ...] = ()
    times: int = 1
    chain: str = ""
    places: Tuple[int, ...] = ()
    steps: Tuple[Any, ...] = ()


class Fingerprints(NamedTuple):
    """All of them, in the order of their first call."""

    values: Tuple[Fingerprint, ...] = ()


def capture(context: Context) -> Payload:
    """Return what the SDK's ``fingerprint`` calls told."""
    if context.phase == PRESENT:
        return skipped(VERSION, RUN_ONLY)
    if not context.observed.sdk:
        return captured(VERSION, Fingerprints())
    from provenance.facets import _marked, _sdk  # only where the code told something

    found: Dict[str, Fingerprint] = {}
    chains: Dict[str, Any] = {}
    left_out = 0
    for place, (one, step) in enumerate(_marked.marked(context)):
        if len(one.parts) < 5 or not isinstance(one.parts[4], dict):
            continue
        name = context.redact.text(str(one.parts[3]))
        name = "%s rank %d" % (name, one.rank) if one.rank else name
        digest = _digest(one.parts[4])
        if name not in found and len(found) >= MOST_NAMES:
            left_out += 1
            continue
        if name not in found:
            where = context.redact.text(_sdk.place(str(one.parts[2]), context))
            value = _clean(str(one.parts[3]), one.parts[4], context)
            found[name] = Fingerprint(name, where, value, (), 0)
            chains[name] = hashlib.sha256()
        chains[name].update(digest.encode("utf-8", "replace") + b"\n")
        known = found[name]
        if len(known.calls) < MOST_CALLS:
            known = known._replace(
                calls=(*known.calls, digest),
                places=(*known.places, place),
                steps=(*known.steps, step),
            )
        found[name] = known._replace(times=known.times + 1)
    values = [_closed(one, chains[name].hexdigest()) for name, one in found.items()]
    notes = ("%d fingerprints under further names were not kept" % left_out,) if left_out else ()
    return captured(VERSION, Fingerprints(tuple(values)), notes=notes)


def _closed(one: Fingerprint, chain: str) -> Fingerprint:
    """Return ``one`` with its chain, and without steps where none was told."""
    steps = one.steps if any(step is not None for step in one.steps) else ()
    return one._replace(chain=chain, steps=steps)


def _digest(value: Dict[str, Any]) -> str:
    """Return "algorithm:digest", "" where the value has none."""
    digest = value.get("digest")
    items = sorted(digest.items()) if isinstance(digest, dict) else []
    return "%s:%s" % items[0] if items else ""


def _clean(name: str, value: Dict[str, Any], context: Context) -> Dict[str, Any]:
    """Return a description without secrets, and without its parts where they are too much."""
    clean: Dict[str, Any] = canonical.plain(_without_secrets(name, value, context))
    if len(canonical.compact(clean)) > LARGEST:
        clean["parts_left_out"] = len(clean.pop("parts", ()))
        clean.pop("order", None)
    return clean


def _without_secrets(name: str, value: Dict[str, Any], context: Context) -> Dict[str, Any]:
    """Return a description in which values and names are clean; digests, which look odd, stay."""
    redact = context.redact
    clean = {key: redact.value("", one) for key, one in value.items() if key != "digest"}
    clean["digest"] = dict(value.get("digest") or {})
    if "value" in value:
        clean["value"] = redact.value(name, value["value"])
        if clean["value"] != value["value"]:
            clean["digest"] = {}  # a short secret can be guessed from its digest
    if isinstance(value.get("parts"), dict):
        clean["parts"] = {
            redact.text(str(key)): _without_secrets(str(key), one, context)
            for key, one in value["parts"].items()
            if isinstance(one, dict)
        }
        order = list(clean["parts"])
        if order != sorted(order):
            clean["order"] = order  # a record is written with sorted names
    return clean


def compare(old: Payload, new: Payload) -> Comparison:
    """Compare by name in the order of the old run, so that the first difference is told first."""
    was = {one.name: one for one in _of(old).values}
    now = {one.name: one for one in _of(new).values}
    found: List[Difference] = []
    unsure: List[NotCompared] = []
    for name, before in was.items():
        after = now.get(name)
        if after is None:
            found.append(_difference("removed", name, before, None))
        elif not any(before.calls) or not any(after.calls):
            unsure.append(NotCompared(NAME, name, "there is no digest"))
        elif (before.chain, before.times) != (after.chain, after.times):
            found.append(_differing(name, before, after, not found))
    found += [_difference("added", n, None, one) for n, one in now.items() if n not in was]
    total = len(set(was) | set(now)) - len(unsure)
    return Comparison(tuple(found), total - len(found), total, "fingerprints", tuple(unsure))


def _differing(name: str, before: Fingerprint, after: Fingerprint, first: bool) -> Difference:
    text = "the first fingerprint that differs" if first else ""
    pairs = enumerate(zip(before.calls, after.calls), 1)
    call = next((number for number, (one, other) in pairs if one != other), None)
    if before.times != after.times and call is None:
        text += "%s%d calls, then %d" % (", " if text else "", before.times, after.times)
    elif before.times > 1:
        where = "call %d of %d" % (call, before.times) if call else "a call after the first 100"
        text += (", " if text else "") + where
    return _difference("value", name, before, after, text)


def _difference(
    kind: str, name: str, old: Optional[Fingerprint], new: Optional[Fingerprint], text: str = ""
) -> Difference:
    where = (new or old).where  # type: ignore[union-attr]  # one of them is given
    return Difference(
        NAME, "run", kind, name, UNKNOWN, _short(old), _short(new), (where,) if where else (), text
    )


def _short(one: Optional[Fingerprint]) -> Any:
    """Return shape, dtype, mean and the beginning of the digest: what tells two apart."""
    if one is None:
        return None
    value = one.value
    parts = [str(value.get("dtype") or value.get("type"))]
    if "shape" in value:
        parts.append("x".join(map(str, value["shape"])) or "()")
    if isinstance(value.get("summary"), dict) and "mean" in value["summary"]:
        parts.append("mean %.6g" % canonical.number(value["summary"]["mean"]))
    parts.append(_digest(value).rpartition(":")[2][:12])
    return " ".join(part for part in parts if part)


def _of(payload: Payload) -> Fingerprints:
    return codec.decode(Fingerprints, payload.subjects[0].payload)


def of(record: Record) -> Optional[Fingerprints]:
    """Return the fingerprints; None where the record does not say."""
    found = record.payloads(NAME)
    return codec.decode(Fingerprints, found[0].payload) if found else None
