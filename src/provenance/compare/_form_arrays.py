"""Numbers, lists of numbers and arrays of two forms compared, with the tolerance of their dtype."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from provenance.compare import _form_parts as parts
from provenance.compare._form_parts import Seen, Settings
from provenance.compare._form_texts import texts

_FLOOR, _TINY = 1e-15, 1e-300
"""Two numbers this near to zero, on either side of it or one of them zero itself, are what is left
of sums that cancel in double precision; of small numbers of one sign each digit counts (physical
constants), but for those that have no normal representation."""
_TEXT_DTYPES = frozenset(("object", "str", "string", "category", "large_string"))
"""pandas 3 keeps texts in a dtype of its own; the elements tell whether anything differs."""


def numbers(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Yield how two single numbers differ: by value, else by dtype."""
    first, second = parts.bare(old), parts.bare(new)
    names = parts.dtype_of(old), parts.dtype_of(new)
    tolerance, noise = _of_pair(names, first, second, settings)
    apart = _apart(first, second, 0.0, tolerance)
    other = _family(names[0]) != _family(names[1])
    if apart:
        text = "%s -> %s" % _told(first, second)
        kind = "noise" if apart <= noise and not other else "value"
        yield Seen(path, _with_dtypes(text, names, other), old, new, apart, kind)
    elif other:
        text = "%s %s -> %s %s" % (names[0], parts.short(old), names[1], parts.short(new))
        yield Seen(path, text, old, new, None, "dtype")


def _with_dtypes(text: str, names: tuple[str, str], other: bool) -> str:
    return "dtype %s -> %s; %s" % (*names, text) if other else text


def _family(dtype: str) -> str:
    """Return a scalar's dtype; Python's numbers are numpy's of the same width."""
    return {"int": "int64", "float": "float64"}.get(dtype, dtype)


def _of_pair(names: tuple[str, str], old: Any, new: Any, settings: Settings) -> tuple[float, float]:
    """Return the tolerance of two numbers, and up to where a difference may be rounding."""
    if isinstance(old, int) and isinstance(new, int):
        return 0.0, 0.0
    own = max(parts.tolerance_of(names[0]), parts.tolerance_of(names[1]))
    if names == ("float", "float"):
        own = min(parts.rounding(old), parts.rounding(new))
    own = own or 1e-12
    return max(own, settings.tolerance), max(_noise(own, 1e2), settings.tolerance)


def _noise(tolerance: float, times: float = 1e3) -> float:
    """Return up to where a difference may be rounding that added up: sooner for single numbers."""
    return tolerance * (times if tolerance <= 1e-12 else 10)


def _apart(old: Any, new: Any, scale: float, tolerance: float) -> float:
    """Return the relative distance of two numbers, 0 where they are the same within tolerance."""
    if old == new or (math.isnan(old) and math.isnan(new)):
        return 0.0
    if not (math.isfinite(old) and math.isfinite(new)):
        return math.inf
    largest = max(abs(old), abs(new))
    apart = abs(old - new)
    cancelled = not scale and old * new <= 0.0
    floor = _FLOOR if tolerance <= 1e-12 else tolerance * 1e-3
    if tolerance and apart <= max(tolerance * max(largest, scale), floor if cancelled else _TINY):
        return 0.0
    return float(apart / max(largest, scale))


def _told(old: Any, new: Any) -> tuple[str, str]:
    """Return two numbers with as many digits as it takes to see that they differ."""
    for digits in (4, 6, 9, 12, 17):
        pair = tuple(
            str(one) if isinstance(one, int) and abs(one) < 10**15 else "%.*g" % (digits, one)
            for one in (old, new)
        )
        if pair[0] != pair[1]:
            return pair[0], pair[1]
    return repr(old), repr(new)


def lists(path: str, old: Any, new: Any, settings: Settings) -> Iterator[Seen]:
    """Yield how two lists of plain numbers differ."""
    facts = [dict(one[3]) if "at" in one[3] else {"at": one[2]} for one in (old, new)]
    values = [parts.bare(n) for f in facts for n in f["at"]]
    dtype = "int64"
    if any(isinstance(one, float) for one in values):
        dtype = "float32" if parts.of_several(values) > 1e-12 else "float64"
    yield from _facts(path, facts[0], facts[1], (dtype, old[1]), settings)


def arrays(
    path: str, old: Any, new: Any, settings: Settings, dtypes: bool = True
) -> Iterator[Seen]:
    """Yield how two arrays differ: shape, values, else dtype or class."""
    if old[3] != new[3]:
        text = "shape %s -> %s" % (parts.shape(old[3]), parts.shape(new[3]))
        yield Seen(path, text, old[3], new[3], None, "shape")
        return
    names = str(old[2]), str(new[2])
    dtype = max(names, key=parts.tolerance_of)
    texts_both = {name.partition("[")[0].split("(")[0] for name in names} <= _TEXT_DTYPES
    other = dtypes and names[0] != names[1] and not texts_both
    facts = old[4], new[4]
    if names[0] != names[1] and not texts_both and not all(n.startswith(_TIMES) for n in names):
        facts = _undigested(facts[0]), _undigested(facts[1])
    found = list(_facts(path, *facts, (dtype, math.prod(old[3])), settings))
    if other and not any(one.kind != "noise" for one in found):
        found = [Seen(path, "dtype %s -> %s" % names, names[0], names[1], None, "dtype")]
    for one in found:
        told = other and one.kind != "dtype"
        yield one._replace(text=_with_dtypes(one.text, names, True)) if told else one
    if not found and not parts.same_class(old[1], new[1]) and dtypes:
        text = "%s -> %s" % (parts.kind_of(old), parts.kind_of(new))
        yield Seen(path, text, old[1], new[1], None, "type")
    for name in ("requires_grad", "device", "categories", "ordered"):
        one, other = old[4].get(name), new[4].get(name)
        if one is not None and other is not None and one != other:
            text = "%s %s -> %s" % (name, parts.short(one), parts.short(other))
            yield Seen("%s.%s" % (path, name), text, one, other, None, "type")


_TIMES = ("datetime", "timedelta", "timestamp")


def _undigested(facts: Any) -> Any:
    """Return the facts without the digest of the bytes, which differ with the dtype."""
    return {name: one for name, one in facts.items() if name != "h"}


def _facts(
    path: str, old: Any, new: Any, kind: tuple[str, int], settings: Settings
) -> Iterator[Seen]:
    """Yield how the samples and statistics of two arrays differ; kind: dtype, size."""
    dtype, count = kind
    pairs = list(zip(old["at"], new["at"], strict=False))
    if pairs and all(parts.tag(one) == "c" for pair in pairs for one in pair):
        old, new = _real(old), _real(new)
        pairs = list(zip(old["at"], new["at"], strict=False))
    if not all(parts.is_number(parts.bare(one)) for pair in pairs for one in pair):
        yield from _others(path, old, new, pairs, count, settings)
        return
    values = [(parts.bare(a), parts.bare(b)) for a, b in pairs]
    whole = parts.tolerance_of(dtype) == 0.0
    own = 0.0 if whole else parts.tolerance_of(dtype)
    tolerance = own if whole else max(own, settings.tolerance)
    scale = _scale(old, new, values)
    apart = [_apart(a, b, scale if not whole else 0.0, tolerance) for a, b in values]
    differ = [place for place, one in enumerate(apart) if one]
    if differ:
        yield _numbers_differ(path, (old, new), values, differ, apart, count, _noise(own))
        return
    found = list(_statistics(path, old, new, (scale, tolerance, _noise(own), count)))
    if whole and not found and old.get("h") and new.get("h") and old["h"] != new["h"]:
        found = [Seen(path, _BETWEEN, old["h"], new["h"], None, "value")]
    yield from found


_BETWEEN = "values differ between the samples"


def _real(facts: Any) -> Any:
    """Return the facts of complex numbers with both parts of the samples one after the other."""
    return dict(facts, at=[part for one in facts["at"] for part in one[1:]])


def _numbers_differ(
    path: str,
    facts: tuple[Any, Any],
    values: list[tuple[Any, Any]],
    differ: list[int],
    apart: list[float],
    count: int,
    noise: float,
) -> Seen:
    worst = max(differ, key=lambda place: apart[place])
    far = max(abs(values[i][0] - values[i][1]) for i in differ)
    of = "%d of %d values" % (len(differ), len(values))
    if count > len(values):
        of = "%d of %d values looked at (of %d)" % (len(differ), len(values), count)
    if len(values) == 1:
        text = "%s -> %s" % _told(*values[0])
    elif math.isnan(far) or math.isinf(far):
        text = "%s differ, e.g. %s -> %s" % (of, *_told(*values[worst]))
    else:
        text = "%s differ, by up to %.3g" % (of, far)
    kind = "noise" if apart[worst] <= noise else "value"
    turned = [i for i in differ if not _apart(-values[i][0], values[i][1], 0.0, max(noise, 1e-9))]
    if kind == "value" and len(turned) == len(differ) and len(values) > 1:
        text = "signs differ: " + of
    elif kind == "value" and len(values) > 1 and _reordered(facts, values, count):
        return Seen(path, "the same values in another order", *facts, apart[worst], "order")
    return Seen(path, text, facts[0], facts[1], apart[worst], kind)


def _reordered(facts: tuple[Any, Any], values: list[tuple[Any, Any]], count: int) -> bool:
    """Return whether the values are the same in another order; with samples, as far as is known."""
    if count <= len(values):
        first, second = (sorted(pair[i] for pair in values) for i in (0, 1))
        return all(not _apart(a, b, 0.0, 1e-12) for a, b in zip(first, second, strict=True))
    old, new = facts
    if "skew" not in old or "skew" not in new or abs(old["skew"] - new["skew"]) > 1e-5:
        return False
    names = [name for name in ("mean", "std", "min", "max", "nan") if name in old]
    spread = parts.bare(old["std"])
    return len(names) >= 4 and all(
        not _apart(parts.bare(old[n]), parts.bare(new.get(n, 0)), spread, 1e-9) for n in names
    )


def _scale(old: Any, new: Any, values: list[tuple[Any, Any]]) -> float:
    """Return the largest magnitude of two arrays: rounding errors are in proportion to it."""
    known = [one for pair in values for one in pair if math.isfinite(one)]
    for facts in (old, new):
        for name in ("min", "max", "mean", "std"):
            one = parts.bare(facts.get(name, 0.0))
            if parts.is_number(one) and math.isfinite(one):
                known.append(one)
    return float(max(map(abs, known), default=0.0))


def _statistics(
    path: str, old: Any, new: Any, sizes: tuple[float, float, float, int]
) -> Iterator[Seen]:
    """Yield how arrays differ that agree in the samples; sizes: scale, tolerance, noise, count."""
    scale, tolerance, noise, count = sizes
    if old.get("h") is not None and old.get("h") == new.get("h"):
        return
    for name, what in (("nan", "missing values"), ("inf", "infinite values")):
        if old.get(name, 0) != new.get(name, 0):
            text = "%s %d -> %d" % (what, old.get(name, 0), new.get(name, 0))
            yield Seen(path, text, old.get(name, 0), new.get(name, 0), None, "value")
            return
    for name in ("mean", "std", "min", "max"):
        if name in old and name in new:
            one, other = parts.bare(old[name]), parts.bare(new[name])
            apart = _apart(one, other, scale, max(tolerance, 1e-14))
            if apart:
                text = "%s; %s %s -> %s" % (_BETWEEN, name, *_told(one, other))
                kind = "noise" if apart <= noise else "value"
                yield Seen(path, text, one, other, apart, kind)
                return
    sums = list(zip(old.get("b", ()), new.get("b", ()), strict=False))
    spread = _spread(count, len(sums), tolerance)
    pairs = [(parts.bare(a), parts.bare(b)) for a, b in sums]
    far_each = [abs(a - b) for a, b in pairs if math.isfinite(a) and math.isfinite(b)]
    far = float(max([0.0, *far_each])) / (scale or 1.0)
    if far > spread:
        kind = "noise" if far <= noise * spread / (tolerance or 1.0) else "value"
        yield Seen(path, _BETWEEN, old["b"], new["b"], far, kind)


def _spread(count: int, blocks: int, tolerance: float) -> float:
    """Return the tolerance of a weighted sum of a block of elements, relative to the largest.

    Rounding is, as a rule, 30 times smaller than the tolerance of double precision and four times
    smaller than that of others; in a sum of n it grows with the root of n. What is above is
    more than rounding, be it in one element alone.
    """
    if not tolerance or not blocks:
        return 1e-13
    usual = 0.03 if tolerance <= 1e-12 else 0.25
    return tolerance * max(1.0, usual * math.sqrt(count / blocks))


def _others(
    path: str,
    old: Any,
    new: Any,
    pairs: list[tuple[Any, Any]],
    count: int,
    settings: Settings,
) -> Iterator[Seen]:
    """Yield how arrays of texts, dates, truth values or objects differ."""
    differ = [pair for pair in pairs if not _same(*pair, settings)]
    if differ:
        more = " looked at (of %d)" % count if count > len(pairs) else ""
        of = "%d of %d values%s" % (len(differ), len(pairs), more)
        text = "%s -> %s" % (parts.short(differ[0][0], 30), parts.short(differ[0][1], 30))
        if len(pairs) > 1:
            text = "%s differ, e.g. %s" % (of, text)
        yield Seen(path, text, old, new, None, "value")
    elif old.get("h") != new.get("h") and old.get("h") and new.get("h"):
        yield Seen(path, _BETWEEN, old, new, None, "value")
    elif old.get("nan", 0) != new.get("nan", 0):
        text = "missing values %d -> %d" % (old.get("nan", 0), new.get("nan", 0))
        yield Seen(path, text, old.get("nan", 0), new.get("nan", 0), None, "value")


def _same(old: Any, new: Any, settings: Settings) -> bool:
    first, second = parts.bare(old), parts.bare(new)
    if parts.is_number(first) and parts.is_number(second):
        tolerance, _ = _of_pair(("float", "float"), float(first), float(second), settings)
        return not _apart(first, second, 0.0, tolerance)
    if isinstance(first, str) and isinstance(second, str):
        return not any(texts("", first, second, settings))
    if isinstance(first, list) and isinstance(second, list) and len(first) == len(second):
        return all(_same(one, other, settings) for one, other in zip(first, second, strict=True))
    return bool(first == second)
