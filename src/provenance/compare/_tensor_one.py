"""Two tensors that belong together: one verdict, one clause, and the figures behind it."""

from __future__ import annotations

from typing import Any

import numpy

from provenance.compare import _tensor_rules as rules
from provenance.compare._mapping_steps import Step
from provenance.compare._tensor_links import LARGEST, fitting, near, written
from provenance.compare._tensor_looks import look
from provenance.compare._tensor_pairs import BYTES_AT_ONCE, Figures, equal_bytes, figures, pairs
from provenance.compare.judged import Part
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.readers.model import Tensor, Unreadable


def judge(name: str, old: Tensor, new: Tensor, tolerance: Tolerance | None) -> Part:
    """Compare two tensors by value; ``name`` is what the part is called.

    What cannot be read is "not compared" and says why.
    """
    try:
        if old.shape != new.shape:
            return _other_shape(name, old, new, tolerance)
        if old.dtype == new.dtype and equal_bytes(old, new):
            return Part(name, SAME, "", {"count": old.size})
        return _by_value(name, old, new, tolerance)
    except Unreadable as error:
        return Part(name, NOT_COMPARED, str(error))


def _other_shape(name: str, old: Tensor, new: Tensor, tolerance: Tolerance | None) -> Part:
    text = "shape %s -> %s" % (shape(old.shape), shape(new.shape))
    told: dict[str, Any] = {"shapes": [list(old.shape), list(new.shape)]}
    if 0 < old.size == new.size <= LARGEST:
        rtol = rules.rtol_of(tolerance, (old.dtype, new.dtype))
        first, second = old.load(), new.load()
        scale = float(numpy.abs(first).max()) if first.dtype.kind in "fiu" and first.size else 0.0
        steps = fitting(first, second, rtol, rtol * scale)
        if steps:
            told["equal_after"] = written(steps)
            text += "; equal after `%s`" % written(steps)
    return Part(name, DIFFERENT, text, told)


def shape(lengths: tuple[int, ...]) -> str:
    """Return ``3x3x64``, or "scalar"."""
    return "x".join(str(one) for one in lengths) or "scalar"


def _by_value(name: str, old: Tensor, new: Tensor, tolerance: Tolerance | None) -> Part:
    dtypes = (old.dtype, new.dtype)
    retyped = "" if old.dtype == new.dtype else "%s -> %s" % dtypes
    if retyped:
        same = _equal_after_rounding(old, new)
        if same:
            return Part(
                name,
                WITHIN,
                "%s, %s" % (retyped, same),
                {"dtypes": list(dtypes), "count": old.size},
            )
    rtol = rules.rtol_of(tolerance, dtypes)
    try:
        found = figures(old, new, rtol, rules.ulp_type(*dtypes))
    except ValueError:
        return _not_numbers(name, old, new, retyped)
    return _judged(name, (old, new), found, rtol, tolerance)


def _judged(
    name: str,
    sides: tuple[Tensor, Tensor],
    found: Figures,
    rtol: float,
    tolerance: Tolerance | None,
) -> Part:
    old, new = sides
    retyped = "" if old.dtype == new.dtype else "%s -> %s" % (old.dtype, new.dtype)
    told = as_json(found, old)
    if not found.differing:
        # The same values in other bytes: -0.0 for 0.0, or NaN written otherwise.
        return Part(name, WITHIN if retyped else SAME, retyped, told)
    atol = rules.atol_of(tolerance, rtol, found.scale)
    one = rules.coarser(old.dtype, new.dtype)
    told["tolerance"] = {"rtol": rtol, "atol": atol, "source": rules.said(tolerance, rtol, one)}
    near = found.excess <= atol and bool(rtol or atol)
    within = not found.apart and (near or rules.allows(tolerance, found.ulp))
    clauses = [retyped, apart(found, old.shape)]
    if not within:
        steps = arranged(old, new, found, rtol)
        if steps:
            told["equal_after"] = steps
            clauses.insert(1, "equal after `%s`" % steps)
        else:
            # What grew out of the same start says nothing new of how it started.
            clauses.append(_looks(old, new) if (found.cosine or 0.0) < 0.9 else "")
    detail = "; ".join(one for one in clauses if one)
    return Part(name, WITHIN if within else DIFFERENT, detail, told)


def arranged(old: Tensor, new: Tensor, found: Figures, rtol: float) -> str:
    """Return the steps that would make ``new`` equal to ``old``, "" for none that is known."""
    if found.apart or found.elements < 4 or not found.old_squares:
        return ""
    cosine = found.cosine or 0.0
    if found.elements >= 8 and 1 - abs(cosine) < 1e-12:
        return _scaled(old, new, found, rtol)
    # Another order keeps the sum of squares, and few elements where they were.
    slack = 1e-5
    if abs(found.old_squares - found.new_squares) > slack * found.old_squares:
        return ""
    if old.size > LARGEST or 4 * found.differing < found.elements or abs(cosine) > 0.9999:
        return ""
    return written(fitting(old.load(), new.load(), rtol, rtol * found.scale) or ())


def _scaled(old: Tensor, new: Tensor, found: Figures, rtol: float) -> str:
    """Return the factor between two arrays of one direction, "" where it makes them not equal.

    Large values that are all one more, as labels or times are, have almost one direction, too.
    """
    if old.size > LARGEST or not rtol:  # whole numbers have none: theirs would be a coincidence
        return ""
    factor = found.product / found.new_squares
    first, second = old.load(), new.load()
    for form in ("%.7g", "%.16g"):
        number = float(form % factor)
        step = Step("negate") if number == -1 else Step("scale", (number,))
        if near(first, step.apply(second), rtol, rtol * found.scale):
            return written([step])
    return ""


def apart(found: Figures, lengths: tuple[int, ...]) -> str:
    """Return one clause on how far two arrays lie apart, and where most."""
    if found.apart:
        return _odd(found, lengths)
    text = "%s of %s differ" % (grouped(found.differing), grouped(found.elements))
    text += ", by up to %.3g" % found.max_abs
    if lengths:
        text += " at %s" % index(found.at, lengths)
    extra = ["rms %.2g of the values'" % found.rms_rel] if found.old_squares else []
    if found.ulp is not None and found.ulp <= 1 << 12:
        extra.insert(0, "%s ulp" % grouped(found.ulp))
    return "%s (%s)" % (text, ", ".join(extra)) if extra else text


def _odd(found: Figures, lengths: tuple[int, ...]) -> str:
    if found.new_nan > found.old_nan:
        what = "NaN: %s of %s elements, %s before" % (
            grouped(found.new_nan),
            grouped(found.elements),
            grouped(found.old_nan),
        )
    elif found.old_nan != found.new_nan:
        what = "%s NaN before, %s now" % (grouped(found.old_nan), grouped(found.new_nan))
    else:
        what = "%s elements are NaN or infinite on one side only" % grouped(found.apart)
    return "%s, the first at %s" % (what, index(found.at, lengths))


def _looks(old: Tensor, new: Tensor) -> str:
    before, now = look(old), look(new)
    constant = [one.startswith("all ") for one in (before, now)]
    if all(constant):
        return "%s before, %s now" % (before, now)
    if any(constant):
        return "the %s one is %s" % (("old", before) if constant[0] else ("new", now))
    if before and now:
        return "both look untrained (%s): another seed?" % now
    if before or now:
        return "the %s one is %s" % ("old" if before else "new", before or now)
    return ""


def _equal_after_rounding(old: Tensor, new: Tensor) -> str:
    """Return "equal values", "equal after rounding", or "" for neither."""
    if old.dtype == "bool" or new.dtype == "bool":
        return ""
    narrow = rules.coarser(old.dtype, new.dtype)
    exact, close = True, narrow in rules.RELATIVE
    with numpy.errstate(all="ignore"):
        for one, other in pairs(old, new, BYTES_AT_ONCE):
            if one.dtype.kind not in "fiu" or other.dtype.kind not in "fiu":
                return ""
            exact = exact and numpy.array_equal(one, other, equal_nan=True)
            if not exact and not close:
                return ""
            try:
                first, second = rules.rounded(one, narrow), rules.rounded(other, narrow)
            except TypeError:
                close = False
                continue
            if not numpy.array_equal(first, second, equal_nan=True):
                return ""
    return "equal values" if exact else "equal after rounding"


def _not_numbers(name: str, old: Tensor, new: Tensor, retyped: str) -> Part:
    count = differing = 0
    for one, other in pairs(old, new, BYTES_AT_ONCE):
        if one.dtype.hasobject or other.dtype.hasobject:
            return Part(name, NOT_COMPARED, "holds objects of Python")
        try:
            differing += int(numpy.count_nonzero(one != other))
        except TypeError:
            return Part(name, DIFFERENT, retyped or "other values")
        count += len(one)
    verdict = DIFFERENT if differing else WITHIN if retyped else SAME
    text = "%s of %s differ" % (grouped(differing), grouped(count)) if differing else ""
    detail = "; ".join(one for one in (retyped, text) if one)
    return Part(name, verdict, detail, {"count": count, "differing": differing})


def as_json(found: Figures, old: Tensor) -> dict[str, Any]:
    """Return the figures that people ask for, by name."""
    told: dict[str, Any] = {
        "count": found.elements,
        "differing": found.differing,
        "max_abs": found.max_abs,
        "max_rel": found.max_rel,
        "mean_abs": found.mean_abs,
        "rms_rel": found.rms_rel,
        "cosine": found.cosine,
        "at": position(found.at, old.shape),
    }
    if found.ulp is not None:
        told["ulp"] = found.ulp
    odd = {
        "nan": [found.old_nan, found.new_nan],
        "inf": [found.old_inf, found.new_inf],
    }
    told.update((name, both) for name, both in odd.items() if any(both))
    return told


def position(flat: int, lengths: tuple[int, ...]) -> list[int]:
    """Return the index of the ``flat``-th element in C order."""
    found: list[int] = []
    for length in reversed(lengths):
        flat, here = divmod(flat, length) if length else (flat, 0)
        found.append(here)
    return found[::-1]


def index(flat: int, lengths: tuple[int, ...]) -> str:
    """Return the index of the ``flat``-th element as people write it: ``[3, 0]``."""
    return "[%s]" % ", ".join(str(one) for one in position(flat, lengths))


def grouped(count: int) -> str:
    """Return a count with commas between thousands."""
    return f"{count:,}"
