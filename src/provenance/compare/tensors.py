"""Two archives of tensors (checkpoints, weights, arrays) compared tensor by tensor.

Values are read in pieces and never held as a whole, but for tensors of at most
`_tensor_links.LARGEST` elements that differ and might be another's transpose.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from provenance.compare import _tensor_rules as rules
from provenance.compare._tensor_layers import in_layer_order, story
from provenance.compare._tensor_links import LARGEST, Census, census, fitting, written
from provenance.compare._tensor_moved import exchanged
from provenance.compare._tensor_one import judge, shape
from provenance.compare.judged import ORDER, Judged, Part, gravest
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.compare.values import Tally
from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN
from provenance.readers.model import Archive, Tensor, Unreadable

MISSING, ADDED = "only the old file has it", "only the new file has it"


def compare_archives(old: Archive, new: Archive, tolerance: Tolerance | None = None) -> Judged:
    """Return how the tensors and plain values of ``new`` differ from those of ``old``.

    tolerance: None or one whose source is "default" for the defaults by dtype (`_tensor_rules`).
    """
    parts = [
        judge(name, tensor, new.tensors[name], tolerance)
        for name, tensor in old.tensors.items()
        if name in new.tensors
    ]
    lone = [name for name in old.tensors if name not in new.tensors]
    other = [name for name in new.tensors if name not in old.tensors]
    renamed = _renamed(old, new, lone, other, tolerance)
    parts += [part for part, _ in renamed.values()]
    parts += [alone(old.tensors[name], MISSING) for name in lone if name not in renamed]
    taken = {name for _, name in renamed.values()}
    parts += [alone(new.tensors[name], ADDED) for name in other if name not in taken]
    parts = exchanged(parts, old, new)
    values = _values(old.values, new.values, tolerance)
    return concluded(parts, values, old, (old, new), tolerance)


def concluded(
    parts: Sequence[Part],
    values: Sequence[Part],
    order: Archive,
    sides: Sequence[Archive],
    tolerance: Tolerance | None,
) -> Judged:
    """Return the verdict over ``parts`` (tensors) and ``values`` (what is beside them).

    order: whose order of tensors is that of the layers. sides: whose notes are handed on.
    """
    verdict = gravest([one.verdict for one in (*parts, *values)])
    names = {name: place for place, name in enumerate(in_layer_order(order.tensors))}
    ordered = sorted(parts, key=lambda part: names.get(part.name, len(names)))
    told = [one for one in (*ordered, *values) if one.verdict != SAME or one.detail]
    told.sort(key=lambda part: -_gravity(part.verdict))
    figures = _counts(ordered)
    figures["tolerance"] = rules.overall(tolerance, {one.dtype for one in order.tensors.values()})
    figures["notes"] = list(dict.fromkeys(note for side in sides for note in side.notes))
    detail = "; ".join(one for one in (_clause(ordered), _beside(values)) if one)
    return Judged(verdict, detail, "tensors", figures["elements"], tuple(told), figures)


def _gravity(verdict: str) -> int:
    # What could not be compared stands between what differs and what is fine.
    return {DIFFERENT: 3, NOT_COMPARED: 2, WITHIN: 1}.get(verdict, 0)


def alone(tensor: Tensor, which: str, more: str = "") -> Part:
    """Return the part for a tensor that one side lacks; ``which`` is `MISSING` or `ADDED`."""
    detail = "%s (%s, %s)" % (which, shape(tensor.shape), tensor.dtype)
    detail += "; " + more if more else ""
    return Part(tensor.name, DIFFERENT, detail, {"alone": "old" if which == MISSING else "new"})


def _renamed(
    old: Archive,
    new: Archive,
    lone: Sequence[str],
    other: Sequence[str],
    tolerance: Tolerance | None,
) -> dict[str, tuple[Part, str]]:
    """Return, by old name, the part and the new name of tensors whose contents say they belong.

    The digest of all values comes first, then values that agree within the tolerance.
    """
    found: dict[str, tuple[Part, str]] = {}
    if not lone or not other:
        return found
    sizes = {old.tensors[name].size for name in lone} & {new.tensors[name].size for name in other}
    first = _censuses(old, [name for name in lone if old.tensors[name].size in sizes])
    second = _censuses(new, [name for name in other if new.tensors[name].size in sizes])
    for exact in (True, False):
        for name, one in first.items():
            if name in found:
                continue
            taken = {after for _, after in found.values()}
            for after, its in second.items():
                rtol = rules.rtol_of(tolerance, (old.tensors[name].dtype, new.tensors[after].dtype))
                alike = one.digest == its.digest if exact else one.like(its, 8 * rtol)
                if after in taken or one.size != its.size or not alike:
                    continue
                part = _same_thing(old.tensors[name], new.tensors[after], one, tolerance)
                if part is not None:
                    found[name] = (part, after)
                    break
    return found


def _censuses(archive: Archive, names: Iterable[str]) -> dict[str, Census]:
    found = {}
    for name in names:
        try:
            one = census(archive.tensors[name])
        except Unreadable:
            continue
        if one is not None and one.size:
            found[name] = one
    return found


def _same_thing(
    old: Tensor, new: Tensor, counted: Census, tolerance: Tolerance | None
) -> Part | None:
    """Return the part for a tensor that is there under another name, None where it is not."""
    if old.shape == new.shape:
        part = judge(old.name, old, new, tolerance)
        if part.verdict in (SAME, WITHIN):
            text = "renamed: %s is now %s" % (old.name, new.name)
            if counted.constant:
                text += " (all values are the same, so the match may be chance)"
            told = dict(part.figures, renamed=new.name)
            return Part(
                old.name,
                WITHIN,
                "; ".join(one for one in (text, part.detail) if one),
                told,
            )
    if old.size > LARGEST or counted.constant:
        return None
    rtol = rules.rtol_of(tolerance, (old.dtype, new.dtype))
    try:
        steps = fitting(old.load(), new.load(), rtol, rtol * counted.moments[1])
    except Unreadable:
        return None
    if not steps:
        return None
    says = "is the transpose of" if written(steps) == "transpose" else "is another order of"
    text = "renamed: %s %s it; equal after `%s`" % (new.name, says, written(steps))
    return Part(old.name, DIFFERENT, text, {"renamed": new.name, "equal_after": written(steps)})


def _values(
    old: Mapping[str, Any], new: Mapping[str, Any], tolerance: Tolerance | None
) -> list[Part]:
    """Compare what is beside the tensors: epochs, hyper-parameters, versions."""
    parts = []
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            # A saved module has attributes beside its weights, which a state_dict can't hold.
            whole = bool(old) != bool(new) and "__class__" in {**old, **new}
            verdict = WITHIN if whole else DIFFERENT
            parts.append(Part(name, verdict, MISSING if name in old else ADDED))
            continue
        tally = Tally(tolerance or DEFAULT)
        tally.values("", {name: old[name]}, {name: new[name]})
        verdict = DIFFERENT if tally.different else WITHIN if tally.within else SAME
        verdict = WITHIN if verdict == SAME and tally.volatile else verdict
        detail = "" if verdict == SAME else _change(old[name], new[name], tally.first)
        parts.append(Part(name, verdict, detail))
    return parts


def _change(old: Any, new: Any, first: str) -> str:
    if isinstance(old, (dict, list)) or isinstance(new, (dict, list)):
        return "the first difference is at %s" % first if first else "rounding"
    texts = [text if len(text) <= 40 else text[:37] + "..." for text in (repr(old), repr(new))]
    return "%s -> %s" % (texts[0], texts[1])


def _counts(parts: Sequence[Part]) -> dict[str, Any]:
    verdicts = [one.verdict for one in parts]
    different = [one for one in parts if one.verdict == DIFFERENT]
    found: dict[str, Any] = {"tensors": len(parts)}
    found.update((verdict, verdicts.count(verdict)) for verdict in (*ORDER, NOT_COMPARED))
    found["missing"] = sum(one.figures.get("alone") == "old" for one in parts)
    found["added"] = sum(one.figures.get("alone") == "new" for one in parts)
    found["renamed"] = sum("renamed" in one.figures for one in parts)
    found["first"] = different[0].name if different else None
    found["elements"] = sum(int(one.figures.get("count", 0)) for one in parts)
    found["max_abs"] = max((float(one.figures.get("max_abs", 0.0)) for one in parts), default=0.0)
    return found


def _clause(ordered: Sequence[Part]) -> str:
    """Return the one clause on all tensors that says what matters most."""
    count = len(ordered)
    if not count:
        return "no tensors"
    different = [one for one in ordered if one.verdict == DIFFERENT]
    renamed = [one for one in ordered if "renamed" in one.figures]
    if different:
        return _different(ordered, different)
    verdicts = [one.verdict for one in ordered]
    if set(verdicts) == {SAME}:
        return "%s equal" % _tensors(count)
    pieces = []
    if SAME in verdicts:
        pieces.append("%d equal" % verdicts.count(SAME))
    if renamed:
        pieces.append("%d renamed" % len(renamed))
    within = [one for one in ordered if one.verdict == WITHIN and "renamed" not in one.figures]
    if within:
        worst = max(within, key=lambda one: float(one.figures.get("rms_rel", 0.0)))
        text = "%d within tolerance" % len(within)
        if worst.detail:
            text += " (%s)" % ": ".join(one for one in (worst.name, worst.detail) if one)
        pieces.append(text)
    if NOT_COMPARED in verdicts:
        pieces.append("%d not compared" % verdicts.count(NOT_COMPARED))
    return "%s: %s" % (_tensors(count), ", ".join(pieces))


def _different(ordered: Sequence[Part], different: Sequence[Part]) -> str:
    count = len(ordered)
    alone = [one for one in different if "alone" in one.figures]
    both = [one for one in different if "alone" not in one.figures]
    pieces = []
    if both and len(both) == count and count > 1:
        pieces.append("all %d tensors differ: %s" % (count, _kinship(both)))
    elif both:
        text = "one" if len(both) == 1 else "%d" % len(both)
        verb = "differs" if len(both) == 1 else "differ"
        text += " of %s %s: %s" % (_tensors(count), verb, ", ".join(o.name for o in both[:3]))
        text += ", ..." if len(both) > 3 else ""
        if len(both) == 1 and both[0].detail:
            text += " (%s)" % both[0].detail
        if ordered[0].name == "":  # a file of one array without a name
            text = "the array differs: " + both[0].detail
        if len(both) >= 3 or (len(both) == 2 and all("equal_after" in o.figures for o in both)):
            text += " (%s)" % _kinship(both)
        pieces.append(text)
    for which, word in (("old", "missing"), ("new", "added")):
        names = [one.name for one in alone if one.figures["alone"] == which]
        if names:
            more = ", ..." if len(names) > 3 else ""
            pieces.append("%d %s: %s%s" % (len(names), word, ", ".join(names[:3]), more))
    if len({one.figures["alone"] for one in alone}) == 2:
        pieces.append("of fused or split ones --guess-map may tell more")
    where = [(o.name, o.verdict) for o in ordered if o.figures.get("alone") != "new"]
    told = story(where) if len(both) < len(where) else ""
    return "; ".join([*pieces, *([told] if told else [])])


def _kinship(parts: Sequence[Part]) -> str:
    """Tell other weights from the same ones trained a little further, by their directions."""
    steps = [str(one.figures["equal_after"]) for one in parts if "equal_after" in one.figures]
    if len(steps) == len(parts):
        more = " or the like" if len(set(steps)) > 1 else ""
        return "the same values, each equal after `%s`%s" % (steps[0], more)
    cosines = [one.figures.get("cosine") for one in parts]
    known = sorted(float(one) for one in cosines if isinstance(one, float))
    if not known:
        return "other shapes or types"
    middle = known[len(known) // 2]
    # Of independent weights the cosine is near 0; a run continued with another batch order or
    # rounding keeps most of the direction it had.
    if middle < 0.5:
        return "other initialisation or other training (median cosine %.2g)" % middle
    if middle < 0.999:
        return "the same start trained otherwise, or another amount (median cosine %.3g)" % middle
    return "close to one another (median cosine %.6f)" % middle


def _beside(values: Sequence[Part]) -> str:
    different = [one for one in values if one.verdict == DIFFERENT]
    if not different:
        return ""
    first = ", ".join("%s %s" % (one.name, one.detail) for one in different[:2])
    return "%d plain value%s: %s" % (
        len(different),
        " differs" if len(different) == 1 else "s differ",
        first,
    )


def _tensors(count: int) -> str:
    return "1 tensor" if count == 1 else "%d tensors" % count
