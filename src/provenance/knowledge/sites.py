"""Which uses in the user's code an entry strikes, and how surely."""

from __future__ import annotations

import fnmatch
from typing import Any, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from provenance.core._types import is_class
from provenance.core.uses import CALL, UNRESOLVED, WRITE, Use
from provenance.knowledge.entry import Condition, Entry

_INTERNAL = frozenset("core src python modules lib internals".split())
"""Names of folders inside libraries that people import through, though they are not the API."""

HOLDS, FAILS, OPEN = "holds", "fails", "open"


class Struck(NamedTuple):
    """A use that an entry speaks of. sure: its conditions hold for certain; why: what they see."""

    use: Use
    sure: bool
    why: str


def struck(entry: Entry, uses: Sequence[Use]) -> Tuple[Struck, ...]:
    """Return the ``uses`` that ``entry`` strikes, in their order; empty where a flag voids it.

    A method of something unknown counts in files that use the library by name.
    """
    near = _near(entry, uses)
    if not near or any(_voids(flag, use) for flag in entry.unless for use in uses):
        return ()
    if entry.along and not _is_used_along(entry.along, uses):
        return ()
    files = _files_with(entry, near, uses)
    found = [_strike(entry, use, files) for use in near]
    return tuple(one for one in found if one is not None)


def _near(entry: Entry, uses: Sequence[Use]) -> List[Use]:
    """Return the ``uses`` that a look at their first or last component does not rule out."""
    tops = tuple({symbol.partition(".")[0] + "." for symbol in entry.symbols})
    wanted = {symbol.rpartition(".")[2] for symbol in entry.symbols}
    if entry.reads or "*" in wanted:
        return [use for use in uses if use.symbol.startswith(tops)]
    return [use for use in uses if use.symbol.rpartition(".")[2] in wanted]


def _files_with(entry: Entry, near: Sequence[Use], uses: Sequence[Use]) -> FrozenSet[str]:
    """Return the files in which the library of ``entry`` is used by name; none if not needed."""
    if not any(use.symbol.startswith(UNRESOLVED) for use in near):
        return frozenset()
    tops = {symbol.partition(".")[0] for symbol in entry.symbols}
    return frozenset(use.path for use in uses if use.symbol.partition(".")[0] in tops)


def _is_used_along(patterns: Sequence[str], uses: Sequence[Use]) -> bool:
    return any(fnmatch.fnmatchcase(use.symbol, one) for use in uses for one in patterns)


def _voids(flag: Dict[str, Any], use: Use) -> bool:
    if use.symbol != flag["symbol"] or use.kind not in (CALL, WRITE):
        return False
    return "first" not in flag or use.arguments[:1] == (flag["first"],)


def _strike(entry: Entry, use: Use, files: FrozenSet[str]) -> Optional[Struck]:
    resolved = any(matches(symbol, name) for name in _names(entry, use) for symbol in entry.symbols)
    if not resolved and not _may_be(entry, use, files):
        return None
    if use.kind == WRITE and not use.symbol.endswith("__setitem__"):
        return None
    named_only = use.kind != CALL and not entry.reads and not use.symbol.endswith("__")
    if named_only and not entry.handed_on:
        return None
    states = [_state(condition, use) for condition in entry.when]
    if FAILS in states:
        return None
    sure = resolved and OPEN not in states and not named_only
    return Struck(use, sure, _why(entry, use, resolved, named_only))


def _names(entry: Entry, use: Use) -> List[str]:
    """Return the symbols that ``use`` names; what a constant is asked for names the constant."""
    names = [use.symbol]
    while entry.reads and names[-1].count(".") > 1:
        names.append(names[-1].rpartition(".")[0])
    return names


def _may_be(entry: Entry, use: Use, files: FrozenSet[str]) -> bool:
    """Return whether a method of something unknown may be the one that ``entry`` speaks of."""
    if not use.symbol.startswith(UNRESOLVED) or not entry.unresolved or use.path not in files:
        return False
    name = use.symbol[len(UNRESOLVED) :]
    for symbol in entry.symbols:
        owner, _, method = symbol.rpartition(".")
        if method == name and is_class(owner):
            return True
    return False


def matches(pattern: str, symbol: str) -> bool:
    """Return whether ``symbol``, as the user reaches it, is the one that ``pattern`` names.

    Libraries show a thing at several places ("torch.nn.modules.batchnorm.BatchNorm2d"), so modules
    may stand between the first component and a class, and internal ones before a function.
    """
    want, have = pattern.split("."), symbol.split(".")
    if want[0] != have[0] or len(have) < len(want):
        return False
    return _fits(want, have)


def _fits(want: List[str], have: List[str]) -> bool:
    if not want or not have:
        return not want and not have
    if want[0] in ("*", have[0]) and _fits(want[1:], have[1:]):
        return True
    before_class = any(is_class(part) for part in want)
    return _skippable(have[0], before_class) and _fits(want, have[1:])


def _skippable(part: str, before_class: bool) -> bool:
    """Return whether a module of this name may be left out of a symbol."""
    if is_class(part):
        return False
    return before_class or part in _INTERNAL or part.startswith("_") or part.endswith("_")


def _state(condition: Condition, use: Use) -> str:
    """Return whether ``condition`` holds at ``use``, fails, or stays open."""
    if use.kind != CALL:
        return OPEN
    given = _given(condition, use)
    if given is _UNKNOWN:
        return OPEN
    if condition.test == "not passed":
        return HOLDS if given is _ABSENT else FAILS
    if condition.test == "passed":
        return FAILS if given is _ABSENT else HOLDS
    if given is _ABSENT:
        return FAILS if condition.test in ("equal", "starts with") else HOLDS
    if given is None:
        return OPEN
    if condition.test == "starts with":
        fits = isinstance(given, str) and given.startswith(condition.values)
        return HOLDS if fits else FAILS
    equal = any(_equal(given, value) for value in condition.values)
    return HOLDS if equal != (condition.test == "not equal") else FAILS


def _equal(given: Any, value: Any) -> bool:
    """Return whether two constants are equal; True is not 1."""
    same_kind = isinstance(given, bool) == isinstance(value, bool)
    return same_kind and bool(given == value)


_ABSENT, _UNKNOWN = object(), object()


def _given(condition: Condition, use: Use) -> Any:
    """Return the constant that was passed, None where not constant, or one of the two marks."""
    if condition.inside is not None:
        outer = _argument(condition.inside["parameter"], condition.inside.get("position"), use)
        if outer is _ABSENT or outer is _UNKNOWN:
            return outer
        if not isinstance(outer, dict) or "dict" not in outer:
            return _UNKNOWN
        return outer["dict"].get(condition.parameter, _ABSENT)
    position = condition.position
    if isinstance(position, dict):
        names = use.symbol.split(".")
        position = position.get(".".join(names[-2:]), position.get(names[-1]))
    return _argument(condition.parameter, position, use)


def _argument(parameter: str, position: Optional[int], use: Use) -> Any:
    if parameter in use.keywords:
        return use.keywords[parameter]
    if position is not None and len(use.arguments) > position:
        return use.arguments[position]
    return _UNKNOWN if use.spread else _ABSENT


def _why(entry: Entry, use: Use, resolved: bool, named_only: bool) -> str:
    """Return in a few words what makes ``entry`` apply at ``use``."""
    if not resolved:
        return "%s() of something not known" % use.symbol[len(UNRESOLVED) :]
    if named_only:
        return "handed on, not called"
    parts: List[str] = []
    for condition in entry.when:
        words = _condition_words(condition, use)
        if words and words not in parts:
            parts.append(words)
    return ", ".join(parts) or ("used" if entry.reads else "called")


def _condition_words(condition: Condition, use: Use) -> str:
    if condition.test == "not passed":
        unknown = _given(condition, use) is _UNKNOWN
        return "%s %s" % (condition.parameter, "may be passed" if unknown else "not passed")
    given = _given(condition, use)
    if given is _ABSENT:
        return ""
    if given is None or given is _UNKNOWN or isinstance(given, (dict, list)):
        return "%s passed" % condition.parameter
    return "%s=%r" % (condition.parameter, given)


def places_of(found: Iterable[Struck]) -> Tuple[str, ...]:
    """Return the places of ``found`` as people read them, each once."""
    places: List[str] = []
    for one in found:
        if one.use.where not in places:
            places.append(one.use.where)
    return tuple(places)
