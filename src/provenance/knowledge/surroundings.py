"""Why another machine or another setting matters to a run: hardware, threads, determinism.

What is known stands in ``surroundings.json``; each item has these members:

``id``        a name
``facet``, ``name``   the difference it explains; names are patterns as file names have them
``asks``      questions of `QUESTIONS`, all of which must be answered with yes
``symbols``   patterns of uses that make it matter, one of which the source must have; none: any
``packages``  a package and the releases it concerns ("<1.12", ">=2.0", ""), one of which was used
``unless``    symbols or variables that the run sets and that take the matter out of the world
``effect``    "possible", or "unknown" where only last bits move: such a reason stays folded
``text``, ``size``, ``remedy``, ``source``   what happens, how much of it, and what to do

A difference that no item speaks of stays as it is. Pure, as all of this room.
"""

from __future__ import annotations

import fnmatch
import json
import os
from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from provenance.core import versions
from provenance.core.difference import POSSIBLE, UNKNOWN, Difference
from provenance.core.record import Record
from provenance.core.use import CALL, WRITE, Use
from provenance.core.verdict import Finding, Reason

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "surroundings.json")
LEVEL = "L1"
TF32_SINCE = 8.0
"""CUDA capability of the first cards with TF32 (Ampere)."""
MOST_PLACES, SHOWN_PLACES = 20, 3
LOST = "GPUs"
"""Name of the difference of a card that is not there any more."""

_LOADED: List[Tuple[Dict[str, Any], ...]] = []


class Situation(NamedTuple):
    """What an item is judged by: hardware and variables then and now, versions, uses, sets."""

    old: Mapping[str, Any]
    new: Mapping[str, Any]
    environ: Mapping[str, str]
    packages: Mapping[str, str]
    uses: Sequence[Use]
    set_order: Tuple[str, ...]


def items() -> Tuple[Dict[str, Any], ...]:
    """Return all that is known of surroundings."""
    if not _LOADED:
        with open(FILE, encoding="utf-8") as stream:
            _LOADED.append(tuple(json.load(stream)))
    return _LOADED[0]


def situation(old: Record, new: Record, uses: Sequence[Use], packages: Mapping[str, str]) -> Any:
    """Return what of both records the items are judged by."""
    orders: List[str] = []
    for subject in old.payloads("behaviour"):
        orders.extend(p for p in subject.payload.get("set_order", ()) if isinstance(p, str))
    environ = _payload(old, "environment").get("values")
    return Situation(
        _payload(old, "hardware"),
        _payload(new, "hardware"),
        environ if isinstance(environ, dict) else {},
        packages,
        uses,
        tuple(orders),
    )


def _payload(record: Record, facet: str) -> Dict[str, Any]:
    for subject in record.payloads(facet):
        if isinstance(subject.payload, dict):
            return subject.payload
    return {}


def explained(found: Finding, here: Situation) -> Finding:
    """Return ``found`` with what is known of such a difference; its effect may rise."""
    effect, where = found.effect, list(found.where)
    told = list(found.reasons)
    for item in items():
        places = _applies(item, found, here)
        if places is None:
            continue
        told.append(_reason(item, found, places))
        where.extend(place for place in places if place not in where)
        if item["effect"] == POSSIBLE and effect == UNKNOWN:
            effect = POSSIBLE
    if len(told) == len(found.reasons):
        return found
    return found._replace(effect=effect, reasons=tuple(told), where=tuple(where[:MOST_PLACES]))


def concerning(run: Record, uses: Sequence[Use], packages: Mapping[str, str]) -> List[Any]:
    """Return what concerns ``run`` wherever it is repeated, as its lock carries it.

    Only what may change results and can be told by a test that reads variables and the models of
    cards. Members: ``facet``, ``name``, ``asks`` (of `TOLD_LATER`), ``text``, ``remedy``.
    """
    here = situation(run, run, uses, packages)
    found = []
    for item in items():
        asks = item.get("asks", ())
        later = [name for name in asks if name not in _OF_THE_RUN]
        if (
            item["effect"] != POSSIBLE
            or item["facet"] not in _BAKED
            or not _BAKED[item["facet"]].issuperset(later)
        ):
            continue
        plain = Finding(item["facet"], "", "changed", "", UNKNOWN)
        if later and not _had_card(here):
            continue
        if not all(QUESTIONS[name](plain, here) for name in asks if name in _OF_THE_RUN):
            continue
        places = _at(item, here)
        if places is not None:
            told = _reason(item, plain, places)
            kept = {name: item[name] for name in ("facet", "name", "remedy")}
            found.append(dict(kept, asks=later, text=told.text))
    return found


def lost_cards(differences: Sequence[Difference], here: Situation) -> Tuple[Finding, ...]:
    """Return the finding that the run's cards are gone; nothing where that changes nothing."""
    if not _had_card(here) or _cards(here.new) or not here.new:
        return ()
    if any(one.facet == "hardware" and one.name == LOST for one in differences):
        return ()
    names = ", ".join(str(card.get("name") or card.get("vendor")) for card in _cards(here.old))
    plain = Finding("hardware", "host", "changed", LOST, UNKNOWN, names, "none")
    told = explained(plain, here)
    return (told,) if told.reasons else ()


def _applies(item: Mapping[str, Any], found: Finding, here: Situation) -> Any:
    """Return the places at which ``item`` explains ``found``, None where it does not."""
    if item["facet"] != found.facet:
        return None
    if not any(fnmatch.fnmatchcase(found.name, name) for name in item["name"]):
        return None
    if not all(QUESTIONS[name](found, here) for name in item.get("asks", ())):
        return None
    return _at(item, here)


def _at(item: Mapping[str, Any], here: Situation) -> Any:
    """Return the places in the run's source that ``item`` is about, None where it is not."""
    if item.get("packages") and not any(
        _concerns(here.packages.get(package, ""), limit)
        for package, limit in item["packages"].items()
    ):
        return None
    if any(_is_set(name, here) for name in item.get("unless", ())):
        return None
    if "set order" in item.get("asks", ()):
        return here.set_order
    if not item.get("symbols"):
        return ()
    return _places(item["symbols"], here.uses) or None


def _concerns(version: str, limit: str) -> bool:
    """Return whether a used release stands within ``limit``."""
    if not version or not limit:
        return bool(version)
    if not versions.is_version(version):
        return False
    sign, other = ("<", limit[1:]) if limit[:2] != ">=" else (">=", limit[2:])
    below = versions.key(version)[:2] < versions.key(other)[:2]
    return below == (sign == "<")


def _is_set(name: str, here: Situation) -> bool:
    if name.isupper():
        return name in here.environ
    return any(
        use.kind in (CALL, WRITE) and fnmatch.fnmatchcase(use.symbol, name) for use in here.uses
    )


def _places(patterns: Sequence[str], uses: Sequence[Use]) -> Tuple[str, ...]:
    found: List[str] = []
    for use in uses:
        fits = any(fnmatch.fnmatchcase(use.symbol, pattern) for pattern in patterns)
        if fits and use.kind == CALL and use.where not in found:
            found.append(use.where)
    return tuple(found)


def _reason(item: Mapping[str, Any], found: Finding, places: Sequence[str]) -> Reason:
    at = ", ".join(places[:SHOWN_PLACES])
    if len(places) > SHOWN_PLACES:
        at += " and %d more" % (len(places) - SHOWN_PLACES)
    text = "%s%s" % (item["text"], "; at " + at if at else "")
    source = item["source"]["title"]
    if item["source"].get("url"):
        source += " <%s>" % item["source"]["url"]
    old = "unset" if found.old is None else str(found.old)
    return Reason(LEVEL, text, item["size"], source, item["remedy"].replace("{old}", old))


# questions -----------------------------------------------------------------------------------


def _cards(hardware: Mapping[str, Any]) -> List[Mapping[str, Any]]:
    """Return the cards that the run could see."""
    cards = [card for card in hardware.get("gpus") or () if isinstance(card, dict)]
    return [card for card in cards if card.get("visible") is not False]


def _had_card(here: Situation) -> bool:
    return bool(_cards(here.old))


def _tf32(cards: Sequence[Mapping[str, Any]]) -> Any:
    """Return whether cards compute in TF32, None where their capability is not known."""
    known = []
    for card in cards:
        if card.get("vendor") not in (None, "nvidia"):
            return False
        try:
            known.append(float(card.get("capability") or ""))
        except ValueError:
            return None
    return bool(known) and max(known) >= TF32_SINCE


def _over_ampere(_: Finding, here: Situation) -> bool:
    before, after = _tf32(_cards(here.old)), _tf32(_cards(here.new))
    return None not in (before, after) and before != after and bool(_cards(here.new))


def _counts_differ(_: Finding, here: Situation) -> bool:
    before, after = len(_cards(here.old)), len(_cards(here.new))
    return before != after and min(before, after) > 0


def _models_differ(_: Finding, here: Situation) -> bool:
    names = [{str(card.get("name")) for card in _cards(side)} for side in (here.old, here.new)]
    return bool(names[0] and names[1]) and names[0] != names[1]


def _one_side_has_none(_: Finding, here: Situation) -> bool:
    return bool(_cards(here.old)) != bool(_cards(here.new))


def _other_kernels(found: Finding, _: Situation) -> bool:
    """Return whether the instruction sets differ by which linear algebra chooses its kernels."""
    kinds = []
    for value in (found.old, found.new):
        words = set(str(value or "").split())
        kinds.append(("avx512f" in words, "avx2" in words, "sve" in words, "asimd" in words))
    return kinds[0] != kinds[1]


TOLD_LATER = ("one side has none", "another model", "another number")
"""What only a look at the place of the next run can answer."""
_OF_THE_RUN = frozenset(("had a GPU", "set order"))
_BAKED: Dict[str, Any] = {"environment": frozenset(), "hardware": frozenset(TOLD_LATER)}
"""Facets whose items a lock carries, with what may stay open of their questions."""

QUESTIONS: Dict[str, Callable[[Finding, Situation], bool]] = {
    "had a GPU": lambda _, here: _had_card(here),
    "one side has none": _one_side_has_none,
    "across Ampere": _over_ampere,
    "another number": _counts_differ,
    "another model": _models_differ,
    "other kernels": _other_kernels,
    "set order": lambda _, here: bool(here.set_order),
}
"""By name, what an item can ask of a difference and of both sides."""
