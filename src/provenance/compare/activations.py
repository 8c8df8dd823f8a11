"""What two models gave for the same input, array by array in the order of the layers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy

from provenance.compare import _tensor_rules as rules
from provenance.compare._tensor_links import LARGEST, fitting, written
from provenance.compare._tensor_one import grouped, judge
from provenance.compare._tensor_pairs import figures
from provenance.compare.judged import Judged, Part, gravest
from provenance.compare.tensors import ADDED, MISSING, alone
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.readers.model import Archive, Tensor, Unreadable

if TYPE_CHECKING:
    from provenance.readers.model import Array

RELATIVE: dict[str, float] = {
    "float64": 1e-8,
    "float32": 1e-4,
    "float16": 2.0**-6,
    "bfloat16": 2.0**-4,
}
"""Of an output's root mean square, by dtype, where nobody chose a tolerance. An output is the end
of many sums, each rounded, and libraries take them in other orders: about a thousand units of
rounding for float32, as ports are usually accepted; a wrong layer moves outputs by tenths."""

JUMP = 30.0
"""Times by which the relative error must grow from one array to the next to be called a jump.
Rounding grows by a small factor per layer; a wrong layer takes it from 1e-7 to 1e-1."""

_FLOOR = 1e-7
_CLASSES = (2, 1_000_000)


def compare_outputs(old: Archive, new: Archive, tolerance: Tolerance | None = None) -> Judged:
    """Return how the outputs in ``new`` differ from those in ``old``; keys are paired by name.

    Where both files hold one array each, they are compared whatever they are called. The order is
    that of the old file; the last array is taken for the model's output. Raises `Unreadable`.
    """
    pairs = _pairs(old, new)
    last = next((name for name, one, _ in reversed(pairs) if _scores(one)), "")
    parts = [_one(name, a, b, tolerance, name == last) for name, a, b in pairs]
    growth = _growth(parts)
    parts += [alone(old.tensors[n], MISSING) for n in old.tensors if n not in dict_of(pairs)]
    lone = [n for n in new.tensors if n not in {b.name for _, _, b in pairs}]
    parts += [alone(new.tensors[n], ADDED) for n in lone]
    verdict = gravest([one.verdict for one in parts])
    compared = sum(int(one.figures.get("count", 0)) for one in parts)
    told = [one for one in parts if one.verdict != SAME or one.detail]
    clauses = [_departs(parts), growth, _agreement(parts)]
    counts: dict[str, Any] = {"arrays": len(parts)}
    counts.update((v, sum(one.verdict == v for one in parts)) for v in (SAME, WITHIN, DIFFERENT))
    if growth:
        counts["growth"] = growth
    counts["tolerance"] = _said(tolerance)
    detail = "; ".join(one for one in clauses if one)
    return Judged(verdict, detail, "outputs", compared, tuple(told), counts)


def _pairs(old: Archive, new: Archive) -> list[tuple[str, Tensor, Tensor]]:
    both = [
        (name, one, new.tensors[name]) for name, one in old.tensors.items() if name in new.tensors
    ]
    if not both and len(old.tensors) == len(new.tensors) == 1:
        (one,), (other,) = old.tensors.values(), new.tensors.values()
        return [(one.name, one, other)]
    return both


def dict_of(pairs: Sequence[tuple[str, Tensor, Tensor]]) -> Mapping[str, Tensor]:
    """Return the old tensors of ``pairs`` by name."""
    return {name: one for name, one, _ in pairs}


def _said(tolerance: Tolerance | None) -> str:
    if tolerance is not None and tolerance.is_chosen:
        return str(tolerance)
    return "1e-4 of the output's rms for float32, by dtype (default)"


def _one(name: str, old: Tensor, new: Tensor, tolerance: Tolerance | None, last: bool) -> Part:
    """Return the part for one array of outputs; of the last one predictions are compared too."""
    try:
        layout, new = _same_layout(old, new)
        part = judge(name, old, new, _rule(old, new, tolerance))
    except Unreadable as error:
        return Part(name, NOT_COMPARED, str(error))
    told = dict(part.figures)
    rms = told.get("rms_rel")
    if layout:
        told["layout"] = layout
    if "tolerance" in told and (tolerance is None or not tolerance.is_chosen):
        told["tolerance"]["source"] = "default for outputs"
    if last:
        told.update(_predictions(old, new))
    size = "rms %.1g of the values'" % rms if isinstance(rms, float) and rms else ""
    words = [layout, _short(part, size), _predicted(told)]
    return part._replace(detail="; ".join(one for one in words if one), figures=told)


def _short(part: Part, size: str) -> str:
    if "max_abs" not in part.figures or "nan" in part.figures:
        return part.detail
    if part.figures.get("equal_after"):
        return "equal after `%s`" % part.figures["equal_after"]
    text = "max %.2g" % part.figures["max_abs"]
    ulp = part.figures.get("ulp")
    extra = ["%s ulp" % grouped(ulp)] if ulp is not None and ulp < 1 << 12 else []
    extra += [size] if size else []
    return "%s (%s)" % (text, ", ".join(extra)) if extra else text


def _rule(old: Tensor, new: Tensor, tolerance: Tolerance | None) -> Tolerance | None:
    """Return the tolerance for one pair: chosen, else relative to the rms of the old output."""
    if tolerance is not None and tolerance.is_chosen:
        return tolerance
    kind = rules.coarser(old.dtype, new.dtype)
    if old.shape != new.shape or kind not in RELATIVE:
        return tolerance
    rtol = RELATIVE[kind]
    try:
        scale = figures(old, old, rtol).scale
    except ValueError:
        return tolerance
    return Tolerance(rtol, rtol * scale, "default for outputs in %s" % kind)


def _same_layout(old: Tensor, new: Tensor) -> tuple[str, Tensor]:
    """Bring ``new`` into the layout of ``old`` where that is plain from values: NHWC for NCHW."""
    if old.size != new.size or old.size > LARGEST or len(old.shape) < 3 or len(new.shape) < 3:
        return "", new
    first = old.load()
    if first.dtype.kind != "f":
        return "", new
    scale = float(numpy.sqrt(numpy.mean(numpy.square(first, dtype=numpy.float64))))
    if not math.isfinite(scale):
        return "", new
    second = new.load()
    steps = fitting(first, second, 1e-2, 1e-2 * scale) or ()
    names = {step.name for step in steps}
    if not steps or not names <= {"layout", "permute", "transpose", "squeeze", "reshape"}:
        return "", new
    array = second
    for step in steps:
        array = step.apply(array)
    text = {"NHWC -> NCHW": "the new one is NHWC", "NCHW -> NHWC": "the new one is NCHW"}
    how = _renamed(written(steps))
    return text.get(how, "the new one has other axes: %s" % how), in_memory(new, array)


def _renamed(text: str) -> str:
    """Return a permutation of activations in the letters used for those."""
    return {"permute 0 3 1 2": "NHWC -> NCHW", "permute 0 2 3 1": "NCHW -> NHWC"}.get(text, text)


def in_memory(tensor: Tensor, array: Array) -> Tensor:
    """Return ``tensor`` with the values of ``array``."""
    flat = numpy.ascontiguousarray(array).reshape(-1)
    return tensor._replace(
        shape=array.shape,
        chunks=lambda limit: (flat[at : at + limit] for at in range(0, flat.size, limit)),
        load=lambda: array,
    )


def _scores(tensor: Tensor) -> bool:
    """Return whether an array may hold one row of scores of classes per example."""
    if len(tensor.shape) != 2 or tensor.size > LARGEST:
        return False
    return tensor.shape[0] > 0 and _CLASSES[0] <= tensor.shape[1] <= _CLASSES[1]


def _predictions(old: Tensor, new: Tensor) -> dict[str, Any]:
    """Return on how many rows the largest column agrees, and the five largest as a set."""
    if old.shape != new.shape:
        return {}
    rows, columns = old.shape
    a, b = old.load(), new.load()
    if a.dtype.kind != "f" or b.dtype.kind != "f":
        return {}
    found = {"rows": rows, "argmax": int((a.argmax(axis=1) == b.argmax(axis=1)).sum())}
    if columns > 5:
        best = [numpy.sort(numpy.argpartition(x, -5, axis=1)[:, -5:], axis=1) for x in (a, b)]
        found["top5"] = int((best[0] == best[1]).all(axis=1).sum())
    return found


def _predicted(told: Mapping[str, Any]) -> str:
    if "argmax" not in told:
        return ""
    text = "argmax equal in %s of %s rows" % (grouped(told["argmax"]), grouped(told["rows"]))
    if "top5" in told:
        text += ", the five largest in %s" % grouped(told["top5"])
    return text


def _agreement(parts: Sequence[Part]) -> str:
    """Return the clause on predictions, of the last array that has rows of scores."""
    for one in reversed(parts):
        if "argmax" in one.figures:
            numbers = grouped(one.figures["argmax"]), grouped(one.figures["rows"])
            return "predictions (%s) agree on %s of %s" % (one.name, *numbers)
    return ""


def _departs(parts: Sequence[Part]) -> str:
    """Return "equal to 1e-07 up to layer3; layer4 is the first that differs: max 0.3"."""
    both = [one for one in parts if "alone" not in one.figures]
    place = next((at for at, one in enumerate(both) if one.verdict == DIFFERENT), None)
    if place is None:
        worst = max((float(o.figures.get("rms_rel", 0.0)) for o in both), default=0.0)
        if not both:
            return "no array stands in both"
        what = "1 array" if len(both) == 1 else "%d arrays" % len(both)
        return "%s equal%s" % (what, " to %.1g of their rms" % worst if worst else " to the bit")
    here = both[place]
    what = "%s is the first that differs: %s" % (here.name, here.detail)
    if not place:
        return what if len(both) > 1 else here.detail
    before = max(float(one.figures.get("rms_rel", 0.0)) for one in both[:place])
    close = "to %.1g of their rms" % before if before else "to the bit"
    return "equal %s up to %s; %s" % (close, both[place - 1].name, what)


def _growth(parts: Sequence[Part]) -> str:
    """Tell rounding, which grows slowly from layer to layer, from a jump at one of them."""
    errors = [
        (one.name, float(one.figures.get("rms_rel", 0.0)))
        for one in parts
        if "rms_rel" in one.figures or one.verdict == SAME
    ]
    if len(errors) < 3:
        return ""
    steps = [
        (after / max(before, _FLOOR), name, before, after)
        for (_, before), (name, after) in itertools.pairwise(errors)
    ]
    factor, name, before, after = max(steps)
    if factor >= JUMP and after > 1e-5:
        return "the error jumps at %s, from %.1g to %.1g: that layer, not rounding" % (
            name,
            before,
            after,
        )
    if errors[0][1] > 1e-3:
        return (
            "the error is there from the first array on (%.1g): the input or its scaling?"
            % (errors[0][1])
        )
    if errors[-1][1] <= _FLOOR:
        return ""
    return "the error grows slowly, from %.1g to %.1g, as rounding does" % (
        errors[0][1],
        errors[-1][1],
    )
