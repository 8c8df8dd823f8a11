"""Where boxes go in a layered drawing: columns by how far along, few crossings, short arrows.

The steps are those of Sugiyama, Tagawa and Toda (1981): columns, an order within each that keeps
crossings few (by the mean place of the neighbours), then places. The graph has no loop.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

GAP = 18
"""Pixels between two boxes of a column."""

_SWEEPS = 12


class Spot(NamedTuple):
    """Column, and the middle of the box from the top, in pixels."""

    column: int
    y: float


class Layout(NamedTuple):
    """spots: of boxes. ways: for an arrow by its place, the heights at which it passes columns."""

    spots: dict[str, Spot]
    ways: dict[int, list[Spot]]
    height: float


def layout(heights: Mapping[str, float], arrows: Sequence[tuple[str, str]]) -> Layout:
    """Return where boxes of these heights go. arrows: (begin, end), without a loop."""
    column = columns(list(heights), arrows)
    tall = dict(heights)
    links: list[tuple[str, str]] = []
    ways: dict[int, list[str]] = {}
    for place, (begin, end) in enumerate(arrows):
        chain = [begin]
        for between in range(column[begin] + 1, column[end]):
            name = "\0%d-%d" % (place, between)  # stands for the arrow where it passes a column
            column[name], tall[name] = between, 6.0
            chain.append(name)
        ways[place] = chain[1:]
        links += list(zip(chain, [*chain[1:], end], strict=True))
    order = _ordered(column, links)
    y = _placed(order, tall, links)
    least = min((y[name] - tall[name] / 2 for name in y), default=0.0)
    y = {name: value - least for name, value in y.items()}
    height = max((y[name] + tall[name] / 2 for name in y), default=0.0)
    return Layout(
        {name: Spot(column[name], y[name]) for name in heights},
        {place: [Spot(column[n], y[n]) for n in chain] for place, chain in ways.items()},
        height,
    )


def columns(names: Sequence[str], arrows: Sequence[tuple[str, str]]) -> dict[str, int]:
    """Return the column of each box: right of all that lead to it, and close to what follows."""
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for begin, end in arrows:
        before[end].append(begin)
        after[begin].append(end)
    found: dict[str, int] = {}
    left = {name: len(before[name]) for name in names}
    ready = [name for name in names if not left[name]]
    done: list[str] = []
    while ready:
        name = ready.pop()
        done.append(name)
        found[name] = max((found[one] + 1 for one in before[name]), default=0)
        for one in after[name]:
            left[one] -= 1
            if not left[one]:
                ready.append(one)
    for name in reversed(done):
        if after[name] and len(before[name]) <= len(after[name]):
            found[name] = min(found[one] for one in after[name]) - 1
    return {name: found[name] for name in names}


def _ordered(column: Mapping[str, int], links: Sequence[tuple[str, str]]) -> list[list[str]]:
    """Return the names column by column, in an order with few crossings."""
    count = max(column.values(), default=-1) + 1
    order: list[list[str]] = [[] for _ in range(count)]
    for name, place in column.items():
        order[place].append(name)
    near = _neighbours(column, links)
    best, fewest = [list(one) for one in order], _crossings(order, links, column)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        todo = range(1, count) if forward else range(count - 2, -1, -1)
        for here in todo:
            at = {name: i for i, name in enumerate(order[here - 1 if forward else here + 1])}
            side = 0 if forward else 1
            now = {name: i for i, name in enumerate(order[here])}
            mean = {n: _mean([at[o] for o in near[n][side]], now[n]) for n in order[here]}
            order[here].sort(key=mean.__getitem__)
        crossed = _crossings(order, links, column)
        if crossed < fewest:
            best, fewest = [list(one) for one in order], crossed
    return best


def _neighbours(
    column: Mapping[str, int], links: Sequence[tuple[str, str]]
) -> dict[str, tuple[list[str], list[str]]]:
    near: dict[str, tuple[list[str], list[str]]] = {name: ([], []) for name in column}
    for begin, end in links:
        near[end][0].append(begin)
        near[begin][1].append(end)
    return near


def _mean(places: Sequence[float], otherwise: float) -> float:
    return sum(places) / len(places) if places else otherwise


def _crossings(
    order: Sequence[Sequence[str]], links: Sequence[tuple[str, str]], column: Mapping[str, int]
) -> int:
    at = {name: place for names in order for place, name in enumerate(names)}
    between: dict[int, list[tuple[int, int]]] = {}
    for begin, end in links:
        between.setdefault(column[begin], []).append((at[begin], at[end]))
    total = 0
    for pairs in between.values():
        ends = [end for _, end in sorted(pairs)][:400]
        total += sum(1 for i, one in enumerate(ends) for other in ends[i + 1 :] if other < one)
    return total


def _placed(
    order: Sequence[Sequence[str]], tall: Mapping[str, float], links: Sequence[tuple[str, str]]
) -> dict[str, float]:
    """Return the middle of every box: near the middle of its neighbours, none over another."""
    y: dict[str, float] = {}
    for names in order:
        top = 0.0
        for name in names:
            y[name] = top + tall[name] / 2
            top += tall[name] + GAP
    column = {name: place for place, names in enumerate(order) for name in names}
    near = _neighbours(column, links)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        for names in order if forward else order[::-1]:
            side = 0 if forward else 1
            wanted = [_mean([y[o] for o in near[n][side]] or [y[n]], y[n]) for n in names]
            y.update(zip(names, _apart(names, wanted, tall), strict=True))
    return y


def _apart(names: Sequence[str], wanted: Sequence[float], tall: Mapping[str, float]) -> list[float]:
    """Return places near ``wanted`` in the same order, with a gap between each two.

    Boxes that want one place share it as a block around the mean of what they want.
    """
    blocks: list[tuple[float, list[float]]] = []  # (sum of wanted tops of the block, offsets)
    tops: list[list[float]] = []
    for name, want in zip(names, wanted, strict=True):
        blocks.append((want, [0.0]))
        tops.append([tall[name]])
        while len(blocks) > 1 and _end(blocks[-2], tops[-2]) > _begin(blocks[-1], tops[-1]):
            (total, offsets), (other, more) = blocks[-2], blocks[-1]
            shift = offsets[-1] + tops[-2][-1] / 2 + GAP + tops[-1][0] / 2
            joined = [*offsets, *(shift + one for one in more)]
            blocks[-2:] = [(total + other - shift * len(more), joined)]
            tops[-2:] = [[*tops[-2], *tops[-1]]]
    return [total / len(offsets) + one for total, offsets in blocks for one in offsets]


def _begin(block: tuple[float, list[float]], tops: Sequence[float]) -> float:
    return block[0] / len(block[1]) - tops[0] / 2


def _end(block: tuple[float, list[float]], tops: Sequence[float]) -> float:
    return block[0] / len(block[1]) + block[1][-1] + tops[-1] / 2 + GAP
