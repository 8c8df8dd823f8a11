"""Two archives of tensors compared through a map of names and layouts: ported weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy

from provenance.compare._mapping_parse import Entry, Map, Side, expanded
from provenance.compare._mapping_steps import Malformed
from provenance.compare._tensor_links import written
from provenance.compare._tensor_one import judge
from provenance.compare.judged import Judged, Part
from provenance.compare.tensors import ADDED, MISSING, alone, concluded
from provenance.compare.tolerance import Tolerance
from provenance.core.verdict import NOT_COMPARED, SAME, WITHIN
from provenance.errors import BadRecord
from provenance.readers.model import Archive, Tensor, Unreadable

if TYPE_CHECKING:
    from provenance.readers.model import Array


class Paired(NamedTuple):
    """What a map makes of two archives.

    entries: one per tensor or sum of tensors of the old file, in that file's order. old_left,
    new_left: names that nothing speaks of. ignored: names of either file that the map leaves out.
    unused: rules that no name fits, with their lines.
    """

    entries: tuple[Entry, ...]
    old_left: tuple[str, ...]
    new_left: tuple[str, ...]
    ignored: tuple[str, ...]
    unused: tuple[str, ...] = ()


def compare_mapped(
    old: Archive, new: Archive, known: Map, tolerance: Tolerance | None = None
) -> Judged:
    """Return how the tensors of ``new``, brought into the form of ``old``, differ from those.

    Plain values beside the tensors are not compared: two frameworks do not share them. Raises
    `BadRecord` for a map that names what is not there.
    """
    paired = pair(old, new, known)
    parts, order = [], {}
    for entry in paired.entries:
        part = _compared(entry, old, new, known, tolerance)
        parts.append(part)
        order[part.name] = old.tensors[entry.left.names[0]]
    for name in paired.old_left:
        parts.append(alone(old.tensors[name], MISSING, "nothing in the map speaks of it"))
        order[name] = old.tensors[name]
    parts += [
        alone(new.tensors[name], ADDED, "nothing in the map speaks of it")
        for name in paired.new_left
    ]
    places = {name: place for place, name in enumerate(old.tensors)}
    ordered = dict(sorted(order.items(), key=lambda item: places[item[1].name]))
    judged = concluded(parts, (), old._replace(tensors=ordered), (old, new), tolerance)
    figures = dict(judged.figures, ignored=list(paired.ignored), unused=list(paired.unused))
    extra = ["%d ignored by the map" % len(paired.ignored)] if paired.ignored else []
    extra += paired.unused
    return judged._replace(
        detail="; ".join([judged.detail, *extra]), kind="mapped tensors", figures=figures
    )


def pair(old: Archive, new: Archive, known: Map) -> Paired:
    """Apply ``known`` to the names of two archives. Raises `BadRecord`.

    Entries go before rules, earlier rules before later ones, and what nothing speaks of is paired
    with its own name where both files have that.
    """
    entries = list(known.entries)
    for entry in entries:
        _there(entry.left, old, entry.line, known, "first")
        _there(entry.right, new, entry.line, known, "second")
    spoken = {name for entry in entries for name in entry.left.names}
    used = {name for entry in entries for name in entry.right.names}
    ignored = [
        name for name in dict.fromkeys([*old.tensors, *new.tensors]) if _left_out(name, known)
    ]
    hit = set()
    for name in old.tensors:
        if name in spoken or name in ignored:
            continue
        for rule in known.rules:
            found = rule.pattern.fullmatch(name)
            if not found:
                continue
            try:
                right = expanded(rule.right, found)
            except Malformed as error:
                raise _bad(known, rule.line, "for %s, %s" % (name, error)) from error
            _there(right, new, rule.line, known, "second", " (for %s)" % name)
            entries.append(Entry(Side((name,)), right, rule.line))
            hit.add(rule)
            spoken.add(name)
            used.update(right.names)
            break
        else:
            if name in new.tensors and name not in used:
                entries.append(Entry(Side((name,)), Side((name,))))
                spoken.add(name)
                used.add(name)
    places = {name: place for place, name in enumerate(old.tensors)}
    entries.sort(key=lambda entry: places[entry.left.names[0]])
    return Paired(
        tuple(entries),
        tuple(name for name in old.tensors if name not in spoken and name not in ignored),
        tuple(name for name in new.tensors if name not in used and name not in ignored),
        tuple(name for name in ignored if name not in spoken | used),
        tuple(
            "%s:%d: the rule fits no tensor" % (known.path, rule.line)
            for rule in known.rules
            if rule not in hit
        ),
    )


def _left_out(name: str, known: Map) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in known.ignore)


def _there(side: Side, archive: Archive, line: int, known: Map, which: str, more: str = "") -> None:
    for name in side.names:
        if name in archive.tensors:
            continue
        near = _nearest(name, archive.tensors)
        hint = "; did you mean %s?" % near if near else ""
        raise _bad(known, line, "the %s file has no tensor %s%s%s" % (which, name, more, hint))


def _nearest(name: str, names: Mapping[str, Any]) -> str:
    import difflib

    return next(iter(difflib.get_close_matches(name, list(names)[:5000], 1)), "")


def _bad(known: Map, line: int, text: str) -> BadRecord:
    return BadRecord("%s:%d: %s." % (known.path, line, text))


def _compared(
    entry: Entry, old: Archive, new: Archive, known: Map, tolerance: Tolerance | None
) -> Part:
    """Return the part for one entry, named as the map names its left side."""
    name = str(entry.left)
    try:
        before = made(entry.left, old)
        after = made(entry.right, new)
        part = judge(name, before, after, tolerance)
    except Malformed as error:
        raise _bad(known, entry.line, str(error)) from error
    except Unreadable as error:
        return Part(name, NOT_COMPARED, str(error))
    figures = dict(part.figures, map=str(entry.right))
    return part._replace(detail=_worded(part, entry), figures=figures)


def _worded(part: Part, entry: Entry) -> str:
    how = written(entry.right.steps)
    after = " after %s" % how if how else ""
    here = "" if str(entry.right) == part.name else "%s" % " + ".join(entry.right.names)
    fix = part.figures.get("equal_after")
    if fix:
        return _mend(here or part.name, entry, str(fix))
    if part.verdict == SAME:
        return "equal to %s%s" % (here, after) if here or after else ""
    if part.verdict == WITHIN and "max_abs" in part.figures:
        return "equal to %.2g%s%s" % (
            part.figures["max_abs"],
            " to %s" % here if here else "",
            after,
        )
    against = " ".join(one for one in ("against %s" % here if here else "", after.strip()) if one)
    return "%s: %s" % (against, part.detail) if against else part.detail


def _mend(here: str, entry: Entry, fix: str) -> str:
    """Say which change of the map would make both sides equal, and what that means."""
    steps = entry.right.steps
    what = "lies the other way round" if fix == "transpose" else "lies otherwise"
    if steps and fix in ("transpose", "negate") and str(steps[-1]) == fix:
        return "%s %s than the map says: equal without `%s`" % (here, what, fix)
    after = " after %s" % written(steps) if steps else ""
    return "%s %s%s: `| %s` behind it in the map would make it equal" % (here, what, after, fix)


def made(side: Side, archive: Archive) -> Tensor:
    """Return the tensor that ``side`` states, read only when it is asked for.

    A single name without steps stays the tensor of the file, which is read in pieces. Raises
    `Malformed` where the shapes do not allow it, and `Unreadable`.
    """
    tensors = [archive.tensors[name] for name in side.names]
    if not side.join and not side.steps:
        return tensors[0]
    # Shapes are tried on arrays that take no memory.
    steps = tuple(step for step in side.steps if step.name not in ("scale", "negate"))
    forms = side._replace(steps=steps)
    blank = _assembled(forms, [_blank(tensor.shape) for tensor in tensors])
    dtype = tensors[0].dtype

    def load() -> Array:
        return _assembled(side, [tensor.load() for tensor in tensors])

    def chunks(limit: int) -> Iterator[Array]:
        return _flat(load(), limit)

    return Tensor(str(side), dtype, blank.shape, chunks, load)


def _blank(lengths: tuple[int, ...]) -> Array:
    return numpy.broadcast_to(numpy.zeros((), numpy.int8), lengths)


def _assembled(side: Side, arrays: Sequence[Array]) -> Array:
    shapes = ", ".join("x".join(map(str, one.shape)) or "scalar" for one in arrays)
    array = arrays[0]
    try:
        if side.join == "concat":
            array = numpy.concatenate(arrays, axis=side.axis)
        elif side.join == "stack":
            array = numpy.stack(arrays, axis=side.axis)
        elif side.join == "sum":
            if len({one.shape for one in arrays}) > 1:
                raise ValueError
            array = sum(arrays[1:], start=arrays[0])
    except (ValueError, TypeError):
        word = {"sum": "added", "concat": "concatenated", "stack": "stacked"}[side.join]
        where = "" if side.join == "sum" else " on axis %d" % side.axis
        raise Malformed(
            "%s cannot be %s%s: their shapes are %s" % (", ".join(side.names), word, where, shapes)
        ) from None
    for step in side.steps:
        array = step.apply(array)
    return array


def _flat(array: Array, limit: int) -> Iterator[Array]:
    """Yield ``array`` flat in C order, copying no more than a few rows at a time."""
    if array.ndim < 2 or array.flags.c_contiguous:
        flat = array.reshape(-1)
        for start in range(0, flat.size, limit):
            yield flat[start : start + limit]
        return
    width = math.prod(array.shape[1:])
    if width > limit:
        for row in array:
            yield from _flat(row, limit)
        return
    rows = max(1, limit // max(width, 1))
    for start in range(0, array.shape[0], rows):
        yield numpy.ascontiguousarray(array[start : start + rows]).reshape(-1)
