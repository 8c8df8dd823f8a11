"""A first map between two archives of tensors, guessed from values, shapes, names and order."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import NamedTuple

from provenance.compare import _mapping_fused as fused
from provenance.compare._mapping_names import IGNORED, likeness, read
from provenance.compare._mapping_parse import Entry, Side
from provenance.compare._mapping_steps import Step
from provenance.compare._tensor_links import LARGEST, Census, candidates, fitting
from provenance.readers.model import Archive, Tensor

EXACT, CLOSE, STATISTICS, NAMES = (
    "exact values",
    "close values",
    "statistics",
    "shape and name only",
)
"""How sure an entry is, the surest first."""

_CLOSE = 2e-3
"""Relative distance up to which values are taken for the same after rounding to float16."""


class Pair(NamedTuple):
    """One entry and how sure it is."""

    entry: Entry
    sure: str


class Guess(NamedTuple):
    """pairs: in the order of the old file. old_left, new_left: without a counterpart.

    ignored: patterns for what is no weight.
    """

    pairs: tuple[Pair, ...]
    old_left: tuple[str, ...]
    new_left: tuple[str, ...]
    ignored: tuple[str, ...]


def guess(old: Archive, new: Archive) -> Guess:
    """Return a first map. Raises `Unreadable`."""
    names = [*old.tensors, *new.tensors]
    ignored = tuple(p for p in IGNORED if any(fnmatchcase(name, p) for name in names))
    work = _Work(old, new, ignored)
    work.by_digest()
    work.by_parts()
    work.by_sums()
    work.by_statistics()
    work.by_names()
    places = {name: place for place, name in enumerate(old.tensors)}
    pairs = sorted(work.pairs, key=lambda pair: places[pair.entry.left.names[0]])
    return Guess(tuple(pairs), tuple(work.old), tuple(work.new), ignored)


class _Work:
    """What is not yet paired, and what is."""

    def __init__(self, old: Archive, new: Archive, ignored: Iterable[str]) -> None:
        def wanted(archive: Archive) -> dict[str, Tensor]:
            return {
                name: one
                for name, one in archive.tensors.items()
                if not any(fnmatchcase(name, pattern) for pattern in ignored)
            }

        self.old, self.new = wanted(old), wanted(new)
        self.before, self.after = fused.counted(self.old), fused.counted(self.new)
        self.places = [
            {name: place / max(1, len(side)) for place, name in enumerate(side)}
            for side in (self.old, self.new)
        ]
        self.pairs: list[Pair] = []
        self.parents: dict[str, str] = {}

    def add(self, left: Side, right: Side, sure: str) -> None:
        """Keep an entry; what it names is taken."""
        self.pairs.append(Pair(Entry(left, right), sure))
        for name in left.names:
            self.old.pop(name, None)
        if not any(step.name == "part" for step in right.steps):
            for name in right.names:
                self.new.pop(name, None)
        if len(left.names) == len(right.names) == 1:
            self.parents[read(left.names[0]).parent] = read(right.names[0]).parent

    def score(self, one: str, other: str) -> float:
        """Return how well two names go together, with what is known of their parents."""
        score = likeness(one, other)
        parent = self.parents.get(read(one).parent)
        if parent is not None:
            score += 4.0 if parent == read(other).parent else -3.0
        elif read(other).parent in self.parents.values():
            score -= 3.0
        return score - 2 * abs(self.places[0].get(one, 0) - self.places[1].get(other, 0))

    def by_digest(self) -> None:
        """Pair tensors that hold the same values in whatever order."""
        by_value: dict[tuple[int, int], list[str]] = {}
        for name in self.new:
            one = self.after.get(name)
            if one is not None and not one.constant:
                by_value.setdefault((one.size, one.digest), []).append(name)
        for name in list(self.old):
            one = self.before.get(name)
            found = by_value.get((one.size, one.digest), []) if one is not None else []
            for other in sorted(found, key=lambda there: -self.score(name, there)):
                if other in self.new and self._fits(name, other, 0.0, EXACT):
                    break

    def _fits(self, name: str, other: str, rtol: float, sure: str) -> bool:
        old, new = self.old[name], self.new[other]
        if old.size > LARGEST:
            steps = usual(name, old.shape, other, new.shape)
            if steps is not None:
                self.add(Side((name,)), Side((other,), steps=steps), STATISTICS)
            return steps is not None
        scale = self.before[name].moments[1]
        found = fitting(old.load(), new.load(), rtol, rtol * scale)
        if found is not None:
            self.add(Side((name,)), Side((other,), steps=found), sure)
        return found is not None

    def by_parts(self) -> None:
        """Pair one tensor with several that hold its values together, either way."""
        for name in list(self.old):
            left = {n: c for n, c in self.after.items() if n in self.new and not c.constant}
            if name not in self.before or self.before[name].constant:
                continue
            for group in fused.groups(self.before[name], left):
                side = fused.joined(self.old[name], {n: self.new[n] for n in group})
                if side is not None:
                    self.add(Side((name,)), side, EXACT)
                    break
        for other in list(self.new):
            left = {n: c for n, c in self.before.items() if n in self.old and not c.constant}
            if other not in self.after or self.after[other].constant:
                continue
            for group in fused.groups(self.after[other], left):
                parts = {n: self.old[n] for n in group}
                entries = fused.split_from(parts, other, self.new[other])
                for one, right in entries or ():
                    self.add(one, right, EXACT)
                if entries:
                    self.new.pop(other)
                    break

    def by_sums(self) -> None:
        """Pair torch's two biases of a recurrent layer with the one that others keep."""
        for name, twin in _twins(self.old):
            for other in self._biases(self.new, self.old[name].size, name):
                steps = fused.summed(self.old[name], self.old[twin], self.new[other])
                if steps is not None and not self.after[other].constant:
                    self.add(Side((name, twin), "sum"), Side((other,), steps=steps), EXACT)
                    break
        for name, twin in _twins(self.new):
            for other in self._biases(self.old, self.new[name].size, name):
                steps = fused.summed(self.new[name], self.new[twin], self.old[other])
                if steps == () and not self.before[other].constant:
                    self.add(Side((other,)), Side((name, twin), "sum"), EXACT)
                    break

    def _biases(self, side: dict[str, Tensor], size: int, like: str) -> list[str]:
        found = [n for n, one in side.items() if one.size == size and read(n).role == "bias"]
        return sorted(found, key=lambda name: -likeness(like, name))

    def by_statistics(self) -> None:
        """Pair tensors whose sorted values must nearly agree: rounded, or exported otherwise."""
        for name in list(self.old):
            one = self.before.get(name)
            if one is None or one.constant or one.size < 4:
                continue
            alike = [
                other
                for other in self.new
                if other in self.after and one.like(self.after[other], _CLOSE)
            ]
            for other in sorted(alike, key=lambda there: -self.score(name, there)):
                if self._fits(name, other, _CLOSE, CLOSE):
                    break

    def by_names(self) -> None:
        """Pair what is left by shape, name and order: matrices first, then the likeliest.

        What is known of a layer's matrix says where its bias is.
        """
        for least in (2, 0):
            found = self._likely(least)
            while found is not None:
                name, other = found
                steps = usual(name, self.old[name].shape, other, self.new[other].shape) or ()
                left, right = self._with_twin(self.old, name), self._with_twin(self.new, other)
                if left.join and right.join:
                    left, right = Side((name,)), Side((other,))
                self.add(left, right._replace(steps=steps), NAMES)
                found = self._likely(least)

    def _likely(self, least: int) -> tuple[str, str] | None:
        """Return the likeliest pair of tensors of at least so many axes longer than 1."""
        best: tuple[float, str, str] | None = None
        by_lengths: dict[tuple[int, ...], list[str]] = {}
        for other, tensor in self.new.items():
            by_lengths.setdefault(_lengths(tensor), []).append(other)
        for name, tensor in self.old.items():
            lengths = _lengths(tensor)
            for other in by_lengths.get(lengths, ()) if len(lengths) >= least else ():
                score = self.score(name, other) + _alike(self.before, self.after, name, other)
                if score >= 0 and (best is None or score > best[0]):
                    best = (score, name, other)
        return best and best[1:]

    def _with_twin(self, side: dict[str, Tensor], name: str) -> Side:
        """Return ``name``, with torch's other bias where both of a layer are still unpaired."""
        twin = dict(_twins(side)).get(name)
        return Side((name,)) if twin is None else Side((name, twin), "sum")


def _twins(side: Iterable[str]) -> list[tuple[str, str]]:
    """Return the pairs of biases that torch's recurrent layers add to each other."""
    names = list(side)
    pairs = [(name, name.replace("bias_ih", "bias_hh")) for name in names]
    return [(one, two) for one, two in pairs if one != two and two in names]


def _alike(before: dict[str, Census], after: dict[str, Census], name: str, other: str) -> float:
    """Return a bonus for tensors of one constant, a malus where only one of them is constant."""
    one, two = before.get(name), after.get(other)
    if one is None or two is None or not (one.constant or two.constant):
        return 0.0
    return 1.0 if one.moments == two.moments else -1.0


def _lengths(tensor: Tensor) -> tuple[int, ...]:
    return tuple(sorted(length for length in tensor.shape if length != 1))


def usual(
    name: str, old: tuple[int, ...], other: str, new: tuple[int, ...]
) -> tuple[Step, ...] | None:
    """Return the steps that are usual between two layouts, by shapes and the words in names.

    A kernel (Keras, flax) lies the other way round than a weight (torch), whatever its shape says.
    """
    turned = read(name).kernel != read(other).kernel
    turned = turned and not (read(name).embedding or read(other).embedding)
    if old == new and not (turned and len(old) >= 2):
        return ()
    gates = _gru(name, other, old)
    away = "OIHW" if read(name).kernel else "HWIO"
    for steps in candidates(old, new):
        one = steps[0]
        if len(steps) > 1 or one.name not in ("transpose", "layout", "permute", "reshape"):
            continue
        if old == new and one.name == "layout" and one.args[0] != away:
            continue
        return (*steps, *gates)
    return next(candidates(old, new), None)


def _gru(name: str, other: str, shape: tuple[int, ...]) -> tuple[Step, ...]:
    """Keras keeps the gates of a GRU as update, reset, new; torch as reset, update, new."""
    keras = read(other).kernel and not read(name).kernel
    if keras and "gru" in other.lower() and shape and shape[0] % 3 == 0:
        return (Step("gates", ("zrn", "rzn", 0)),)
    return ()


def written(found: Guess, old: str, new: str) -> str:
    """Return the map as a YAML file, each entry with how sure it is."""
    counts = {sure: sum(one.sure == sure for one in found.pairs) for sure in _ORDER}
    summary = ", ".join("%d by %s" % (count, sure) for sure, count in counts.items() if count)
    lines = [
        "# A first guess of which tensor of %s (left)" % _flat(old),
        "# is which of %s (right): %s." % (_flat(new), summary or "no pair was found"),
        "# Read it before you trust it; the grammar is in docs/ported-weights.md of prov.",
    ]
    lines.append("tensors:" if found.pairs else "tensors: {}")
    rows = [
        ("  %s: %s" % (_scalar(str(p.entry.left)), _scalar(str(p.entry.right))), p.sure)
        for p in found.pairs
    ]
    width = min(max((len(row) for row, _ in rows), default=0), 72)
    lines += ["%s  # %s" % (row.ljust(width), sure) for row, sure in rows]
    if found.ignored:
        lines += ["ignore:", *("  - %s" % json.dumps(one) for one in found.ignored)]
    for names, which in ((found.old_left, old), (found.new_left, new)):
        if names:
            lines.append("# Of %s without a counterpart:" % _flat(which))
            lines += ["#   %s" % _flat(name) for name in names]
    return "\n".join(lines) + "\n"


_ORDER = (EXACT, CLOSE, STATISTICS, NAMES)


def _flat(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else "?" for c in text).split())


def _scalar(text: str) -> str:
    """Return ``text`` as YAML reads it back: plain where that is safe."""
    safe = re.fullmatch(r"[A-Za-z0-9_][\w./:+\- |>,()\\]*", text, re.ASCII)
    if safe and ": " not in text and not text.endswith((":", " ")) and " #" not in text:
        return text
    return json.dumps(text)
