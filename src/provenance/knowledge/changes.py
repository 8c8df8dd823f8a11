"""What differs between two signatures of one symbol, and what of it concerns a call.

Signatures are in the form of `core.interfaces`, read from sources or from live objects. Pure.

`changes` keeps what says nothing too, with the reason in ``quiet``: a reader of a verbose listing
may ask why. `for_call` leaves it out, and all that the call's own arguments decide.
"""

from __future__ import annotations

import re
from typing import Any, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from provenance.core.difference import BROKEN, POSSIBLE
from provenance.core.use import Use
from provenance.core.versions import is_version, key
from provenance.knowledge._defaults import is_stand_in, shown, why_equal, why_quiet

DEFAULT, REMOVED, ADDED, RENAMED = "default", "removed", "added", "renamed"
KEYWORD_ONLY, MOVED, REQUIRED = "keyword only", "moved", "required"

Parameter = Mapping[str, Any]
_STATIC = frozenset(("source", "stub", "fields"))


class Change(NamedTuple):
    """One way in which a signature differs.

    kind: "default", "removed", "added", "renamed", "keyword only", "moved" (another parameter
    stands at its position), "required" (has no default any more). old, new: defaults, of a renamed
    one the names. before, after: position among what can be passed by position, None where not.
    taken: whether passing the old name or position may still be accepted (``**kwargs``, a
    decorator). quiet: why it says nothing, "" where it may matter.
    """

    kind: str
    parameter: str
    old: Any = None
    new: Any = None
    before: Optional[int] = None
    after: Optional[int] = None
    taken: bool = False
    quiet: str = ""


class Passed(NamedTuple):
    """What a call passes. spread: ``*x`` or ``**x`` may pass more than is seen."""

    positional: int = 0
    keywords: FrozenSet[str] = frozenset()
    spread: bool = False


class Hit(NamedTuple):
    """A change that concerns a call: how gravely at most, and in words."""

    change: Change
    effect: str
    text: str


def passed(use: Use) -> Passed:
    """Return what a recorded use of a symbol passes."""
    return Passed(len(use.arguments), frozenset(use.keywords), use.spread)


def comparable(old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    """Return why two signatures cannot be compared, "" where they can."""
    for one, when in ((old, "then"), (new, "now")):
        if "parameters" not in one:
            return "%s: %s" % (when, one.get("not_compared", "no signature"))
        kinds = {p["kind"] for p in one["parameters"]}
        if kinds and kinds <= {"*", "**"}:
            return "%s: takes anything" % when
    if (old.get("how") in _STATIC) != (new.get("how") in _STATIC):
        return "one was read from sources, the other from live objects"
    if (old.get("how") == "docstring") != (new.get("how") == "docstring"):
        return "one was read from a docstring, the other from the object"
    return ""


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tuple[Change, ...]:
    """Return how ``new`` differs from ``old``; nothing where they cannot be compared."""
    if comparable(old, new):
        return ()
    before, after = _plain(old["parameters"]), _plain(new["parameters"])
    loose = bool(new.get("wrapped")) or any(p["kind"] == "**" for p in new["parameters"])
    star = any(p["kind"] == "*" for p in new["parameters"])
    kept, known = _parked(after, before), _parked(before, after)
    renamed = _renamed(before, after, kept, known)
    found: List[Change] = []
    for name, one in before.items():
        now = renamed.get(name, name)
        if name in known and now == name:
            continue  # it was an old name there, and is the name here
        if now not in after:
            found.append(_removed(name, one, before, loose or star))
            continue
        if now != name:
            place = _position(before, name)
            quiet = "" if place is None or one["kind"] != "positional" else "only by position"
            quiet = "its old name is still taken" if name in kept else quiet
            found.append(Change(RENAMED, name, name, now, place, place, loose, quiet))
        more = _of_parameter(name, now, before, after, loose or star)
        found += [one for one in more if now not in known or one.kind != REQUIRED]
    for name, one in after.items():
        if name not in before and name not in renamed.values():
            found.append(_added(name, one, after, old))
    return tuple(found)


def _plain(parameters: Sequence[Parameter]) -> Dict[str, Parameter]:
    return {p["name"]: p for p in parameters if p["kind"] not in ("*", "**")}


def _position(parameters: Mapping[str, Parameter], name: str) -> Optional[int]:
    order = [n for n, p in parameters.items() if p["kind"] != "keyword"]
    return order.index(name) if name in order else None


def _parked(side: Mapping[str, Parameter], other: Mapping[str, Parameter]) -> FrozenSet[str]:
    """Return the parameters that ``side`` only takes as old names of others.

    They have moved behind the ``*`` with a default that stands for "not passed", as scikit-learn
    does when it renames one; on the ``other`` side they are passed in earnest.
    """
    return frozenset(
        name
        for name, one in side.items()
        if one["kind"] == "keyword"
        and is_stand_in(one.get("default"))
        and name in other
        and other[name]["kind"] != "keyword"
    )


def _renamed(
    before: Mapping[str, Parameter],
    after: Mapping[str, Parameter],
    kept: FrozenSet[str] = frozenset(),
    known: FrozenSet[str] = frozenset(),
) -> Dict[str, str]:
    """Return the new names of parameters that only have another name: same place and default.

    kept: those of ``before`` whose name ``after`` still takes; known: the reverse.
    """
    gone = [name for name in before if name not in after or name in kept]
    come = [name for name in after if name not in before or name in known]
    found: Dict[str, str] = {}
    for name in gone:
        place = _position(before, name)
        for other in come:
            same_place = place is not None and _position(after, other) == place
            plain = "default" not in before[name] and "default" not in after[other]
            default = before[name].get("default"), after[other].get("default")
            like = (
                place is None
                and default[0] is not None
                and default[0] == default[1]
                and _alike(name, other)
            )
            alias = name in kept or other in known
            fits = (same_place and (plain or alias or default[0] == default[1])) or like
            if fits and other not in found.values():
                found[name] = other
                break
    return found


def _alike(one: str, other: str) -> bool:
    """Return whether two names are spellings of one word (``nthread``, ``n_threads``)."""
    a, b = (name.replace("_", "").rstrip("s").lower() for name in (one, other))
    return a == b or a.startswith(b) or b.startswith(a)


def _removed(name: str, one: Parameter, before: Mapping[str, Parameter], taken: bool) -> Change:
    quiet = ""
    if is_stand_in(one.get("default")):
        quiet = "was deprecated"
    return Change(
        REMOVED, name, one.get("default"), None, _position(before, name), None, taken, quiet
    )


def _added(name: str, one: Parameter, after: Mapping[str, Parameter], old: Any) -> Change:
    place = _position(after, name)
    if "default" not in one:
        could = any(p["kind"] in ("*", "**") for p in old["parameters"])
        quiet = "may have been passed as something else before" if could else ""
        return Change(ADDED, name, None, {"required": True}, None, place, False, quiet)
    return Change(ADDED, name, None, one["default"], None, place, False, "an addition")


def _of_parameter(
    name: str,
    now: str,
    before: Mapping[str, Parameter],
    after: Mapping[str, Parameter],
    taken: bool,
) -> List[Change]:
    old, new = before[name], after[now]
    was, is_ = _position(before, name), _position(after, now)
    found = []
    if was is not None and is_ is None:
        found.append(Change(KEYWORD_ONLY, name, None, None, was, None, taken))
    elif was is not None and is_ is not None and was != is_:
        found.append(Change(MOVED, name, was, is_, was, is_, taken))
    if "default" in old and "default" in new:
        same = why_equal(old["default"], new["default"])
        if same != "same":
            quiet = same or why_quiet(name, old["default"], new["default"])
            if not quiet and new["default"] is None and _handed_over(old["default"], before, after):
                quiet = "another parameter has taken its default over"
            found.append(
                Change(DEFAULT, name, old["default"], new["default"], was, is_, taken, quiet)
            )
    elif "default" in old:
        found.append(Change(REQUIRED, name, old["default"], None, was, is_, taken))
    return found


def _handed_over(
    default: Any, before: Mapping[str, Parameter], after: Mapping[str, Parameter]
) -> bool:
    """Return whether a parameter that came has the ``default`` of one that stepped back."""
    plain = default is None or isinstance(default, bool)
    come = [p.get("default") for n, p in after.items() if n not in before]
    return not plain and any(one == default for one in come)


def for_call(found: Sequence[Change], name: str, call: Passed) -> Tuple[Hit, ...]:
    """Return what of ``found`` concerns a call of ``name``; never more than "possible" or "broken".

    A changed default concerns a call that does not pass it; a parameter that is gone, renamed or
    keyword-only now, one that does pass it in the old way.
    """
    hits = []
    for one in found:
        if one.quiet:
            continue
        hit = _hit(one, name, call)
        if hit is not None:
            hits.append(hit)
    return tuple(hits)


def _hit(one: Change, name: str, call: Passed) -> Optional[Hit]:
    by_name = one.parameter in call.keywords
    by_place = one.before is not None and call.positional > one.before
    gone = POSSIBLE if one.taken else BROKEN
    label = "%s(%s)" % (name, one.parameter)
    if one.kind in (DEFAULT, REQUIRED):
        if by_name or by_place or (one.after is not None and call.positional > one.after):
            return None
        if one.kind == REQUIRED:
            effect = POSSIBLE if one.taken or call.spread else BROKEN
            return Hit(one, effect, "%s has no default any more; you don't pass it" % label)
        words = "you may not pass it" if call.spread else "you don't pass it"
        change = "%s default %s -> %s; %s" % (label, shown(one.old), shown(one.new), words)
        return Hit(one, POSSIBLE, change)
    if one.kind == REMOVED and (by_name or by_place):
        return Hit(one, gone, "%s is gone; you pass it" % label)
    if one.kind == RENAMED and by_name:
        return Hit(one, gone, "%s is named %s now; you pass it by name" % (label, one.new))
    if one.kind == KEYWORD_ONLY and by_place:
        return Hit(one, gone, "%s is keyword-only now; you pass it by position" % label)
    if one.kind == MOVED and by_place:
        text = "%s is parameter %d, was %d; you pass it by position"
        return Hit(one, POSSIBLE, text % (label, one.new + 1, one.old + 1))
    reached = one.after is not None and call.positional > one.after
    if one.kind == ADDED and not (by_name or reached or call.spread):
        return Hit(one, BROKEN, "%s is required now; you don't pass it" % label)
    return None


def registry_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Tuple[Change, ...]:
    """Return which flags and options of libraries have another value, in both present.

    ``old`` and ``new``: flat, ``{"pandas.options.mode.copy_on_write": form}``.
    """
    found = []
    for name in sorted(set(old) & set(new)):
        same = why_equal(old[name], new[name])
        if same != "same":
            quiet = same or why_quiet(name.rpartition(".")[2], old[name], new[name])
            found.append(Change(DEFAULT, name, old[name], new[name], quiet=quiet))
    return tuple(found)


def announced(warnings: Sequence[str], old_version: str, new_version: str) -> Tuple[str, ...]:
    """Return the ``warnings`` of a run under ``old_version`` that speak of what has come since.

    They name a release after the old and up to the new one, or say without any that a default or
    a behaviour is going to change. Each is "Category: text".
    """
    low, high = sorted((old_version, new_version), key=_order)
    found = []
    for text in warnings:
        if not _ANNOUNCING.match(text) or text in found:
            continue
        named = [v for v in _VERSION.findall(text) if is_version(v)]
        inside = any(_order(low) < _order(v) <= _order(high) for v in named)
        if inside or (not named and _SPEAKS.search(text)):
            found.append(text)
    return tuple(found)


_ANNOUNCING = re.compile(
    r"(\w+\.)*(Future|Deprecation|PendingDeprecation|VisibleDeprecation)Warning:"
)
_VERSION = re.compile(r"(?<![\w.])v?(\d+\.\d+(?:\.\d+)*)(?![\w])")
_SPEAKS = re.compile(
    r"(?i)\b(default|behaviou?r)\b[^.]{0,120}\b(will|change|chang)|\bwill (be )?(change|default)"
)


def _order(version: str) -> Any:
    return key(version)[:2] if is_version(version) else (0, ())
