"""Checkpoints of two runs in the order of their step: matched by name, told apart by digest.

Digests of all of them are in the records, so that the first one with other bytes is found without
reading any. A binary search over contents would read less than all, too, but it is unsound: it
needs a series that, once apart, stays apart, and a checkpoint that is loaded again, a best one that
is kept, or weights that meet again (saturated, clipped, all NaN) do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from provenance.compare.parting import CHECKPOINTS, END, Station
from provenance.core import digest
from provenance.core.verdict import NOT_COMPARED, SAME, WITHIN
from provenance.facets._entries import AMBIGUOUS, MISSING, FileEntry
from provenance.facets._filenames import CHECKPOINT

_TOLD = re.compile(
    r"(?<![a-z])(?:global[_-]?step|step|iter(?:ation)?|epoch|checkpoint|ckpt|update|ep|it|e)"
    r"[-_=.]?(\d+)",
    re.I,
)
_NUMBER = re.compile(r"(?:^|[-_=.])(?<!\d\.)(\d+)(?=[-_.]|$)(?!\.\d)")
_DIGITS = re.compile(r"\d+")


class Pair(NamedTuple):
    """One checkpoint of both runs. step: None where its name has none. same: None if not known."""

    step: int | None
    old: FileEntry
    new: FileEntry
    same: bool | None

    @property
    def name(self) -> str:
        """The name of the older one, for people."""
        return str(self.old.path)


def step_of(path: str) -> int | None:
    """Return the step that a checkpoint's name tells: ``ckpt_10.pt``, ``step=200/model.npz``.

    The file's own name counts before those of its folders, a number that goes by a word such as
    "step" before any other; of folders only such a number, or one that is the whole name.
    """
    *folders, own = path.split("/")
    told = _TOLD.findall(own) or _NUMBER.findall(own)
    for name in reversed(folders) if not told else ():
        told = told or _TOLD.findall(name) or ([name] if name.isdigit() else [])
    return int(told[-1]) if told else None


def pairs(old: Iterable[FileEntry], new: Iterable[FileEntry]) -> tuple[list[Pair], int]:
    """Return the checkpoints that both runs have, by step, and how many have no counterpart."""
    before, after = _checkpoints(old), _checkpoints(new)
    found = [(was, now) for was in before for now in after if was.path == now.path]
    for form in (_pattern, _name):
        left = [one for one in before if all(one is not was for was, _ in found)]
        others = [one for one in after if all(one is not now for _, now in found)]
        wanted, offered = _unique(left, form), _unique(others, form)
        found += [(wanted[key], offered[key]) for key in wanted if key in offered]
    made = [
        Pair(step_of(was.path.path), was, now, digest.same(was.digests, now.digests))
        for was, now in found
    ]
    alone = len(before) + len(after) - 2 * len(found)
    return sorted(made, key=lambda p: (END if p.step is None else p.step, p.name)), alone


def _checkpoints(entries: Iterable[FileEntry]) -> list[FileEntry]:
    return [
        one
        for one in entries
        if one.kind == CHECKPOINT and one.state not in (AMBIGUOUS, MISSING) and one.files is None
    ]


def _pattern(one: FileEntry) -> tuple[str, int | None]:
    """Return the whole path without its numbers, which may be a score as well, and the step."""
    return _DIGITS.sub("#", str(one.path)), step_of(one.path.path)


def _name(one: FileEntry) -> tuple[str, int | None]:
    """Return the name alone, with its folder where that tells the step.

    For runs that write to folders of their own.
    """
    parts = one.path.path.split("/")
    tail = parts[-2:] if _DIGITS.search(parts[-1]) is None else parts[-1:]
    step = step_of("/".join(tail))
    if step is None:
        tail = parts[-1:]
    return _DIGITS.sub("#", "/".join(tail)), step


def _unique(entries: Sequence[FileEntry], form: Any) -> dict[Any, FileEntry]:
    found: dict[Any, FileEntry] = {}
    twice = set()
    for one in entries:
        key = form(one)
        if key in found:
            twice.add(key)
        found[key] = one
    return {key: one for key, one in found.items() if key not in twice}


class Inside(NamedTuple):
    """What the contents of one pair say.

    verdict: as of files. tensor: the first that differs. differing, total: how many tensors do.
    detail: one clause on that tensor, or why the contents could not be compared.
    """

    verdict: str
    tensor: str = ""
    differing: int = 0
    total: int = 0
    detail: str = ""
    figures: Any = None


def station(
    found: Sequence[Pair],
    alone: int,
    looked: Sequence[tuple[Pair, Inside]],
    steps: Sequence[float] = (),
) -> Station:
    """Return the checkpoints as one station.

    looked: those with other bytes whose contents were asked for, in order, up to the first that
    differs. steps: of the series; a name's number beyond them is of another unit.
    """
    if not found:
        text = "%d of only one of the runs" % alone if alone else "none were written"
        return Station("checkpoints", CHECKPOINTS, NOT_COMPARED, text, unit="checkpoints")
    compared = sum(one.same is not None for one in found)
    base = Station("checkpoints", CHECKPOINTS, SAME, compared=compared, unit="checkpoints")
    if not looked or looked[-1][1].verdict in (SAME, WITHIN):
        return base._replace(**_equal(found, looked))
    first, inside = looked[-1]
    moment = END if first.step is None else float(first.step)
    if steps and moment != END and moment > max(steps):
        moment = max(steps)
    where = "" if first.step is None else " (step %d)" % first.step
    tensor = ", first in tensor %s" % inside.tensor if inside.tensor else ""
    by_bytes = "" if inside.tensor else ", by its bytes,"
    figures = {"path": first.name, "number": found.index(first) + 1}
    return base._replace(
        verdict=inside.verdict,
        detail=_detail(found, first, inside),
        moment=moment,
        step=first.step,
        figures={**figures, "contents": {**inside._asdict(), "figures": inside.figures or {}}},
        parted="parted%s at checkpoint %s%s%s" % (by_bytes, first.name, where, tensor),
    )


def _equal(found: Sequence[Pair], looked: Sequence[tuple[Pair, Inside]]) -> dict[str, Any]:
    unknown = sum(one.same is None for one in found)
    left = sum(one.same is False for one in found) - len(looked)
    if unknown or left:
        text = "no digest of %d of them" % unknown if unknown else ""
        more = "%d more with other bytes were not read" % left if left else ""
        return {"verdict": NOT_COMPARED, "detail": "; ".join(one for one in (text, more) if one)}
    if not looked:
        return {}
    within = any(inside.verdict == WITHIN for _, inside in looked)
    text = "other bytes in %d, equal tensors" % len(looked)
    return {"verdict": WITHIN if within else SAME, "detail": text}


def _detail(found: Sequence[Pair], first: Pair, inside: Inside) -> str:
    text = first.name
    if len(found) > 1:
        text += ", number %d of %d" % (found.index(first) + 1, len(found))
    if not inside.tensor:
        return "%s: %s" % (text, inside.detail)
    text += ": tensor %s" % inside.tensor
    if inside.detail:
        text += " (%s)" % inside.detail
    total = " of %d" % inside.total if inside.total else ""
    return text + ", %d%s tensors differ" % (inside.differing, total)
