"""Tensors that one framework keeps as one and another as several: fused q, k, v; two biases."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy

from provenance.compare._mapping_parse import Side
from provenance.compare._mapping_steps import Malformed, Step
from provenance.compare._tensor_links import LARGEST, Census, census, fitting
from provenance.readers.model import Tensor

if TYPE_CHECKING:
    from provenance.readers.model import Array

_MOST_PARTS = 4
_MOST_NAMES = 400
"""Tensors of one size beyond which triples are not tried: 400^2 sums take a tenth of a second."""

Counted = Mapping[str, Census]


def groups(whole: Census, parts: Counted) -> list[tuple[str, ...]]:
    """Return sets of equally large ``parts`` whose values together are those of ``whole``."""
    found = []
    for count in range(2, _MOST_PARTS + 1):
        if whole.size % count:
            continue
        same = [n for n, one in parts.items() if one.size * count == whole.size]
        if not count <= len(same) <= _MOST_NAMES:
            continue
        found += _sums(whole.digest, {name: parts[name].digest for name in same}, count)
    return found


def _sums(total: int, digests: Mapping[str, int], count: int) -> list[tuple[str, ...]]:
    by_digest: dict[int, list[str]] = {}
    for name, digest in digests.items():
        by_digest.setdefault(digest, []).append(name)
    names = list(digests)
    # All but one are chosen, the last one follows; fours only where there are few.
    if count == 4 and len(names) > 40:
        return []
    for chosen in itertools.combinations(names, count - 1):
        rest = (total - sum(digests[name] for name in chosen)) % (1 << 64)
        for last in by_digest.get(rest, ()):
            if last not in chosen:
                return [(*chosen, last)]
    return []


def split_from(
    parts: Mapping[str, Tensor], name: str, whole: Tensor
) -> list[tuple[Side, Side]] | None:
    """Return entries that cut ``whole`` of the new file into ``parts`` of the old one."""
    if whole.size > LARGEST:
        return None
    array, count = whole.load(), len(parts)
    for axis in range(array.ndim):
        if array.shape[axis] % count:
            continue
        cut = Step("part", (0, count, axis))
        blocks = numpy.split(array, count, axis=axis)
        places = _assigned({n: t.load() for n, t in parts.items()}, blocks)
        if places is not None:
            return [
                (
                    Side((one,)),
                    Side((name,), steps=(cut._replace(args=(at + 1, count, axis)), *steps)),
                )
                for one, (at, steps) in places.items()
            ]
    return None


def _assigned(
    wanted: Mapping[str, Array], blocks: Sequence[Array]
) -> dict[str, tuple[int, tuple[Step, ...]]] | None:
    found: dict[str, tuple[int, tuple[Step, ...]]] = {}
    for name, array in wanted.items():
        for place, block in enumerate(blocks):
            if place in {at for at, _ in found.values()}:
                continue
            steps = fitting(array, block, 0.0, 0.0)
            if steps is not None:
                found[name] = (place, steps)
                break
        else:
            return None
    return found


def joined(whole: Tensor, parts: Mapping[str, Tensor]) -> Side | None:
    """Return how the ``parts`` of the new file make up ``whole`` of the old one."""
    if whole.size > LARGEST:
        return None
    array = whole.load()
    arrays = {name: tensor.load() for name, tensor in parts.items()}
    for axis in range(array.ndim):
        if array.shape[axis] % len(parts):
            continue
        blocks = numpy.split(array, len(parts), axis=axis)
        order: list[str] = []
        for block in blocks:
            fits = (
                name
                for name, one in arrays.items()
                if name not in order and fitting(block, one, 0.0, 0.0) is not None
            )
            order += itertools.islice(fits, 1)
        if len(order) == len(parts):
            side = _verified(array, [arrays[name] for name in order], tuple(order))
            if side is not None:
                return side
    return None


def _verified(whole: Array, arrays: Sequence[Array], names: tuple[str, ...]) -> Side | None:
    for axis in range(arrays[0].ndim):
        try:
            fused = numpy.concatenate(arrays, axis=axis)
        except ValueError:
            continue
        steps = fitting(whole, fused, 0.0, 0.0)
        if steps is not None:
            return Side(names, "concat", axis, steps)
    return None


def summed(one: Tensor, other: Tensor, both: Tensor) -> tuple[Step, ...] | None:
    """Return the steps that make ``both`` equal to the sum of two tensors, None for none."""
    if one.shape != other.shape or one.size > LARGEST:
        return None
    total = one.load() + other.load()
    scale = float(numpy.abs(total).max()) if total.size else 0.0
    try:
        return fitting(total, both.load(), 1e-6, 1e-6 * scale)
    except Malformed:
        return None


def counted(tensors: Mapping[str, Tensor]) -> dict[str, Census]:
    """Return the census of every tensor that holds real numbers. Raises `Unreadable`."""
    found = {}
    for name, tensor in tensors.items():
        one = census(tensor)
        if one is not None and one.size:
            found[name] = one
    return found
