"""Two canonical forms compared: is this value unlike that one, and how is it said to people.

The forms are those of ``agent/rehearsal/_prov_forms.py``. What differs between library versions
without meaning anything is no difference: modules of classes that moved, numpy scalars against
Python's numbers, the kind of an index, addresses, elapsed times, rounding at the dtype's precision.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from provenance.compare import _form_parts as parts
from provenance.compare._form_arrays import arrays, lists, numbers
from provenance.compare._form_bits import same_bits
from provenance.compare._form_parts import Seen, Settings
from provenance.compare._form_texts import long_texts, texts

KINDS = ("type", "shape", "value", "text", "dtype", "order", "noise", "state")
"""From the gravest; `unlike` returns the gravest that there is.

noise: numbers differ by more than their dtype's tolerance, but no more than rounding errors that
have added up: up to a relative 1e-10 (of arrays: 1e-9) in double and 2e-5 in single precision.
Never said of whole numbers, other dtypes or shapes. state: the results agree; what differs is
evidence inside of an opaque object, by whatever amount, or names that are only added, in a mapping
or among the options of a library's object; code that reads what was there does not see it."""


class Unlike(NamedTuple):
    """How two values differ.

    path: where inside of the value, "" for the whole. text: for people, short. old, new: what stood
    there, as forms. magnitude: the largest relative difference of numbers, None where it is not
    about numbers. kind: one of `KINDS`.
    """

    path: str
    text: str
    old: Any
    new: Any
    magnitude: float | None
    kind: str


def unlike(
    old: Any, new: Any, tolerance: float | None = None, ignore: Collection[str] = ()
) -> Unlike | None:
    """Return how two forms differ, None where they do not beyond what their dtypes can tell.

    tolerance: relative; a number looser than the dtype's own is taken instead of it (see
    `precision`). ignore: paths (`noisy_paths`) that are not compared, nor what is below them.
    Never raises: forms of another shape than expected differ by type.
    """
    seen = sorted(_all(old, new, tolerance or 0.0, frozenset(ignore)), key=_gravity)
    if not seen:
        return None
    one = seen[0]
    text = one.text
    more = sum(other.kind == one.kind and other.path != one.path for other in seen)
    if one.path:
        text = "%s: %s" % (one.path.lstrip("."), text)
    if more:
        text += " (and %d more)" % more
    return Unlike(one.path, text, one.old, one.new, one.magnitude, one.kind)


def unlike_text(old: str, new: str, tolerance: float | None = None) -> Unlike | None:
    """Return how two shown texts differ, None where numbers alone do, within their precision."""
    return unlike(old, new, tolerance)


def noisy_paths(first: Any, second: Any) -> frozenset[str]:
    """Return the paths that differ between two runs in one environment: to be ignored later."""
    return frozenset(one.path for one in _all(first, second, 0.0, frozenset()))


def precision(*forms: Any) -> float:
    """Return the coarsest relative tolerance among the numbers inside of ``forms``.

    A Python float that was made from single-precision numbers rounds as they do: give this as
    ``tolerance`` for the results of an operation with these inputs.
    """
    return max((_precision(one) for one in forms), default=0.0)


def _precision(form: Any) -> float:
    if isinstance(form, float):
        return parts.rounding(form)
    if isinstance(form, dict):
        return max(map(_precision, form.values()), default=0.0)
    if not isinstance(form, list) or not form:
        return 0.0
    if form[0] in ("a", "sc") and len(form) > 2:
        return parts.tolerance_of(str(form[2 if form[0] == "a" else 1]))
    if form[0] in ("l", "t") and len(form) > 3 and isinstance(form[3], dict):
        listed = form[3].get("at", form[2])
        values = [parts.bare(one) for one in listed] if isinstance(listed, list) else []
        if values and all(map(parts.is_number, values)):
            return parts.of_several(values) if any(isinstance(v, float) for v in values) else 0.0
    return max(map(_precision, form), default=0.0)


def identical(old: Any, new: Any) -> bool:
    """Return whether two forms are of equal values to the last bit, as far as forms can tell.

    Long arrays are known by samples and a digest of their bytes. Class names may have moved;
    evidence inside of opaque objects is ignored, and what is left out is equal to anything.
    """
    try:
        return same_bits(old, new)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return bool(old == new)


def is_plain(form: Any) -> bool:
    """Return whether a form tells all of its value: numbers, texts, arrays, tables of these.

    Not so objects, whose state may be hidden, and tensors, which remember what they came from.
    """
    if isinstance(form, dict):
        return all(map(is_plain, form.values()))
    if not isinstance(form, list):
        return True
    if form and isinstance(form[0], str) and form[0] in _CLOSED:
        return False
    array = len(form) > 4 and form[0] == "a"
    if array and (form[1] != "numpy.ndarray" or form[2] == "object"):
        return False
    return all(map(is_plain, form))


_CLOSED = frozenset(("o", "m", "q", "x", "v", "..."))
"""Tags of forms that leave something out; a column of that name is taken for one."""


def _gravity(one: Seen) -> tuple[int, float]:
    size = one.magnitude if one.magnitude is not None else 0.0
    return KINDS.index(one.kind), -size


def _all(old: Any, new: Any, tolerance: float, ignore: frozenset[str]) -> list[Seen]:
    settings = Settings(tolerance, ignore)
    try:
        return list(_differences("", old, new, settings))
    except (IndexError, KeyError, TypeError, ValueError, AttributeError, RecursionError):
        return [] if old == new else [Seen("", "form differs", old, new, None, "type")]


def _differences(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Yield what differs at ``path`` and below."""
    if path in settings.ignore or parts.is_elapsed(path) or old == ["..."] or new == ["..."]:
        return
    first, second = parts.bare(old), parts.bare(new)
    if parts.is_number(first) and parts.is_number(second):
        yield from numbers(path, old, new, settings)
    elif first == second and parts.tag(old) == parts.tag(new):
        return
    elif isinstance(first, str) and isinstance(second, str):
        yield from texts(path, first, second, settings)
    elif parts.tag(old) != parts.tag(new):
        yield from _other_types(path, old, new, settings)
    else:
        compare = _BY_TAG.get(parts.tag(old), _exact)
        bared = isinstance(first, list)
        yield from compare(path, first if bared else old, second if bared else new, settings)


def _other_types(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Yield the difference of two values of different kinds, where it is one."""
    kinds = {parts.tag(old), parts.tag(new)}
    if kinds == {"nt", "t"} and parts.size(old) == parts.size(new):
        pairs = zip(parts.members(old), parts.members(new), strict=True)
        for place, (one, other) in enumerate(pairs):
            yield from _differences("%s[%d]" % (path, place), one, other, settings)
    elif parts.unread(old) or parts.unread(new) or _is_one_seen_less(kinds, old, new):
        return
    else:
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        yield Seen(path, text, old, new, None, "type")


def _is_one_seen_less(kinds: set[str], old: Any, new: Any) -> bool:
    """Return whether an object was looked into in one of the versions only."""
    return kinds <= {"m", "o", "a"} and parts.same_class(str(old[1]), str(new[1]))


def _exact(path: str, old: Any, new: Any, _: Settings) -> Iterator[Seen]:
    if old != new and not parts.same_moment(old, new):
        text = "%s -> %s" % (parts.short(old), parts.short(new))
        yield Seen(path, text, old, new, None, "value")


def _complex(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    one, other = (["l", 1, [], {"at": [form]}] for form in (old, new))
    yield from lists(path, one, other, settings)


def _sequences(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    if old[1] != new[1]:
        text = "length %d -> %d" % (old[1], new[1])
        yield Seen(path, text, old, new, None, "shape")
        return
    if parts.only_numbers(old) and parts.only_numbers(new):
        yield from lists(path, old, new, settings)
        return
    if old[3].get("at") or new[3].get("at"):
        yield Seen(path, "other kinds of elements", old, new, None, "type")
        return
    found: list[Seen] = []
    sampled = bool(old[2]) and old[1] > len(old[2])
    for place, (one, other) in enumerate(zip(old[2], new[2], strict=False)):
        if sampled:
            place, one, other = one[0], one[1], other[1]  # noqa: PLW2901  # stand with their place
        found += _differences("%s[%d]" % (path, place), one, other, settings)
    if not found and old[3].get("h") != new[3].get("h"):
        text = "elements differ, none of the %d looked at" % len(old[2])
        found.append(Seen(path, text, old, new, None, "value"))
    elif found and not sampled and _permuted(old[2], new[2]):
        found = [Seen(path, "the same elements in another order", old, new, None, "order")]
    yield from found


def _permuted(old: list[Any], new: list[Any]) -> bool:
    return sorted(map(repr, old)) == sorted(map(repr, new))


def _named(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Compare named tuples and dataclasses: by name where they have the same, else by place."""
    first, second = dict(old[2]), dict(new[2])
    if not parts.same_class(old[1], new[1]) and parts.package(old[1]) != parts.package(new[1]):
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        yield Seen(path, text, old, new, None, "type")
    elif first.keys() & second.keys() or not first or not second:
        for name in (name for name in first if name in second):
            yield from _differences("%s.%s" % (path, name), first[name], second[name], settings)
    elif len(first) == len(second):
        pairs = zip(first.values(), second.values(), strict=True)
        for place, (one, other) in enumerate(pairs):
            yield from _differences("%s[%d]" % (path, place), one, other, settings)
    else:
        yield Seen(path, "fields %d -> %d" % (len(first), len(second)), old, new, None, "shape")


def _mappings(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Compare mappings: by what the old one has; keys that are only added harm nobody."""
    if not parts.same_class(old[1], new[1]):
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        kind = "state" if {old[1], new[1]} <= _PLAIN_MAPPINGS else "type"
        yield Seen(path, text, old, new, None, kind)
    first = {parts.key(name): item for name, item in old[3]}
    second = {parts.key(name): item for name, item in new[3]}
    whole = len(old[3]) == old[2] and len(new[3]) == new[2]
    changed = [name for name in (*first, *second) if (name in first) != (name in second)]
    if old[2] != new[2] or (whole and changed):
        text = "keys %s" % parts.listed(changed, first) if whole else "number of keys %d -> %d"
        text = text if whole else text % (old[2], new[2])
        lost = any(name in first for name in changed) if whole else old[2] > new[2]
        yield Seen(path, text, old[2], new[2], None, "shape" if lost else "state")
    for name, item in first.items():
        if name in second:
            yield from _differences("%s[%s]" % (path, name), item, second[name], settings)


_PLAIN_MAPPINGS = frozenset(("dict", "collections.OrderedDict", "collections.defaultdict"))


def _sets(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    if old[2] != new[2]:
        yield Seen(path, "length %d -> %d" % (old[2], new[2]), old, new, None, "shape")
    else:
        for one, other in zip(old[3], new[3], strict=False):
            yield from _differences(path, one, other, settings)


def _frames(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Compare tables: their columns by name, each as an array."""
    if old[2] != new[2]:
        text = "shape %s -> %s" % (parts.shape(old[2]), parts.shape(new[2]))
        yield Seen(path, text, old[2], new[2], None, "shape")
        return
    yield from _differences(path + ".index", old[4], new[4], settings)
    names = [[parts.key(name) for name, _ in one[5]] for one in (old, new)]
    if names[0] != names[1] and len(names[0]) == len(names[1]):
        same = sorted(names[0]) == sorted(names[1])
        text = "columns %s" % ("in another order" if same else parts.listed_pair(*names))
        yield Seen(path + ".columns", text, old[3], new[3], None, "order" if same else "value")
    elif names[0] == names[1]:
        yield from _differences(path + ".columns", old[3], new[3], settings)
    known = dict(zip(names[1], (array for _, array in new[5]), strict=True))
    for name, array in zip(names[0], (array for _, array in old[5]), strict=True):
        if name in known:
            below = path if len(old[2]) == 1 else "%s[%s]" % (path, name)
            yield from _differences(below, array, known[name], settings)


def _indexes(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    if old[2] != new[2]:
        text = "name %s -> %s" % (parts.short(old[2]), parts.short(new[2]))
        yield Seen(path + ".name", text, old[2], new[2], None, "value")
    yield from arrays(path, old[3], new[3], settings, dtypes=False)


def _models(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Compare what is a bundle of named tensors; names that only one of them has are ignored."""
    if not parts.same_class(old[1], new[1]):
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        yield Seen(path, text, old[1], new[1], None, "state")
    for name, item in old[2].items():
        if name in new[2]:
            below = "%s.%s" % (path, name)
            if name == "state" and item != new[2][name]:
                text = "the state of the generator differs"
                yield Seen(below, text, item, new[2][name], None, "value")
            else:
                yield from _differences(below, item, new[2][name], settings)
    known = dict(new[3])
    for name, item in old[3]:
        if name in known:
            yield from _differences("%s.%s" % (path, name), item, known[name], settings)
    yield from _evidence(path, old[4], new[4], settings)


def _opaque(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    if not parts.same_class(old[1], new[1]):
        kind = "state" if parts.package(old[1]) == parts.package(new[1]) else "type"
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        yield Seen(path, text, old, new, None, kind)
    yield from _evidence(path, old[2], new[2], settings)


def _evidence(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    for name, item in old.items():
        if name in new:
            for one in _differences("%s.%s" % (path, name), item, new[name], settings):
                yield one._replace(kind="state")


def _names(path: str, old: Any, new: Any, _: Settings) -> Iterator[Seen]:
    """Compare functions, classes, modules by name; where they are defined may move."""
    if old[1] != new[1] or not parts.same_class(old[2], new[2]):
        text = "%s -> %s" % (old[2], new[2])
        yield Seen(path, text, old, new, None, "dtype" if old[1] == "dtype" else "value")


def _enums(path: str, old: Any, new: Any, _: Settings) -> Iterator[Seen]:
    if old[2] != new[2]:
        yield Seen(path, "%s -> %s" % (old[2], new[2]), old, new, None, "value")


def _byte_strings(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Compare bytes; what was pickled was compared, and each release pickles in its own way."""
    if not (_is_pickle(old) and _is_pickle(new)):
        yield from _exact(path, old, new, settings)


def _is_pickle(form: Any) -> bool:
    """Return whether bytes begin as a pickle does: PROTO, and a protocol of 2 to 5."""
    return len(form) > 3 and str(form[3])[:4] in ("8002", "8003", "8004", "8005")


def _parted(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    if old[1] != new[1] or len(old[2]) != len(new[2]):
        yield from _exact(path, old, new, settings)
    else:
        for one, other in zip(old[2], new[2], strict=True):
            yield from _differences(path, one, other, settings)


def _exceptions(path: str, old: Any, new: Any, _: Settings) -> Iterator[Seen]:
    """Compare exceptions by class: their wording changes with each version."""
    if not parts.same_class(old[1], new[1]):
        yield Seen(path, "%s -> %s" % (old[1], new[1]), old, new, None, "type")


_BY_TAG = {
    "a": arrays,
    "c": _complex,
    "s": long_texts,
    "l": _sequences,
    "t": _sequences,
    "nt": _named,
    "d": _mappings,
    "set": _sets,
    "df": _frames,
    "ix": _indexes,
    "m": _models,
    "o": _opaque,
    "by": _byte_strings,
    "q": _names,
    "e": _enums,
    "r": _parted,
    "x": _exceptions,
}
