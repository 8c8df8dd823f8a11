"""Weights and outputs of one framework held against those of another."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from provenance.compare.judged import Judged
from provenance.compare.tolerance import DEFAULT, Tolerance
from provenance.errors import BadRecord, SystemRefused, UsageError
from provenance.operations.allowed import Limits
from provenance.operations.loose import LooseResult

if TYPE_CHECKING:
    from provenance.operations._sides import Side, Sides
    from provenance.readers.model import Archive

NO_LIMITS = Limits()
Comparer = Callable[["Archive", "Archive", Tolerance], Judged]


class Guessed(NamedTuple):
    """A map that was written.

    path: where. text: what stands there. pairs: entries by how sure each is. unmatched: how many
    tensors of either file found no counterpart.
    """

    path: str
    text: str
    pairs: dict[str, int]
    unmatched: tuple[int, int]


def mapped(meant: Sides, path: str, limits: Limits = NO_LIMITS) -> LooseResult:
    """Compare two archives of tensors through the map at ``path``. Raises `ProvError`."""
    from provenance.compare import _mapping_parse, mapping

    known = _mapping_parse.load(path)

    def compare(old: Archive, new: Archive, chosen: Tolerance) -> Judged:
        return mapping.compare_mapped(old, new, known, chosen)

    return _compared(meant, "--map", limits, compare)


def outputs(meant: Sides, limits: Limits = NO_LIMITS) -> LooseResult:
    """Compare what two models gave for the same input, layer by layer. Raises `ProvError`."""
    from provenance.compare import activations

    return _compared(meant, "--outputs", limits, activations.compare_outputs)


def guess(meant: Sides, path: str) -> Guessed:
    """Write a first map for two archives to ``path``, which must not be there yet.

    Raises `ProvError`.
    """
    from provenance.compare import mapping_guess
    from provenance.readers.model import Unreadable

    if os.path.lexists(path):
        raise UsageError(
            "%s is there already and is not overwritten." % path, "name a file that is not there"
        )
    old, new = _archives(meant, "--guess-map")
    try:
        found = mapping_guess.guess(old, new)
    except Unreadable as error:
        raise BadRecord("a tensor of one of the files %s." % error) from error
    assert meant.old is not None
    assert meant.new is not None
    text = mapping_guess.written(found, meant.old.given, meant.new.given)
    try:
        with open(path, "x", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        raise SystemRefused("%s cannot be written: %s." % (path, error.strerror)) from error
    pairs: dict[str, int] = {}
    for one in found.pairs:
        pairs[one.sure] = pairs.get(one.sure, 0) + 1
    return Guessed(path, text, pairs, (len(found.old_left), len(found.new_left)))


def _compared(meant: Sides, option: str, limits: Limits, compare: Comparer) -> LooseResult:
    from provenance.readers.model import Unreadable

    try:
        chosen = DEFAULT if limits == NO_LIMITS else Tolerance.of(*limits)
    except ValueError as error:
        raise UsageError("%s." % error) from error
    old, new = _archives(meant, option)
    assert meant.old is not None
    assert meant.new is not None
    try:
        judged = compare(old, new, chosen)
    except Unreadable as error:
        raise BadRecord("a tensor of one of the files %s." % error) from error
    return LooseResult(meant.old, meant.new, judged, (), chosen, meant.notes)


def _archives(meant: Sides, option: str) -> tuple[Archive, Archive]:
    old, new = meant.old, meant.new
    if old is None or new is None or old.is_folder or new.is_folder:
        raise UsageError(
            "%s compares two files of arrays, not runs or folders." % option,
            "name two files, or outputs of runs: RUN:PATH",
        )
    return _archive(old), _archive(new)


def _archive(side: Side) -> Archive:
    from provenance.readers import archives
    from provenance.readers.model import Unreadable

    if side.path is None:
        raise BadRecord("the content of %s that was recorded is not at hand." % side.given)
    try:
        name = side.entry.path.path if side.entry is not None else side.given
        found = archives.open_archive(side.path, name)
    except Unreadable as error:
        raise BadRecord("%s %s." % (side.given, error)) from error
    except OSError as error:
        raise SystemRefused("%s cannot be read: %s." % (side.given, error.strerror)) from error
    if not found.tensors:
        more = found.notes[0] if found.notes else "no array stands in it"
        raise BadRecord("%s holds no tensors: %s." % (side.given, more.rstrip(".")))
    return found
