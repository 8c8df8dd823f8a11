"""Names of tensors as layers of a network: which are equal, and where it begins to differ."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple

from provenance.core.verdict import DIFFERENT, NOT_COMPARED, SAME, WITHIN

_SHOWN = 4


class Layer(NamedTuple):
    """A layer: ``prefix`` and, in a row of numbered ones, its ``number``, else None."""

    prefix: str
    number: int | None = None

    def __str__(self) -> str:
        return self.prefix if self.number is None else "%s%d" % (self.prefix, self.number)


def in_layer_order(names: Iterable[str]) -> list[str]:
    """Return ``names`` in the order of the layers, as far as that can be known.

    A file's own order is that of the layers, unless it is alphabetical: then ``layer.10`` is moved
    behind ``layer.9``.
    """
    found = list(names)
    if found != sorted(found):
        return found
    return sorted(found, key=natural)


def natural(name: str) -> list[tuple[int, str]]:
    """Return the key that sorts numbers in names by value."""
    parts = re.split(r"(\d+)", name)
    return [(int(x), "") if x.isdigit() and x.isascii() else (-1, x) for x in parts]


def layer_of(name: str) -> Layer:
    """Return the layer that a tensor belongs to: ``encoder.layer.4``, else the module's name."""
    parts = re.split(r"([./])", name)
    for place in range(0, len(parts) - 2, 2):
        if re.fullmatch(r"[0-9]{1,6}", parts[place]) and place:
            return Layer("".join(parts[:place]), int(parts[place]))
    return Layer("".join(parts[:-2]) or name)


def story(judged: Sequence[tuple[str, str]]) -> str:
    """Return "embeddings equal, layer.0-3 equal, layer.4.query.weight first differs".

    judged: name and verdict of each tensor, in layer order. "" where none differs or the first
    does.
    """
    first = next((place for place, (_, one) in enumerate(judged) if one == DIFFERENT), None)
    if not first:
        return ""
    here = layer_of(judged[first][0])
    before: list[tuple[Layer, list[str]]] = []
    for layer, rows in groupby(judged[:first], key=lambda row: layer_of(row[0])):
        if layer != here:
            before.append((layer, [verdict for _, verdict in rows]))
    pieces = _folded(before)
    left_out = len(pieces) - _SHOWN
    if left_out > 0:
        pieces = ["... (%d more)" % left_out, *pieces[left_out:]]
    return ", ".join([*pieces, "%s first differs" % judged[first][0]])


def _folded(layers: Sequence[tuple[Layer, list[str]]]) -> list[str]:
    """Return one phrase for each run of numbered layers of one prefix and one word."""
    pieces = []

    def key(row: tuple[Layer, list[str]]) -> tuple[str, bool, str]:
        return row[0].prefix, row[0].number is None, _word(row[1])

    for (prefix, single, word), rows in groupby(layers, key=key):
        numbers = [layer.number for layer, _ in rows]
        if single:
            pieces.append("%s %s" % (prefix, word))
        elif len(numbers) == 1:
            pieces.append("%s%s %s" % (prefix, numbers[0], word))
        else:
            pieces.append("%s%s-%s %s" % (prefix, numbers[0], numbers[-1], word))
    return pieces


def _word(verdicts: Sequence[str]) -> str:
    if set(verdicts) == {SAME}:
        return "equal"
    if set(verdicts) <= {SAME, WITHIN}:
        return "within tolerance"
    return "not compared" if set(verdicts) == {NOT_COMPARED} else "partly compared"
